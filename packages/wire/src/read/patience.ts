import type { Clock, Timer } from '../base/clock.ts';

/** A bound on the time that is spent waiting, over many waits: what lies between them does not count. */
export class Patience {
  readonly #clock: Clock;
  #ms: number;
  readonly #expire: () => void;
  #left: number;
  #since = 0;
  #timer: Timer | undefined;

  /** @param ms 0, or infinite, is no bound */
  constructor(clock: Clock, ms: number, expire: () => void) {
    this.#clock = clock;
    this.#ms = ms > 0 && Number.isFinite(ms) ? ms : 0;
    this.#left = this.#ms;
    this.#expire = expire;
  }

  /** A wait begins; nothing keeps the process for it but the wait itself. */
  begin(): void {
    if (this.#ms === 0 || this.#timer !== undefined) return;
    this.#since = this.#clock.now();
    this.#timer = this.#clock.after(this.#left, this.#expire);
  }

  /** The wait is over. */
  end(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#left = Math.max(0, this.#left - (this.#clock.now() - this.#since));
  }

  /** What was waited for came: the whole time counts again, from the next wait on. */
  renew(): void {
    this.#left = this.#ms;
  }

  /** What was waited for came, and is not waited for again. */
  stop(): void {
    this.end();
    this.#ms = 0;
  }
}
