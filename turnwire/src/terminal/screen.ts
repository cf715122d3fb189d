import {
  setCapabilityOverrides,
  TuiMainScreen,
  truncateToWidth,
  visibleWidth,
  type Terminal,
} from '@earendil-works/pi-tui';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import { printable } from '@turnwire/wire/internal/base/printable';

/** The document as the screen has to show it: its end is at the bottom. */
export interface ScreenDocument {
  /** Number of `lines[0]` in the document; counts up for ever. */
  readonly first: number;
  readonly lines: readonly string[];
}

export interface ScreenOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** `top`: the first line of the document that is on the screen. Called once per frame. */
  readonly compose: (frame: { readonly top: number; readonly width: number; readonly rows: number }) => ScreenDocument;
}

/** One row of the screen: a line of the document, and the text that it was cleaned to. */
interface Row {
  readonly line: string;
  readonly text: string;
}

const NO_ROW: Row = { line: '', text: '' };
/** How long a terminal may take to say where its cursor is. */
const CURSOR_TIMEOUT_MS = 150;
// Whatever had the terminal before this frame (a tool, a message on stderr) does not colour or hide it.
const BEGIN = '\x1b[?2026h\x1b[?7l\x1b[0m';
const END = '\x1b[?7h\x1b[?2026l';

/**
 * Draws the end of a growing document on the main screen, and lets what scrolls off go to the terminal's scrollback,
 * which is never cleared and never written twice. A frame writes what changed: the ends of lines that grew, whole
 * lines that became others, new lines at the bottom.
 *
 * Input, focus and the pace of frames (one in 16 ms at most) are those of the base class; its drawing is not used:
 * it clears the scrollback at every change of the size, and looks at every line of the document in every frame.
 */
export class Screen extends TuiMainScreen {
  readonly #clock: Clock;
  readonly #compose: ScreenOptions['compose'];
  /** What is on the screen, from its first row on. */
  #shown: Row[] = [];
  #top = 0;
  #cursorRow = 0;
  /** As it was drawn last. */
  #document: ScreenDocument = { first: 0, lines: [] };
  #size: { width: number; rows: number } | undefined;
  /** The terminal was asked where its cursor is, in this size. */
  #asking: { readonly timer: Timer; readonly width: number; readonly rows: number } | undefined;
  /** Bytes that frames wrote, for measurements. */
  written = 0;

  constructor({ terminal, clock, compose }: ScreenOptions) {
    super(terminal, false);
    // What `clean` would take out again: a link shows its address as text instead, which also cannot deceive.
    setCapabilityOverrides({ hyperlinks: false, images: null });
    this.#clock = clock;
    this.#compose = compose;
    this.addInputListener((data) => this.#takeCursorReport(data));
  }

  /** First line of the document that is on the screen. */
  get top(): number {
    return this.#top;
  }

  protected override afterTerminalStart(): void {
    // What the shell left goes up into the scrollback, so that rows can be counted from the top.
    this.terminal.write(`${'\n'.repeat(this.terminal.rows - 1)}\x1b[H`);
    this.#size = { width: this.terminal.columns, rows: this.terminal.rows };
  }

  protected override beforeTerminalStop(): void {
    this.#stopAsking();
    this.terminal.write(`\x1b[${this.#cursorRow + 1};1H\r\n`);
  }

  protected override doRender(): void {
    if (this.stopped || this.#asking !== undefined) return;
    const { columns: width, rows } = this.terminal;
    if (width < 1 || rows < 1) return;
    if (this.#size !== undefined && (this.#size.width !== width || this.#size.rows !== rows)) {
      this.#askForCursor();
      return;
    }
    this.#draw(width, rows);
  }

  #draw(width: number, rows: number): void {
    this.#document = this.#compose({ top: this.#top, width, rows });
    const { first, lines } = this.#document;
    const end = first + lines.length;
    const above = this.#top - first;
    let out = '';
    let row = this.#cursorRow;
    const goTo = (to: number, column = 0): void => {
      out += `\x1b[${to + 1};${column + 1}H`;
      row = to;
    };
    for (let at = 0; at < rows; at++) {
      const line = lines[above + at] ?? '';
      const { line: lineBefore, text: before } = this.#shown[at] ?? NO_ROW;
      if (line === lineBefore) continue;
      const wanted = clean(line, width);
      this.#shown[at] = { line, text: wanted };
      if (wanted === before) continue;
      const grown =
        before !== '' && !before.includes('\x1b') && wanted.startsWith(before) && isWhole(wanted, before.length);
      goTo(at, grown ? visibleWidth(before) : 0);
      out += grown ? wanted.slice(before.length) : `${before === '' ? '' : '\x1b[2K'}${wanted}`;
    }
    for (let at = above + rows; at < lines.length; at++) {
      if (row !== rows - 1) goTo(rows - 1);
      const line = lines[at] ?? '';
      const text = clean(line, width);
      out += `\r\n${text}`;
      this.#shown.shift();
      this.#shown[rows - 1] = { line, text };
    }
    this.#top = Math.max(this.#top, end - rows);
    const last = Math.max(0, Math.min(rows, end - this.#top) - 1);
    if (out === '' && last === this.#cursorRow) return;
    // The cursor waits in the last line: a terminal that shrinks then pushes out what is above, and nothing is lost.
    goTo(last);
    this.#cursorRow = last;
    this.#write(`${BEGIN}${out}${END}`);
  }

  #write(text: string): void {
    this.written += Buffer.byteLength(text);
    this.terminal.write(text);
  }

  /**
   * The document's line that is now in the first row, counted back from the cursor in its last line: lines that are wider
   * than the screen take several rows. A terminal that grew may have taken lines back out of its scrollback.
   */
  #firstVisible(cursorRow: number | undefined, width: number, rows: number): number {
    const { first, lines } = this.#document;
    const heightOf = (at: number): number => Math.max(1, Math.ceil(visibleWidth((lines[at] ?? '').trimEnd()) / width));
    const top = this.#top - first;
    let at = lines.length;
    // Unknown: as if nothing had been taken back.
    let left = (cursorRow ?? rows - 1) + 1;
    while (at > (cursorRow === undefined ? top : 0) && left > 0) left -= heightOf(--at);
    return first + at;
  }

  /** The size changed and the terminal has moved its lines: only it knows where they are now. */
  #askForCursor(): void {
    const { columns: width, rows } = this.terminal;
    const timer = this.#clock.after(CURSOR_TIMEOUT_MS, () => this.#resized(undefined));
    this.#asking = { timer, width, rows };
    this.terminal.write('\x1b[6n');
  }

  #stopAsking(): void {
    this.#asking?.timer.cancel();
    this.#asking = undefined;
  }

