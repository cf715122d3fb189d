import { visible } from '@turnwire/wire/internal/base/printable';
import { counted, ms as inWords } from '../finding.ts';
import { endWords } from '../report/evidence-text.ts';
import type { Timeline, TimelineEntry } from './timeline.ts';

/** Columns that the longest gap takes. */
const BAR = 12;
/** A shorter wait is no reason to look; in milliseconds. */
const LONG_GAP = 100;
/** Entries at the beginning and at the end that are always shown. */
const ENDS = 8;

export interface TimelineFormat {
  /** Columns of a line. */
  readonly width: number;
  /** Every entry, however many there are. */
  readonly all: boolean;
}

/** A timeline for people: when what came, how long the server was silent before, and what is wrong with it. */
export function formatTimeline(timeline: Timeline, { width, all }: TimelineFormat): string {
  const {
    file,
    at,
    method,
    target,
    request_bytes: bytes,
    status,
    head_ms: headMs,
    entries,
    end,
    end_ms: endMs,
  } = timeline;
  const last = entries.at(-1)?.ms ?? headMs ?? 0;
  const longest = Math.max(LONG_GAP, endMs - last, ...entries.map(({ gap_ms: gap }) => gap));
  const line = (ms: number, gap: number, text: string): string =>
    cut(`${clock(ms)} ${gapText(gap)} ${'█'.repeat(Math.round((gap / longest) * BAR)).padEnd(BAR)} ${text}`, width);
  return [
    visible(`${file}  ${at}`),
    line(0, 0, `> ${method} ${visible(target)}, ${size(bytes)}`),
    ...(status === undefined ? [] : [line(headMs ?? 0, headMs ?? 0, `< HTTP ${status}`)]),
    ...(all ? entries.map((entry) => line(entry.ms, entry.gap_ms, describe(entry))) : shortened(entries, line, width)),
    line(endMs, endMs - last, `= ${endWords[end]}`),
    ...(timeline.reads === undefined ? [] : [`  turnwire reads it: ${timeline.reads}`]),
    ...timeline.findings.map(
      ({ quirk, level, seen }) => `  ${level === 'broken' ? 'BROKEN' : 'odd'} ${quirk}: ${visible(seen)}`,
    ),
    '',
  ].join('\n');
}

type Line = (ms: number, gap: number, text: string) => string;

/** The first, the last, and those before which the server was silent; the rest in one line for each run of them. */
function shortened(entries: readonly TimelineEntry[], line: Line, width: number): string[] {
  const out: string[] = [];
  let skipped: TimelineEntry[] = [];
  const flush = (): void => {
    const [first] = skipped;
    if (first !== undefined) out.push(cut(`${' '.repeat(22)}${summary(skipped, first)}`, width));
    skipped = [];
  };
  for (const [place, entry] of entries.entries()) {
    const told = place < ENDS || place >= entries.length - ENDS || entry.gap_ms >= LONG_GAP || entry.from === 'client';
    if (!told) {
      skipped.push(entry);
      continue;
    }
    flush();
    out.push(line(entry.ms, entry.gap_ms, describe(entry)));
  }
  flush();
  return out;
}

function summary(entries: readonly TimelineEntry[], first: TimelineEntry): string {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const events = entries.reduce((sum, entry) => sum + entry.events, 0);
  const took = (entries.at(-1)?.ms ?? first.ms) - first.ms;
  return `… ${entries.length} more, ${size(bytes)}, ${counted(events, 'event')} in ${inWords(took)}`;
}

function describe({ from, bytes, events, text }: TimelineEntry): string {
  const what = `${size(bytes)}, ${counted(events, 'event')}`;
  return `${from === 'client' ? '>' : '<'} ${what.padEnd(18)} ${text.replaceAll('\n', ' ')}`;
}

function clock(ms: number): string {
  return `${ms.toFixed(1)} ms`.padStart(11);
}

function gapText(ms: number): string {
  return `+${ms.toFixed(1)}`.padStart(9);
}

function size(bytes: number): string {
  return bytes < 10_000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text.trimEnd() : `${text.slice(0, Math.max(1, width - 1))}…`;
}
