import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { columnIds, Lines, search, type ColumnId, type Found, type Moments } from './columns.ts';
import { timeText } from './figures.ts';
import { RowsInSight } from './rows-in-sight.tsx';
import { useIsWide, useSize } from './sizes.ts';

export interface ColumnsViewProps {
  /** Of the exchange. */
  readonly id: string;
  readonly moments: Moments;
  /** Grows as moments come. */
  readonly version: number;
  /** For how many milliseconds nothing has come, and may come still. */
  readonly silentMs: number;
  /** The time that was picked in the timeline. */
  readonly at: number | undefined;
  readonly onPick: (t: number) => void;
}

const titles: Readonly<Record<ColumnId, string>> = {
  server: 'From the server',
  events: 'Events',
  client: 'To the client',
};

/** CSS pixels, as in the style sheet: a line, the column of the times, the space between columns, the width of a letter. */
const LINE_PX = 18;
const TIME_PX = 72;
const SPACE_PX = 16;
const LETTER_PX = 7.23;
/** Below this width of the page there is room for one column. */
const ONE_COLUMN_PX = 760;
/** Silence that is shorter is not told, in milliseconds. */
const TOLD_MS = 1000;

export function ColumnsView({ id, moments, version, silentMs, at, onPick }: ColumnsViewProps): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const isWide = useIsWide(ONE_COLUMN_PX);
  const [shown, setShown] = useState<readonly ColumnId[]>(isWide ? columnIds : ['server']);
  const [words, setWords] = useState('');
  const [current, setCurrent] = useState(0);
  const { width } = useSize(scroller);
  const letters = Math.max(12, Math.floor(((width - TIME_PX) / shown.length - SPACE_PX) / LETTER_PX));

  const lines = useMemo(() => new Lines(moments, shown, letters), [moments, shown, letters]);
  useMemo(() => lines.update(), [lines, version]);
  const found = useMemo(
    () => search(moments.list, words).filter(({ column }) => shown.includes(column)),
    [moments, version, words, shown],
  );
  const marks = useMemo(() => Map.groupBy(found, ({ moment }) => moment), [found]);
  const hit = found[Math.min(current, found.length - 1)];
  const target = hit !== undefined ? lines.lineOf(hit) : at === undefined ? undefined : lines.lineAt(at);
  useEffect(() => setCurrent(0), [words]);

  const isSilent = silentMs >= TOLD_MS;
  const toEnd = (): void => scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  const opened = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (opened.current === id || width === 0 || lines.count === 0) return;
    opened.current = id;
    // Of what hangs, the end is what is looked for.
    if (isSilent && at === undefined) toEnd();
  });

  const step = (by: number): void =>
    setCurrent((before) => (found.length === 0 ? 0 : (before + by + found.length) % found.length));
  return (
    <section class="columns" aria-label="Bytes and events">
      <div class="tools">
        <div class="segments" role="group" aria-label="Columns">
          {columnIds.map((id) => (
            <button
              key={id}
              type="button"
              aria-pressed={shown.includes(id)}
              onClick={() => setShown(toggled(shown, id, isWide))}
            >
              {titles[id]}
            </button>
          ))}
        </div>
        <input
          type="search"
          placeholder="Search in bytes and events"
          aria-label="Search in bytes and events"
          value={words}
          onInput={({ currentTarget }) => setWords(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
            if (event.key === 'Escape') setWords('');
            event.stopPropagation();
          }}
        />
        <button type="button" onClick={toEnd}>
          To the end
        </button>
        {words !== '' && (
          <>
            <span class="count" role="status">
              {found.length === 0 ? 'not found' : `${Math.min(current, found.length - 1) + 1} of ${found.length}`}
            </span>
            <button type="button" aria-label="Previous" onClick={() => step(-1)}>
              ↑
            </button>
            <button type="button" aria-label="Next" onClick={() => step(1)}>
              ↓
            </button>
          </>
        )}
      </div>
      <div
        class={`lines of-${shown.length}`}
        ref={scroller}
        tabIndex={0}
        role="region"
        aria-label={shown.map((id) => titles[id]).join(', ')}
      >
        <div class="line titles" aria-hidden="true">
          <span class="time" />
          {shown.map((id) => (
            <span key={id} class={`part ${id}`}>
              {titles[id]}
            </span>
          ))}
        </div>
        <RowsInSight scroller={scroller} count={lines.count + (isSilent ? 1 : 0)} height={LINE_PX} target={target}>
          {(line) => {
            if (line === lines.count) return <Silence ms={silentMs} />;
            const { moment, row } = lines.place(line);
            return (
              <LineView
                lines={lines}
                moments={moments}
                moment={moment}
                row={row}
                shown={shown}
                marks={marks.get(moment)}
                hit={hit}
                isPicked={at !== undefined && hit === undefined && line === target}
                onPick={onPick}
              />
            );
          }}
        </RowsInSight>
      </div>
    </section>
  );
}

