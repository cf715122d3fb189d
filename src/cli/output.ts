import { once } from 'node:events';
import { BrokenPipe } from './exit.ts';
import type { OutputStream } from './context.ts';

/**
 * Writes to a stream at the speed of its reader, and knows when that reader has gone.
 *
 * Nothing is queued here: `write` waits while the stream's own buffer is full.
 */
export class Output {
  readonly #stream: OutputStream;
  readonly #gone = new AbortController();

  constructor(stream: OutputStream) {
    this.#stream = stream;
    stream.on('error', this.#onError);
  }

  /** Aborted when the reader closed its end: commands cancel what they wait for. */
  get closed(): AbortSignal {
    return this.#gone.signal;
  }

  /** @throws BrokenPipe once the reader has gone. */
  async write(text: string): Promise<void> {
    if (this.closed.aborted) throw new BrokenPipe();
    if (text === '' || this.#stream.write(text)) return;
    try {
      await once(this.#stream, 'drain', { signal: this.closed });
    } catch {
      throw new BrokenPipe();
    }
  }

  /** One JSON value per line, written together. */
  async writeLines(values: readonly unknown[]): Promise<void> {
    await this.write(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
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
