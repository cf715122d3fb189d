/** A place in the order of calls. */
export interface Turnstile {
  /** Ends when this call may run. */
  readonly ready: Promise<void>;
  /** To be called exactly once, whether it ran or not. */
  leave(): void;
}

/**
 * Keeps the order of a response's calls where it matters: shared calls run together, an exclusive one (a patch) runs
 * after those called before it and before those called after it. Bound: the calls of one response.
 */
export class OrderLock {
  #exclusive: Promise<unknown> = Promise.resolve();
  #shared: Promise<unknown>[] = [];

  enter(mode: 'shared' | 'exclusive'): Turnstile {
    const left = Promise.withResolvers<undefined>();
    const turnstile = { leave: () => left.resolve(undefined) };
    if (mode === 'shared') {
      this.#shared.push(left.promise);
      return { ...turnstile, ready: this.#exclusive.then(() => undefined) };
    }
    const before = Promise.all([this.#exclusive, ...this.#shared]);
    this.#exclusive = left.promise;
    this.#shared = [];
    return { ...turnstile, ready: before.then(() => undefined) };
  }
}

/** At most `limit` at a time; the others wait in order. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
