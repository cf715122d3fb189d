import type { Clock } from '@turnwire/wire/internal/base/clock';
import { Deadline } from '@turnwire/wire/internal/base/deadline';
import type { TimerName } from '@turnwire/wire/internal/model/timer-failure';

/** Milliseconds; 0 is off. Absent fields take `defaultTimers`. */
export interface HttpTimers {
  /** Until the connection stands. Default 15,000 ms. */
  readonly connectMs?: number;
  /** From the request sent to the headers and the first byte of the body. Default: as `idleMs`. */
  readonly firstByteMs?: number;
  /** Any byte starts it over, comments too. It rests while the consumer holds the server back. Default 300,000 ms. */
  readonly idleMs?: number;
  /** Only `progress()` starts it over; the time the consumer takes does not count. Default 1,200,000 ms. */
  readonly progressMs?: number;
  /** From the first to the last byte, redirects included. Default 0 ms: off. */
  readonly totalMs?: number;
}

/**
 * The timers of a request that sets none, in milliseconds: 15 s to connect, 300 s of silence, 1,200 s without an
 * event, no total.
 */
export const defaultTimers = {
  connectMs: 15_000,
  idleMs: 300_000,
  progressMs: 1_200_000,
  totalMs: 0,
} as const;

/** The timers of one exchange; `expire` is called with the name of the one that ran out and its length. */
export class ExchangeTimers {
  readonly #clock: Clock;
  readonly #connect: Deadline;
  readonly #firstByte: Deadline;
  readonly #idle: Deadline;
  readonly #progress: Deadline;
  #deliveredAt: number | undefined;

  constructor(clock: Clock, timers: HttpTimers, expire: (timer: TimerName, ms: number) => void) {
    const idleMs = timers.idleMs ?? defaultTimers.idleMs;
    const deadline = (name: TimerName, ms: number) => new Deadline(clock, ms, () => expire(name, ms));
    this.#clock = clock;
    this.#connect = deadline('connect', timers.connectMs ?? defaultTimers.connectMs);
    this.#firstByte = deadline('firstByte', timers.firstByteMs ?? idleMs);
    this.#idle = deadline('idle', idleMs);
    const progressMs = timers.progressMs ?? defaultTimers.progressMs;
    this.#progress = new Deadline(clock, progressMs, () => {
      // While the consumer holds what came, nobody expects more.
      if (this.#deliveredAt === undefined) expire('progress', progressMs);
      else this.#restartProgress();
    });
  }

  connecting(): void {
    this.#connect.start();
  }

  sending(): void {
    this.#connect.stop();
    this.#firstByte.start();
    this.#progress.start();
  }

  firstByte(): void {
    this.#firstByte.stop();
    this.#idle.start();
  }

  byte(): void {
    this.#idle.touch();
  }

  /** The consumer holds the server back: its silence is not the server's. */
  paused(): void {
    this.#idle.stop();
  }

  resumed(): void {
    this.#idle.start();
  }

  /** Bytes went to the consumer; what it takes until `asked` is its own time. */
  delivered(): void {
    this.#deliveredAt = this.#clock.now();
  }

  asked(): void {
    if (this.#deliveredAt !== undefined) this.#progress.excuse(this.#clock.now() - this.#deliveredAt);
    this.#deliveredAt = undefined;
  }

  progress(): void {
    this.#progress.touch();
    if (this.#deliveredAt !== undefined) this.#deliveredAt = this.#clock.now();
  }

  #restartProgress(): void {
    this.#deliveredAt = this.#clock.now();
    this.#progress.start();
  }

  stop(): void {
    this.#connect.stop();
    this.#firstByte.stop();
    this.#idle.stop();
    this.#progress.stop();
  }
}
