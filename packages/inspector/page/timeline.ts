import type { ExchangeRecord, ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { serverText, timeText } from './figures.ts';

/** Times are milliseconds since the exchange began. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly kind: GapKind;
  /** Why nobody was asked: `429`; of the kind `retry` alone. */
  readonly failure?: Failure | undefined;
}

/** What another attempt followed. */
interface Failure {
  readonly status?: number | undefined;
  /** The server told how long to wait. */
  readonly isAsked: boolean;
}

/**
 * - `first`: a server was asked, and its first byte had not come.
 * - `silent`: it had begun, and sent nothing.
 * - `retry`: nobody was asked, until a server was asked again.
 * - `held`: the answer was finished, and its connection stayed open.
 */
export type GapKind = 'first' | 'silent' | 'retry' | 'held';

const gapWords: Readonly<Record<Exclude<GapKind, 'retry'>, string>> = {
  first: 'before the first byte',
  silent: 'silent',
  held: 'held open after the end of the answer',
};

export function gapText({ from, to, kind, failure }: Gap): string {
  const length = timeText(to - from);
  if (kind !== 'retry') return `${length} ${gapWords[kind]}`;
  const status = failure?.status === undefined ? '' : ` (${failure.status})`;
  return `waited ${length} ${failure?.isAsked === true ? 'as the server asked' : 'before asking again'}${status}`;
}

/** A moment with a name. */
export interface Mark {
  readonly t: number;
  readonly text: string;
  readonly isBad: boolean;
}

/** What came at a time, and how much: bytes of a chunk, or a number of events. */
export interface Amount {
  readonly t: number;
  readonly amount: number;
}

/** Shorter silence is none. */
const LEAST_GAP_MS = 100;

/** What a timeline shows, record by record. Work per record is constant. */
export class Timeline {
  readonly server: Amount[] = [];
  readonly events: Amount[] = [];
  readonly client: Amount[] = [];
  readonly marks: Mark[] = [];
  readonly healed: Mark[] = [];
  readonly gaps: Gap[] = [];
  /** Number of records that are missing. */
  dropped = 0;
  /** Time of the latest record. */
  last = 0;
  /** When the server was heard of last, or was asked. */
  #heard: number | undefined;
  #hasByte = false;
  /** Of the attempt that another one may follow. */
  #failure: Failure | undefined;
  #finishedAt = Infinity;

  push(record: ExchangeRecord): void {
    const { t } = record;
    this.last = Math.max(this.last, t);
    switch (record.kind) {
      case 'attempt':
        this.#closeGap(t, 'retry');
        this.#hasByte = false;
        this.#failure = undefined;
        this.#mark(t, `asks ${serverText(record.upstream)}${record.number > 1 ? `, attempt ${record.number}` : ''}`);
        break;
      case 'head':
        this.#closeGap(t);
        this.#failure = record.status < 400 ? undefined : { status: record.status, isAsked: isAsked(record.headers) };
        this.#mark(t, `${record.status} from ${serverText(record.upstream)}`, record.status >= 400);
        break;
      case 'chunk':
        // The end of a line that was held: nothing came.
        if (record.bytes === 0) break;
        this.#closeGap(t);
        this.#hasByte = true;
        this.server.push({ t, amount: record.bytes });
        break;
      case 'events':
        this.events.push({ t, amount: record.events.length });
        if (record.events.some(({ type }) => type === 'completed')) this.#mark(t, 'completed');
        break;
      case 'sent':
        this.client.push({ t, amount: record.text.length });
        break;
      case 'repair':
        this.healed.push({ t, text: record.repair, isBad: false });
        if (record.upstream !== undefined) this.#fail(t);
        break;
      case 'end':
        this.#closeGap(t);
        if (record.outcome !== 'completed') this.#mark(t, record.outcome, true);
        break;
      case 'dropped':
        this.dropped += record.records;
        break;
      case 'request':
      case 'asked':
      case 'body':
      case 'usage':
        break;
    }
  }

  /** The model said at this time that it has finished. */
  finish(t: number): void {
    this.#finishedAt = t;
  }

  /** The silence that lasts, at the time `now` of an exchange that is not over. */
  openGap(now: number): Gap | undefined {
    if (this.#heard === undefined || now - this.#heard < LEAST_GAP_MS) return undefined;
    return { from: this.#heard, to: now, ...this.#kind(this.#failure === undefined ? undefined : 'retry') };
  }

  #closeGap(t: number, kind?: GapKind): void {
    const from = this.#heard;
    this.#heard = t;
    if (from !== undefined && t - from >= LEAST_GAP_MS) this.gaps.push({ from, to: t, ...this.#kind(kind, from) });
  }

  /** Another attempt follows one that failed here. */
  #fail(t: number): void {
    this.#closeGap(t);
    this.#failure ??= { isAsked: false };
  }

  #kind(kind: GapKind | undefined, from = this.#heard ?? 0): Pick<Gap, 'kind' | 'failure'> {
    if (kind !== undefined) return { kind, failure: this.#failure };
    // The bytes that said so came a moment before.
    if (this.#finishedAt - from < LEAST_GAP_MS) return { kind: 'held' };
    return { kind: this.#hasByte ? 'silent' : 'first' };
  }

  #mark(t: number, text: string, isBad = false): void {
    this.marks.push({ t, text, isBad });
  }
}

/** The head of an answer says when to ask again. */
function isAsked(headers: Readonly<Record<string, string>>): boolean {
  return 'retry-after' in headers || 'retry-after-ms' in headers;
}

/** Where the timeline of an exchange ends: at its end, or now. */
export function spanOf(row: ExchangeRow | undefined, timeline: Timeline, now: number): number {
  const end = row === undefined ? timeline.last : (row.endedAt ?? now) - row.startedAt;
  return Math.max(timeline.last, end, 1);
}

/** The longest gaps, in order of time; the one that lasts is among them. */
export function longGaps(timeline: Timeline, open: Gap | undefined, most = 6): readonly Gap[] {
  const all = open === undefined ? timeline.gaps : [...timeline.gaps, open];
  const long = all.filter(({ from, to }) => to - from >= 500);
  return long
    .toSorted((a, b) => b.to - b.from - (a.to - a.from))
    .slice(0, most)
    .sort((a, b) => a.from - b.from);
}
