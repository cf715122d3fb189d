import { truncateToWidth, visibleWidth, wrapTextWithAnsi } from './pi-tui.ts';
import type { Style, Theme } from './theme.ts';

export interface CellLook {
  readonly theme: Theme;
  /** Columns. */
  readonly width: number;
  /** Reasoning and what tools printed, in full. */
  readonly unfolded: boolean;
}

/** Lines that hang behind a prefix of the first. */
export function prefixed(text: string, prefix: string, style: Style, width: number): string[] {
  const indent = ' '.repeat(visibleWidth(prefix));
  const lines = wrapTextWithAnsi(text, Math.max(1, width - indent.length));
  return lines.map((line, at) => fit(`${at === 0 ? prefix : indent}${style(line.trimEnd())}`, width));
}

/** Never wider than the terminal, whatever it holds. */
export function fit(line: string, width: number): string {
  return visibleWidth(line) <= width ? line : truncateToWidth(line, width, '…');
}
