import { whyText, type ExchangeRow, type ListMessage } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import { truncateToWidth, visibleWidth } from '../terminal/pi-tui.ts';

/** The place there is for a table; a pipe has no end. */
export interface TableSize {
  readonly columns: number;
  readonly rows: number;
}

interface Column {
  readonly head: string;
  readonly text: (row: ExchangeRow, now: number) => string;
}

/** From left to right. Why an exchange waits comes behind them, with all the width that is left. */
const columns: readonly Column[] = [
  { head: 'id', text: ({ id }) => id.slice(-6) },
  { head: 'client', text: ({ client, caller }) => [caller, client].filter((one) => one !== undefined).join(' ') },
  { head: 'model', text: ({ model }) => model ?? '' },
  { head: 'server', text: ({ upstream }) => (upstream ?? '').replace(/^https?:\/\/|\/v1$/g, '') },
  { head: 'state', text: ({ state }) => state },
  { head: 'first', text: ({ firstEventAt, startedAt }) => secondsText(firstEventAt, startedAt) },
  { head: 'tok/s', text: (row) => rateText(row) },
  { head: 'age', text: ({ startedAt, endedAt }, now) => secondsText(endedAt ?? now, startedAt) },
];

/** In which order they give way to the reason on a narrow terminal. */
const dropped = ['id', 'tok/s', 'first', 'client', 'server'];
const LEAST_WHY = 44;
/** Below this width each exchange has two lines. */
const NARROW = 60;
const WIDEST = 28;

/** Those that run, the oldest first, and behind them those that have ended, the newest first. */
export function inOrder(rows: readonly ExchangeRow[]): readonly ExchangeRow[] {
  const open = rows.filter(({ endedAt }) => endedAt === undefined);
  const over = rows.filter(({ endedAt }) => endedAt !== undefined);
  return [
    ...open.toSorted((a, b) => a.startedAt - b.startedAt),
    ...over.toSorted((a, b) => Number(b.endedAt) - Number(a.endedAt)),
  ];
}

/** The lines of a table that fits; what does not is counted in its last line. */
export function tableLines({ rows, now }: ListMessage, size: TableSize): readonly string[] {
  const all = inOrder(rows);
  if (all.length === 0) return ['no exchange yet'];
  const narrow = size.columns < NARROW;
  const fitting = Math.max(1, narrow ? Math.floor((size.rows - 1) / 2) : size.rows - 2);
  const shown = all.length > fitting + 1 ? all.slice(0, fitting) : all;
  const lines = narrow
    ? shown.flatMap((row) => [narrowLine(row, now), `  ${visible(whyText(row, now))}`])
    : wideLines(shown, now, size.columns);
  const more = all.length - shown.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].map((line) => cutToWidth(line, size.columns));
}

function narrowLine(row: ExchangeRow, now: number): string {
  const { model = row.route, state } = row;
  return `${state} ${secondsText(row.endedAt ?? now, row.startedAt)} ${visible(model)}`;
}

function wideLines(rows: readonly ExchangeRow[], now: number, width: number): readonly string[] {
  const table = columns.map(({ head, text }) => {
    const cells = rows.map((row) => cutToWidth(visible(text(row, now)), WIDEST));
    return { head, cells, width: Math.max(...[head, ...cells].map(visibleWidth)) };
  });
  let kept = table;
  for (const name of dropped) {
    const left = width - kept.reduce((sum, column) => sum + column.width + 2, 0);
    if (left >= LEAST_WHY) break;
    kept = kept.filter(({ head }) => head !== name);
  }
  const line = (cell: (column: (typeof kept)[number]) => string, why: string): string =>
    [...kept.map((column) => padded(cell(column), column.width)), why].join('  ').trimEnd();
  const whys = rows.map((row) => visible(whyText(row, now)));
  return [line(({ head }) => head, 'why'), ...whys.map((why, at) => line(({ cells }) => cells[at] ?? '', why))];
}

/** Text without colours, at most so wide. */
export function cutToWidth(text: string, width: number): string {
  return truncateToWidth(text, width, '…').replaceAll('\x1b[0m', '');
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - visibleWidth(text)));
}

/** `0.4 s`, `12 s`, `305 s`; nothing where it is not known. */
function secondsText(at: number | undefined, from: number): string {
  if (at === undefined) return '';
  const seconds = Math.max(0, at - from) / 1000;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

/** Tokens in a second since the first event: those that the server counted, else the pieces so far. */
function rateText({ firstEventAt, lastEventAt, outputTokens, deltas }: ExchangeRow): string {
  if (firstEventAt === undefined || lastEventAt === undefined || lastEventAt - firstEventAt < 100) return '';
  return ((outputTokens ?? deltas) / ((lastEventAt - firstEventAt) / 1000)).toFixed(1);
}
