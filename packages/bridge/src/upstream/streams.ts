import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';

/** One answer under way. */
export interface OpenStream {
  /** Set when the client got something; the clock is not asked for each event. */
  active: boolean;
  /** Milliseconds of the clock when that was last noticed. */
  lastSentAt: number;
  /** Gives the client a sign of life. */
  heartbeat(): void;
  /** Ends it at once. */
  stop(): void;
}

const LONGEST_TICK_MS = 1000;
/** What is stopped has this long to tell its client. */
const LAST_WORDS_MS = 1000;

/** All answers under way: their number is bounded, their silence is broken, their end can be awaited. */
export class OpenStreams {
  readonly #streams = new Set<OpenStream>();
  readonly #clock: Clock;
  readonly #heartbeatMs: number;
  readonly #tickMs: number;
  readonly #limit: number;
  readonly #all: OpenStreams | undefined;
  #timer: Timer | undefined;
  #onIdle: (() => void)[] = [];
  /** Streams that are open on other workers of the same bridge: they count against the same bound. */
  elsewhere = 0;
  /** Told when the number of streams has changed. */
  onChange: (() => void) | undefined;
  #closing = false;

  /** @param all - streams of others, too, that these are among */
  constructor(clock: Clock, heartbeatMs: number, limit: number, all?: OpenStreams) {
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
    this.#tickMs = Math.max(5, Math.min(LONGEST_TICK_MS, heartbeatMs / 4));
    this.#limit = limit;
    this.#all = all;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Some of these, with a bound of their own. */
  within(limit = Number.POSITIVE_INFINITY): OpenStreams {
    return new OpenStreams(this.#clock, this.#heartbeatMs, limit, this);
  }

  get closing(): boolean {
    return this.#all?.closing ?? this.#closing;
  }

  /** No more begin. */
  close(): void {
    this.#closing = true;
  }

  get full(): boolean {
    return this.#streams.size + this.elsewhere >= this.#limit || this.#all?.full === true;
  }

  add(stream: OpenStream): void {
    this.#streams.add(stream);
    this.onChange?.();
    if (this.#all === undefined) this.#tick();
    else this.#all.add(stream);
  }

  delete(stream: OpenStream): void {
    this.#streams.delete(stream);
    this.#all?.delete(stream);
    this.onChange?.();
    if (this.#streams.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const settle of this.#onIdle.splice(0)) settle();
  }

  /** Settles when no stream is open; what still is after `ms` is stopped, and has a moment to tell its client. */
  async drain(ms: number): Promise<void> {
    await this.#idle(ms);
    if (this.#streams.size === 0) return;
    for (const stream of this.#streams) stream.stop();
    await this.#idle(LAST_WORDS_MS);
  }

  /** Settles when no stream is open, at the latest after `ms`. */
  async #idle(ms: number): Promise<void> {
    if (this.#streams.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, resolve, { keepAlive: true });
      this.#onIdle.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** One timer for all streams, running while there are any. */
  #tick(): void {
    if (this.#heartbeatMs === 0 || this.#timer !== undefined) return;
    this.#timer = this.#clock.after(this.#tickMs, () => {
      this.#timer = undefined;
      this.#beat();
      if (this.#streams.size > 0) this.#tick();
    });
  }

  /** What was sent since the last look may be a look old, and the next look must not be too late. */
  #beat(): void {
    const now = this.#clock.now();
    for (const stream of this.#streams) {
      const isDue = now - stream.lastSentAt > this.#heartbeatMs - 2 * this.#tickMs;
      if (!stream.active && !isDue) continue;
      stream.lastSentAt = now;
      if (!stream.active) stream.heartbeat();
      stream.active = false;
    }
  }
}
