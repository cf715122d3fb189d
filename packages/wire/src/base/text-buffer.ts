const PIECES_PER_BLOCK = 512;

/**
 * Collects many small strings into one.
 *
 * A rope (`+=`) keeps a node per delta and a pointer to each; an array keeps every fragment alive. This
 * joins the fragments block by block, so that memory stays near the size of the text and the work per
 * byte is constant however long the text becomes.
 */
export class TextBuffer {
  /** UTF-16 code units collected so far. */
  length = 0;
  #pieces: string[] = [];
  #blocks: string[] = [];

  append(piece: string): void {
    this.length += piece.length;
    if (this.#pieces.push(piece) === PIECES_PER_BLOCK) {
      this.#blocks.push(this.#pieces.join(''));
      this.#pieces = [];
    }
  }

  clear(): void {
    this.length = 0;
    this.#pieces = [];
    this.#blocks = [];
  }

  /** The whole text. Repeated calls cost nothing until more is appended. */
  toString(): string {
    const text = this.#blocks.join('') + this.#pieces.join('');
    this.#blocks = [text];
    this.#pieces = [];
    return text;
  }
}
