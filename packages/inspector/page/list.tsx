import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import {
  clockText,
  countRepairs,
  durationMs,
  firstEventMs,
  isOpen,
  isWaiting,
  rateText,
  serverText,
  timeText,
  tokensPerSecond,
  toneOf,
  whyLine,
} from './figures.ts';
import type { Order, OrderKey } from './filter.ts';
import { RowsInSight } from './rows-in-sight.tsx';
import { useSize } from './sizes.ts';

export interface ListProps {
  readonly rows: readonly ExchangeRow[];
  /** How many there are without the filter. */
  readonly total: number;
  readonly now: number;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
  readonly onOpen: (id: string) => void;
}

interface Column {
  readonly key: string;
  readonly title: string;
  readonly order?: OrderKey;
  readonly isNumber?: boolean;
  readonly cell: (row: ExchangeRow, now: number) => JSX.Element | string;
}

/** Below this width, in CSS pixels, an exchange has two lines instead of columns. */
const NARROW = 960;
const ROW_PX = 36;
const CARD_PX = 80;

const columns: readonly Column[] = [
  { key: 'state', title: 'State', order: 'state', cell: (row, now) => <State row={row} now={now} /> },
  { key: 'why', title: 'Why', cell: (row, now) => <Why row={row} now={now} /> },
  { key: 'model', title: 'Model', order: 'model', cell: ({ model }) => visible(model ?? '–') },
  { key: 'upstream', title: 'Server', order: 'upstream', cell: ({ upstream }) => serverText(upstream ?? '–') },
  { key: 'client', title: 'Client', order: 'client', cell: ({ client }) => visible(client ?? '–') },
  { key: 'first', title: 'First event', order: 'first', isNumber: true, cell: (row) => timeOrNone(firstEventMs(row)) },
  { key: 'rate', title: 'Tokens/s', order: 'rate', isNumber: true, cell: rateCell },
  { key: 'healed', title: 'Healed', order: 'healed', isNumber: true, cell: (row) => <Healed row={row} /> },
  {
    key: 'duration',
    title: 'Time',
    order: 'duration',
    isNumber: true,
    cell: (row, now) => timeText(durationMs(row, now)),
  },
  { key: 'started', title: 'Started', order: 'started', isNumber: true, cell: (row) => clockText(row.startedAt) },
];

export function List(props: ListProps): JSX.Element {
  const { rows, total, selected } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const { width } = useSize(scroller);
  const isNarrow = width < NARROW;
  const height = isNarrow ? CARD_PX : ROW_PX;
  useStay(scroller, rows, height);
  const widths = useMemo(() => widthsOf(rows), [rows]);
  const target = selected === undefined ? undefined : rows.findIndex(({ id }) => id === selected);
  return (
    <div
      class={`list ${isNarrow ? 'cards' : 'table'}`}
      ref={scroller}
      style={widths}
      role="grid"
      id="list"
      tabIndex={0}
      aria-label="Exchanges"
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={target === undefined || target < 0 ? undefined : rowId(selected ?? '')}
    >
      <Head {...props} />
      {rows.length === 0 && <Empty total={total} />}
      <RowsInSight scroller={scroller} count={rows.length} height={height} target={target} role="rowgroup">
        {(index) => <Row {...props} row={rows[index]} index={index} isNarrow={isNarrow} />}
      </RowsInSight>
    </div>
  );
}

/** Names as wide as the longest one, within bounds: the width that is left is that of why. */
function widthsOf(rows: readonly ExchangeRow[]): Readonly<Record<string, string>> {
  const longest = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length), 0);
  const width = (texts: readonly string[]): string => `${Math.min(Math.max(longest(texts), 8), 20) * 0.5 + 0.5}rem`;
  return {
    '--of-model': width(rows.map(({ model = '' }) => model)),
    '--of-upstream': width(rows.map(({ upstream = '' }) => serverText(upstream))),
    '--of-client': width(rows.map(({ client = '' }) => client)),
  };
}

/** What was in sight stays there when others come above it; who looks at the beginning sees what is new. */
function useStay(
  scroller: { readonly current: HTMLElement | null },
  rows: readonly ExchangeRow[],
  height: number,
): void {
  const before = useRef<readonly ExchangeRow[]>([]);
  useLayoutEffect(() => {
    const element = scroller.current;
    const at = element === null ? 0 : Math.floor(element.scrollTop / height);
    const top = before.current[at]?.id;
    before.current = rows;
    if (element === null || at === 0 || top === undefined || rows[at]?.id === top) return;
    const moved = rows.findIndex(({ id }) => id === top);
    if (moved >= 0) element.scrollTop += (moved - at) * height;
  }, [rows, height]);
}

