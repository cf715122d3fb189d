import type { TapedExchange, TapeEnding } from '@turnwire/testing';
import { showBytes } from '../proof/evidence.ts';
import { findingsOf, sampleOf, wireOf } from '../proof/findings-of.ts';
import type { QuirkLevel } from '../quirks/quirk.ts';
import { quirkOn } from '../quirks.ts';
import type { ProbeWire } from '../wires.ts';

/** One thing that happened in an exchange. */
export interface TimelineEntry {
  /** Milliseconds since the request. */
  readonly ms: number;
  /** Since the entry before. */
  readonly gap_ms: number;
  readonly from: 'client' | 'server';
  readonly bytes: number;
  /** Events that ended in it. */
  readonly events: number;
  /** As text, everything hidden written out; long ones are cut. */
  readonly text: string;
}

/** An exchange in time, and what the checks say of it. */
export interface Timeline {
  readonly file: string;
  readonly at: string;
  readonly method: string;
  readonly target: string;
  readonly request_bytes: number;
  /** Absent when nothing was answered. */
  readonly status?: number;
  readonly head_ms?: number;
  readonly entries: readonly TimelineEntry[];
  readonly end: TapeEnding;
  readonly end_ms: number;
  /** What turnwire makes of it; absent where it is no answer of a model over HTTP. */
  readonly reads?: string;
  readonly findings: readonly { readonly quirk: string; readonly level: QuirkLevel; readonly seen: string }[];
}

/** Reads one exchange. */
export function timelineOf(exchange: TapedExchange): Timeline {
  const { file, request, response, end } = exchange;
  const wire = wireOf(exchange) ?? 'server';
  const reads = sampleOf(exchange)?.ours.outcome;
  return {
    file,
    at: request.at,
    method: request.method,
    target: request.target,
    request_bytes: request.body.length,
    ...(response === undefined ? {} : { status: response.status, head_ms: response.ms }),
    entries: exchange.kind === 'websocket' ? messageEntries(exchange) : chunkEntries(exchange),
    end: end.how,
    end_ms: end.ms,
    ...(reads === undefined ? {} : { reads }),
    findings: levelled(exchange, wire),
  };
}

function levelled(exchange: TapedExchange, wire: ProbeWire): Timeline['findings'] {
  const found = findingsOf(exchange) ?? [];
  const once = found.filter(({ quirk }, place) => found.findIndex((one) => one.quirk === quirk) === place);
  return once.map(({ quirk, seen }) => ({ quirk, level: quirkOn(quirk, wire).level, seen }));
}

function chunkEntries(exchange: TapedExchange): readonly TimelineEntry[] {
  const events = sampleOf(exchange)?.reading.events ?? [];
  const counts = new Map<number, number>();
  for (const { chunk } of events) counts.set(chunk, (counts.get(chunk) ?? 0) + 1);
  return exchange.chunks.map(({ ms, data }, place) => ({
    ms,
    gap_ms: ms - (exchange.chunks[place - 1]?.ms ?? exchange.response?.ms ?? 0),
    from: 'server',
    bytes: data.length,
    events: counts.get(place) ?? 0,
    text: showBytes(data),
  }));
}

function messageEntries({ messages, response }: TapedExchange): readonly TimelineEntry[] {
  return messages.map(({ ms, from, kind, data }, place) => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    return {
      ms,
      gap_ms: ms - (messages[place - 1]?.ms ?? response?.ms ?? 0),
      from,
      bytes: bytes.length,
      events: kind === 'ping' ? 0 : 1,
      text: kind === 'ping' ? 'ping' : showBytes(bytes),
    };
  });
}
