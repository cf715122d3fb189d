/** Longer pieces are given on though their line has no end. */
const MAX_HELD = 64 * 1024;

/**
 * Bytes as text, given on in whole lines, as many together as came: what is looked for in a text, such as a secret, lies
 * in one line, which the network may have cut.
 */
export class LineText {
  readonly #decoder = new TextDecoder();
  readonly #give: (text: string) => void;
  #held = '';

  constructor(give: (text: string) => void) {
    this.#give = give;
  }

  push(bytes: Uint8Array): void {
    const text = this.#held + this.#decoder.decode(bytes, { stream: true });
    const cut = text.length > MAX_HELD ? text.length : text.lastIndexOf('\n') + 1;
    this.#held = text.slice(cut);
    if (cut > 0) this.#give(text.slice(0, cut));
  }

  /** What is held goes on; the next bytes begin anew. */
  end(): void {
    const text = this.#held + this.#decoder.decode();
    this.#held = '';
    if (text !== '') this.#give(text);
  }
}
