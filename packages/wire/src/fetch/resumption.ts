import type { ByteSource } from '../base/byte-source.ts';
import type { Clock } from '../base/clock.ts';
import { Deadline } from '../base/deadline.ts';
import { nonEmpty, isObject, type JsonObject } from '../base/json.ts';
import { ModelError } from '../model/errors.ts';
import { decideRetry, retryPolicies } from '../model/retry-policy.ts';
import { chunksOf } from '../read/body-chunks.ts';
import { BodySource } from '../read/body-source.ts';
import type { ReadTimeoutOptions } from '../read/read-events.ts';
import { refusalOf, type AnswerHead } from '../read/refusal.ts';
import { randomFraction } from '../runtime/random.ts';
import { EventsBehind } from './events-behind.ts';
import { pause } from './pause.ts';
import type { Continuation } from './whole-events.ts';

/** Asks for the stream of an answer that its server keeps: the whole one, or what lies behind the event of that number. */
export type AskAgain = (id: string, after: number | undefined, signal: AbortSignal) => Promise<Response>;

/** What a stream goes on with. */
export interface ResumeContext {
  readonly askAgain: AskAgain;
  readonly clock: Clock;
  readonly timeouts: Required<ReadTimeoutOptions>;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Where the answer was asked for. */
  readonly url: URL;
  /** The server has told the id of its answer. */
  readonly onId: (id: string) => void;
  /** A lost stream goes on. */
  readonly onResumed: () => void;
}

/**
 * Goes on with a stream whose connection was lost, behind the last event that came, for as long as its server can. It has to have told its
 * id and to number its events. Bounded by the retries of the default policy between two events.
 */
export class Resumption implements Continuation {
  readonly #context: ResumeContext;
  readonly #stop = new AbortController();
  #id: string | undefined;
  /** The number of the last event. */
  #last: number | undefined;
  /** Where it went on the last time, and how often it was asked since without an event. */
  #from: number | undefined;
  #used = 0;

  constructor(context: ResumeContext) {
    this.#context = context;
  }

  /** Looks at the next event, be it of the first connection or of another. */
  see(event: JsonObject | undefined): void {
    const { response, sequence_number: number } = event ?? {};
    if (typeof number === 'number') this.#last = number;
    if (this.#id !== undefined || !isObject(response)) return;
    const id = nonEmpty(response.id);
    // As a part of a path it would name another place.
    this.#id = id === '.' || id === '..' ? undefined : id;
    if (this.#id !== undefined) this.#context.onId(this.#id);
  }

  /** What brings the rest behind a connection that ended or failed like that; `undefined`: nothing does. */
  async goOn(failure: unknown): Promise<ByteSource | undefined> {
    let error: unknown = failure ?? CUT;
    while (this.#id !== undefined && this.#last !== undefined && error instanceof ModelError) {
      if (!(await this.#mayAsk(error, this.#last))) return undefined;
      try {
        return await this.#ask(this.#id, this.#last);
      } catch (reason) {
        error = reason;
      }
    }
    return undefined;
  }

  cancel(): void {
    this.#stop.abort();
  }

  /** Aborted once nobody wants the rest. */
  get #over(): AbortSignal {
    const { signal } = this.#context;
    return signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  /** At once for the first time; then as late as any other retry. What was silent twice in one place is not asked a third time. */
  async #mayAsk(error: ModelError, at: number): Promise<boolean> {
    if (this.#from !== at) this.#used = 0;
    else if (error.kind === 'stream_idle') return false;
    this.#from = at;
    const plan = decideRetry(retryPolicies.default, 'stream', error, this.#used, randomFraction);
    if (plan === undefined) return false;
    const over = this.#over;
    if (this.#used++ > 0) await pause(this.#context.clock, plan.delayMs, over);
    return !over.aborted;
  }

  async #ask(id: string, after: number): Promise<ByteSource> {
    const { clock, timeouts, url, onResumed } = this.#context;
    const over = this.#over;
    const response = await this.#answer(id, after, over);
    const source = new BodySource(chunksOf(response.body ?? []), {
      clock,
      signal: over,
      target: `GET ${url.origin}${url.pathname}/${id}`,
      idleMs: timeouts.idleTimeoutMs,
      progressMs: timeouts.progressTimeoutMs,
      firstEventMs: 0,
    });
    const head = { status: response.status, header: (name: string) => response.headers.get(name) ?? undefined };
    if (!isEventStream(head)) throw refused(head, source, url);
    const rest = await EventsBehind.begin(source, after);
    onResumed();
    return rest;
  }

  /** The headers of the answer are waited for as long as a byte of it would be. */
  async #answer(id: string, after: number, over: AbortSignal): Promise<Response> {
    const { askAgain, clock, timeouts } = this.#context;
    const late = new AbortController();
    const patience = new Deadline(clock, timeouts.idleTimeoutMs, () => late.abort());
    patience.start();
    try {
      return await askAgain(id, after, AbortSignal.any([over, late.signal]));
    } catch (cause) {
      throw new ModelError({ kind: 'connection_failed', message: 'no connection', cause });
    } finally {
      patience.stop();
    }
  }
}

const CUT = new ModelError({ kind: 'stream_truncated', message: 'the connection ended' });

function isEventStream(head: AnswerHead): boolean {
  return head.status === 200 && /^\s*text\/event-stream\b/i.test(head.header('content-type') ?? '');
}

/** Why a server does not go on: it is not waited for what it says of it. */
function refused(head: AnswerHead, source: BodySource, url: URL): ModelError {
  source.cancel();
  if (head.status >= 400) return refusalOf({ method: 'GET', url }, head, '');
  return new ModelError({ kind: 'protocol', message: 'no stream came' });
}
