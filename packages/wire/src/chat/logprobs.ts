import { logprobsIn } from '../dialects/answer-extras.ts';
import type { TokenLogprob } from '../model/items.ts';

/** The log probabilities of one choice: each goes out with the next piece of text, and all of them stand on its message. */
export class Logprobs {
  readonly #all: TokenLogprob[] = [];
  #told = 0;

  read(value: unknown): void {
    for (const token of logprobsIn(value)) this.#all.push(token as TokenLogprob);
  }

  /** Those that came since the last call. */
  take(): readonly TokenLogprob[] {
    if (this.#told === this.#all.length) return NONE;
    const fresh = this.#all.slice(this.#told);
    this.#told = this.#all.length;
    return fresh;
  }

  /** As the server gave them. */
  get all(): readonly TokenLogprob[] {
    return this.#all;
  }
}

const NONE: readonly TokenLogprob[] = [];
