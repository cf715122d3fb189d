import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Compare } from './compare.tsx';
import { Detail } from './detail.tsx';
import type { ExchangeList } from './exchange-list.ts';
import { clockText, isOpen, isWaiting } from './figures.ts';
import { everything, newestFirst, select } from './filter.ts';
import { Filters } from './filters.tsx';
import type { Link } from './follow.ts';
import { Help } from './help.tsx';
import { LinkNote } from './link-note.tsx';
import { List } from './list.tsx';
import { Plots } from './plots.tsx';
import { go, hashOf, useRoute } from './route.ts';
import { useStore, useTick } from './store.ts';
import { themes, useTheme } from './theme.ts';

/** What is read aloud of the list: at most so often, in milliseconds. */
const SPOKEN_MS = 10_000;

export function App({ list }: { readonly list: ExchangeList }): JSX.Element {
  const version = useStore(list);
  const tick = useTick(1000);
  const route = useRoute();
  const [filter, setFilter] = useState(everything);
  const [order, setOrder] = useState(newestFirst);
  const [picked, setPicked] = useState<string | undefined>(route.id);
  const [compared, setCompared] = useState<string | undefined>(undefined);
  const [isHelp, setIsHelp] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const rows = useMemo(() => list.rows(), [list, version]);
  const now = list.now();
  const shown = useMemo(() => select(rows, filter, order, now), [rows, filter, order, tick]);

  const open = (id: string): void => {
    setPicked(id);
    if (compared === undefined || compared === id) go({ id });
    else go({ id: compared, other: id });
    setCompared(undefined);
  };
  const close = (): void => {
    setCompared(undefined);
    go({});
  };
  const move = (by: number): void => {
    const at = shown.findIndex(({ id }) => id === picked);
    const next = shown[at < 0 ? 0 : Math.min(Math.max(0, at + by), shown.length - 1)];
    if (next === undefined) return;
    setPicked(next.id);
    if (route.id !== undefined && route.other === undefined && compared === undefined) go({ id: next.id });
  };
  const keys: Readonly<Record<string, () => void>> = {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => picked !== undefined && open(picked),
    Escape: close,
    c: () => setCompared(route.id ?? picked),
    p: () => go({ isPlots: true }),
    '/': () => search.current?.focus(),
    '?': () => setIsHelp(true),
  };
  useKeys(keys);
  useFocus(route.id, route.isPlots);
  // Before the next key: it moves on from here.
  useLayoutEffect(() => {
    if (route.id !== undefined) setPicked(route.id);
  }, [route.id]);

  const isSplit = route.id !== undefined || route.isPlots;
  return (
    <div class={`app ${isSplit ? 'split' : ''} ${route.other === undefined && !route.isPlots ? '' : 'alone'}`}>
      <Top
        rows={rows}
        now={now}
        link={list.link}
        isPlots={route.isPlots}
        onWaiting={() => {
          setFilter({ ...everything, group: 'waiting' });
          close();
        }}
        onHelp={() => setIsHelp(true)}
      />
      <LinkNote link={list.link} onRetry={() => list.retry()} />
      {compared !== undefined && (
        <div class="link-note" role="status">
          {nameOf(list.row(compared))} is the first. Open the exchange to compare it with.{' '}
          <button type="button" onClick={() => setCompared(undefined)}>
            Cancel
          </button>
        </div>
      )}
      <div class="panes">
        <section class="master" role={isSplit ? 'region' : 'main'} aria-label="Exchanges">
          <Filters rows={rows} filter={filter} onFilter={setFilter} order={order} onOrder={setOrder} search={search} />
          <List
            rows={shown}
            total={rows.length}
            now={now}
            order={order}
            onOrder={setOrder}
            selected={picked}
            onSelect={setPicked}
            onOpen={open}
          />
        </section>
        {route.isPlots && <Plots rows={rows} now={now} onClose={close} />}
        {route.id !== undefined && route.other === undefined && (
          <Detail id={route.id} list={list} onClose={close} onCompare={() => setCompared(route.id)} />
        )}
        {route.id !== undefined && route.other !== undefined && (
          <Compare ids={[route.id, route.other]} list={list} onClose={close} onOpen={open} />
        )}
      </div>
      <Help isOpen={isHelp} onClose={() => setIsHelp(false)} />
    </div>
  );
}