function Silence({ ms }: { readonly ms: number }): JSX.Element {
  return (
    <div class="line begins">
      <span class="time late" />
      <span class="note">then nothing for {timeText(ms)}</span>
    </div>
  );
}

/** At least one stays; where there is room for one alone, it is the one that was picked. */
function toggled(shown: readonly ColumnId[], id: ColumnId, isWide: boolean): readonly ColumnId[] {
  if (!isWide) return [id];
  const next = columnIds.filter((each) => (each === id ? !shown.includes(id) : shown.includes(each)));
  return next.length === 0 ? shown : next;
}

interface LineProps {
  readonly lines: Lines;
  readonly moments: Moments;
  readonly moment: number;
  readonly row: number;
  readonly shown: readonly ColumnId[];
  readonly marks: readonly Found[] | undefined;
  readonly hit: Found | undefined;
  readonly isPicked: boolean;
  readonly onPick: (t: number) => void;
}

function LineView({ lines, moments, moment, row, shown, marks, hit, isPicked, onPick }: LineProps): JSX.Element {
  const { t = 0, note } = moments.list[moment] ?? {};
  const before = moments.list[moment - 1]?.t;
  const wait = before === undefined ? 0 : t - before;
  const name = `line ${row === 0 ? 'begins' : ''} ${isPicked ? 'picked' : ''}`;
  return (
    <div class={name}>
      <span class={`time ${row === 0 && wait >= 1000 ? 'late' : ''}`}>
        {row === 0 && (
          <button
            type="button"
            tabIndex={-1}
            title={`${timeText(wait)} after the one before`}
            onClick={() => onPick(t)}
          >
            {(t / 1000).toFixed(3)}
          </button>
        )}
      </span>
      {note !== undefined ? (
        <span class={`note ${note.isBad ? 'bad' : ''}`} title={note.text}>
          {note.text}
        </span>
      ) : (
        shown.map((id) => (
          <span key={id} class={`part ${id}`}>
            {marked(
              lines.textAt(moment, id, row),
              marks?.filter(({ column }) => column === id),
              hit,
            )}
          </span>
        ))
      )}
    </div>
  );
}

/** The text with what was found in it marked. */
function marked(
  piece: ReturnType<Lines['textAt']>,
  marks: readonly Found[] | undefined,
  hit: Found | undefined,
): JSX.Element | string {
  if (piece === undefined) return '';
  const text = piece.text.replace(/\n$/, '');
  const end = piece.from + text.length;
  const parts: (JSX.Element | string)[] = [];
  let at = piece.from;
  for (const mark of marks ?? []) {
    if (mark.to <= piece.from || mark.from >= end) continue;
    const [from, to] = [Math.max(mark.from, at), Math.min(mark.to, end)];
    parts.push(text.slice(at - piece.from, from - piece.from));
    parts.push(<mark class={mark === hit ? 'hit' : ''}>{text.slice(from - piece.from, to - piece.from)}</mark>);
    at = to;
  }
  parts.push(text.slice(at - piece.from));
  return <>{parts}</>;
}
