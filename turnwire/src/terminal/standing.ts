import { cleanRow } from './clean-row.ts';
import { sliceByColumn, visibleWidth } from './pi-tui.ts';
import { reseat, rowsAfter, rowsOf, type Reflow } from './reflow.ts';

/** A line that stands in the terminal, and its number in the document; -1: it is none of it. */
export interface StandingLine {
  readonly number: number;
  readonly text: string;
}

/** The document as it was drawn last. */
export interface Drawn {
  /** Number of `lines[0]`. */
  readonly first: number;
  /** The transcript. */
  readonly lines: readonly string[];
  /** Number of the first line on the screen, and all rows from there on. */
  readonly top: number;
  readonly shown: readonly { readonly text: string }[];
  /** The cursor's row among them. */
  readonly cursorRow: number;
}

/** So many rows above the cursor's, in a terminal of that width. */
export interface Place {
  readonly rows: number;
  readonly width: number;
  readonly reflow: Reflow;
}

/** A line of which the end was erased. */
interface Torn {
  readonly number: number;
  readonly kept: string;
  /** Empty once it was printed again. */
  readonly rest: string;
}

/**
 * What stands in the terminal above the cursor, whatever size it has by now: finds the line that is so many rows above the cursor.
 * docs/decisions/0027-resize.md
 */
export class Standing {
  /** Rows of ours in the scrollback, though they are no lines of the transcript: a terminal that shrank took them. */
  #strays: { readonly before: number; readonly rows: readonly string[] } = { before: 0, rows: [] };
  #torn: Torn | undefined;
  #lines: readonly StandingLine[] = [];
  /** Number of the line in the cursor's row, and of the first one that is not of the transcript. */
  #cursorLine = 0;
  #end = 0;

  /** Rows that stand before a line, and are none. */
  stray(before: number, rows: readonly string[]): void {
    this.#strays = { before, rows };
  }

  /** Takes down what stands there now: with up to `past` lines that a terminal may have taken back from its scrollback. */
  note({ first, lines, top, shown, cursorRow }: Drawn, past: number): void {
    this.#end = first + lines.length;
    this.#cursorLine = top + cursorRow;
    const end = Math.max(0, top - first);
    const begin = Math.max(0, end - past);
    const standing = [
      ...lines.slice(begin, end).map((line, at) => this.#whole(line, first + begin + at)),
      ...Array.from({ length: cursorRow }, (_, at) => ({ number: top + at, text: shown[at]?.text ?? '' })),
    ];
    const after = standing.findIndex(({ number }) => number >= this.#strays.before);
    const strays = this.#strays.rows.map((text) => ({ number: -1, text }));
    if (after !== 0) standing.splice(after < 0 ? standing.length : after, 0, ...strays);
    this.#lines = standing;
  }

  /** As wide as it was drawn, in whatever width that was. */
  #whole(line: string, number: number): StandingLine {
    return { number, text: number === this.#torn?.number ? this.#torn.kept : cleanRow(line, Infinity) };
  }

  /** Finds the first line of the transcript that begins at the place or below; `above`: rows from the place to there. */
  seat({ rows, width, reflow }: Place): { readonly top: number; readonly above: number } {
    const seat = this.#reseat({ rows, width, reflow });
    const onScreen = this.#lines.slice(seat.above);
    const strange = onScreen.findLastIndex(({ number }) => number < 0) + 1;
    const top = onScreen[strange]?.number ?? this.#cursorLine;
    if (top > this.#end) this.stray(this.#end, this.#strayIn(this.#lines.slice(0, seat.above), this.#end));
    const left = onScreen.slice(0, strange);
    const above = left.reduce((sum, { text }) => sum + rowsAfter(reflow, text, width), seat.strange);
    return { top: Math.min(top, this.#end), above };
  }

  /** All below the place was erased, whatever stood there; returns the number of the first line that has to be drawn again. */
  tear(place: Place): number {
    const { above, strange } = this.#reseat(place);
    const [kept, gone] = [this.#lines.slice(0, above), this.#lines.slice(above)];
    if (gone.some(({ number }) => number < 0)) this.stray(this.#strays.before, this.#strayIn(kept, Infinity));
    const top = gone.find(({ number }) => number >= 0)?.number ?? this.#cursorLine;
    if (top > this.#end) this.stray(this.#end, this.#strayIn(kept, this.#end));
    const last = kept.at(-1);
    if (strange > 0 && last !== undefined && last.number >= 0 && last.number < this.#end) {
      const column = (rowsOf(last.text, place.width) - strange) * place.width;
      const rest = sliceByColumn(last.text, column, Math.max(0, visibleWidth(last.text) - column));
      const after = this.#torn?.number === last.number ? this.#torn.rest : '';
      this.#torn = { number: last.number, kept: sliceByColumn(last.text, 0, column), rest: `${rest}${after}` };
    }
    return Math.min(top, this.#end);
  }

  /** What has to be printed before line `top`: the end of a line that was erased while its beginning was kept. */
  takeRest(top: number): string {
    const torn = this.#torn;
    if (torn === undefined) return '';
    this.#torn = torn.number < top ? { ...torn, rest: '' } : undefined;
    if (torn.number >= top || torn.rest === '') return '';
    this.stray(torn.number + 1, [torn.rest]);
    return torn.rest;
  }

  #strayIn(lines: readonly StandingLine[], end: number): string[] {
    return lines.flatMap(({ number, text }) => (number < 0 || number >= end ? [text] : []));
  }

  #reseat({ rows, width, reflow }: Place): { readonly above: number; readonly strange: number } {
    const texts = this.#lines.map(({ text }) => text);
    return reseat(texts, rows, width, reflow);
  }
}
