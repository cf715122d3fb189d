/** A running timer, to be cancelled once. */
export interface Timer {
  cancel(): void;
}

/** The port through which every wait goes, so that tests own time. */
export interface Clock {
  /** Milliseconds that only grow; the origin is arbitrary. */
  now(): number;
  /** Calls back once after `ms` unless cancelled. A timer never keeps the process alive by itself. */
  after(ms: number, callback: () => void): Timer;
}
