/**
 * Bytes of a body as any runtime has them: a `ReadableStream` (`response.body`), a stream of Node, or what else can be iterated
 * for chunks. A chunk that is text counts as its UTF-8.
 */
export type ByteBody = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** The chunks of a body, one at a time. */
export interface BodyChunks {
  /** The next chunk; `undefined` at the end. Rejects as the body does. */
  next(): Promise<Uint8Array | undefined>;
  /** Gives the body up. Never throws. */
  cancel(): void;
}

/** @throws TypeError for a `ReadableStream` that is locked already */
export function chunksOf(body: ByteBody): BodyChunks {
  return 'getReader' in body ? fromWebStream(body) : fromIterable(body);
}

function fromWebStream(body: ReadableStream<Uint8Array>): BodyChunks {
  const reader = body.getReader();
  return {
    next: () => reader.read().then(({ value }) => value),
    cancel: () => {
      reader.cancel().catch(() => undefined); // it has failed already: nobody is left to be told
    },
  };
}

const encoder = new TextEncoder();

function fromIterable(body: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>): BodyChunks {
  const iterator = Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]();
  return {
    async next() {
      const result = await iterator.next();
      if (result.done === true) return undefined;
      return typeof result.value === 'string' ? encoder.encode(result.value) : result.value;
    },
    cancel: () => {
      // The iterator of a Node stream answers `return` only after its pending `next`: a held socket would stay.
      if (isNodes(body)) body.destroy();
      else void Promise.resolve(iterator.return?.()).catch(() => undefined);
    },
  };
}

function isNodes(body: object): body is { destroy(): void } {
  return 'destroy' in body && typeof body.destroy === 'function';
}
