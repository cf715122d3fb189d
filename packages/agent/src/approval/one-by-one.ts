/** A person is asked one question at a time, in the order of asking. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();

  /** `ask` is called when all before it have ended; it says itself what ends it, and does not reject. */
  next<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.#last.then(ask);
    this.#last = asked;
    return asked;
  }
}
