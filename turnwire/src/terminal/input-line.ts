import type { TUI } from '@earendil-works/pi-tui';
import { CURSOR_MARKER, Editor, visibleWidth } from './pi-tui.ts';
import { editorTheme, type Theme } from './theme.ts';

const MARK = '› ';
/** The library's place of the cursor, and the cell that it draws there: the terminal's own cursor stands there instead. */
const DRAWN_CURSOR = new RegExp(`${CURSOR_MARKER}(?:\\x1b\\[7m(.*?)\\x1b\\[0m)?`, 's');

const PASTE = '\x1b[200~';
const INDENT = ' '.repeat(MARK.length);

/** Stands for a tab in the library's text, which knows none: no text has it, Unicode keeps it for the inside of programs. */
const TAB = '\ufdd0';

export interface InputView {
  readonly lines: readonly string[];
  /** Where one types: a line, and a column from 0. */
  readonly cursor: { readonly line: number; readonly column: number } | undefined;
}

/**
 * The line in which a person types: many lines, history, paste, completion. Without frames: full-width rules would
 * break into pieces when a terminal shrinks.
 */
export class InputLine extends Editor {
  readonly #theme: Theme;
  #before = '';

  /** `send`: called with a line that was sent. */
  constructor(tui: TUI, theme: Theme, send: (text: string) => void) {
    super(tui, editorTheme(theme), { paddingX: MARK.length, autocompleteMaxVisible: 6 });
    this.#theme = theme;
    // The library trims, and with that takes the first line's indentation from a text that was pasted.
    this.onSubmit = (trimmed) => send(withTabs(this.#before.trim() === trimmed ? this.#before : trimmed));
  }

  override handleInput(data: string): void {
    this.#before = this.getExpandedText();
    super.handleInput(data.startsWith(PASTE) ? data.replaceAll('\t', TAB) : data);
  }

  override addToHistory(text: string): void {
    super.addToHistory(text.replaceAll('\t', TAB));
  }

  override setText(text: string): void {
    super.setText(text.replaceAll('\t', TAB));
  }

  /** As it is drawn: without blank lines around it. */
  view(width: number): InputView {
    const lines: string[] = [];
    let cursor: InputView['cursor'];
    for (const [at, line] of this.render(width).entries()) {
      if (line === '') continue;
      const marker = line.indexOf(CURSOR_MARKER);
      if (marker >= 0) cursor = { line: lines.length, column: visibleWidth(line.slice(0, marker)) };
      const text = line.replace(DRAWN_CURSOR, '$1').replaceAll(TAB, this.#theme.dim('→'));
      lines.push(at === 1 && text.startsWith(INDENT) ? this.#theme.cyan(MARK) + text.slice(INDENT.length) : text);
    }
    return { lines, cursor };
  }

  protected override renderTopBorder(_width: number, hidden: number): string {
    return this.#hidden('↑', hidden);
  }

  protected override renderBottomBorder(_width: number, hidden: number): string {
    return this.#hidden('↓', hidden);
  }

  #hidden(arrow: string, count: number): string {
    return count === 0 ? '' : this.#theme.dim(`  ${arrow} ${count} more`);
  }
}

function withTabs(text: string): string {
  return text.replaceAll(TAB, '\t');
}
