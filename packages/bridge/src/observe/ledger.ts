import type { Logger } from 'pino';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { CompletedEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Metrics } from './metrics.ts';

/** One batch of so many is timed. */
const TIMED_BATCH = 16;

/** What the books are kept with. */
interface Books {
  readonly settings: { readonly clock: Clock };
  readonly metrics: Metrics;
}

/** Keeps the books of one answer: one log line, and the metrics. */
export class Ledger {
  upstream: { readonly label: string } | undefined;
  completed = false;
  readonly #context: Books;
  readonly #log: Logger;
  readonly #route: string;
  readonly #startedAt: number;
  readonly #heals: string[] = [];
  #arrivedAt: number;
  #firstMs: number | undefined;
  #error: ModelError | undefined;
  #end: CompletedEvent | undefined;
  #usage: Usage | undefined;
  #batches = 0;
  #timed = false;

  constructor(options: { readonly context: Books; readonly log: Logger; readonly route: string }) {
    this.#context = options.context;
    this.#log = options.log;
    this.#route = options.route;
    this.#startedAt = options.context.settings.clock.now();
    this.#arrivedAt = this.#startedAt;
  }

  /** Events were read off the upstream. One batch in some is timed: the clock and the histogram cost as much as a batch. */
  arrived(): void {
    this.#timed = this.#batches % TIMED_BATCH === 0;
    if (this.#timed) this.#arrivedAt = this.#context.settings.clock.now();
  }

  /** They were handed to the client's socket. */
  sent(): void {
    const { settings, metrics } = this.#context;
    this.#batches++;
    if (!this.#timed && this.#firstMs !== undefined) return;
    const now = settings.clock.now();
    if (this.#firstMs === undefined) {
      this.#firstMs = now - this.#startedAt;
      metrics.firstEvent.observe({ route: this.#route }, this.#firstMs / 1000);
    } else metrics.eventDelay.observe({}, (now - this.#arrivedAt) / 1000);
  }

  healed(fault: string): void {
    this.#heals.push(fault);
    this.#context.metrics.heals.inc({ fault });
  }

  complete(event: CompletedEvent): void {
    this.completed = true;
    this.#end = event;
    if (event.dropped_tool_calls !== undefined) this.healed('dropped_tool_call');
    if (event.ended_by === 'sentinel') this.healed('no_finish_reason');
    if (event.ended_by === 'close') this.healed('no_end');
    this.#count(event.usage);
  }

  fail(error: ModelError): void {
    this.#error = error;
    this.#count(error.usage);
  }

  #count(usage: Usage | undefined): void {
    this.#usage = usage;
    if (usage === undefined) return;
    const { tokens } = this.#context.metrics;
    tokens.inc({ direction: 'input' }, usage.input_tokens);
    tokens.inc({ direction: 'output' }, usage.output_tokens);
  }

  /** The one line. */
  close(): void {
    const { settings, metrics } = this.#context;
    const error = this.#error;
    const outcome = error === undefined ? 'completed' : error.kind;
    metrics.requests.inc({ route: this.#route, outcome });
    if (error !== undefined && error.kind !== 'aborted') metrics.errors.inc({ kind: error.kind });
    const line = {
      route: this.#route,
      upstream: this.upstream?.label,
      outcome,
      ttft_ms: rounded(this.#firstMs),
      ms: rounded(settings.clock.now() - this.#startedAt),
      batches: this.#batches,
      input_tokens: this.#usage?.input_tokens,
      output_tokens: this.#usage?.output_tokens,
      ended_by: this.#end?.ended_by,
      finish_reason: this.#end?.finish_reason,
      healed: this.#heals.length === 0 ? undefined : this.#heals,
      error: error === undefined || error.kind === 'aborted' ? undefined : error.message,
      code: error?.code,
    };
    if (error === undefined || error.kind === 'aborted') this.#log.info(line, 'response');
    else this.#log.warn(line, 'response');
  }
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
