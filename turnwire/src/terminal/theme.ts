import type { EditorTheme } from '@earendil-works/pi-tui';
import { linked } from './links.ts';

/** Gives a text a look; without colours it gives it back as it is. */
export type Style = (text: string) => string;

/** How things look. Only the sixteen colours of the terminal's own palette, so that its theme is kept. */
export interface Theme {
  /** A text that leads to an address, where the terminal is known to have links (OSC 8). */
  readonly link: (text: string, address: string) => string;
  readonly dim: Style;
  readonly bold: Style;
  readonly italic: Style;
  readonly underline: Style;
  readonly strike: Style;
  readonly red: Style;
  readonly green: Style;
  readonly yellow: Style;
  readonly blue: Style;
  readonly magenta: Style;
  readonly cyan: Style;
  readonly inverse: Style;
}

/** `colour: false` (for `NO_COLOR`) still knows bold, dim and inverse: they are no colours. */
export function createTheme(options: { readonly colour: boolean; readonly links?: boolean }): Theme {
  const style =
    (on: number, off: number): Style =>
    (text) =>
      text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`;
  const colour = (code: number): Style => (options.colour ? style(code, 39) : (text) => text);
  return {
    link: options.links === true ? linked : (text) => text,
    dim: style(2, 22),
    bold: style(1, 22),
    italic: style(3, 23),
    underline: style(4, 24),
    strike: style(9, 29),
    inverse: style(7, 27),
    red: colour(31),
    green: colour(32),
    yellow: colour(33),
    blue: colour(34),
    magenta: colour(35),
    cyan: colour(36),
  };
}

/** The looks of the input line and its list of completions. */
export function editorTheme(theme: Theme): EditorTheme {
  return {
    borderColor: theme.dim,
    selectList: {
      selectedPrefix: theme.cyan,
      selectedText: theme.cyan,
      description: theme.dim,
      scrollInfo: theme.dim,
      noMatch: theme.dim,
    },
  };
}
