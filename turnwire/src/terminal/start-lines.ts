import { fit, type CellLook } from './cell-look.ts';
import { visibleWidth } from './pi-tui.ts';
import type { StartCell } from './view-state.ts';

/** What one talks with, and where: name and version, then a row for each fact. */
export function startLines({ version, facts }: StartCell, { theme, width }: CellLook): string[] {
  const labelWidth = Math.max(...facts.map(({ label }) => visibleWidth(label)));
  const rows = facts.map(({ label, text }) => `  ${theme.dim(label.padEnd(labelWidth))}  ${text}`);
  const head = `${theme.bold(theme.cyan('turnwire'))} ${theme.dim(`${version} · /help lists commands and keys`)}`;
  return [head, ...rows].map((line) => fit(line, width));
}
