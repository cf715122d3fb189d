import type { Clock, Timer, TimerOptions } from '@turnwire/wire/internal/base/clock';

/** A clock whose timers stand still while a person is waited for. */
export class PatientClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<PatientTimer>();
  #waits = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  after(ms: number, callback: () => void, options?: TimerOptions): Timer {
    const run = (): void => {
      this.#timers.delete(timer);
      callback();
    };
    const timer = new PatientTimer(this.#clock, ms, run, options);
    this.#timers.add(timer);
    if (this.#waits === 0) timer.start();
    return {
      cancel: () => {
        timer.stop();
        this.#timers.delete(timer);
      },
    };
  }

  /** All timers stand still until `wait` has ended. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    this.#waits += 1;
    if (this.#waits === 1) for (const timer of this.#timers) timer.stop();
    try {
      return await wait();
    } finally {
      this.#waits -= 1;
      if (this.#waits === 0) for (const timer of this.#timers) timer.start();
    }
  }
}

class PatientTimer {
  readonly #clock: Clock;
  readonly #callback: () => void;
  readonly #options: TimerOptions | undefined;
  /** Milliseconds that it still has to run, when it began to run last. */
  #left: number;
  #since = 0;
  #running: Timer | undefined;

  constructor(clock: Clock, ms: number, callback: () => void, options: TimerOptions | undefined) {
    this.#clock = clock;
    this.#left = ms;
    this.#callback = callback;
    this.#options = options;
  }

  start(): void {
    this.#since = this.#clock.now();
    this.#running = this.#clock.after(this.#left, this.#callback, this.#options);
  }

  stop(): void {
    if (this.#running === undefined) return;
    this.#running.cancel();
    this.#running = undefined;
    this.#left = Math.max(0, this.#left - (this.#clock.now() - this.#since));
  }
}
