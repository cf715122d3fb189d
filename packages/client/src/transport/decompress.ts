import { createBrotliDecompress, createGunzip, createInflate, constants } from 'node:zlib';
import type { Transform } from 'node:stream';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { Exchange, RestOfBody } from './exchange.ts';

/** A body as it is read: decoded when the server compressed it although it was asked not to. */
export interface BodyReader {
  read(): Promise<readonly Uint8Array[] | undefined>;
  cancel(): void;
  release(rest?: RestOfBody): void;
}

/** The exchange's own bytes, or those bytes decoded; an unknown encoding is passed through as it is. */
export function bodyReader(exchange: Exchange, encoding: string | undefined): BodyReader {
  const decoder = decoderFor(encoding?.trim().toLowerCase());
  return decoder === undefined ? exchange : new DecodingReader(exchange, decoder);
}

function decoderFor(encoding: string | undefined): Transform | undefined {
  const flush = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip(flush);
    case 'deflate':
      return createInflate(flush);
    case 'br':
      return createBrotliDecompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
      });
    default:
      return undefined;
  }
}

/**
 * Feeds one compressed chunk at a time and hands out what it became before the next one is taken. The size is
 * bounded by what zlib makes of one batch of at most 128 KiB.
 */
class DecodingReader implements BodyReader {
  readonly #exchange: Exchange;
  readonly #decoder: Transform;
  #decoded: Uint8Array[] = [];
  #failure: ModelError | undefined;

  constructor(exchange: Exchange, decoder: Transform) {
    this.#exchange = exchange;
    this.#decoder = decoder;
    decoder.on('data', (chunk: Uint8Array) => this.#decoded.push(chunk));
    decoder.on('error', (cause) => {
      this.#failure = new ModelError({ kind: 'protocol', message: `undecodable body: ${cause.message}`, cause });
    });
  }

  async read(): Promise<readonly Uint8Array[] | undefined> {
    for (;;) {
      const chunks = await this.#exchange.read();
      if (chunks?.length === 0) return [];
      for (const chunk of chunks ?? []) await this.#write(chunk);
      const decoded = this.#decoded;
      this.#decoded = [];
      if (decoded.length > 0) return decoded;
      if (chunks === undefined) return undefined;
      if (this.#failure !== undefined) {
        this.cancel();
        throw this.#failure;
      }
    }
  }

  cancel(): void {
    this.#decoder.destroy();
    this.#exchange.cancel();
  }

  /** The rest is compressed, and not read any more: its end alone is told. */
  release(rest?: RestOfBody): void {
    this.#decoder.destroy();
    this.#exchange.release(rest === undefined ? undefined : { chunk: () => undefined, end: (how) => rest.end(how) });
  }

  /** Ends when zlib has taken the chunk, or has failed or been closed. */
  #write(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined || this.#decoder.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#decoder.off('close', done);
        resolve();
      };
      this.#decoder.once('close', done);
      this.#decoder.write(chunk, done);
    });
  }
}
