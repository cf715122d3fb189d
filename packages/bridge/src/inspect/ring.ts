import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ExchangeStart, Observe } from '../observe/observer.ts';
import type { ExchangeRow } from './api.ts';
import { RecordLog, RecordMemory, type MemoryLimits } from './record-log.ts';
import { RecordedExchange } from './recorded.ts';
import type { ExchangeSource, RecordReader } from './source.ts';
import { TrackedExchange, type Tracking } from './tracked.ts';

/** What a ring is made of. */
export interface RingOptions {
  readonly clock: Clock;
  /** The time of day, in Unix milliseconds. */
  readonly unixMs: () => number;
  /** Number of exchanges that are kept when they are over; of those that no model server was asked for, a quarter of it. */
  readonly keep: number;
  /** Bounds of the records of what happened. Default: none are kept. */
  readonly records?: MemoryLimits | undefined;
}

/** The exchanges that run, and the last of those that are over. */
export class ExchangeRing implements ExchangeSource, Tracking {
  readonly clock: Clock;
  readonly unixMs: () => number;
  readonly #keep: number;
  readonly #memory: RecordMemory | undefined;
  readonly #all = new Map<string, TrackedExchange>();
  /** Those that are over, in the order of their ends; a flood of refused requests does not push out answers. */
  readonly #answers = new Set<TrackedExchange>();
  readonly #others = new Set<TrackedExchange>();
  readonly #listeners = new Set<(id: string) => void>();

  constructor({ clock, unixMs, keep, records }: RingOptions) {
    this.clock = clock;
    this.unixMs = unixMs;
    this.#keep = keep;
    this.#memory = records === undefined ? undefined : new RecordMemory(records);
  }

  /** Watches every exchange of a bridge. */
  readonly observe: Observe = (start) => this.#begin(start);

  #begin(start: ExchangeStart): TrackedExchange {
    if (this.#memory === undefined) return new TrackedExchange(start, this);
    return new RecordedExchange(start, this, new RecordLog(this.#memory));
  }

  now(): number {
    return this.unixMs();
  }

  ids(): Iterable<string> {
    return this.#all.keys();
  }

  row(id: string): ExchangeRow | undefined {
    return this.#all.get(id)?.row();
  }

  /** The rows of all, or of one caller, the oldest first. */
  rows(caller?: string): readonly ExchangeRow[] {
    const all = [...this.#all.values()].filter((one) => caller === undefined || one.caller === caller);
    return all.map((one) => one.row());
  }

  read(id: string): Promise<RecordReader | undefined> {
    const exchange = this.#all.get(id);
    return Promise.resolve(exchange instanceof RecordedExchange ? exchange.read() : undefined);
  }

  watch(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  changed(exchange: TrackedExchange): void {
    if (!exchange.listed) {
      exchange.listed = true;
      this.#all.set(exchange.id, exchange);
    }
    if (this.#listeners.size > 0) this.#tell(exchange.id);
  }

  ended(exchange: TrackedExchange): void {
    const [over, most] = exchange.asked ? [this.#answers, this.#keep] : [this.#others, Math.ceil(this.#keep / 4)];
    over.add(exchange);
    const [oldest] = over;
    if (over.size <= most || oldest === undefined) return;
    over.delete(oldest);
    this.#forget(oldest);
  }

  #forget(exchange: TrackedExchange): void {
    this.#all.delete(exchange.id);
    if (exchange instanceof RecordedExchange) this.#memory?.forget(exchange.log);
    this.#tell(exchange.id);
  }

  #tell(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }
}
