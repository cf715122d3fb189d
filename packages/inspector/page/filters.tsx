import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { JSX, RefObject } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { choicesOf, everything, newestFirst, type Filter, type Group, type Order, type OrderKey } from './filter.ts';

export interface FiltersProps {
  readonly rows: readonly ExchangeRow[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
  readonly search: RefObject<HTMLInputElement | null>;
}

const groups: readonly (readonly [Group, string])[] = [
  ['', 'All'],
  ['open', 'Open'],
  ['waiting', 'Waiting'],
  ['failed', 'Failed'],
  ['healed', 'Healed'],
];

const orders: readonly (readonly [OrderKey, string])[] = [
  ['started', 'Newest first'],
  ['duration', 'Longest first'],
  ['first', 'Slowest first event'],
  ['rate', 'Most tokens/s'],
  ['healed', 'Most healed'],
];

export function Filters({ rows, filter, onFilter, order, onOrder, search }: FiltersProps): JSX.Element {
  const choices = useMemo(() => choicesOf(rows), [rows]);
  const set = (part: Partial<Filter>): void => onFilter({ ...filter, ...part });
  const [isMore, setMore] = useState(false);
  const { repair, error, model, upstream, client } = filter;
  const count = [repair, error, model, upstream, client].filter((value) => value !== '').length;
  const isSet = count > 0 || filter.text !== '' || filter.group !== '';
  return (
    <div class="filters" role="search" aria-label="Filter exchanges">
      <input
        ref={search}
        type="search"
        placeholder="Search model, server, error, id"
        aria-label="Search exchanges"
        aria-keyshortcuts="/"
        value={filter.text}
        onInput={({ currentTarget }) => set({ text: currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onFilter(everything);
          if (event.key === 'Escape' || event.key === 'Enter') document.getElementById('list')?.focus();
          event.stopPropagation();
        }}
      />
      <div class="segments" role="group" aria-label="Which exchanges">
        {groups.map(([group, title]) => (
          <button key={group} type="button" aria-pressed={filter.group === group} onClick={() => set({ group })}>
            {title}
          </button>
        ))}
      </div>
      <button
        type="button"
        class="more"
        aria-expanded={isMore}
        aria-controls="choices"
        onClick={() => setMore(!isMore)}
      >
        {count === 0 ? 'Filters' : `Filters: ${count}`}
      </button>
      <div class={`choices ${isMore ? 'open' : ''}`} id="choices">
        <Choice
          title="Healed fault"
          any="Any fault"
          value={filter.repair}
          choices={choices.repair}
          onPick={(repair) => set({ repair })}
        />
        <Choice
          title="Error"
          any="Any error"
          value={filter.error}
          choices={choices.error}
          onPick={(error) => set({ error })}
        />
        <Choice
          title="Model"
          any="Any model"
          value={filter.model}
          choices={choices.model}
          onPick={(model) => set({ model })}
        />
        <Choice
          title="Server"
          any="Any server"
          value={filter.upstream}
          choices={choices.upstream}
          onPick={(upstream) => set({ upstream })}
        />
        <Choice
          title="Client"
          any="Any client"
          value={filter.client}
          choices={choices.client}
          onPick={(client) => set({ client })}
        />
        <select
          class="order"
          aria-label="Order"
          value={order.by}
          onChange={({ currentTarget: { value } }) => {
            const [by] = orders.find(([key]) => key === value) ?? [newestFirst.by];
            onOrder({ by, isDown: true });
          }}
        >
          {orders.map(([by, title]) => (
            <option key={by} value={by}>
              {title}
            </option>
          ))}
          {!orders.some(([by]) => by === order.by) && <option value={order.by}>By {order.by}</option>}
        </select>
      </div>
      {isSet && (
        <button type="button" class="plain" onClick={() => onFilter(everything)}>
          Clear
        </button>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly title: string;
  readonly any: string;
  readonly value: string;
  readonly choices: readonly string[];
  readonly onPick: (value: string) => void;
}

function Choice({ title, any, value, choices, onPick }: ChoiceProps): JSX.Element | null {
  if (choices.length === 0 && value === '') return null;
  return (
    <select
      class={value === '' ? '' : 'set'}
      aria-label={title}
      value={value}
      onChange={({ currentTarget }) => onPick(currentTarget.value)}
    >
      <option value="">{any}</option>
      {choices.map((choice) => (
        <option key={choice} value={choice}>
          {visible(choice)}
        </option>
      ))}
    </select>
  );
}
