import type { ServerResponse } from 'node:http';

/** A piece up to this long is copied behind its length line; a longer one is not worth the copy. */
const COPIED_LENGTH = 16 * 1024;
const LINE = Buffer.from('\r\n');

/**
 * Writes the body of a streamed answer. Behind the first write of a chunked answer, each write goes to the socket as one
 * piece that already is an HTTP chunk: Node's own `write` makes four pieces of it, a third of the cost of a short event.
 * The end stays Node's, so that it accounts for the answer as for any other.
 */
export class BodyWriter {
  readonly #res: ServerResponse;
  readonly #chunked: boolean;
  #begun = false;

  /** @param hasLength - the answer has a `content-length`; otherwise all but HTTP/1.0 gets it in chunks */
  constructor(res: ServerResponse, hasLength = false) {
    this.#res = res;
    this.#chunked = !hasLength && res.req.httpVersionMinor > 0;
  }

  /** The client takes no more for now: nothing more should be written before `drained`. */
  get full(): boolean {
    return this.#res.writableNeedDrain || this.#res.socket?.writableNeedDrain === true;
  }

  write(piece: string | Uint8Array): void {
    const { socket } = this.#res;
    if (!this.#begun || socket === null || !this.#chunked || piece.length > COPIED_LENGTH) {
      this.#begun = true;
      this.#res.write(piece);
      return;
    }
    if (piece.length === 0 || this.#res.writableEnded) return; // an empty chunk would be the end
    if (typeof piece === 'string') {
      socket.write(`${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`);
      return;
    }
    const line = Buffer.from(`${piece.byteLength.toString(16)}\r\n`, 'latin1');
    socket.write(Buffer.concat([line, piece, LINE], line.length + piece.byteLength + LINE.length));
  }

  /** Settles when the client took what was written, or is gone. */
  drained(): Promise<void> {
    const res = this.#res;
    const { socket } = res;
    if (!this.full || res.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = (): void => {
        socket?.off('drain', settle);
        res.off('drain', settle);
        res.off('close', settle);
        resolve();
      };
      socket?.on('drain', settle);
      res.on('drain', settle); // an answer that waits for the one before it has no socket yet
      res.on('close', settle);
    });
  }
}
