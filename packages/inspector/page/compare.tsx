import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import { repairs } from '@turnwire/wire/internal/repairs';
import type { JSX } from 'preact';
import { ConversationView } from './conversation-view.tsx';
import { useExchange } from './exchange.ts';
import type { ExchangeList } from './exchange-list.ts';
import { factsOf, type Fact } from './facts.tsx';
import { countRepairs, isOpen, toneOf, whyLine } from './figures.ts';
import { useTick } from './store.ts';
import { State } from './list.tsx';
import { TimelineView } from './timeline-view.tsx';
import { spanOf } from './timeline.ts';

export interface CompareProps {
  readonly ids: readonly [string, string];
  readonly list: ExchangeList;
  readonly onClose: () => void;
  readonly onOpen: (id: string) => void;
}

/** Two exchanges side by side, their timelines on one scale. */
export function Compare({ ids: [left, right], list, onClose, onOpen }: CompareProps): JSX.Element {
  const now = list.now();
  const sides = [useExchange(left).exchange, useExchange(right).exchange].map(({ records, ...rest }) => ({
    ...rest,
    records,
    row: records.row,
  }));
  useTick(
    250,
    sides.some(({ row }) => row !== undefined && isOpen(row)),
  );
  const span = Math.max(...sides.map(({ row, timeline }) => spanOf(row, timeline, now)));
  return (
    <main class="compare" id="detail" tabIndex={-1} aria-label="Two exchanges">
      <header class="line">
        <button type="button" class="back" onClick={onClose} aria-label="Back to the list">
          ←
        </button>
        <h2>Two exchanges side by side</h2>
      </header>
      <Differences rows={sides.flatMap(({ row }) => row ?? [])} now={now} />
      <div class="sides">
        {sides.map(({ records: { id }, row, timeline, conversation }, at) => (
          <section key={id} class="side" aria-label={at === 0 ? 'First exchange' : 'Second exchange'}>
            <h3>
              {row !== undefined && <State row={row} now={now} />}
              <button type="button" class="plain" onClick={() => onOpen(id)}>
                {visible(row?.model ?? id)}
              </button>
            </h3>
            {row !== undefined && <p class={`why ${toneOf(row, now)}`}>{whyLine(row, now)}</p>}
            <TimelineView
              name={`exchange ${at + 1}`}
              timeline={timeline}
              span={span}
              open={row === undefined || !isOpen(row) ? undefined : timeline.openGap(spanOf(row, timeline, now))}
              at={undefined}
            />
            <ConversationView conversation={conversation} />
          </section>
        ))}
      </div>
    </main>
  );
}

/** The same facts of both; those that differ stand out. */
function Differences({
  rows,
  now,
}: {
  readonly rows: readonly ExchangeRow[];
  readonly now: number;
}): JSX.Element | null {
  const [first, second] = rows;
  if (first === undefined || second === undefined) return null;
  const [left, right] = [first, second].map((row) => [...factsOf(row, now), ...extraFacts(row)]);
  return (
    <table class="differences">
      <caption class="only-heard">What differs</caption>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">First</th>
          <th scope="col">Second</th>
        </tr>
      </thead>
      <tbody>
        {left?.map(({ name, value }, at) => {
          const other = right?.[at]?.value ?? '–';
          return (
            <tr key={name} class={value === other ? '' : 'differs'}>
              <th scope="row">{name}</th>
              <td>{value}</td>
              <td>{other}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function extraFacts(row: ExchangeRow): readonly Fact[] {
  const words: Readonly<Record<string, string>> = repairs;
  const names = Object.keys(row.repairs).map(
    (name) => `${visible(name)}${words[name] === undefined ? '' : ` (${words[name]})`}`,
  );
  return [
    { name: 'Healed', value: countRepairs(row) === 0 ? 'nothing' : names.join('; ') },
    { name: 'Error', value: row.error === undefined ? 'none' : visible(`${row.error.kind}: ${row.error.message}`) },
  ];
}
