import { sliceByColumn, stripTerminalSequences, visibleWidth } from './pi-tui.ts';

type Alignment = 'left' | 'center' | 'right';

/** The row below the head of a table (GFM 4.10): `|---|:---:|---:|`. */
const DELIMITERS = /^ {0,3}\|?(?: *:?-+:? *\|)* *:?-+:? *\|?$/;

/**
 * The lines of a drawn table with its cells where its source wants them: pi-tui draws all of them at the left. Other
 * lines stay as they are.
 */
export function alignTable(lines: readonly string[], source: string): string[] {
  const wanted = alignmentsOf(source);
  const border = lines.map(stripTerminalSequences).find((line) => line.startsWith('┌'));
  if (border === undefined || !wanted.some((one) => one !== 'left')) return [...lines];
  const columns = columnsOf(border);
  return lines.map((line) => (stripTerminalSequences(line).startsWith('│') ? alignRow(line, columns, wanted) : line));
}

function alignmentsOf(source: string): readonly Alignment[] {
  const row = source.split('\n').find((line) => line.includes('|') && DELIMITERS.test(line)) ?? '';
  const cells = row
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|');
  return cells.map((cell) => {
    const [begin, end] = [cell.trim().startsWith(':'), cell.trim().endsWith(':')];
    if (begin && end) return 'center';
    return end ? 'right' : 'left';
  });
}

interface Column {
  /** Of its first cell of text, counted in columns of the screen. */
  readonly at: number;
  readonly width: number;
}

/** Every column has a blank on both sides: `┌───┬──────┐`. */
function columnsOf(border: string): readonly Column[] {
  const marks = Array.from(border.matchAll(/[┌┬┐]/g), ({ index }) => index);
  return marks.slice(1).map((end, index) => {
    const begin = marks[index] ?? 0;
    return { at: begin + 2, width: end - begin - 3 };
  });
}

function alignRow(line: string, columns: readonly Column[], wanted: readonly Alignment[]): string {
  let row = '';
  let done = 0;
  columns.forEach(({ at, width }, index) => {
    const cell = sliceByColumn(line, at, width);
    const free = width - visibleWidth(stripTerminalSequences(cell).trimEnd());
    const before = { left: 0, center: Math.floor(free / 2), right: free }[wanted[index] ?? 'left'];
    // From the blank before it on: a look that begins with the first character would come before those that end there.
    row +=
      sliceByColumn(line, done, at - 1 - done) + ' '.repeat(before) + sliceByColumn(line, at - 1, 1 + width - before);
    done = at + width;
  });
  return row + sliceByColumn(line, done, visibleWidth(line) - done);
}
