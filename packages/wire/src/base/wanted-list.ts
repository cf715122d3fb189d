/**
 * Things in the order in which they came. Each is wanted for a while, and once it is not, never again. Finds the first
 * and the last that still are, at constant work per thing however many there were; a `Set` that things are deleted from
 * looks at every deleted one again.
 */
export class WantedList<T> {
  readonly #isWanted: (one: T) => boolean;
  readonly #all: T[] = [];
  /** Nothing before it is wanted. */
  #start = 0;

  constructor(isWanted: (one: T) => boolean) {
    this.#isWanted = isWanted;
  }

  add(one: T): void {
    if (this.#isWanted(one)) this.#all.push(one);
  }

  first(): T | undefined {
    for (; this.#start < this.#all.length; this.#start++) {
      const one = this.#all[this.#start] as T;
      if (this.#isWanted(one)) return one;
    }
    return undefined;
  }

  last(): T | undefined {
    while (this.#all.length > this.#start) {
      const one = this.#all.at(-1) as T;
      if (this.#isWanted(one)) return one;
      this.#all.pop();
    }
    return undefined;
  }
}
