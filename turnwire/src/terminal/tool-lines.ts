import type { FileChange } from '@turnwire/agent/internal/events';
import { shownDiff } from '@turnwire/agent/internal/patch/diff';
import { fit, type CellLook } from './cell-look.ts';
import { highlightDiff } from './highlight.ts';
import { wrapTextWithAnsi } from './pi-tui.ts';
import { boundLines, judgedLines, oneLine, shortTime } from './text.ts';
import type { Theme } from './theme.ts';
import type { ToolCell } from './view-state.ts';
import { wordsOfCall } from './view-tool.ts';

/** Lines of a tool's output: the first, the last. */
const OUTPUT_HEAD = 4;
const OUTPUT_TAIL = 4;
/** The same of a command of the person's own. */
const OWN_HEAD = 10;
const OWN_TAIL = 10;
/** Characters of one line that are looked at where it is folded. */
const MAX_LINE = 2000;
/** Lines of all diffs of a call: a person judges them. The rest is said to be left out. */
const DIFF_LINES = 1000;

/** A call in one line; below it what has to be judged: its diff, and why it was not good. */
export function toolLines(cell: ToolCell, look: CellLook): string[] {
  const { theme, width } = look;
  if (isShownElsewhere(cell)) return [];
  const [name, rest] = wordsOfCall(cell, titleOf(cell));
  const head =
    `${markOf(cell, theme)} ${theme.bold(name)} ${rest}`.trimEnd() + theme.dim(endOf(cell) + gistOf(cell, look));
  const wrapped = wrapTextWithAnsi(head, Math.max(1, width - 2)).slice(0, 6);
  const lines = wrapped.map((line, at) => (at === 0 ? line : `  ${line}`));
  return ['', ...lines, ...changeLines(cell.changes ?? [], look), ...outputLines(cell, look)].map((line) =>
    fit(line, width),
  );
}

/** The question below says the same, whole; a plan has its list. */
function isShownElsewhere({ state, changes = [], name }: ToolCell): boolean {
  if (name === 'update_plan') return state === 'writing' || state === 'running' || state === 'completed';
  return state === 'asking' && changes.length === 0;
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
  // The question below the diff has it.
  if (cell.state === 'asking') return '';
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

/** What a finished call is told by when its output is folded: its one line, or how many there are. */
function gistOf(cell: ToolCell, { width, unfolded }: CellLook): string {
  if (!isFolded(cell, unfolded)) return '';
  const lines = linesOfOutput(cell);
  const [only = ''] = lines;
  if (lines.length === 0) return '';
  if (lines.length > 1 || only.length > width / 2)
    return ` · ${lines.length === 1 ? '1 line' : `${lines.length} lines`} (ctrl+o)`;
  return ` · ${only.trim()}`;
}

/** Of a call that was good nobody reads more; whoever runs a command wants to see it. */
function isFolded(cell: ToolCell, unfolded: boolean): boolean {
  return cell.state === 'completed' && cell.isOwn !== true && !unfolded;
}

function linesOfOutput({ output }: ToolCell): string[] {
  const text = output.replace(/\n+$/, '');
  return text === '' ? [] : text.split('\n');
}

/** One long line is bounded too. */
function headOfLine(line: string, wrap: (line: string) => string[]): string[] {
  const rows = wrap(line.slice(0, MAX_LINE));
  if (rows.length <= OUTPUT_HEAD && line.length <= MAX_LINE) return rows;
  return [...rows.slice(0, OUTPUT_HEAD), `… the rest of this line, of ${line.length} characters (ctrl+o)`];
}

/** Of a call that is good there is nothing to see but its line; of others the first and the last lines say why. */
function outputLines(cell: ToolCell, { theme, width, unfolded }: CellLook): string[] {
  if (isFolded(cell, unfolded)) return [];
  const lines = linesOfOutput(cell);
  if (lines.length === 0) return [];
  const wrap = (line: string): string[] => wrapTextWithAnsi(line, Math.max(1, width - 4));
  const all = unfolded
    ? { head: lines, tail: [], omitted: 0 }
    : boundLines(lines, cell.isOwn === true ? OWN_HEAD : OUTPUT_HEAD, cell.isOwn === true ? OWN_TAIL : OUTPUT_TAIL);
  const bounded = (line: string): string[] => (unfolded ? wrap(line) : headOfLine(line, wrap));
  const more = all.omitted === 0 ? [] : [`… ${all.omitted} more lines (ctrl+o)`];
  return [...all.head.flatMap(bounded), ...more, ...all.tail.flatMap(bounded)].map((line, at) =>
    theme.dim(`${at === 0 ? '  ⎿ ' : '    '}${line}`),
  );
}
