import type { Logger } from 'pino';
import type { ErrorKind, ModelError } from '@turnwire/wire/internal/model/errors';
import { serverRuleOf } from '@turnwire/wire/internal/model/server-rules';
import type { Member } from './member.ts';
import type { Rest, RestTurn } from './rest.ts';
import type { Upstream } from './upstream.ts';

/** What a lease knows of its server, and where it reports how the server did. */
export interface LeaseOptions {
  /** A server that is the only one never rests: there is nobody else to ask. One of its keys does. */
  readonly alone: boolean;
  readonly now: () => number;
  readonly log: Logger | undefined;
}

/** Failures of the key that was sent, or of the account that it belongs to. */
const OF_KEY: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  'unauthorized',
  'quota_exceeded',
  'usage_not_included',
  'rate_limited',
]);

/** True for a failure after which another key of the same server may do. */
export function isOfKey({ kind }: ModelError): boolean {
  return OF_KEY.has(kind);
}

/** One turn on one server. It is released in the end; before that, its first verdict counts. */
export class Lease {
  readonly upstream: Upstream;
  readonly #member: Member;
  readonly #model: string | undefined;
  readonly #options: LeaseOptions;
  readonly #turn: RestTurn;
  /** On the rest of its key alone, where the server has others. */
  readonly #keyTurn: RestTurn | undefined;
  /** On the rest for the model alone, if the server was found to lack it. */
  readonly #modelTurn: RestTurn | undefined;
  #judged = false;
  #released = false;

  constructor(member: Member, model: string | undefined, options: LeaseOptions) {
    this.upstream = member;
    this.#member = member;
    this.#model = model;
    this.#options = options;
    this.#turn = member.server.rest.begin();
    this.#keyTurn = member.rest?.begin();
    this.#modelTurn = member.server.restOf(model)?.begin();
    member.open++;
    member.server.open++;
  }

  /** The first event is there. */
  began(): void {
    this.#turn.began();
    this.#keyTurn?.began();
    this.#modelTurn?.began();
  }

  /** The answer is complete. */
  succeeded(): void {
    if (this.#judged) return;
    this.#judged = true;
    const { server, rest } = this.#member;
    this.#settle(server.rest, this.#turn, '');
    if (rest !== undefined && this.#keyTurn !== undefined) this.#settle(rest, this.#keyTurn, this.#ofKey);
    const ofModel = server.restOf(this.#model);
    if (ofModel !== undefined && this.#modelTurn !== undefined) {
      this.#settle(ofModel, this.#modelTurn, ` for the model ${this.#model}`);
    }
  }

  /** It failed, before or after its first event. */
  failed(error: ModelError): void {
    if (this.#judged) return;
    const { verdict } = serverRuleOf(error);
    if (verdict === 'good') {
      this.succeeded();
      return;
    }
    // Without a model, what is not there is a stored answer, which another server may have.
    if (verdict === 'none' || (verdict === 'lacks_model' && this.#model === undefined)) return;
    this.#judged = true;
    const { server, rest } = this.#member;
    const { failures } = server;
    failures.set(error.kind, (failures.get(error.kind) ?? 0) + 1);
    if (rest !== undefined && this.#keyTurn !== undefined && isOfKey(error)) {
      this.#rest(rest, this.#keyTurn, error, this.#ofKey);
      return;
    }
    if (this.#options.alone) return;
    if (verdict === 'bad') this.#rest(server.rest, this.#turn, error, '');
    else if (this.#model !== undefined) this.#lacks(this.#model, error);
  }

  /** The stream is over. Without a verdict, as when the caller left, it says nothing about the server. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#judged = true;
    this.#turn.left();
    this.#keyTurn?.left();
    this.#modelTurn?.left();
    this.#member.open--;
    this.#member.server.open--;
  }

  /** Which of several keys; its value is nobody's business. */
  get #ofKey(): string {
    return ` with the key of ${this.#member.credentials.source ?? this.#member.key}`;
  }

  #lacks(model: string, error: ModelError): void {
    const known = this.#member.server.restOf(model);
    // Another turn found the same in the meantime.
    if (known !== undefined && this.#modelTurn === undefined) return;
    const rest = known ?? this.#member.server.addRestOf(model);
    this.#rest(rest, this.#modelTurn ?? rest.begin(), error, ` for the model ${model}`);
  }

  #rest(rest: Rest, turn: RestTurn, error: ModelError, what: string): void {
    const isNew = turn.failed({ leastMs: serverRuleOf(error).restMs, askedMs: error.retry.afterMs });
    if (!isNew) return;
    const { kind, status, message } = error;
    const restMs = Math.round(rest.until - this.#options.now());
    const times = rest.failures === 1 ? 'a failure' : `${rest.failures} failures`;
    const why = status === undefined ? kind : `${status} ${kind}`;
    this.#options.log?.warn(
      { upstream: this.upstream.label, kind, status, rest_ms: restMs, failures: rest.failures, error: message },
      `upstream ${this.upstream.label} rests ${restMs / 1000} s${what} after ${times}: ${why}`,
    );
  }

  #settle(rest: Rest, turn: RestTurn, what: string): void {
    const { failures, since } = rest;
    turn.succeeded();
    if (failures === 0 || rest.failures > 0) return;
    const ms = Math.round(this.#options.now() - since);
    this.#options.log?.info(
      { upstream: this.upstream.label, failures, ms },
      `upstream ${this.upstream.label} is back${what} after ${ms / 1000} s`,
    );
  }
}
