import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Conceal } from '@turnwire/client/internal/platform/conceal';
import type { ModelEvent, Usage } from '@turnwire/wire/internal/model/events';
import { clientName } from '../observe/client-name.ts';
import type {
  AnswerHead,
  Attempt,
  ExchangeEnd,
  ExchangeObserver,
  ExchangeStart,
  ExchangeSummary,
  ReadRequest,
  RepairCause,
} from '../observe/observer.ts';
import { ExchangeSecrets } from '../observe/secrets.ts';
import { failureText, type ExchangeRow, type ExchangeState } from './api.ts';
import { isPiece, saysSomething } from './event-facts.ts';

/** Where the exchanges are that are looked at. */
export interface Tracking {
  readonly clock: Clock;
  /** The time of day, in Unix milliseconds. */
  readonly unixMs: () => number;
  /** It is there, or it has changed. */
  changed(exchange: TrackedExchange): void;
  /** It is over. */
  ended(exchange: TrackedExchange): void;
}

/** What is known of an exchange as its observer was told of it: a row is made of it when somebody looks. */
type Facts = Writable<Omit<ExchangeRow, 'state' | 'repairs' | 'client'>>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** How an exchange of each end is shown. */
type EndState = Extract<ExchangeState, 'completed' | 'failed' | 'refused' | 'aborted'>;

/** One exchange for the list: a few numbers are kept up while it runs. */
export class TrackedExchange implements ExchangeObserver {
  readonly id: string;
  readonly start: ExchangeStart;
  /** Kept by who lists it. */
  listed = false;
  protected readonly facts: Facts;
  readonly #tracking: Tracking;
  readonly #repairs = new Map<string, number>();
  readonly #conceals = new Set<Conceal>();
  /** Behind it, the clock's time is Unix time. */
  readonly #offset: number;
  #isRead = false;
  /** When the attempt failed that another one follows, until that one begins. */
  #failedAt: number | undefined;
  #end: EndState | undefined;

