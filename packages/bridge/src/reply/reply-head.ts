import type { ReplyWriter } from './reply-writer.ts';

const NOT_CARRIED = 'x-turnwire-not-carried';
/** Longest value of that header. */
const MAX_LENGTH = 1000;

/** The headers of one answer, for as long as they can still be sent. */
export class ReplyHead {
  readonly #sink: ReplyWriter;
  readonly #names = new Set<string>();
  #fields: Readonly<Record<string, string>> = {};

  constructor(sink: ReplyWriter) {
    this.#sink = sink;
  }

  /** In place of those before. */
  set(fields: Readonly<Record<string, string>>): void {
    this.#fields = fields;
    this.#write();
  }

  /** Names what of the request, or of the answer, could not be carried; each once. */
  nameUncarried(names: readonly string[]): void {
    for (const name of names) this.#names.add(name);
    this.#write();
  }

  #write(): void {
    const text = [...this.#names].join(', ').replace(/[^\x20-\x7e]/g, '?');
    this.#sink.setHeaders(text === '' ? this.#fields : { ...this.#fields, [NOT_CARRIED]: text.slice(0, MAX_LENGTH) });
  }
}
