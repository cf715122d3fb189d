import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { ModelEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { Repair, Repairs } from '@turnwire/wire/internal/repairs';
import type {
  AnswerHead,
  AskedServer,
  Attempt,
  BodyEnd,
  ExchangeEnd,
  ExchangeObserver,
  ExchangeStart,
  ExchangeSummary,
  Observe,
  ReadRequest,
  RepairCause,
  Sent,
} from './observer.ts';

/** A caller as their exchanges know them. */
export interface KnownCaller {
  readonly name: string;
  /** Counts what an answer took. */
  spend(usage: Usage): void;
}

/** One of so many batches is timed: the clock and a histogram cost as much as a batch. */
const TIMED_BATCH = 16;

/**
 * One exchange as its observers are told of it, and what they all want to know at its end. The code that answers calls
 * it; nothing else knows who listens.
 */
export class Exchange {
  readonly id: string;
  /** Undefined where nobody listens: a batch or a chunk is then passed by for nothing. */
  readonly onChunk: ((bytes: Uint8Array) => void) | undefined;
  readonly onEvents: ((events: readonly ModelEvent[]) => void) | undefined;
  readonly #observers: readonly ExchangeObserver[];
  readonly #sentTo: readonly ExchangeObserver[];
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #repairs = new Map<Repair, number>();
  #route: string;
  #upstream: string | undefined;
  #status: number | undefined;
  #arrivedAt = 0;
  #timed = false;
  #firstMs: number | undefined;
  #attempts = 0;
  #batches = 0;
  #bytes = 0;
  #skipped = 0;
  #ended = false;
  #caller: KnownCaller | undefined;
  #forget: (() => void) | undefined;

  constructor(start: ExchangeStart, observers: readonly ExchangeObserver[], clock: Clock) {
    this.id = start.id;
    this.#route = start.route;
    this.#observers = observers;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#sentTo = observers.filter((one) => 'onSent' in one);
    const onChunk = observers.filter((one) => 'onChunk' in one);
    const onEvents = observers.filter((one) => 'onEvents' in one);
    this.onChunk = onChunk.length === 0 ? undefined : (bytes) => onChunk.forEach((one) => one.onChunk?.(bytes));
    this.onEvents = onEvents.length === 0 ? undefined : (events) => onEvents.forEach((one) => one.onEvents?.(events));
  }

  /** Who asks, where callers have names. */
  identify(caller: KnownCaller): void {
    this.#caller = caller;
    for (const observer of this.#observers) observer.onCaller?.(caller.name);
  }

  onRequest(request: ReadRequest): void {
    this.#route = request.route;
    for (const observer of this.#observers) observer.onRequest?.(request);
  }

  onAttempt(attempt: Attempt): void {
    this.#forgetBody();
    this.#upstream = attempt.upstream;
    this.#status = undefined;
    this.#attempts = attempt.number;
    for (const observer of this.#observers) observer.onAttempt?.(attempt);
  }

  onAsked(asked: AskedServer): void {
    this.#forgetBody();
    for (const observer of this.#observers) observer.onAsked?.(asked);
  }

  /** The body of an answer that is over may end yet: its end is told then, or when a server is asked again. */
  onLetGo(forget: () => void): void {
    this.#forget = forget;
  }

  #forgetBody(): void {
    this.#forget?.();
    this.#forget = undefined;
  }

  onBodyEnd(how: BodyEnd): void {
    for (const observer of this.#observers) observer.onBodyEnd?.(how);
  }

  onHead(head: AnswerHead): void {
    this.#status = head.status;
    for (const observer of this.#observers) observer.onHead?.(head);
  }

  onFinished(): void {
    for (const observer of this.#observers) observer.onFinished?.();
  }

  /** Whose answer it is that the client gets, of those that were asked. */
  chose(upstream: string, status: number | undefined): void {
    this.#upstream = upstream;
    this.#status = status;
  }

  /** A batch was read off the server; it is sent next. */
  arrived(): void {
    this.#timed = this.#batches % TIMED_BATCH === 0;
    if (this.#timed) this.#arrivedAt = this.#clock.now();
  }

  onSent(sent: Sent): void {
    this.#batches++;
    if (sent instanceof Uint8Array) this.#bytes += sent.byteLength;
    if (this.#firstMs === undefined) this.#firstMs = this.#clock.now() - this.#startedAt;
    else if (this.#timed) this.#tellDelay(this.#clock.now() - this.#arrivedAt);
    this.#timed = false;
    for (const observer of this.#sentTo) observer.onSent?.(sent);
  }

  #tellDelay(ms: number): void {
    for (const observer of this.#observers) observer.onDelay?.(ms);
  }

  /** What the client is told of a failure: it is no part of an answer, so it is not counted as one. */
  told(sent: Sent): void {
    for (const observer of this.#sentTo) observer.onSent?.(sent);
  }

  onRepair(repair: Repair, about?: string | RepairCause): void {
    this.#repairs.set(repair, (this.#repairs.get(repair) ?? 0) + 1);
    for (const observer of this.#observers) observer.onRepair?.(repair, about);
  }

  /** Tells what was taken down since the last time: each name once, each skipped event. */
  tellRepairs({ names, skipped }: Repairs): void {
    for (const data of skipped.slice(this.#skipped)) this.onRepair('skipped_event', data);
    this.#skipped = skipped.length;
    for (const name of names) if (!this.#repairs.has(name)) this.onRepair(name);
  }

  /** The first end counts. */
  onEnd(end: ExchangeEnd, answer?: () => JsonObject | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const summary: ExchangeSummary = {
      route: this.#route,
      outcome: outcomeOf(end),
      end,
      upstream: this.#upstream,
      status: this.#status,
      attempts: this.#attempts,
      firstMs: this.#firstMs,
      ms: this.#clock.now() - this.#startedAt,
      batches: this.#batches,
      bytes: this.#bytes,
      usage: usageOf(end),
      repairs: this.#repairs,
      answer,
    };
    if (summary.usage !== undefined) this.#caller?.spend(summary.usage);
    for (const observer of this.#observers) observer.onEnd?.(summary);
  }

  /** Usage that came when the answer was over, and had none. */
  onLateUsage(usage: Usage): void {
    this.#caller?.spend(usage);
    for (const observer of this.#observers) observer.onLateUsage?.(usage);
  }
}

/** Begins the exchanges of one bridge: the one place where observers are asked whether they want to watch. */
export function createExchanges(clock: Clock, observe: readonly Observe[]): (start: ExchangeStart) => Exchange {
  return (start) => {
    const observers = observe.map((begin) => begin(start)).filter((observer) => observer !== undefined);
    return new Exchange(start, observers, clock);
  };
}

/** A refusal with 500 is no fault of the request. */
function outcomeOf(end: ExchangeEnd): string {
  switch (end.how) {
    case 'completed':
      return 'completed';
    case 'failed':
      return end.error.kind;
    case 'refused':
      return end.refusal.status === 500 ? 'server_error' : 'refused';
  }
}

function usageOf(end: ExchangeEnd): Usage | undefined {
  switch (end.how) {
    case 'completed':
      return end.usage ?? end.event?.usage;
    case 'failed':
      return end.usage ?? end.error.usage;
    case 'refused':
      return undefined;
  }
}
