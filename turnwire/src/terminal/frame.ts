import { isWhole } from './clean-row.ts';
import { visibleWidth } from './pi-tui.ts';

/** Where a frame begins, and what it asks. */
export interface FrameStart {
  /** The cursor's row in the document, from 0. */
  readonly row: number;
  /** That the document ends in the last row of the screen: then rows are counted from there, whatever moved the cursor. */
  readonly lastRow: number | undefined;
  /** Asks the terminal for its size, at the start and before what does not wrap. */
  readonly question: string;
}

/** Lines that are printed one after the other, so that those which leave the screen do so whole and in their order. */
export interface Printing {
  /** The row of the first one. */
  readonly from: number;
  /** What is there. */
  readonly over: readonly string[];
  readonly texts: readonly string[];
  /** How many of `texts` may take several rows. */
  readonly wrapping: number;
  /** The row of the last one, once those that leave the screen have. */
  readonly last: number;
}

/**
 * The bytes of one frame. Rows are counted from the cursor, never from the top: a terminal that becomes higher meanwhile brings lines
 * back above them.
 */
export class Frame {
  readonly #start: FrameStart;
  #text = '';
  #questions = 1;
  #row: number;

  constructor(start: FrameStart) {
    this.#start = start;
    this.#row = start.lastRow ?? start.row;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** How many times the question is in it. */
  get questions(): number {
    return this.#start.question === '' ? 0 : this.#questions;
  }

  get text(): string {
    return `${this.#start.question}${this.#start.lastRow === undefined ? '' : '\x1b[9999H'}${this.#text}`;
  }

  goTo(row: number, column: number): void {
    this.#text += moved(row - this.#row, column);
    this.#row = row;
  }

  add(text: string): void {
    this.#text += text;
  }

  print({ from, over, texts, wrapping, last }: Printing): void {
    const [first = '', ...others] = texts;
    let line = '\r\n';
    let begin = first;
    if (over[0] === undefined && from > 0) {
      this.goTo(from - 1, 0);
      this.#text += line;
    } else {
      const kept = hasGrown(over[0] ?? '', first) ? (over[0] ?? '').length : 0;
      begin = first.slice(kept);
      this.goTo(from, kept === 0 ? 0 : visibleWidth(over[0] ?? ''));
      // At the top it would be the whole screen, which some terminals then move into the scrollback.
      if (from > 0) this.#text += '\x1b[0J';
      else if (over.length > 0) {
        this.#text += '\x1b[0K';
        line += '\x1b[2K';
      }
    }
    const all = [begin, ...others];
    const wrapped = all.slice(0, Math.max(0, wrapping));
    const rest = all.slice(wrapped.length);
    if (wrapped.length > 0) this.#text += `\x1b[?7h${wrapped.join(line)}${rest.length > 0 ? line : ''}\x1b[?7l`;
    this.#text += `${this.#start.question}${rest.join(line)}`;
    this.#questions++;
    this.#row = last;
  }
}

/** Goes so many rows down, or up, and to a column, from 0. */
export function moved(rows: number, column: number): string {
  const vertical = rows === 0 ? '' : `\x1b[${Math.abs(rows)}${rows < 0 ? 'A' : 'B'}`;
  return `${vertical}\x1b[${column + 1}G`;
}

/**
 * Erases the cursor's row, all below it, and so many rows above, and stays in the highest. Row by row, and not from the first column:
 * some terminals move a screen that is cleared at once into the scrollback.
 */
export function erased(above: number): string {
  return `\x1b[2G\x1b[0J\x1b[2K${'\x1b[1A\x1b[2K'.repeat(above)}\x1b[1G`;
}

/** `after` is `before` and more, and the terminal's cells of `before` can stay as they are. */
export function hasGrown(before: string, after: string): boolean {
  return before !== '' && !before.includes('\x1b') && after.startsWith(before) && isWhole(after, before.length);
}
