import { once } from 'node:events';
import { Writable } from 'node:stream';
import { printable, printableNext, visibleJson, visibleLines } from '@turnwire/wire/internal/base/printable';
import { BrokenPipe } from './exit.ts';
import type { OutputStream } from './context.ts';

/**
 * Writes to a stream at the speed of its reader, and knows when that reader has gone.
 *
 * Nothing is queued here: `write` waits while the stream's own buffer is full. A file or a pipe gets the bytes as they
 * are, for results are data; a terminal gets what it cannot obey, for they are what a model or a server wrote.
 */
export class Output {
  readonly #stream: OutputStream;
  readonly #isTerminal: boolean;
  readonly #gone = new AbortController();
  /** The end of the text for a terminal that its next piece decides on. */
  #held = '';

  constructor(stream: OutputStream) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY === true;
    stream.on('error', this.#onError);
  }

  /** Aborted when the reader closed its end: commands cancel what they wait for. */
  get closed(): AbortSignal {
    return this.#gone.signal;
  }

  /** @throws BrokenPipe once the reader has gone. */
  async write(text: string): Promise<void> {
    if (!this.#isTerminal) return this.#put(text);
    const next = printableNext(this.#held, text);
    this.#held = next.held;
    await this.#put(next.text);
  }

  /** One JSON value per line, written together. */
  async writeLines(values: readonly unknown[]): Promise<void> {
    const lines = values.map((value) => `${JSON.stringify(value)}\n`).join('');
    await this.#put(this.#isTerminal ? visibleJson(lines) : lines);
  }

  /** No more comes: what waited for the next piece is written. */
  async end(): Promise<void> {
    const rest = printable(this.#held);
    this.#held = '';
    if (rest !== '') await this.#put(rest);
  }

  async #put(text: string): Promise<void> {
    if (this.closed.aborted) throw new BrokenPipe();
    if (text === '' || this.#stream.write(text)) return;
    try {
      await once(this.#stream, 'drain', { signal: this.closed });
    } catch {
      throw new BrokenPipe();
    }
  }

  /** Waits until what was written has left the process, or cannot. */
  async flush(): Promise<void> {
    if (this.closed.aborted) return;
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => resolve());
    });
  }

  // Whatever the error was, nothing written from now on arrives.
  readonly #onError = (): void => {
    this.#gone.abort();
  };
}

/**
 * stderr, for the messages of all commands: they name what servers, models, files and projects wrote, and end on a
 * terminal sooner or later. Every hidden character in them is shown. Who asks a question needs the terminal itself:
 * `rawStream`.
 */
export class Messages extends Writable {
  readonly isTTY: boolean;
  readonly stream: OutputStream;

  constructor(stream: OutputStream) {
    super({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        stream.write(visibleLines(chunk.toString()));
        done();
      },
    });
    this.isTTY = stream.isTTY === true;
    this.stream = stream;
  }
}

/** The stream below: whoever writes to it cleans what it writes. */
export function rawStream(stream: OutputStream): OutputStream {
  return stream instanceof Messages ? stream.stream : stream;
}
