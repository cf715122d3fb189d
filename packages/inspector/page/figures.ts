import { whyText, type ExchangeRow, type ExchangeState } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';

/** What a state looks like: it runs, somebody waits, it went well, it went wrong. */
export type Tone = 'run' | 'wait' | 'good' | 'bad' | 'quiet';

const tones: Readonly<Record<ExchangeState, Tone>> = {
  reading: 'run',
  waiting: 'wait',
  streaming: 'run',
  retrying: 'wait',
  finishing: 'wait',
  completed: 'good',
  failed: 'bad',
  refused: 'bad',
  aborted: 'quiet',
};

/** Silence from which on an exchange counts as one that waits. */
const SILENT_MS = 2000;

export function isOpen(row: ExchangeRow): boolean {
  return row.endedAt === undefined;
}

export function toneOf(row: ExchangeRow, now: number): Tone {
  const isSilent = row.state === 'streaming' && now - (row.lastByteAt ?? now) >= SILENT_MS;
  return isSilent ? 'wait' : tones[row.state];
}

/** Since when an exchange waits, where it is in a state to wait. */
function waitsSince(row: ExchangeRow): number | undefined {
  switch (row.state) {
    case 'retrying':
      return 0; // however short ago: it is known to wait
    case 'waiting':
      return row.askedAt ?? row.startedAt;
    case 'finishing':
      return row.finishedAt;
    case 'streaming':
      return row.lastByteAt;
    default:
      return undefined;
  }
}

/** It waits for longer than an exchange that is well does. */
export function isWaiting(row: ExchangeRow, now: number): boolean {
  const since = isOpen(row) ? waitsSince(row) : undefined;
  return since !== undefined && now - since >= SILENT_MS;
}

/** From the request to the first event of the answer: what its client waited for. */
export function firstEventMs(row: ExchangeRow): number | undefined {
  return row.firstEventAt === undefined ? undefined : row.firstEventAt - row.startedAt;
}

/** The same from when the server was asked that answered. */
export function serverFirstEventMs(row: ExchangeRow): number | undefined {
  return row.firstEventAt === undefined ? undefined : row.firstEventAt - (row.askedAt ?? row.startedAt);
}

export function durationMs(row: ExchangeRow, now: number): number {
  return (row.endedAt ?? now) - row.startedAt;
}

/** Tokens of the answer; while nobody has counted them, the number of pieces of the answer stands for it. */
export function tokensOf(row: ExchangeRow): number {
  return row.outputTokens ?? row.deltas;
}

/** Of the answer, from its first event to its last; absent for an answer that came at once. */
export function tokensPerSecond(row: ExchangeRow): number | undefined {
  const end = row.finishedAt ?? row.lastEventAt;
  if (row.firstEventAt === undefined || end === undefined || end - row.firstEventAt < 5) return undefined;
  const tokens = tokensOf(row);
  return tokens < 2 ? undefined : (tokens * 1000) / (end - row.firstEventAt);
}

export function countRepairs(row: ExchangeRow): number {
  return Object.values(row.repairs).reduce((sum, count) => sum + count, 0);
}

/** The name of a server for people: of an address what tells it from others, `127.0.0.1:8080` of `http://127.0.0.1:8080/v1`. */
export function serverText(upstream: string): string {
  return visible(upstream.replace(/^https?:\/\//, '').replace(/\/(?:v1)?$/, ''));
}

/** Why an exchange waits, or how it ended. */
export function whyLine(row: ExchangeRow, now: number): string {
  const { upstream, setback } = row;
  const named = {
    ...row,
    upstream: upstream === undefined ? undefined : serverText(upstream),
    setback: setback === undefined ? undefined : { ...setback, upstream: serverText(setback.upstream) },
  };
  return visible(whyText(named, now));
}

/** A length of time for people: `8 ms`, `1.24 s`, `2 min 5 s`. */
export function timeText(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(2)} MB`;
}

export function rateText(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
}

/** Made once: the making costs far more than the writing. */
const timeOfDay = new Intl.DateTimeFormat([], { timeStyle: 'medium', hour12: false });

/** The time of day, by this browser's time zone. */
export function clockText(ms: number): string {
  return timeOfDay.format(ms);
}
