import { Writable } from 'node:stream';

/** What commands without a screen say on stderr: here it is shown in the transcript. */
export class CapturedOutput {
  #text = '';
  readonly stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      this.#text += chunk.toString('utf8');
      done();
    },
  });

  /** The lines since the last call, without `prefix`. */
  take(prefix: string): string[] {
    const lines = this.#text.split('\n').filter((line) => line !== '');
    this.#text = '';
    return lines.map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line));
  }
}
