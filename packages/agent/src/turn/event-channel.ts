/**
 * Carries events from the running turn to the front end that iterates over them.
 *
 * Bound: a writer that awaits `push` stops at `bound` batches that nobody has read, which stops reading from the
 * model. `post` never waits; only tools and the turn itself use it, and they bound what they post (a few events per
 * call, and a limited amount of output).
 */
export class EventChannel<T> {
  #batches: (readonly T[])[] = [];
  #ended = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];
  readonly #bound: number;

  constructor(bound = 64) {
    this.#bound = bound;
  }

  /** Adds a batch at once; the promise ends when the reader has room again, or is gone. */
  async push(batch: readonly T[]): Promise<void> {
    if (batch.length === 0 || this.#ended) return;
    this.#add(batch);
    while (this.#batches.length >= this.#bound && !this.#isEnded()) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    }
  }

  /** Adds one event without waiting. */
  post(event: T): void {
    if (!this.#ended) this.#add([event]);
  }

  /** No more events: the reader gets what is queued and then the end; writers wake up. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Reads until `end`. One reader only. */
  async *read(): AsyncGenerator<readonly T[], void, undefined> {
    while (true) {
      const batch = this.#batches.shift();
      if (batch !== undefined) {
        this.#releaseWriters();
        yield batch;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }

  /** The flag changes while a writer waits, which the compiler's flow analysis does not see. */
  #isEnded(): boolean {
    return this.#ended;
  }

  #add(batch: readonly T[]): void {
    this.#batches.push(batch);
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#wakeReader = undefined;
    this.#releaseWriters();
  }

  #releaseWriters(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }
}
