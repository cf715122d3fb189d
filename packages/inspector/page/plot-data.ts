import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import { serverFirstEventMs, serverText, tokensPerSecond } from './figures.ts';

/** What exchanges are put together by. */
export type By = 'model' | 'upstream';

/** The exchanges of one model or of one server. */
export interface PlotGroup {
  readonly name: string;
  /** The same for people. */
  readonly label: string;
  readonly rows: readonly ExchangeRow[];
  /** Each repair, how often; the most frequent first. */
  readonly repairs: readonly (readonly [string, number])[];
  readonly repairCount: number;
}

/** More than this have no colour of their own. */
const MOST = 8;
const OTHERS = 'others';

/** The largest groups, and one for the rest; those without a model or a server are in none. */
export function groupRows(rows: readonly ExchangeRow[], by: By): readonly PlotGroup[] {
  const named = Map.groupBy(
    rows.filter((row) => row[by] !== undefined),
    (row) => row[by] ?? '',
  );
  const sorted = [...named].sort(([, a], [, b]) => b.length - a.length);
  const largest = sorted.length <= MOST ? sorted : sorted.slice(0, MOST - 1);
  const rest = sorted.slice(largest.length).flatMap(([, others]) => others);
  const all = rest.length === 0 ? largest : [...largest, [OTHERS, rest] as const];
  return all.map(([name, members]) => {
    const repairs = countEach(members);
    const label = by === 'upstream' ? serverText(name) : visible(name);
    return { name, label, rows: members, repairs, repairCount: repairs.reduce((sum, [, count]) => sum + count, 0) };
  });
}

function countEach(rows: readonly ExchangeRow[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    for (const [repair, count] of Object.entries(row.repairs)) counts.set(repair, (counts.get(repair) ?? 0) + count);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** What is drawn over time. */
export interface Measure {
  readonly title: string;
  readonly unit: string;
  /** What is said where there is none. */
  readonly none: string;
  readonly of: (row: ExchangeRow) => number | undefined;
}

export const firstEvent: Measure = {
  title: 'Server’s first event: time from when the server was asked',
  unit: 's',
  none: 'No answer has begun yet.',
  of: (row) => {
    const ms = serverFirstEventMs(row);
    return ms === undefined ? undefined : ms / 1000;
  },
};

export const rate: Measure = {
  title: 'Tokens per second',
  unit: 'tokens/s',
  none: 'None yet: the answers came too short, or all at once, to tell.',
  of: tokensPerSecond,
};

/** One row of times (Unix seconds) and one of values for each group, as uPlot wants it. */
export function alignedData(groups: readonly PlotGroup[], measure: Measure): [number[], ...(number | null)[][]] {
  const points = groups
    .flatMap(({ rows }, group) => rows.map((row) => ({ x: row.startedAt / 1000, y: measure.of(row), group })))
    .filter(({ y }) => y !== undefined)
    .sort((a, b) => a.x - b.x);
  const values = groups.map((_, group) => points.map((point) => (point.group === group ? (point.y ?? null) : null)));
  return [points.map(({ x }) => x), ...values];
}

/** The value below which this share of the values lies. */
export function quantile(rows: readonly ExchangeRow[], measure: Measure, share: number): number | undefined {
  const values = rows.flatMap((row) => measure.of(row) ?? []).sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))];
}
