import { LINK_SEQUENCE } from './links.ts';
import { printable } from '@turnwire/wire/internal/base/printable';
import { truncateToWidth, visibleWidth } from './pi-tui.ts';

const CODE = '(?:[0-479]|2[2-479]|3[1-69])';
/** The only sequences that a line may have: the looks of `theme.ts`, links, reset, and the cursor of the input line. */
const LOOK = new RegExp(`(\\x1b\\[(?:${CODE}(?:;${CODE})*)?m|${LINK_SEQUENCE})`);

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

/** A line as a row: its looks end with it, and it is no wider than the screen. */
export function cleanRow(line: string, width: number): string {
  const text = obeyed(line).replaceAll('\n', ' ').trimEnd();
  const fitting = visibleWidth(text) > width ? truncateToWidth(text, width, '…') : text;
  return fitting.includes('\x1b') ? `${fitting}\x1b[0m` : fitting;
}

/** True when no character is cut in two at `at`: what is added does not combine with what is before. */
export function isWhole(line: string, at: number): boolean {
  return at === line.length || /^[\x20-\x7e]/.test(line.slice(at, at + 1));
}
