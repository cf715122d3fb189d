import type { Terminal } from '@earendil-works/pi-tui';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { cleanRow } from './clean-row.ts';
import { erased, Frame, hasGrown, moved } from './frame.ts';
import { setCapabilityOverrides, TuiMainScreen, visibleWidth } from './pi-tui.ts';
import { cursorDrift, reflowOf, rowsAbove, rowsOf, type Reflow } from './reflow.ts';
import { SizeWatch, type Size } from './size-watch.ts';
import { Standing } from './standing.ts';

/** The document as the screen has to show it: its end is at the bottom. */
export interface ScreenDocument {
  /** Number of `lines[0]` in the transcript; counts up for ever. */
  readonly first: number;
  /** The transcript: it grows, and scrolls off at the top. */
  readonly lines: readonly string[];
  /** What stays in the last rows. */
  readonly bottom: readonly string[];
  /** Where one types: a line of `bottom` and a column, from 0. Default: the cursor is hidden. */
  readonly cursor?: { readonly line: number; readonly column: number } | undefined;
}

export interface ScreenOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** `TERM`, for terminals that do not tell what they are. */
  readonly term: string;
  /** `top`: the first line of the transcript that is on the screen. Called once per frame. */
  readonly compose: (frame: { readonly top: number; readonly width: number; readonly rows: number }) => ScreenDocument;
}

/** One row of the screen: a line of the document, and the text that it was cleaned to. */
interface Row {
  readonly line: string;
  readonly text: string;
}

interface Scrolling {
  /** From the first one on the screen. */
  readonly lines: readonly string[];
  /** How many at the end are not of the transcript. */
  readonly bottom: number;
  /** How many leave the screen. */
  readonly scrolled: number;
}

interface Printed {
  /** Number of the first line, and what was on the screen from there on. */
  readonly line: number;
  readonly over: readonly string[];
  /** How many lines at the end were not of the transcript: they were printed without wrapping. */
  readonly bottom: number;
}

const NO_ROW: Row = { line: '', text: '' };
// Whatever had the terminal before this frame (a tool, a message on stderr) does not colour or hide it.
const BEGIN = '\x1b[?2026h\x1b[?7l\x1b[0m';
const END = '\x1b[?7h\x1b[?2026l';

/**
 * Draws the end of a growing transcript and the lines below it on the main screen, and lets what scrolls off go to the terminal's
 * scrollback, which is never cleared and never written twice. A frame writes what changed: the ends of lines that grew, whole
 * lines that became others, new lines. The last line of the document never moves up by itself: when lines at the bottom
 * go, blank rows above them take their place. Why so: docs/decisions/0027-resize.md.
 *
 * Input, focus and the pace of frames (one in 16 ms at most) are those of the base class; its drawing is not used:
 * it clears the scrollback at every change of the size, and looks at every line of the document in every frame. So children
 * and overlays of the base class are not drawn.
 */
export class Screen extends TuiMainScreen {
  readonly #compose: ScreenOptions['compose'];
  readonly #term: string;
  readonly #watch: SizeWatch;
  /** What is on the screen, from the row of line `#top` on. */
  #shown: Row[] = [];
  #top = 0;
  /** Rows of the screen above that: the end of what stands in the scrollback. */
  #above = 0;
  /** How many rows above the cursor's were erased to draw from `#top` on; unknown once that was drawn. */
  #erased: number | undefined;
  readonly #standing = new Standing();
  /** The row of the document's last line; -1: nothing was drawn in this size. */
  #last = -1;
  /** Where the terminal's cursor waits; rows are counted from that of line `#top`. */
  #cursor = { row: 0, column: 0, isShown: false };
  /** What the latest frame printed, when it did not change rows in their places. */
  #printed: Printed | undefined;
  /** As it was drawn last. */
  #document: ScreenDocument = { first: 0, lines: [], bottom: [] };
  #size: Size | undefined;
  #isLent = false;
  /** Bytes that frames wrote, for measurements. */
  written = 0;

