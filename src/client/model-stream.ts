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
  /** Calls that came while another was waiting: each runs after the one before. */
  #tail: Promise<unknown> | undefined;

  constructor(source: BatchSource) {
    this.#source = source;
  }

  nextEvent(): Promise<IteratorResult<ModelEvent, undefined>> {
    const event = this.#tail === undefined ? this.#batch[this.#at] : undefined;
    if (event === undefined) return this.#inTurn(() => this.#fetchEvent());
    this.#at++;
    return Promise.resolve({ value: event, done: false });
  }

  nextBatch(): Promise<IteratorResult<readonly ModelEvent[], undefined>> {
    return this.#inTurn(() => this.#fetchBatch());
  }

  cancel(): void {
    this.#over = true;
    this.#batch = [];
    this.#source.cancel();
  }

  async #fetchEvent(): Promise<IteratorResult<ModelEvent, undefined>> {
    if (this.#at >= this.#batch.length) {
      const fetched = await this.#fetchBatch();
      if (fetched.done === true) return DONE;
      this.#batch = fetched.value;
      this.#at = 0;
    }
    const event = this.#batch[this.#at++];
    return event === undefined ? DONE : { value: event, done: false };
  }

  async #fetchBatch(): Promise<IteratorResult<readonly ModelEvent[], undefined>> {
    const rest = this.#batch.slice(this.#at);
    this.#batch = [];
    if (rest.length > 0) return { value: rest, done: false };
    if (this.#over) return DONE;
    try {
      const batch = await this.#source.next();
      if (batch !== undefined) return { value: batch, done: false };
    } catch (error) {
      this.#over = true;
      throw error;
    }
    this.#over = true;
    return DONE;
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const run = this.#tail === undefined ? step() : this.#tail.then(step, step);
    const tail: Promise<void> = run.then(
      () => this.#leave(tail),
      () => this.#leave(tail),
    );
    this.#tail = tail;
    return run;
  }

  #leave(tail: Promise<void>): void {
    if (this.#tail === tail) this.#tail = undefined;
  }
}
