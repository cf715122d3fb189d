/**
 * Where the ids of answers are kept that somebody may come back for, by a key of the app's own: that of a page, of a chat. A `Map` is
 * one, and so is what a few lines make of Redis or a table; its methods may answer with promises.
 */
export interface ResumeStore {
  /** The id under a key; `undefined` or `null`: there is none. A request whose key cannot be looked up fails with what this throws. */
  get(key: string): Promise<string | null | undefined> | string | null | undefined;
  /** Keeps an id under a key, in place of another. One that fails costs no answer: it only cannot be come back for. */
  set(key: string, id: string): unknown;
  /** Forgets a key. */
  delete(key: string): unknown;
}

/** The request header whose value is the key of an answer. It is taken away before the request is sent. */
export const RESUME_HEADER = 'x-turnwire-resume';

/**
 * A store in the memory of this process. It holds so many keys, and forgets the oldest for another.
 *
 * @param most Default 10,000
 *
 * @example
 * ```ts
 * const fetch = healing({ resume: resumeStore() });
 * const headers = { [RESUME_HEADER]: 'chat-7' };
 * await fetch('http://127.0.0.1:8787/v1/responses', { method: 'POST', headers, body: '{"model":"m","input":"hi","stream":true}' });
 * ```
 */
export function resumeStore(most = 10_000): ResumeStore {
  const ids = new Map<string, string>();
  return {
    get: (key) => ids.get(key),
    set: (key, id) => {
      ids.delete(key);
      ids.set(key, id);
      const [oldest] = ids.keys();
      if (ids.size > most && oldest !== undefined) ids.delete(oldest);
    },
    delete: (key) => ids.delete(key),
  };
}

/** What is kept of one answer under its key. */
export class Kept {
  readonly #store: ResumeStore;
  readonly #key: string;
  #id: string | undefined;

  constructor(store: ResumeStore, key: string) {
    this.#store = store;
    this.#key = key;
  }

  /** The id of the answer that was asked for before under this key. */
  async find(): Promise<string | undefined> {
    this.#id = (await this.#store.get(this.#key)) ?? undefined;
    return this.#id;
  }

  keep(id: string): void {
    if (this.#id === id) return;
    this.#id = id;
    void this.#try(() => this.#store.set(this.#key, id));
  }

  /** There is nothing to come back for: the next request under this key asks anew. */
  forget(): void {
    if (this.#id === undefined) return;
    this.#id = undefined;
    void this.#try(() => this.#store.delete(this.#key));
  }

  /** The answer goes on without its store. */
  async #try(change: () => unknown): Promise<void> {
    try {
      await change();
    } catch {
      // Nobody is left to be told: the answer is not at fault.
    }
  }
}
