import { Editor, type TUI } from '@earendil-works/pi-tui';
import { editorTheme, type Theme } from './theme.ts';

const MARK = '› ';

/**
 * The line in which a person types: many lines, history, paste, completion. Without frames: full-width rules would
 * break into pieces when a terminal shrinks.
 */
export class InputLine extends Editor {
  readonly #theme: Theme;

  constructor(tui: TUI, theme: Theme) {
    super(tui, editorTheme(theme), { paddingX: MARK.length, autocompleteMaxVisible: 6 });
    this.#theme = theme;
  }

  override render(width: number): string[] {
    const lines = super.render(width);
    const first = lines[1];
    if (first?.startsWith(' '.repeat(MARK.length)) !== true) return lines;
    return lines.with(1, this.#theme.cyan(MARK) + first.slice(MARK.length));
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
