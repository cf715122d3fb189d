import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import { protocols } from '@turnwire/wire';
import { counted, ms, when, type Finding } from './finding.ts';
import type { Sample } from './sample.ts';
import type { SseEvent } from './sse-reading.ts';

export const GIANT_EVENT = 256 * 1024;
const ENDLESS_LINE = 4 * 1024 * 1024;

/** Names of events that are only there to keep the connection alive. */
const HEARTBEAT = /(heartbeat|keep-?alive|^ping$)/i;

/** What is unusual about the bytes around the events. */
export function checkFraming(sample: Sample): readonly Finding[] {
  const { reading } = sample;
  const { events, lineEnds } = reading;
  if (events.length === 0 && reading.longestLine < ENDLESS_LINE) return [];
  return [
    ...when(reading.bom, 'bom', 'the first bytes are EF BB BF'),
    ...when(lineEnds.has('CRLF'), 'crlf', 'lines end in CRLF'),
    ...when(lineEnds.has('CR'), 'cr', 'lines end in CR alone'),
    ...when(reading.multiLine > 0, 'multi-line-data', counted(reading.multiLine, 'event')),
    ...when(reading.noSpace > 0, 'no-space', '"data:{"'),
    ...when(reading.emptyData > 0, 'empty-data', counted(reading.emptyData, 'event')),
    ...when(reading.invalidUtf8, 'invalid-utf8', 'bytes that are no UTF-8'),
    ...checkFields(sample),
    ...checkComments(sample),
    ...checkPayloads(sample),
    ...checkNames(sample),
    ...checkChunks(sample),
    ...checkSizes(sample),
  ];
}

function checkFields({ reading }: Sample): readonly Finding[] {
  const known = [...reading.fields].filter((name) => name === 'id' || name === 'retry');
  return when(known.length > 0, 'extra-fields', `${known.join(' and ')} lines`);
}

function checkComments({ reading, answer }: Sample): readonly Finding[] {
  const { comments, events } = reading;
  const first = events[0]?.ms ?? answer.endMs;
  const waiting = comments.filter((at) => at < first);
  const span = waiting.length < 2 ? 0 : first - (waiting[0] ?? 0);
  return [
    ...when(comments.length > 0, 'comments', counted(comments.length, 'comment')),
    ...when(
      span >= 80,
      'keep-alive-comments',
      `${counted(waiting.length, 'comment')} in ${ms(span)} before the first event`,
    ),
  ];
}

function checkPayloads({ reading, wire }: Sample): readonly Finding[] {
  const last = reading.events.at(-1);
  const odd = reading.events.filter(
    (event) => event.json === undefined && !isSentinel(event) && event !== unfinished(last),
  );
  const junk = odd.filter(({ data }) => !data.startsWith('{'));
  const lines = [...reading.fields].filter((name) => !/^(id|retry)$/.test(name) && !name.startsWith('{'));
  const beats = reading.events.filter(({ json }) => json !== undefined && isHeartbeat(json) && !isOwn(json, wire));
  return [
    ...when(junk.length + lines.length > 0, 'junk-lines', JSON.stringify(junk[0]?.data.slice(0, 40) ?? lines[0])),
    ...when(odd.length > junk.length && junk.length === 0, 'truncated-json', `${(odd[0]?.data ?? '').slice(0, 40)}…`),
    ...when(
      beats.length > 0,
      'heartbeat-events',
      `${counted(beats.length, 'event')}: ${beats[0]?.data.slice(0, 60) ?? ''}`,
    ),
  ];
}

function unfinished(last: SseEvent | undefined): SseEvent | undefined {
  return last?.whole === false ? last : undefined;
}

/** The wire has an event for it. */
function isOwn({ type }: JsonObject, wire: Sample['wire']): boolean {
  return protocols[wire].heartbeat.includes(JSON.stringify(type));
}

export function isHeartbeat(json: JsonObject): boolean {
  return typeof json.type === 'string' && HEARTBEAT.test(json.type) && !Array.isArray(json.choices);
}

/** `[DONE]` or `DONE`. */
export function isSentinel({ data }: Pick<SseEvent, 'data'>): boolean {
  return /^\s*\[?DONE\]?\s*$/.test(data);
}

/** Where the wire names its events, the `event:` line repeats the type. */
function checkNames({ reading, wire }: Sample): readonly Finding[] {
  if (!protocols[wire].namesEvents) return [];
  const typed = reading.events.filter(({ json }) => typeof json?.type === 'string');
  const bare = typed.filter(({ name }) => name === undefined);
  const wrong = typed.find(({ name, json }) => name !== undefined && name !== json?.type);
  return [
    ...when(typed.length > 0 && bare.length === typed.length, 'no-event-lines', 'no event: line at all'),
    ...when(wrong !== undefined, 'wrong-event-name', `event: ${wrong?.name ?? ''} for ${String(wrong?.json?.type)}`),
  ];
}

function checkChunks({ answer, reading, plain }: Sample): readonly Finding[] {
  if (!plain) return [];
  const { chunks } = answer;
  return [
    ...when(isBytewise({ answer }), 'one-byte-chunks', `nearly all of ${counted(chunks.length, 'chunk')} are one byte`),
    ...when(
      reading.splitCharacters > 0,
      'split-utf8',
      `${counted(reading.splitCharacters, 'chunk')} end in a character`,
    ),
    ...checkBuffering(answer.chunks.length, reading.events),
  ];
}

/** Nearly every chunk is one byte. */
export function isBytewise({ answer: { chunks } }: Pick<Sample, 'answer'>): boolean {
  return chunks.length >= 20 && chunks.filter(({ data }) => data.length === 1).length >= chunks.length * 0.9;
}

/** A server that writes in blocks of 16 KiB, as many do, holds nothing back; in bytes. */
const LARGE = 17 * 1024;

/** A large answer that comes all at once was held back by somebody. */
function checkBuffering(chunks: number, events: readonly SseEvent[]): readonly Finding[] {
  const size = events.reduce((sum, event) => sum + event.size, 0);
  const first = events[0];
  if (first === undefined || events.length < 10) return [];
  const together = chunks <= Math.ceil(size / 65_536) && events.every(({ ms: at }) => at - first.ms < 20);
  return when(
    together && size >= LARGE,
    'one-chunk',
    `${events.length} events, ${Math.round(size / 1024)} KiB, in ${counted(chunks, 'chunk')} after ${ms(first.ms)}`,
  );
}

function checkSizes({ reading, answer }: Sample): readonly Finding[] {
  const largest = Math.max(0, ...reading.events.map(({ size }) => size));
  const endless = reading.longestLine >= ENDLESS_LINE;
  const how = answer.end === 'too-large' ? 'and it goes on' : 'in one line';
  return [
    ...when(endless, 'endless-line', `${Math.round(reading.longestLine / 1024)} KiB ${how}`),
    ...when(!endless && largest >= GIANT_EVENT, 'giant-event', `an event of ${Math.round(largest / 1024)} KiB`),
  ];
}

/** The items of an array that are objects. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isObject) : [];
}

/** The fault that an error event is: its code may be an HTTP status as text. */
export function nameOfError(error: unknown): string {
  const code = isObject(error) ? error.code : undefined;
  return typeof code === 'string' && /^[45]\d\d$/.test(code) ? 'error-string-code' : 'error-mid-stream';
}
