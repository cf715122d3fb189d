import type { Terminal } from '@earendil-works/pi-tui';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { cleanRow } from './clean-row.ts';
import { Frame, hasGrown } from './frame.ts';
import { setCapabilityOverrides, TuiMainScreen, visibleWidth } from './pi-tui.ts';
import { cursorDrift, reflowOf, reseat, rowsAbove, rowsAfter, type Reflow } from './reflow.ts';
import { SizeWatch, type Size } from './size-watch.ts';

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
  /** Of the transcript, from the first one on the screen. */
  readonly lines: readonly string[];
  readonly bottom: readonly string[];
  /** How many of `lines` leave the screen. */
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
  /** What is on the screen, from its first row on. */
  #shown: Row[] = [];
  #top = 0;
  /** The same before the latest frame, where that counts its rows from there. */
  #countedFrom: number | undefined;
  /** Number of the first line that a frame may have erased without its being drawn again; unknown: none was. */
  #erasedFrom: number | undefined;
  /** The row of the document's last line; -1: nothing was drawn in this size. */
  #last = -1;
  /** Rows of ours that a terminal which shrank took into its scrollback, though they are no lines of the transcript. */
  #strays: { readonly before: number; readonly rows: readonly string[] } = { before: 0, rows: [] };
  /** Where the terminal's cursor waits. */
  #cursor = { row: 0, column: 0, isShown: false };
  /** What the latest frame printed, when it was one that scrolled. */
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
      mistaken: (first, last) => this.#mistook(first, last),
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
    this.#shown = [];
    this.#last = -1;
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
    const { rows } = this.terminal;
    const row = Math.min(rows, Math.max(1, this.#end() - this.#top));
    this.terminal.write(`\x1b[${row};1H\r\n\x1b[0J`);
  }

  /** Draws every row anew. */
  protected override resetRenderState(): void {
    super.resetRenderState();
    if (this.#size !== undefined) this.#wipe(this.#size.rows);
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
    const lines = document.lines.slice(Math.max(0, this.#top - document.first));
    const wanted = lines.length + bottom.length;
    const scrolled = Math.max(0, wanted - rows);
    const frame = new Frame(rows, this.#last, this.#watch.question);
    this.#countedFrom = frame.countsFromTop ? this.#top : undefined;
    this.#last = Math.max(this.#last, wanted - scrolled - 1);
    const blank = Array.from({ length: Math.max(0, this.#last + 1 - wanted) }, () => '');
    this.#printed = undefined;
    if (scrolled === 0) this.#change([...lines, ...blank, ...bottom], frame, width);
    else this.#scroll({ lines, bottom, scrolled }, frame, width);
    this.#top += scrolled;
    this.#placeCursor(document, bottom.length, width, frame);
    if (frame.isEmpty) return;
    this.#watch.send({ width, rows }, frame.questions);
    this.#write(`${BEGIN}${frame.text}${END}`);
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
  #scroll({ lines, bottom, scrolled }: Scrolling, frame: Frame, width: number): void {
    const wanted = [...lines, ...bottom];
    const next = wanted.map((line, at): Row => {
      const before = this.#shown[at];
      return before?.line === line ? before : { line, text: cleanRow(line, width) };
    });
    const changed = next.findIndex(({ text }, at) => text !== this.#shown[at]?.text);
    const from = changed < 0 ? next.length : changed;
    this.#printed = {
      line: this.#top + from,
      over: this.#shown.slice(from).map(({ text }) => text),
      bottom: bottom.length,
    };
    frame.printFrom(
      from,
      this.#shown[from]?.text ?? '',
      next.slice(from).map(({ text }) => text),
      lines.length - from,
    );
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
   * The latest frame met a terminal of another size. Where that is narrower, the rows that it printed over were more by then, and the
   * first of them are still there (`first`); the lines at the bottom were cut (`last`). One that is higher has taken rows back from its
   * scrollback, and the frame counted from the first of these.
   */
  #mistook(first: Size, last: Size): void {
    const reflow = reflowOf(this.#term, this.#watch.attributes);
    const printed = this.#printed;
    const highest = first.rows < last.rows ? last : first;
    const grown = highest.rows - (this.#size?.rows ?? highest.rows);
    if (grown > 0 && this.#countedFrom !== undefined)
      this.#erasedFrom = this.#lineAbove(this.#countedFrom, grown, highest.width, reflow);
    if (printed === undefined || reflow === 'cuts') return;
    const left = rowsAbove(printed.over, Math.min(printed.over.length, first.rows), first.width);
    if (left.length > 0) this.#strays = { before: printed.line, rows: left };
    const cut = this.#shown.length - printed.bottom;
    this.#shown = this.#shown.map((row, at) => (at < cut ? row : { ...row, text: cleanRow(row.line, last.width) }));
  }

  /** The line that begins so many rows above another one. */
  #lineAbove(line: number, rows: number, width: number, reflow: Reflow): number {
    const { first, lines } = this.#document;
    let number = line;
    for (let left = rows; left > 0 && number > first; number--)
      left -= rowsAfter(reflow, cleanRow(lines[number - 1 - first] ?? '', Infinity), width);
    return number;
  }

  /** `cursorRow`: where the cursor is now; unknown when the terminal does not say: then nothing was taken back. */
  #resized(cursorRow: number | undefined): void {
    this.#watch.stop();
    if (this.stopped) return;
    const size = this.#sizeNow();
    const told = cursorRow === undefined ? undefined : Math.max(0, cursorRow - this.#drift(size));
    const strange = this.#reseat(told ?? Math.min(this.#cursor.row, size.rows - 1), told === undefined, size);
    this.#size = size;
    this.#last = -1;
    // What is not to be drawn again goes up as it is.
    if (strange > 0) this.#write(`\x1b[9999H${'\n'.repeat(strange)}`);
    this.#wipe(size.rows);
    this.#draw(size);
    this.requestRender();
  }

  /** A terminal that shrinks first takes rows from below the cursor: what stood in them moves nothing. */
  #drift({ width, rows }: Size): number {
    const left = Math.min(this.#size?.rows ?? rows, rows);
    const lines = this.#shown.slice(this.#cursor.row, Math.max(this.#cursor.row + 1, left)).map(({ text }) => text);
    return cursorDrift(lines, width, this.#watch.attributes);
  }

  /** Finds the first line of the transcript that begins on the screen; returns the number of rows above it. */
  #reseat(cursorRow: number, isGuess: boolean, { width }: Size): number {
    const { first, lines } = this.#document;
    // Of each row that may be on the screen now: the number of its line. Those that are no lines go up again.
    const past = isGuess ? [] : lines.slice(0, Math.max(0, this.#top - first));
    const rows = [
      // As wide as they were drawn, in whatever width that was.
      ...past.map((line, at) => ({ number: first + at, text: cleanRow(line, Infinity) })),
      ...Array.from({ length: this.#cursor.row }, (_, at) => ({
        number: this.#top + at,
        text: this.#shown[at]?.text ?? '',
      })),
    ];
    const after = rows.findIndex(({ number }) => number >= this.#strays.before);
    const strays = this.#strays.rows.map((text) => ({ number: -1, text }));
    if (after !== 0) rows.splice(after < 0 ? rows.length : after, 0, ...strays);
    const reflow = reflowOf(this.#term, this.#watch.attributes);
    const seat = reseat(
      rows.map(({ text }) => text),
      cursorRow,
      width,
      reflow,
    );
    const onScreen = rows.slice(seat.above);
    const strange = onScreen.findLastIndex(({ number }) => number < 0) + 1;
    const top = onScreen[strange]?.number ?? this.#end();
    if (top > this.#end()) {
      this.#strays = {
        before: this.#end(),
        rows: rows.slice(0, seat.above).flatMap(({ number, text }) => (number >= this.#end() ? [text] : [])),
      };
    }
    this.#top = Math.min(top, this.#end(), this.#erasedFrom ?? Infinity);
    this.#erasedFrom = undefined;
    const left = onScreen.slice(0, strange);
    return left.reduce((sum, { text }) => sum + rowsAfter(reflow, text, width), seat.strange);
  }

  /** Row by row: some terminals move a screen that is cleared at once into the scrollback. */
  #wipe(rows: number): void {
    this.#shown = [];
    this.#write(Array.from({ length: rows }, (_, row) => `\x1b[${row + 1};1H\x1b[2K`).join(''));
  }
}