function Head({ order, onOrder }: ListProps): JSX.Element {
  return (
    <div class="head" role="rowgroup">
      <div class="row" role="row" aria-rowindex={1}>
        {columns.map(({ key, title, order: by, isNumber }) => (
          <div
            key={key}
            class={`cell of-${key} ${isNumber === true ? 'number' : ''}`}
            role="columnheader"
            aria-sort={by !== order.by ? undefined : order.isDown ? 'descending' : 'ascending'}
          >
            {by === undefined ? (
              title
            ) : (
              <button type="button" onClick={() => onOrder({ by, isDown: by !== order.by || !order.isDown })}>
                {title}
                <span class="arrow" aria-hidden="true">
                  {by === order.by ? (order.isDown ? '↓' : '↑') : ''}
                </span>
              </button>
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

interface RowProps extends ListProps {
  readonly row: ExchangeRow | undefined;
  readonly index: number;
  readonly isNarrow: boolean;
}

function Row({ row, index, isNarrow, now, selected, onSelect, onOpen }: RowProps): JSX.Element | null {
  if (row === undefined) return null;
  const isSelected = row.id === selected;
  return (
    <div
      class={`row ${isSelected ? 'selected' : ''} ${isOpen(row) ? 'open' : ''} ${isWaiting(row, now) ? 'waits' : ''}`}
      role="row"
      id={rowId(row.id)}
      data-id={row.id}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      onClick={() => {
        onSelect(row.id);
        onOpen(row.id);
      }}
    >
      {isNarrow ? <Card row={row} now={now} /> : <Cells row={row} now={now} />}
    </div>
  );
}

interface CellsProps {
  readonly row: ExchangeRow;
  readonly now: number;
}

function Cells({ row, now }: CellsProps): JSX.Element {
  return (
    <>
      {columns.map(({ key, isNumber, cell }) => (
        <div key={key} class={`cell of-${key} ${isNumber === true ? 'number' : ''}`} role="gridcell">
          {cell(row, now)}
        </div>
      ))}
    </>
  );
}

/** The same in two lines. */
function Card({ row, now }: CellsProps): JSX.Element {
  const rate = tokensPerSecond(row);
  return (
    <div class="card" role="gridcell" aria-colspan={columns.length}>
      <div class="line">
        <State row={row} now={now} />
        <strong class="model">{visible(row.model ?? row.route)}</strong>
        <span class="where">
          {serverText(row.upstream ?? '')}
          {row.client === undefined ? '' : ` · ${visible(row.client)}`}
        </span>
        <Healed row={row} />
        <span class="number">{timeText(durationMs(row, now))}</span>
      </div>
      <div class="line">
        <Why row={row} now={now} />
        <span class="number">{rate === undefined ? '' : `${rateText(rate)} tok/s`}</span>
      </div>
    </div>
  );
}

export function State({ row, now }: CellsProps): JSX.Element {
  return <span class={`state ${toneOf(row, now)}`}>{row.state}</span>;
}

function Why({ row, now }: CellsProps): JSX.Element {
  const text = whyLine(row, now);
  return (
    <span class={`why ${toneOf(row, now)}`} title={text}>
      {text}
    </span>
  );
}

function Healed({ row }: { readonly row: ExchangeRow }): JSX.Element {
  const count = countRepairs(row);
  if (count === 0) return <span class="none" />;
  const names = Object.keys(row.repairs).map(visible).join(', ');
  return (
    <span class="healed" title={names}>
      {count} healed
    </span>
  );
}

function Empty({ total }: { readonly total: number }): JSX.Element {
  return (
    <div class="empty" role="row">
      <div role="gridcell">
        {total === 0 ? (
          <>
            <strong>No exchange yet.</strong> Send a request to the bridge, and it shows here while it runs.
          </>
        ) : (
          <>
            <strong>None of {total} exchanges matches.</strong> Escape in the search field clears all filters.
          </>
        )}
      </div>
    </div>
  );
}

function rateCell(row: ExchangeRow): string {
  const rate = tokensPerSecond(row);
  return rate === undefined ? '–' : `${row.outputTokens === undefined ? '~' : ''}${rateText(rate)}`;
}

function timeOrNone(ms: number | undefined): string {
  return ms === undefined ? '–' : timeText(ms);
}

function rowId(id: string): string {
  return `row-${id}`;
}
