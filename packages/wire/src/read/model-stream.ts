import type { ModelEvent } from '../model/events.ts';

/**
 * The answer to one request, read once. Nothing is sent before the first event is asked for; leaving a loop
 * early, or `return()`, cancels the request exactly once. Ends with `completed` or with a thrown `ModelError`.
 */
export interface ModelStream extends AsyncIterable<ModelEvent> {
  /** The same events, those that arrived together handed over together: no promise per token. */
  batches(): AsyncIterable<readonly ModelEvent[]>;
}

/** Where a stream's events come from. */
export interface BatchSource {
  /** The next events, never an empty list; `undefined` after the last, or after `cancel`. One call at a time. */
  next(): Promise<readonly ModelEvent[] | undefined>;
  /** Gives up and releases everything; a pending `next` answers `undefined`. Nothing the second time. */
  cancel(): void;
}

/** A stream over a source. However it is iterated, every event is delivered once. */
export function toModelStream(source: BatchSource): ModelStream {
  const reader = new StreamReader(source);
  return {
    [Symbol.asyncIterator]: () => iteratorOf(reader, () => reader.nextEvent()),
    batches: () => ({ [Symbol.asyncIterator]: () => iteratorOf(reader, () => reader.nextBatch()) }),
  };
}

function iteratorOf<T>(reader: StreamReader, next: () => Promise<IteratorResult<T, undefined>>): AsyncIterator<T> {
  return {
    next,
    return: () => {
      reader.cancel();
      return Promise.resolve({ value: undefined, done: true });
    },
  };
}

const DONE = { value: undefined, done: true } as const;

class StreamReader {
  readonly #source: BatchSource;
  #batch: readonly ModelEvent[] = [];
  #at = 0;
  #over = false;
  /** Calls that have not settled, and the last of them: one that comes meanwhile runs after it. */
  #pending = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(source: BatchSource) {
    this.#source = source;
  }

  nextEvent(): Promise<IteratorResult<ModelEvent, undefined>> {
    const event = this.#pending === 0 ? this.#batch[this.#at] : undefined;
    if (event === undefined) return this.#inTurn(this.#fetchEvent);
    this.#at++;
    return Promise.resolve({ value: event, done: false });
  }

  nextBatch(): Promise<IteratorResult<readonly ModelEvent[], undefined>> {
    return this.#inTurn(this.#fetchBatch);
  }

  cancel(): void {
    this.#over = true;
    this.#batch = [];
    this.#source.cancel();
  }

  #inTurn<T>(fetch: () => Promise<T>): Promise<T> {
    const run = this.#pending++ === 0 ? fetch() : this.#last.then(fetch, fetch);
    this.#last = run;
    return run;
  }

  readonly #fetchEvent = async (): Promise<IteratorResult<ModelEvent, undefined>> => {
    try {
      if (this.#at >= this.#batch.length) await this.#refill();
      const event = this.#batch[this.#at++];
      return event === undefined ? DONE : { value: event, done: false };
    } finally {
      this.#pending--;
    }
  };

  readonly #fetchBatch = async (): Promise<IteratorResult<readonly ModelEvent[], undefined>> => {
    try {
      if (this.#at >= this.#batch.length) await this.#refill();
      const batch = this.#at === 0 ? this.#batch : this.#batch.slice(this.#at);
      this.#batch = [];
      this.#at = 0;
      return batch.length === 0 ? DONE : { value: batch, done: false };
    } finally {
      this.#pending--;
    }
  };

  async #refill(): Promise<void> {
    this.#batch = [];
    this.#at = 0;
    if (this.#over) return;
    try {
      const batch = await this.#source.next();
      if (batch === undefined) this.#over = true;
      else this.#batch = batch;
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }
}