  constructor(start: ExchangeStart, tracking: Tracking) {
    this.id = start.id;
    this.start = start;
    this.#tracking = tracking;
    const startedAt = tracking.unixMs();
    this.#offset = startedAt - tracking.clock.now();
    this.facts = { id: start.id, startedAt, route: start.route, attempts: 0, deltas: 0, bytes: 0 };
    // What asks about the bridge itself comes as GET, and is never said to end.
    if (start.method === 'POST') this.#changed();
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** A model server was asked. */
  get asked(): boolean {
    return this.facts.attempts > 0;
  }

  /** Who asks, where callers have names. */
  get caller(): string | undefined {
    return this.facts.caller;
  }

  /** Unix time in milliseconds, which does not jump while the exchange lasts. */
  protected now(): number {
    return this.#offset + this.#tracking.clock.now();
  }

  onCaller(name: string): void {
    this.facts.caller = name;
  }

  onRequest({ route, wire, model }: ReadRequest): void {
    this.#isRead = true;
    Object.assign(this.facts, { route, wire, model });
    this.#changed();
  }

  onAttempt({ upstream, number, conceal }: Attempt): void {
    const { facts } = this;
    this.#conceals.add(conceal);
    this.#endWait();
    facts.upstream = upstream;
    facts.attempts = number;
    facts.askedAt = this.now();
    facts.status = facts.headAt = facts.retryAt = undefined;
    facts.firstEventAt = facts.lastEventAt = facts.lastByteAt = undefined;
    this.#changed();
  }

  #endWait(): void {
    const { setback } = this.facts;
    if (this.#failedAt === undefined || setback === undefined) return;
    this.facts.setback = { ...setback, waitedMs: setback.waitedMs + this.now() - this.#failedAt };
    this.#failedAt = undefined;
  }

  onHead({ status, wire }: AnswerHead): void {
    const { facts } = this;
    facts.status = status;
    facts.upstreamWire = wire;
    facts.headAt = this.now();
    this.#changed();
  }

  onChunk(bytes: Uint8Array): void {
    this.facts.bytes += bytes.byteLength;
    this.facts.lastByteAt = this.now();
    this.#changed();
  }

  onEvents(events: readonly ModelEvent[]): void {
    // What was decoded has just been read: its time is that of its bytes.
    this.tell(events, this.facts.lastByteAt ?? this.now());
  }

  /** Events came at that time. */
  protected tell(events: readonly ModelEvent[], at: number): void {
    const { facts } = this;
    facts.lastEventAt = at;
    for (const event of events) if (isPiece(event)) facts.deltas++;
    if (facts.firstEventAt !== undefined || !events.some(saysSomething)) return;
    facts.firstEventAt = at;
    facts.error = undefined; // of an attempt before
  }

  onFinished(): void {
    this.facts.finishedAt = this.now();
    this.facts.awaits = 'usage';
    this.#changed();
  }

  onRepair(repair: string, about?: string | RepairCause): void {
    this.#repairs.set(repair, (this.#repairs.get(repair) ?? 0) + 1);
    if (typeof about === 'object') this.#failed(about, repair === 'retry');
    this.#changed();
  }

  #failed({ upstream, failure, delayMs }: RepairCause, isSame: boolean): void {
    const { facts } = this;
    this.#failedAt = this.now();
    facts.upstream = upstream;
    facts.status = failure.status ?? facts.status; // a trace has it with the head alone
    facts.error = failure;
    const { failures = 0, waitedMs = 0 } = facts.setback ?? {};
    facts.setback = { failures: failures + 1, waitedMs, upstream, failure: failureText(facts) };
    facts.retryAt = isSame ? this.now() + delayMs : undefined;
  }

  onEnd({ upstream, status, usage, end, route }: ExchangeSummary): void {
    const { facts } = this;
    this.#end = stateOf(end);
    facts.route = route;
    facts.endedAt = this.now();
    facts.upstream = upstream ?? facts.upstream;
    facts.status = end.how === 'refused' ? end.refusal.status : (status ?? facts.status);
    facts.error = errorOf(end);
    facts.retryAt = undefined;
    this.#use(usage);
    this.#changed();
    this.#tracking.ended(this);
  }

  onLateUsage(usage: Usage): void {
    this.#use(usage);
    this.#changed();
  }

  #use(usage: Usage | undefined): void {
    this.facts.inputTokens = usage?.input_tokens;
    this.facts.outputTokens = usage?.output_tokens;
  }

  #changed(): void {
    this.#tracking.changed(this);
  }

  /** The row as it is now, without secrets. */
  row(): ExchangeRow {
    const { model, error, ...facts } = this.facts;
    const secrets = new ExchangeSecrets(this.start.headers);
    for (const conceal of this.#conceals) secrets.add(conceal);
    const { kind, message } = error ?? {};
    return {
      ...facts,
      client: clientName(this.start.headers['user-agent']),
      model: model === undefined ? undefined : secrets.text(model),
      state: this.#state,
      repairs: Object.fromEntries(this.#repairs),
      error: kind === undefined || message === undefined ? undefined : { kind, message: secrets.text(message) },
    };
  }

  get #state(): ExchangeState {
    const { attempts, finishedAt, firstEventAt, bytes, route } = this.facts;
    if (this.#end !== undefined) return this.#end;
    if (!this.#isRead) return 'reading';
    if (attempts === 0) return 'waiting';
    if (this.#failedAt !== undefined) return 'retrying';
    if (finishedAt !== undefined) return 'finishing';
    // What is passed through is not read, unless somebody looks.
    return firstEventAt === undefined && !(route === 'passthrough' && bytes > 0) ? 'waiting' : 'streaming';
  }
}

function stateOf(end: ExchangeEnd): EndState {
  return end.how === 'failed' && end.error.kind === 'aborted' ? 'aborted' : end.how;
}

function errorOf(end: ExchangeEnd): ExchangeRow['error'] {
  switch (end.how) {
    case 'completed':
      return undefined;
    case 'failed':
      return end.error;
    case 'refused':
      return { kind: end.refusal.code ?? 'refused', message: end.refusal.message };
  }
}