/** What tells an exchange from others in the list. */
function nameOf(row: ExchangeRow | undefined): string {
  return row === undefined ? 'This exchange' : `${visible(row.model ?? row.route)} of ${clockText(row.startedAt)}`;
}

interface TopProps {
  readonly rows: readonly ExchangeRow[];
  readonly now: number;
  readonly link: Link;
  readonly isPlots: boolean;
  readonly onWaiting: () => void;
  readonly onHelp: () => void;
}

const linkWords: Readonly<Record<Link['state'], string>> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'not connected',
  over: 'ended',
};

function Top({ rows, now, link, isPlots, onWaiting, onHelp }: TopProps): JSX.Element {
  const [theme, setTheme] = useTheme();
  const running = rows.filter(isOpen);
  const waiting = running.filter((row) => isWaiting(row, now)).length;
  const failed = rows.filter(({ state }) => state === 'failed').length;
  const rest = `${failed} failed, ${rows.length} in all`;
  return (
    <header class="top">
      <h1>
        turnwire <span>inspector</span>
      </h1>
      <span class={`link ${link.state}`}>{linkWords[link.state]}</span>
      <span class="summary">
        {running.length} open,{' '}
        <button type="button" class={waiting === 0 ? '' : 'wait'} title="Show those that wait" onClick={onWaiting}>
          {waiting} waiting
        </button>
        , {rest}
      </span>
      <Spoken text={`${running.length} open, ${waiting} waiting, ${rest}`} />
      <nav aria-label="Views">
        <a href={hashOf({})} aria-current={isPlots ? undefined : 'page'}>
          Exchanges
        </a>
        <a href={hashOf({ isPlots: true })} aria-current={isPlots ? 'page' : undefined}>
          Plots
        </a>
        <button type="button" class="plain" onClick={onHelp} aria-keyshortcuts="?">
          Help
        </button>
        <select
          aria-label="Colours"
          value={theme}
          onChange={({ currentTarget: { value } }) => setTheme(themes.find((each) => each === value) ?? 'auto')}
        >
          {themes.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      </nav>
    </header>
  );
}

/** Read aloud when it has changed, and not with every change. */
function Spoken({ text }: { readonly text: string }): JSX.Element {
  const tick = useTick(SPOKEN_MS);
  const spoken = useMemo(() => (tick === 0 ? '' : text), [tick]);
  return (
    <span class="only-heard" role="status">
      {spoken}
    </span>
  );
}

/** Keys that mean something everywhere but where a person writes or a control has use for them. */
function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys);
  latest.current = keys;
  // Before anything is seen: the first key may come with it.
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest('dialog, select, input') !== null) return;
      if (event.key.startsWith('Arrow') && target.closest('.detail, .plots, .compare') !== null) return;
      if (event.key === 'Enter' && target.closest('button, a, summary') !== null) return;
      const act = latest.current[event.key];
      if (act === undefined) return;
      act();
      event.preventDefault();
    };
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);
}

/** What was opened gets the focus where it takes the place of the list; the list has it back when that is closed. */
function useFocus(id: string | undefined, isPlots: boolean): void {
  const shown = isPlots ? 'plots' : id;
  const before = useRef(shown);
  useEffect(() => {
    const list = document.getElementById('list');
    if (shown === undefined && before.current !== undefined) list?.focus();
    else if (shown !== before.current && list?.checkVisibility() === false) document.getElementById('detail')?.focus();
    before.current = shown;
  }, [shown]);
}
