import type { Terminal } from '@earendil-works/pi-tui';
import xterm from '@xterm/headless';

/** What xterm.js says it is, and what xterm says. */
const XTERM_JS = '\x1b[>0;276;0c';
const XTERM = '\x1b[>41;390;0c';

/**
 * A terminal without a window: what is written to it becomes cells, as in a real one. `reflow: 'cuts'`: as xterm, which keeps lines in
 * their rows when it becomes narrower. `tellsSize`: when it is asked (XTWINOPS 18).
 */
export class VirtualTerminal implements Terminal {
  readonly #xterm: xterm.Terminal;
  #onInput: (data: string) => void = () => undefined;
  #onResize: () => void = () => undefined;
  #pending = 0;
  readonly #idle = new Set<() => void>();
  readonly #watchers = new Set<() => void>();
  /** The size that the program knows, while the terminal has another one already. */
  #heard: { readonly columns: number; readonly rows: number } | undefined;
  #before: { readonly part: string; readonly resize: () => void } | undefined;
  /** Everything that was written. */
  written = '';
  readonly kittyProtocolActive = false;

  constructor(columns = 80, rows = 24, reflow: 'breaks' | 'cuts' = 'breaks', tellsSize = false) {
    const windowOptions = { getWinSizeChars: tellsSize };
    const options = { cols: columns, rows, scrollback: 100_000, allowProposedApi: true, windowOptions };
    // xterm.js does not reflow under an old console of Windows.
    const cutting = { windowsPty: { backend: 'conpty', buildNumber: 19_000 } } as const;
    this.#xterm = new xterm.Terminal({ ...options, ...(reflow === 'cuts' ? cutting : {}) });
    this.#xterm.onData((data) => this.#onInput(reflow === 'cuts' ? data.replace(XTERM_JS, XTERM) : data));
  }

  get columns(): number {
    return this.#heard?.columns ?? this.#xterm.cols;
  }

  get rows(): number {
    return this.#heard?.rows ?? this.#xterm.rows;
  }

  start(onInput: (data: string) => void, onResize: () => void): void {
    this.#onInput = onInput;
    this.#onResize = onResize;
  }

  stop(): void {
    this.#onInput = () => undefined;
  }

  drainInput(): Promise<void> {
    return Promise.resolve();
  }

  write(data: string): void {
    if (this.#before !== undefined && data.includes(this.#before.part)) this.#before.resize();
    this.written += data;
    this.#pending++;
    this.#xterm.write(data, () => {
      this.#pending--;
      for (const watcher of [...this.#watchers]) watcher();
      if (this.#pending > 0) return;
      for (const done of this.#idle) done();
      this.#idle.clear();
    });
  }

  /** Where the terminal's own cursor is, from 0. */
  cursor(): { readonly row: number; readonly column: number } {
    const { cursorX, cursorY } = this.#xterm.buffer.active;
    return { row: cursorY, column: cursorX };
  }

  /** Presses a key, or several: each string is one. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.#onInput(key);
  }

  type(text: string): void {
    for (const { segment } of new Intl.Segmenter().segment(text)) this.press(segment);
  }

  resize(columns: number, rows: number): void {
    this.#xterm.resize(columns, rows);
    this.tellSize();
  }

  /** The program hears of the new size with `tellSize`. */
  resizeUnheard(columns: number, rows: number): void {
    this.#heard = { columns: this.columns, rows: this.rows };
    this.#xterm.resize(columns, rows);
  }

  /** The next write that has `part` in it meets another size, of which the program hears with `tellSize`. */
  resizeBefore(part: string, columns: number, rows: number): void {
    const resize = (): void => {
      this.#before = undefined;
      this.resizeUnheard(columns, rows);
    };
    this.#before = { part, resize };
  }

  tellSize(): void {
    this.#heard = undefined;
    this.#onResize();
  }

  /** Puts text on the screen as a shell would have, before the chat starts. */
  async prefill(text: string): Promise<void> {
    await new Promise<void>((resolve) => this.#xterm.write(text, resolve));
  }

  /** Resolves when everything that was written has become cells. */
  async parsed(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  /** Resolves once the rows on the screen are as wanted; the test's own timeout is the bound. */
  async until(wanted: string | RegExp | ((rows: readonly string[]) => boolean)): Promise<void> {
    const isSo = (): boolean => {
      const rows = this.screen();
      if (typeof wanted === 'function') return wanted(rows);
      const text = rows.join('\n');
      return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
    };
    if (isSo()) return;
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (!isSo()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  /** The rows on the screen, without trailing spaces. */
  screen(): string[] {
    const { baseY } = this.#xterm.buffer.active;
    return this.#rows(baseY, baseY + this.#xterm.rows);
  }

  /** The rows that have left the screen and those on it. */
  all(): string[] {
    return this.#rows(0, this.#xterm.buffer.active.length);
  }

  /** The look of the first cell of `text` on the screen or above. */
  lookOf(text: string): { dim: boolean; italic: boolean; bold: boolean; colour: number } | undefined {
    const { active } = this.#xterm.buffer;
    for (let y = active.length - 1; y >= 0; y--) {
      const line = active.getLine(y);
      const at = line?.translateToString(true).indexOf(text) ?? -1;
      const cell = at < 0 ? undefined : line?.getCell(at);
      if (cell === undefined) continue;
      return {
        dim: cell.isDim() !== 0,
        italic: cell.isItalic() !== 0,
        bold: cell.isBold() !== 0,
        colour: cell.isFgDefault() ? -1 : cell.getFgColor(),
      };
    }
    return undefined;
  }

  #rows(from: number, to: number): string[] {
    const { active } = this.#xterm.buffer;
    return Array.from({ length: to - from }, (_, at) => active.getLine(from + at)?.translateToString(true) ?? '');
  }

  moveBy(lines: number): void {
    if (lines !== 0) this.write(lines > 0 ? `\x1b[${lines}B` : `\x1b[${-lines}A`);
  }

  hideCursor(): void {
    this.write('\x1b[?25l');
  }

  showCursor(): void {
    this.write('\x1b[?25h');
  }

  clearLine(): void {
    this.write('\x1b[K');
  }

  clearFromCursor(): void {
    this.write('\x1b[J');
  }

  clearScreen(): void {
    this.write('\x1b[2J\x1b[H');
  }

  setTitle(): void {
    // No window, no title.
  }

  setProgress(): void {
    // The same.
  }
}