  #takeCursorReport(data: string): { consume: boolean } | undefined {
    // eslint-disable-next-line no-control-regex -- it is a control sequence
    const report = /^\x1b\[(\d+);\d+R$/.exec(data);
    if (report === null || this.#asking === undefined) return undefined;
    const { width, rows } = this.#asking;
    // Resized again in the meantime: the answer may be older than that.
    const isOld = width !== this.terminal.columns || rows !== this.terminal.rows;
    this.#stopAsking();
    if (isOld) this.#askForCursor();
    else this.#resized(Number(report[1]) - 1);
    return { consume: true };
  }

  /** `cursorRow`: where the document's last line is now; unknown when the terminal does not say. */
  #resized(cursorRow: number | undefined): void {
    this.#stopAsking();
    if (this.stopped) return;
    const { columns: width, rows } = this.terminal;
    this.#top = this.#firstVisible(cursorRow, width, rows);
    this.#shown = [];
    this.#cursorRow = 0;
    this.#size = { width, rows };
    // Row by row: some terminals move a screen that is cleared at once into the scrollback.
    this.#write(Array.from({ length: rows }, (_, row) => `\x1b[${row + 1};1H\x1b[2K`).join(''));
    this.#draw(width, rows);
    this.requestRender();
  }
}

const CODE = '(?:[0-479]|2[2-479]|3[1-69])';
/** The only sequences that a line may have: the looks of `theme.ts`, reset, and the cursor of the input line. */
const LOOK = new RegExp(`(\\x1b\\[(?:${CODE}(?:;${CODE})*)?m)`);

/**
 * The one place that decides what a line may hold, whoever made it: looks and what can be seen. Our text was cleaned
 * where it came in, so that it has no looks of its own; here stays what components add to it (the marker of the
 * editor's cursor, `ESC _ pi:c BEL`, is a window title for tmux) and what a person pastes.
 */
function obeyed(line: string): string {
  if (!line.includes('\x1b')) return printable(line);
  return line
    .split(LOOK)
    .map((part, at) => (at % 2 === 1 ? part : printable(part)))
    .join('');
}

/** Looks end with their line, and no line is wider than the screen. */
function clean(line: string, width: number): string {
  const text = obeyed(line).replaceAll('\n', ' ').trimEnd();
  const fitting = visibleWidth(text) > width ? truncateToWidth(text, width, '…') : text;
  return fitting.includes('\x1b') ? `${fitting}\x1b[0m` : fitting;
}

/** True when no character is cut in two at `at`: what is added does not combine with what is before. */
function isWhole(line: string, at: number): boolean {
  return at === line.length || /^[\x20-\x7e]/.test(line.slice(at, at + 1));
}
