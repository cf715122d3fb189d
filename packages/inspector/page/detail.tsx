import type { ExchangeRecord, ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { visible, visibleLines } from '@turnwire/wire/internal/base/printable';
import { repairs } from '@turnwire/wire/internal/repairs';
import type { JSX } from 'preact';
import { ColumnsView } from './columns-view.tsx';
import { ConversationView } from './conversation-view.tsx';
import { CopyCurl } from './copy-curl.tsx';
import { useExchange, useStateOf } from './exchange.ts';
import { tapeUrl } from './exchange-records.ts';
import type { ExchangeList } from './exchange-list.ts';
import { Facts } from './facts.tsx';
import { isOpen, timeText, toneOf, whyLine } from './figures.ts';
import { State } from './list.tsx';
import { LinkNote } from './link-note.tsx';
import { useStay } from './stay.ts';
import { useTick } from './store.ts';
import { TimelineView } from './timeline-view.tsx';
import { spanOf } from './timeline.ts';

export interface DetailProps {
  readonly id: string;
  readonly list: ExchangeList;
  readonly onClose: () => void;
  readonly onCompare: () => void;
}

type Tab = 'conversation' | 'columns' | 'request';

const tabs: readonly (readonly [Tab, string])[] = [
  ['conversation', 'Conversation'],
  ['columns', 'Bytes and events'],
  ['request', 'Headers'],
];

/** How often an exchange that runs is drawn when nothing comes, in milliseconds. */
const DRAW_MS = 250;

export function Detail({ id, list, onClose, onCompare }: DetailProps): JSX.Element {
  const { exchange, version } = useExchange(id);
  const { records, timeline, moments, conversation } = exchange;
  const row = newerOf(records.row, list.row(id));
  useTick(DRAW_MS, row !== undefined && isOpen(row));
  const [at, setAt] = useStateOf<number | undefined>(id, undefined);
  const [tab, setTab] = useTab();
  const stay = useStay();
  const now = list.now();
  const span = spanOf(row, timeline, now);
  const open = row === undefined || !isOpen(row) ? undefined : timeline.openGap(span);
  return (
    <main class="detail" id="detail" tabIndex={-1} aria-label="Exchange" {...stay}>
      <header>
        <div class="line">
          <button type="button" class="back" onClick={onClose} aria-label="Back to the list">
            ←
          </button>
          {row !== undefined && <State row={row} now={now} />}
          <h2>{visible(row?.model ?? row?.route ?? id)}</h2>
          <span class="id" title={id}>
            {visible(id)}
          </span>
        </div>
        {row !== undefined && <p class={`why ${toneOf(row, now)}`}>{whyLine(row, now)}</p>}
        <div class="actions">
          <a class="button" href={tapeUrl(id)} download>
            Save as tape
          </a>
          <CopyCurl id={id} />
          <button type="button" onClick={onCompare} aria-keyshortcuts="c">
            Compare with …
          </button>
        </div>
      </header>
      <LinkNote link={records.link} onRetry={() => records.retry()} />
      {row !== undefined && <Facts row={row} now={now} />}
      <TimelineView key={id} name="this exchange" timeline={timeline} span={span} open={open} at={at} onPick={setAt} />
      <Healed records={records.records} version={version} onPick={setAt} />
      <div class="tabs" role="tablist" aria-label="What is shown">
        {tabs.map(([key, title]) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`tab-${key}`}
            aria-selected={tab === key}
            aria-controls="panel"
            tabIndex={tab === key ? 0 : -1}
            onClick={() => setTab(key)}
            onKeyDown={(event) => moveTab(event, key, setTab)}
          >
            {title}
          </button>
        ))}
      </div>
      <div class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
        {tab === 'conversation' && <ConversationView conversation={conversation} />}
        {tab === 'columns' && (
          <ColumnsView
            id={id}
            moments={moments}
            version={version}
            silentMs={open === undefined ? 0 : open.to - open.from}
            at={at}
            onPick={setAt}
          />
        )}
        {tab === 'request' && <Headers records={records.records} />}
      </div>
    </main>
  );
}

/** The list and the exchange are told apart from each other: what says more is the newer. */
function newerOf(a: ExchangeRow | undefined, b: ExchangeRow | undefined): ExchangeRow | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.endedAt !== undefined || b.bytes > a.bytes ? b : a;
}

/** The tab stays the same from one exchange to the next. */
let lastTab: Tab = 'conversation';

function useTab(): readonly [Tab, (tab: Tab) => void] {
  const [tab, setTab] = useStateOf<Tab>('', lastTab);
  return [
    tab,
    (next) => {
      lastTab = next;
      setTab(next);
    },
  ];
}

function moveTab(event: KeyboardEvent, from: Tab, setTab: (tab: Tab) => void): void {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by === undefined) return;
  const at = tabs.findIndex(([key]) => key === from);
  const [next = from] = tabs[(at + by + tabs.length) % tabs.length] ?? [];
  setTab(next);
  document.getElementById(`tab-${next}`)?.focus();
  event.preventDefault();
  event.stopPropagation();
}

interface HealedProps {
  readonly records: readonly ExchangeRecord[];
  readonly version: number;
  readonly onPick: (t: number) => void;
}

/** What was wrong, and was put right. */
function Healed({ records, onPick }: HealedProps): JSX.Element | null {
  const healed = records.filter((record) => record.kind === 'repair');
  if (healed.length === 0) return null;
  const words: Readonly<Record<string, string>> = repairs;
  return (
    <section class="healings" aria-label="Healed">
      <h3>Healed by the bridge</h3>
      <ul>
        {healed.slice(0, 50).map(({ t, repair, about, upstream }, index) => (
          <li key={index}>
            <button type="button" class="time" onClick={() => onPick(t)}>
              {timeText(t)}
            </button>
            <code>{visible(repair)}</code>
            <span>
              {words[repair] ?? ''}
              {upstream === undefined ? '' : ` (${visible(upstream)})`}
              {about !== undefined && <span class="about">{visible(about)}</span>}
            </span>
          </li>
        ))}
      </ul>
      {healed.length > 50 && <p>and {healed.length - 50} more</p>}
    </section>
  );
}

function Headers({ records }: { readonly records: readonly ExchangeRecord[] }): JSX.Element {
  const shown = records.filter((record) => record.kind === 'request' || record.kind === 'head');
  return (
    <div class="headers">
      {shown.map((record, index) => (
        <section key={index}>
          <h3>
            {record.kind === 'request'
              ? `${record.method} ${visible(record.url)}`
              : `${record.status} from ${visible(record.upstream)}, at ${timeText(record.t)}`}
          </h3>
          <pre>
            {Object.entries(record.headers)
              .map(([name, value]) => visibleLines(`${name}: ${value}`))
              .join('\n')}
          </pre>
        </section>
      ))}
    </div>
  );
}
