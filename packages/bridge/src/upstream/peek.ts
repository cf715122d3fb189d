import type { HttpResponse } from '@turnwire/client/internal/transport/http';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { BodyEnd } from '../observe/observer.ts';

/**
 * A response whose beginning is looked at before it is decided who gets it: what `peek` read, `read` gives once more.
 * The one who looks bounds how much that is.
 */
export interface PeekedResponse extends HttpResponse {
  /** Like `read`, and keeps what came. Only before the first `read`. */
  peek(): ReturnType<HttpResponse['read']>;
  /** Shows what `read` gives and nobody has peeked at. */
  tap(see: (chunk: Uint8Array) => void): void;
  /** The response for somebody who reads it as its own; it stays whole and open. */
  readonly looking: HttpResponse;
}

export function peekable(response: HttpResponse): PeekedResponse {
  const seen: Promise<readonly Uint8Array[] | undefined>[] = [];
  const peek = (): Promise<readonly Uint8Array[] | undefined> => {
    const chunks = response.read();
    seen.push(chunks);
    return chunks;
  };
  let see: ((chunk: Uint8Array) => void) | undefined;
  const fresh = async (): Promise<readonly Uint8Array[] | undefined> => {
    const chunks = await response.read();
    if (see !== undefined) chunks?.forEach(see);
    return chunks;
  };
  const read = (): Promise<readonly Uint8Array[] | undefined> => seen.shift() ?? fresh();
  const head = { status: response.status, headers: response.headers, header: (name: string) => response.header(name) };
  const steady = { wake: () => response.wake(), progress: () => response.progress() };
  return {
    ...head,
    ...steady,
    peek,
    tap: (look) => {
      see = look;
    },
    read,
    chunks: iterable(read, () => response.cancel()),
    cancel: () => response.cancel(),
    release: (rest) => response.release(rest),
    looking: {
      ...head,
      ...steady,
      read: peek,
      chunks: iterable(peek, () => undefined),
      cancel: () => undefined,
      release: () => undefined,
    },
  };
}

/** Sees a body as it is read, and what comes of it for a short time after it was let go. */
export interface BodyWatcher {
  chunk(bytes: Uint8Array): void;
  /** Once. */
  end(how: BodyEnd): void;
  /** It was let go at a good end, and may end yet; `forget` takes it for left. */
  letGo(forget: () => void): void;
}

/** The response, whose bytes and their end somebody else sees as well. */
export function tapped(response: HttpResponse, watcher: BodyWatcher): HttpResponse {
  let over = false;
  const end = (how: BodyEnd): void => {
    if (!over) watcher.end(how);
    over = true;
  };
  const see = (bytes: Uint8Array): void => {
    if (!over) watcher.chunk(bytes);
  };
  const read = async (): Promise<readonly Uint8Array[] | undefined> => {
    try {
      const chunks = await response.read();
      if (chunks === undefined) end('complete');
      else chunks.forEach(see);
      return chunks;
    } catch (error) {
      // Others ended it: a timer, or who asked.
      end(error instanceof ModelError && error.kind === 'stream_truncated' ? 'broken' : 'left');
      throw error;
    }
  };
  const leave = (how: () => void): void => {
    end('left');
    how();
  };
  return {
    status: response.status,
    headers: response.headers,
    header: (name) => response.header(name),
    read,
    chunks: iterable(read, () => leave(() => response.cancel())),
    wake: () => response.wake(),
    progress: () => response.progress(),
    cancel: () => leave(() => response.cancel()),
    release: () => {
      if (!over) watcher.letGo(() => end('left'));
      response.release({ chunk: see, end });
    },
  };
}

function iterable(read: HttpResponse['read'], leave: () => void): AsyncIterable<Uint8Array> {
  async function* iterate(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let chunks = await read(); chunks !== undefined; chunks = await read()) yield* chunks;
    } finally {
      leave();
    }
  }
  return { [Symbol.asyncIterator]: iterate };
}
