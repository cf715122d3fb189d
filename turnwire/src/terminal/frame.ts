import { isWhole } from './clean-row.ts';
import { visibleWidth } from './pi-tui.ts';

/** The bytes of one frame. */
export class Frame {
  #text = '';
  readonly #rows: number;
  readonly #start: number;
  readonly #question: string;
  #questions = 1;
  #row: number;

  /**
   * `last`: the row of the document's last line. When that is the last row of the screen, rows are counted from there, wherever it
   * is by now; else from the first one. `question`: asks the terminal for its size, at the start and before what does not wrap.
   */
  constructor(rows: number, last: number, question: string) {
    this.#rows = rows;
    this.#question = question;
    this.#start = last === rows - 1 ? last : 0;
    this.#row = this.#start;
  }

  get countsFromTop(): boolean {
    return this.#start === 0;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** How many times the question is in it. */
  get questions(): number {
    return this.#question === '' ? 0 : this.#questions;
  }

  get text(): string {
    return `${this.#question}\x1b[${this.#start === 0 ? '' : 9999}H${this.#text}`;
  }

  goTo(row: number, column: number): void {
    const by = row - this.#row;
    if (by !== 0) this.#text += `\x1b[${Math.abs(by)}${by < 0 ? 'A' : 'B'}`;
    this.#text += `\x1b[${column + 1}G`;
    this.#row = row;
  }

  add(text: string): void {
    this.#text += text;
  }

  /** Prints lines from `row` on, over what is there; the first `wrapped` of them may take several rows. */
  printFrom(row: number, before: string, texts: readonly string[], wrapped: number): void {
    const first = texts[0] ?? '';
    if (row === this.#rows) {
      this.goTo(row - 1, 0);
      this.#text += '\r\n';
    } else {
      const kept = hasGrown(before, first) ? before.length : 0;
      this.goTo(row, kept === 0 ? 0 : visibleWidth(before));
      // At the top it would be the whole screen, which some terminals then move into the scrollback.
      this.#text += row === 0 ? '\x1b[0K' : '\x1b[0J';
      texts = [first.slice(kept), ...texts.slice(1)];
    }
    const line = row === 0 ? '\r\n\x1b[2K' : '\r\n';
    const wrapping = texts.slice(0, Math.max(0, wrapped));
    const rest = texts.slice(wrapping.length);
    if (wrapping.length > 0) this.#text += `\x1b[?7h${wrapping.join(line)}${rest.length > 0 ? line : ''}\x1b[?7l`;
    this.#text += `${this.#question}${rest.join(line)}`;
    this.#questions++;
    this.#row = this.#rows - 1;
  }
}

/** `after` is `before` and more, and the terminal's cells of `before` can stay as they are. */
export function hasGrown(before: string, after: string): boolean {
  return before !== '' && !before.includes('\x1b') && after.startsWith(before) && isWhole(after, before.length);
}
