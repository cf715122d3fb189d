import { fit, prefixed, type CellLook } from './cell-look.ts';
import { highlight } from './highlight.ts';
import type { Block } from './markdown-blocks.ts';
import { alignTable } from './markdown-table.ts';
import { markdownTheme } from './markdown-theme.ts';
import { Markdown, visibleWidth, wrapTextWithAnsi } from './pi-tui.ts';
import { planLines } from './plan-lines.ts';
import { startLines } from './start-lines.ts';
import { boundLines, oneLine } from './text.ts';
import { toolLines } from './tool-lines.ts';
import type { Cell, NoticeCell, ReasoningCell } from './view-state.ts';

const FOLDED_LINES = 2;
const USER_HEAD = 12;
const USER_TAIL = 4;

/** A cell as lines of at most `width` columns, a blank line before it where it stands apart. */
export function cellLines(cell: Cell, look: CellLook): string[] {
  switch (cell.type) {
    case 'start':
      return startLines(cell, look);
    case 'user':
      return ['', ...userLines(cell.text, look)];
    case 'text':
      return blockLines(cell.block, look);
    case 'reasoning':
      return reasoningLines(cell, look);
    case 'tool':
      return toolLines(cell, look);
    case 'plan':
      return ['', ...planLines(cell.steps, look)];
    case 'notice':
      return noticeLines(cell, look);
  }
}

/** A long paste is folded. */
function userLines(text: string, { theme, width, unfolded }: CellLook): string[] {
  const lines = prefixed(text, theme.bold(theme.cyan('› ')), theme.bold, width);
  const { head, tail, omitted } = boundLines(lines, USER_HEAD, USER_TAIL);
  if (omitted === 0 || unfolded) return lines;
  return [...head, theme.dim(fit(`  … ${omitted} more lines (ctrl+o: all of them)`, width)), ...tail];
}

function blockLines(block: Block, look: CellLook): string[] {
  const gap = block.gap ? [''] : [];
  if (block.type === 'text') return [...gap, ...markdownLines(block.source, look)];
  const { theme, width } = look;
  const open = highlight(block.before, block.language, '', theme).open;
  const { lines } = highlight(block.source, block.language, open, theme);
  const code = lines.flatMap((line) => wrapTextWithAnsi(line, Math.max(1, width - 2))).map((line) => `  ${line}`);
  return [...gap, ...code];
}

function markdownLines(source: string, { theme, width }: CellLook): string[] {
  const options = { preserveOrderedListMarkers: true, renderLatex: false };
  const drawn = new Markdown(source, 0, 0, markdownTheme(theme), undefined, options).render(width);
  const lines = alignTable(drawn, source);
  const end = lines.findLastIndex((line) => visibleWidth(line.trimEnd()) > 0);
  return lines.slice(0, end + 1).map((line) => line.trimEnd());
}

function reasoningLines(cell: ReasoningCell, { theme, width, unfolded }: CellLook): string[] {
  const style = (text: string): string => theme.dim(theme.italic(text));
  if (unfolded) return ['', theme.dim('✻ Thinking'), ...prefixed(cell.text, '  ', style, width)];
  if (!cell.open) return ['', theme.dim(fit(`✻ Thought: ${headOf(cell.text)}`, width))];
  // While it streams, its end; only as much text is looked at as can be seen.
  const tail = prefixed(cell.text.slice(-width * (FOLDED_LINES + 1)), '  ', style, width).slice(-FOLDED_LINES);
  return ['', theme.dim('✻ Thinking … (ctrl+o: all of it)').slice(0, width * 4), ...tail].map((line) =>
    fit(line, width),
  );
}

/** A bold beginning is a title; else the first words. */
function headOf(text: string): string {
  const title = /^\s*\*\*(.+?)\*\*/.exec(text.slice(0, 500))?.[1];
  return `${oneLine(title ?? text, 100)} (ctrl+o)`;
}

function noticeLines(cell: NoticeCell, { theme, width }: CellLook): string[] {
  const looks = { info: theme.dim, warning: theme.yellow, error: theme.red } as const;
  const marks = { info: '· ', warning: '! ', error: '✗ ' } as const;
  return ['', ...prefixed(cell.text, looks[cell.level](marks[cell.level]), looks[cell.level], width)];
}
