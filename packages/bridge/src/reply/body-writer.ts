import type { ServerResponse } from 'node:http';
import { onNextTurn } from '@turnwire/client/internal/platform/wait';

/** A piece up to this long waits for the others of its turn; a longer one is not worth the copy. */
const GATHERED_LENGTH = 16 * 1024;

/**
 * Writes the body of a streamed answer. Behind the first write of a chunked answer, what one turn of the event loop brings
 * waits for its end: then each stream that got something is written in one piece that already is an HTTP chunk, and all
 * streams right after one another. Node's own `write` makes four pieces of each; and a kernel that is called in between
 * other work wakes its readers for every stream anew. The end of the body stays Node's, which accounts for it.
 */
export class BodyWriter {
  readonly #res: ServerResponse;
  readonly #chunked: boolean;
  #begun = false;
  /** What waits for the end of the turn; at most what one turn reads. */
  #gathered: string | Uint8Array[] | undefined;

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
    if (!this.#begun || !this.#chunked || this.#res.socket === null || piece.length > GATHERED_LENGTH) {
      this.#begun = true;
      this.flush();
      this.#res.write(piece);
      return;
    }
    if (piece.length === 0) return; // an empty chunk would be the end
    if (this.#gathered === undefined) gather(this);
    if (typeof piece === 'string') this.#gatherText(piece);
    else this.#gatherBytes(piece);
  }

  end(piece = ''): void {
    this.flush();
    this.#res.end(piece);
  }

  /**
   * Ends the connection behind this piece, once it was taken, and leaves the last chunk out: an HTTP/1.1 client sees a body that
   * broke off (RFC 9112, section 8). HTTP/1.0 has no such sign: there the close is the end.
   */
  cut(piece: string): void {
    this.flush();
    // An answer that waits for the one before it on its connection has no socket yet.
    this.#res.write(piece, () => this.#res.socket?.destroySoon());
  }

  /** Writes what was gathered. */
  flush(): void {
    const gathered = this.#gathered;
    this.#gathered = undefined;
    const { socket } = this.#res;
    if (gathered === undefined || socket === null || this.#res.writableEnded) return;
    if (typeof gathered === 'string') {
      socket.write(`${Buffer.byteLength(gathered).toString(16)}\r\n${gathered}\r\n`);
      return;
    }
    const length = gathered.reduce((sum, piece) => sum + piece.byteLength, 0);
    const head = Buffer.from(`${length.toString(16)}\r\n`, 'latin1');
    socket.write(Buffer.concat([head, ...gathered, LINE_END], head.length + length + LINE_END.length));
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

  #gatherText(piece: string): void {
    const before = this.#gathered;
    if (before === undefined || typeof before === 'string') this.#gathered = (before ?? '') + piece;
    else before.push(Buffer.from(piece));
  }

  #gatherBytes(piece: Uint8Array): void {
    const before = this.#gathered;
    if (typeof before === 'string') this.#gathered = [Buffer.from(before), piece];
    else if (before === undefined) this.#gathered = [piece];
    else before.push(piece);
  }
}

const LINE_END = Buffer.from('\r\n');

/** Everyone who got something in this turn. */
let waiting: BodyWriter[] = [];

function gather(writer: BodyWriter): void {
  if (waiting.push(writer) === 1) onNextTurn(flushAll);
}

function flushAll(): void {
  const writers = waiting;
  waiting = [];
  for (const writer of writers) writer.flush();
}
