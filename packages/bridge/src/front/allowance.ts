const MINUTE_MS = 60_000;

/** So much in a minute, which comes back evenly: nobody who waits for a whole minute is refused. */
export class Allowance {
  readonly perMinute: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** @param now - milliseconds that only grow */
  constructor(perMinute: number, now: () => number) {
    this.perMinute = perMinute;
    this.#now = now;
    this.#left = perMinute;
    this.#at = now();
  }

  /** What is left now; less than 0 when more was used than there was. */
  get left(): number {
    const now = this.#now();
    this.#left = Math.min(this.perMinute, this.#left + ((now - this.#at) * this.perMinute) / MINUTE_MS);
    this.#at = now;
    return this.#left;
  }

  use(amount: number): void {
    this.#left = this.left - amount;
  }

  /** Milliseconds until so much is left. */
  msUntil(amount: number): number {
    return Math.max(0, Math.ceil(((amount - this.left) * MINUTE_MS) / this.perMinute));
  }
}