  constructor({ terminal, clock, term, compose }: ScreenOptions) {
    super(terminal, false);
    // What `cleanRow` would take out again: a link shows its address as text instead, which also cannot deceive.
    setCapabilityOverrides({ hyperlinks: false, images: null });
    this.#watch = new SizeWatch({
      terminal,
      clock,
      settled: (cursorRow) => this.#resized(cursorRow),
      arrived: () => this.requestRender(),
      mistaken: (first, last, cursorRow) => this.#mistook(first, last, cursorRow),
    });
    this.#term = term;
    this.#compose = compose;
    this.addInputListener((data) => (this.#watch.take(data) ? { consume: true } : undefined));
  }

  /** First line of the transcript that is on the screen. */
  get top(): number {
    return this.#top;
  }

  /** To be called before the terminal is given away: waits for what it was asked. */
  hush(): Promise<void> {
    return this.#watch.hush();
  }

  /** Draws now, in whatever size the terminal has; for the last frames. */
  drawLast(): void {
    if (this.#watch.isResizing || this.#isResized()) this.#resized(undefined);
    this.#watch.stop();
    this.renderNow();
  }

  /**
   * Somebody else has the terminal until `borrower` ends, on its other screen (xterm, private mode 1049): what stands on ours is
   * there again afterwards.
   */
  async lend(borrower: () => Promise<void>): Promise<void> {
    await this.hush();
    this.#isLent = true;
    this.stop();
    try {
      await borrower();
    } finally {
      this.start();
      this.#isLent = false;
      this.requestRender(true);
    }
  }

  /** Goes on after the process was stopped: the terminal is as the shell left it, and shows what the shell wrote. */
  resume(): void {
    // Stopped by somebody else: its modes are set anew as well.
    if (!this.stopped) this.terminal.stop();
    this.#watch.stop();
    this.start();
    // A frame that was asked for before the stop was not drawn, and keeps the base class from asking for another.
    this.renderNow();
  }

  protected override afterTerminalStart(): void {
    if (this.#isLent) {
      this.terminal.write(`\x1b[?1049l${this.#watch.begin()}`);
      this.#cursor = { ...this.#cursor, isShown: false };
      return;
    }
    // What the shell left goes up into the scrollback: the screen is ours from its first row on. After a stop it may be anywhere.
    const away =
      this.#size === undefined ? '\n'.repeat(this.terminal.rows - 1) : `\x1b[9999H${'\n'.repeat(this.terminal.rows)}`;
    this.terminal.write(`${away}\x1b[H${this.#watch.begin()}`);
    this.#size = { width: this.terminal.columns, rows: this.terminal.rows };
    this.#blank(0);
    this.#cursor = { row: 0, column: 0, isShown: false };
    // After a pause all that was drawn has gone up as well.
    this.#top = this.#end();
  }

  protected override beforeTerminalStop(): void {
    this.#watch.stop();
    if (this.#isLent) {
      this.terminal.write('\x1b[?1049h\x1b[H');
      return;
    }
    const row = Math.max(0, this.#end() - this.#top - 1);
    this.terminal.write(`${moved(row - this.#cursor.row, 0)}\r\n\x1b[0J`);
  }

  /** Draws every row anew. */
  protected override resetRenderState(): void {
    super.resetRenderState();
    if (this.#size === undefined) return;
    this.#write(erased(this.#cursor.row));
    this.#blank(this.#above);
  }

  protected override doRender(): void {
    if (this.stopped) return;
    const size = this.#sizeNow();
    if (size.width < 1 || size.rows < 1) return;
    this.#watch.notice(this.#size ?? size);
    if (!this.#watch.isResizing && !this.#watch.isArriving) this.#draw(size);
  }

  #sizeNow(): Size {
    return { width: this.terminal.columns, rows: this.terminal.rows };
  }

  #isResized(): boolean {
    const size = this.#size;
    return size !== undefined && (size.width !== this.terminal.columns || size.rows !== this.terminal.rows);
  }

  /** Number of the transcript's first line that was never drawn. */
  #end(): number {
    return this.#document.first + this.#document.lines.length;
  }

  #draw({ width, rows }: Size): void {
    const document = this.#compose({ top: this.#top, width, rows });
    this.#document = document;
    const bottom = document.bottom.slice(-rows);
    const transcript = document.lines.slice(Math.max(0, this.#top - document.first));
    const blank = Math.max(0, this.#last + 1 - transcript.length - bottom.length);
    const lines = [...transcript, ...Array.from({ length: blank }, () => ''), ...bottom];
    const frame = this.#beginFrame({ width, rows });
    const pushed = Math.max(0, this.#above + lines.length - rows);
    const scrolled = Math.max(0, pushed - this.#above);
    this.#above -= pushed - scrolled;
    this.#last = lines.length - scrolled - 1;
    this.#printed = undefined;
    this.#erased = undefined;
    if (pushed === 0 && this.#shown.length > 0) this.#change(lines, frame, width);
    else this.#print({ lines, bottom: bottom.length, scrolled }, frame, width);
    this.#top += scrolled;
    this.#placeCursor(document, bottom.length, width, frame);
    if (frame.isEmpty) return;
    this.#watch.send({ width, rows }, frame.questions);
    this.#write(`${BEGIN}${frame.text}${END}`);
  }

  #beginFrame({ width, rows }: Size): Frame {
    const isFull = this.#last >= 0 && this.#above + this.#last === rows - 1;
    const frame = new Frame({
      row: this.#cursor.row,
      lastRow: isFull ? this.#last : undefined,
      question: this.#watch.question,
    });
    const rest = this.#shown.length > 0 ? '' : this.#standing.takeRest(this.#top);
    if (rest === '') return frame;
    frame.add(`\x1b[?7h${rest}\r\n\x1b[?7l`);
    this.#above += rowsOf(rest, width);
    return frame;
  }

  /** Rows that became others, each in its place. */
  #change(wanted: readonly string[], frame: Frame, width: number): void {
    for (const [at, line] of wanted.entries()) {
      const { line: lineBefore, text: before } = this.#shown[at] ?? NO_ROW;
      if (line === lineBefore) continue;
      const text = cleanRow(line, width);
      this.#shown[at] = { line, text };
      if (text === before) continue;
      const kept = hasGrown(before, text) ? before.length : 0;
      frame.goTo(at, kept === 0 ? 0 : visibleWidth(before));
      frame.add(kept === 0 && before !== '' ? `\x1b[2K${text}` : text.slice(kept));
    }
  }

  /**
   * Everything from the first row on that changes, one line after the other, so that lines go to the scrollback whole and in
   * their order. Those of the transcript may wrap: the terminal may have become narrower by now, and does not wait for the next frame.
   */
  #print({ lines, bottom, scrolled }: Scrolling, frame: Frame, width: number): void {
    const next = lines.map((line, at): Row => {
      const before = this.#shown[at];
      return before?.line === line ? before : { line, text: cleanRow(line, width) };
    });
    const changed = next.findIndex(({ text }, at) => text !== this.#shown[at]?.text);
    const from = changed < 0 ? next.length : changed;
    const over = this.#shown.slice(from).map(({ text }) => text);
    this.#printed = { line: this.#top + from, over, bottom };
    frame.print({
      from,
      over,
      texts: next.slice(from).map(({ text }) => text),
      wrapping: lines.length - bottom - from,
      last: this.#last,
    });
    this.#shown = next.slice(scrolled);
  }

  #placeCursor({ bottom, cursor }: ScreenDocument, shownLines: number, width: number, frame: Frame): void {
    const line = cursor === undefined ? shownLines - 1 : cursor.line - (bottom.length - shownLines);
    const row = Math.max(0, this.#last + 1 - shownLines + line);
    const column = Math.min(cursor?.column ?? 0, width - 1);
    const isShown = cursor !== undefined;
    const before = this.#cursor;
    if (frame.isEmpty && before.row === row && before.column === column && before.isShown === isShown) return;
    frame.goTo(row, column);
    if (before.isShown !== isShown) frame.add(isShown ? '\x1b[?25h' : '\x1b[?25l');
    this.#cursor = { row, column, isShown };
  }

  #write(text: string): void {
    this.written += Buffer.byteLength(text);
    this.terminal.write(text);
  }

  /**
   * The latest frame, or erasure, met a terminal of another size. Where that is narrower, the rows that a frame printed over were more by
   * then, and the first of them are still there (`first`); the lines at the bottom were cut (`last`).
   */
  #mistook(first: Size, last: Size, cursorRow: number | undefined): void {
    if (this.#erased !== undefined) {
      const rows = Math.min(this.#erased, cursorRow ?? 0);
      this.#top = this.#standing.tear({ rows, width: first.width, reflow: this.#reflow });
      return;
    }
    const printed = this.#printed;
    if (printed === undefined || this.#reflow === 'cuts') return;
    const left = rowsAbove(printed.over, Math.min(printed.over.length, first.rows), first.width);
    if (left.length > 0) this.#standing.stray(printed.line, left);
    const cut = this.#shown.length - printed.bottom;
    this.#shown = this.#shown.map((row, at) => (at < cut ? row : { ...row, text: cleanRow(row.line, last.width) }));
  }

  get #reflow(): Reflow {
    return reflowOf(this.#term, this.#watch.attributes);
  }

  /**
   * Erases what is to be drawn anew, and draws it once the terminal has told which size it had by then: what was really erased follows from
   * that. With nothing below the cursor no resize moves anything but what stays.
   * `cursorRow`: where the cursor is now; unknown when the terminal does not say: then nothing was taken back.
   */
  #resized(cursorRow: number | undefined): void {
    this.#watch.stop();
    if (this.stopped) return;
    const size = this.#sizeNow();
    const row = cursorRow ?? Math.min(this.#above + this.#cursor.row, size.rows - 1);
    const drawn = { ...this.#document, top: this.#top, shown: this.#shown, cursorRow: this.#cursor.row };
    this.#standing.note(drawn, cursorRow === undefined ? 0 : row + 1);
    const rows = Math.max(0, row - this.#drift(size));
    const { top, above } = this.#standing.seat({ rows, width: size.width, reflow: this.#reflow });
    this.#size = size;
    this.#top = top;
    this.#erased = row - above;
    this.#write(`${this.#watch.askErased(size)}${erased(row - above)}`);
    this.#blank(above);
    if (!this.#watch.isArriving) this.#draw(size);
    this.requestRender();
  }

  /** A terminal that shrinks first takes rows from below the cursor: what stood in them moves nothing. */
  #drift({ width, rows }: Size): number {
    const left = Math.min(this.#size?.rows ?? rows, rows);
    const lines = this.#shown.slice(this.#cursor.row, Math.max(this.#cursor.row + 1, left)).map(({ text }) => text);
    return cursorDrift(lines, width, this.#watch.attributes);
  }

  /** Nothing is drawn from the row of line `#top` on, where the cursor is; `above` rows of the screen are above it. */
  #blank(above: number): void {
    this.#shown = [];
    this.#last = -1;
    this.#above = above;
    this.#cursor = { ...this.#cursor, row: 0, column: 0 };
  }
}
