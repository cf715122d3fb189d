import { Markdown, truncateToWidth, visibleWidth, wrapTextWithAnsi } from '@earendil-works/pi-tui';
import type { FileChange } from '@turnwire/agent/internal/events';
import { shownDiff } from '@turnwire/agent/internal/patch/diff';
import { highlight, highlightDiff } from './highlight.ts';
import type { Block } from './markdown-blocks.ts';
import { boundLines, judgedLines, oneLine, shortTime } from './text.ts';
import { markdownTheme } from './markdown-theme.ts';
import type { Style, Theme } from './theme.ts';
import type { Cell, NoticeCell, ReasoningCell, ToolCell } from './view-state.ts';

export interface CellLook {
  readonly theme: Theme;
  /** Columns. */
  readonly width: number;
  /** Reasoning in full. */
  readonly unfolded: boolean;
}

/** Lines of a tool's output: the first, the last. */
const OUTPUT_HEAD = 4;
const OUTPUT_TAIL = 4;
/** Lines of all diffs of a call: a person judges them. The rest is said to be left out. */
const DIFF_LINES = 1000;
const FOLDED_LINES = 2;

/** A cell as lines of at most `width` columns, a blank line before it where it stands apart. */
export function cellLines(cell: Cell, look: CellLook): string[] {
  switch (cell.type) {
    case 'user':
      return ['', ...prefixed(cell.text, look.theme.bold(look.theme.cyan('› ')), look.theme.bold, look.width)];
    case 'text':
      return blockLines(cell.block, look);
    case 'reasoning':
      return reasoningLines(cell, look);
    case 'tool':
      return toolLines(cell, look);
    case 'notice':
      return noticeLines(cell, look);
  }
}

function blockLines(block: Block, look: CellLook): string[] {
  const gap = block.gap ? [''] : [];
  if (block.type === 'text') return [...gap, ...markdownLines(block.source, look)];
  const { theme, width } = look;
  const open = highlight(block.before, block.language, '', theme).open;
  const code = block.source === '' ? [] : highlight(block.source, block.language, open, theme).lines;
  const lines = code.flatMap((line) => wrapTextWithAnsi(line, Math.max(1, width - 2))).map((line) => `  ${line}`);
  const begin = block.isFirst ? [theme.dim(fit(`\`\`\`${block.language}`, width))] : [];
  return [...gap, ...begin, ...lines, ...(block.isLast ? [theme.dim('```')] : [])];
}

function markdownLines(source: string, { theme, width }: CellLook): string[] {
  const options = { preserveOrderedListMarkers: true, renderLatex: false };
  const lines = new Markdown(source, 0, 0, markdownTheme(theme), undefined, options).render(width);
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

function toolLines(cell: ToolCell, look: CellLook): string[] {
  const { theme, width } = look;
  const head = `${markOf(cell, theme)} ${theme.bold(cell.name)} ${titleOf(cell)}`.trimEnd() + theme.dim(endOf(cell));
  const wrapped = wrapTextWithAnsi(head, Math.max(1, width - 2)).slice(0, 6);
  const lines = wrapped.map((line, at) => (at === 0 ? line : `  ${line}`));
  return ['', ...lines, ...changeLines(cell.changes ?? [], look), ...outputLines(cell, look)].map((line) =>
    fit(line, width),
  );
}

function markOf(cell: ToolCell, theme: Theme): string {
  switch (cell.state) {
    case 'writing':
    case 'running':
      return theme.yellow('◌');
    case 'asking':
      return theme.yellow('?');
    case 'completed':
      return theme.green('✓');
    case 'failed':
      return theme.red('✗');
    case 'denied':
    case 'interrupted':
    case 'unknown':
    case 'dropped':
      return theme.red('⊘');
  }
}

function titleOf(cell: ToolCell): string {
  if (cell.title !== undefined && cell.title !== cell.name) return oneLine(cell.title, 400);
  // As it is written: its end is what is new.
  const input = cell.input === '{}' ? '' : oneLine(cell.input.slice(-400), 400);
  return cell.state === 'writing' ? `${input}▍` : input;
}

function endOf(cell: ToolCell): string {
  const exit = cell.exitCode === undefined || cell.exitCode === 0 ? '' : ` exit ${cell.exitCode}`;
  const time = cell.durationMs === undefined || cell.durationMs < 1000 ? '' : ` ${shortTime(cell.durationMs)}`;
  return `${stateTexts[cell.state]}${exit}${time}`;
}

/** Behind the title, where the mark does not say it. */
const stateTexts: Readonly<Record<ToolCell['state'], string>> = {
  writing: '',
  running: '',
  asking: '',
  completed: '',
  failed: '',
  denied: ' denied',
  interrupted: ' interrupted',
  unknown: ' outcome unknown',
  dropped: ' not run',
};

function changeLines(changes: readonly FileChange[], { theme, width }: CellLook): string[] {
  const all = changes.flatMap((change) => highlightDiff(judgedLines(shownDiff(change.diff)).trimEnd(), theme));
  const { head, tail, omitted } = boundLines(all, DIFF_LINES, 0);
  const more = omitted === 0 ? [] : [theme.dim(`… ${omitted} more lines`)];
  return [...head, ...more, ...tail]
    .flatMap((line) => wrapTextWithAnsi(line, Math.max(1, width - 2)))
    .map((line) => `  ${line}`);
}

function outputLines(cell: ToolCell, { theme, width }: CellLook): string[] {
  const text = cell.output.replace(/\n+$/, '');
  if (text === '') return [];
  const inner = Math.max(1, width - 4);
  // One long line is bounded too.
  const rows = text.split('\n').flatMap((line) => wrapTextWithAnsi(line.slice(0, 2000), inner));
  const { head, tail, omitted } = boundLines(rows, OUTPUT_HEAD, OUTPUT_TAIL);
  const more = omitted === 0 ? [] : [`… ${omitted} more lines`];
  return [...head, ...more, ...tail].map((line, at) => theme.dim(`${at === 0 ? '  ⎿ ' : '    '}${line}`));
}

function prefixed(text: string, prefix: string, style: Style, width: number): string[] {
  const indent = ' '.repeat(visibleWidth(prefix));
  const lines = wrapTextWithAnsi(text, Math.max(1, width - indent.length));
  return lines.map((line, at) => fit(`${at === 0 ? prefix : indent}${style(line.trimEnd())}`, width));
}

/** Never wider than the terminal, whatever it holds. */
export function fit(line: string, width: number): string {
  return visibleWidth(line) <= width ? line : truncateToWidth(line, width, '…');
}
