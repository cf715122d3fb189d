import type { Clock, Timer } from './clock.ts';

/**
 * A timer that is re-armed often and cheaply: `touch` only notes the time, and the timer looks again when it
 * fires. At most one timer of the clock is running, whatever the number of touches.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #expire: () => void;
  #since = 0;
  #timer: Timer | undefined;

  /** `ms` of 0, or infinite, is a deadline that never comes. `expire` is called at most once per start. */
  constructor(clock: Clock, ms: number, expire: () => void) {
    this.#clock = clock;
    this.#ms = ms > 0 && Number.isFinite(ms) ? ms : 0;
    this.#expire = expire;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts it, or starts it over. */
  start(): void {
    if (this.#ms === 0) return;
    this.stop();
    this.#since = this.#clock.now();
    this.#schedule(this.#ms);
  }

  /** What was waited for happened: the whole time counts again from now. Nothing when it is not running. */
  touch(): void {
    if (this.running) this.#since = this.#clock.now();
  }

  /** Gives `ms` back: that time was not the watched party's fault. */
  excuse(ms: number): void {
    this.#since += ms;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      this.#look();
    });
  }

  #look(): void {
    this.#timer = undefined;
    const left = this.#since + this.#ms - this.#clock.now();
    if (left > 0) this.#schedule(left);
    else this.#expire();
  }
}
