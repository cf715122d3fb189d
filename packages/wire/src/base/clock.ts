/** A running timer, to be cancelled once. */
export interface Timer {
  cancel(): void;
}

/** How a timer is kept. */
export interface TimerOptions {
  /**
   * The process must not end while this timer runs: for a wait that is work, such as the delay before a retry.
   * Default false: a timer that only watches something else never keeps the process alive by itself.
   */
  readonly keepAlive?: boolean;
}

/** The port through which every wait goes, so that tests own time. */
export interface Clock {
  /** Milliseconds that only grow; the origin is arbitrary. */
  now(): number;
  /** Calls back once after `ms` unless cancelled. */
  after(ms: number, callback: () => void, options?: TimerOptions): Timer;
}
