import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { countRepairs, durationMs, firstEventMs, isOpen, isWaiting, tokensPerSecond } from './figures.ts';

/** Which exchanges are listed; `''` is any. */
export interface Filter {
  readonly text: string;
  readonly group: Group;
  readonly repair: string;
  readonly error: string;
  readonly client: string;
  readonly model: string;
  readonly upstream: string;
}

export type Group = '' | 'open' | 'waiting' | 'failed' | 'healed';

export const everything: Filter = { text: '', group: '', repair: '', error: '', client: '', model: '', upstream: '' };

const groups: Readonly<Record<Group, (row: ExchangeRow, now: number) => boolean>> = {
  '': () => true,
  open: isOpen,
  waiting: isWaiting,
  failed: (row) => row.state === 'failed' || row.state === 'refused',
  healed: (row) => countRepairs(row) > 0,
};

export function isMatch(row: ExchangeRow, filter: Filter, now: number): boolean {
  return (
    groups[filter.group](row, now) &&
    (filter.client === '' || row.client === filter.client) &&
    (filter.model === '' || row.model === filter.model) &&
    (filter.upstream === '' || row.upstream === filter.upstream) &&
    (filter.error === '' || row.error?.kind === filter.error) &&
    (filter.repair === '' || filter.repair in row.repairs) &&
    (filter.text === '' || hasText(row, filter.text.toLowerCase()))
  );
}

function hasText(row: ExchangeRow, text: string): boolean {
  const { id, client, caller, model, upstream, route, state, error } = row;
  const words = [id, client, caller, model, upstream, route, state, error?.kind, error?.message];
  return [...words, ...Object.keys(row.repairs)].some((word) => word?.toLowerCase().includes(text));
}

/** The values that a filter may have: those of the rows, each once, in order. */
export function choicesOf(
  rows: readonly ExchangeRow[],
): Readonly<Record<'repair' | 'error' | 'client' | 'model' | 'upstream', readonly string[]>> {
  const found = {
    repair: new Set<string>(),
    error: new Set<string>(),
    client: new Set<string>(),
    model: new Set<string>(),
    upstream: new Set<string>(),
  };
  for (const row of rows) {
    for (const repair of Object.keys(row.repairs)) found.repair.add(repair);
    for (const key of ['client', 'model', 'upstream'] as const) if (row[key] !== undefined) found[key].add(row[key]);
    if (row.error !== undefined) found.error.add(row.error.kind);
  }
  const { repair, error, client, model, upstream } = found;
  return {
    repair: [...repair].sort(),
    error: [...error].sort(),
    client: [...client].sort(),
    model: [...model].sort(),
    upstream: [...upstream].sort(),
  };
}

/** The order of the list. */
export interface Order {
  readonly by: OrderKey;
  readonly isDown: boolean;
}

export type OrderKey = 'started' | 'state' | 'client' | 'model' | 'upstream' | 'first' | 'rate' | 'healed' | 'duration';

/** What waits stands above what does not: it would sink below fast traffic. */
export const newestFirst: Order = { by: 'started', isDown: true };

/** What is compared; what has no value comes last. */
const keys: Readonly<Record<OrderKey, (row: ExchangeRow, now: number) => string | number | undefined>> = {
  started: (row) => row.startedAt,
  state: (row) => row.state,
  client: (row) => row.client,
  model: (row) => row.model,
  upstream: (row) => row.upstream,
  first: firstEventMs,
  rate: tokensPerSecond,
  healed: countRepairs,
  duration: durationMs,
};

/** The matching rows in order. */
export function select(
  rows: readonly ExchangeRow[],
  filter: Filter,
  order: Order,
  now: number,
): readonly ExchangeRow[] {
  const keyOf = keys[order.by];
  const keyed = rows.filter((row) => isMatch(row, filter, now)).map((row, at) => ({ row, at, key: keyOf(row, now) }));
  const sign = order.isDown ? -1 : 1;
  const isNewest = order.by === newestFirst.by && order.isDown;
  const above = new Set(isNewest ? keyed.filter(({ row }) => isWaiting(row, now)) : []);
  keyed.sort((a, b) => {
    if (above.has(a) !== above.has(b)) return above.has(a) ? -1 : 1;
    if (a.key === b.key) return b.at - a.at;
    if (a.key === undefined) return 1;
    if (b.key === undefined) return -1;
    return a.key < b.key ? -sign : sign;
  });
  return keyed.map(({ row }) => row);
}
