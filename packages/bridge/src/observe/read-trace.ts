import { isObject, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { isProtocolId } from '@turnwire/wire/internal/protocols';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { BodyEnd } from './observer.ts';

type Headers = Readonly<Record<string, string>>;

/** A request that a model server was sent, as a trace has it. */
export interface TracedRequest {
  readonly method: string;
  /** The path, without the query. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Some lines of an answer, and how the chunks were cut that they came in. */
export interface TracedText {
  readonly ms: number;
  readonly text: string;
  /** Milliseconds and bytes of each chunk; absent in traces of older versions. */
  readonly cuts?: readonly (readonly [ms: number, bytes: number])[];
}

/** A model server was asked, and what it answered. */
export interface TracedAttempt {
  readonly number: number;
  readonly upstream: string;
  readonly ms: number;
  /** What was sent, the last time; absent in traces of older versions. */
  readonly asked?: TracedRequest & { readonly ms: number };
  readonly head?: {
    readonly ms: number;
    readonly wire?: ProtocolId;
    readonly status: number;
    readonly headers: Headers;
  };
  readonly received: readonly TracedText[];
  /** Absent in traces of older versions, and when there was no body. */
  readonly ended?: { readonly ms: number; readonly how: BodyEnd };
}

/** One exchange of a bridge, as its trace tells it. */
export interface ParsedTrace {
  /** When the client's request arrived, ISO 8601. */
  readonly at: string;
  /** The client's request. */
  readonly client: TracedRequest;
  readonly route: string;
  readonly attempts: readonly TracedAttempt[];
  /** Absent when the bridge died before, or is still at it. */
  readonly end?: { readonly ms: number; readonly outcome: string };
  /** What is wrong with the file; what is whole before it is kept. */
  readonly problem?: string;
}

type Open<T> = { -readonly [K in keyof T]: T[K] };
type OpenAttempt = Omit<Open<TracedAttempt>, 'received'> & { received: TracedText[] };

/** Reads the text of one trace; undefined when it is none. */
export function parseTrace(text: string): ParsedTrace | undefined {
  const lines = text.split('\n').filter((line) => line !== '');
  const first = parseJson(lines[0] ?? '');
  if (!isObject(first) || typeof first.at !== 'string' || typeof first.route !== 'string') return undefined;
  const reader = new TraceReader();
  const wrong = lines.slice(1).findIndex((line) => !reader.take(parseJson(line)));
  return {
    at: first.at,
    client: requestOf(first),
    route: first.route,
    attempts: reader.attempts,
    ...(reader.end === undefined ? {} : { end: reader.end }),
    ...(wrong < 0 ? {} : { problem: `line ${wrong + 2}: it is no line of a trace` }),
  };
}

class TraceReader {
  readonly attempts: OpenAttempt[] = [];
  end: ParsedTrace['end'];

  /** True for a line that can be read, whether it is of interest or not. */
  take(line: unknown): boolean {
    if (!isObject(line) || typeof line.ms !== 'number') return false;
    const { ms } = line;
    if (typeof line.attempt === 'number') this.#attempt(line.attempt, line, ms);
    const attempt = this.attempts.at(-1);
    if (typeof line.outcome === 'string') this.end = { ms, outcome: line.outcome };
    else if (attempt !== undefined) readInto(attempt, line, ms);
    return true;
  }

  #attempt(number: number, line: JsonObject, ms: number): void {
    this.attempts.push({ number, upstream: stringOf(line.upstream) ?? '', ms, received: [] });
  }
}

function readInto(attempt: OpenAttempt, line: JsonObject, ms: number): void {
  if (isObject(line.asked)) attempt.asked = { ...requestOf(line.asked), ms };
  else if (typeof line.status === 'number') {
    const wire = isProtocolId(line.wire) ? { wire: line.wire } : {};
    attempt.head = { ms, ...wire, status: line.status, headers: headersOf(line.headers) };
  } else if (typeof line.received === 'string') {
    const cuts = cutsOf(line.cuts);
    attempt.received.push({ ms, text: line.received, ...(cuts === undefined ? {} : { cuts }) });
  } else if (isBodyEnd(line.ended)) attempt.ended = { ms, how: line.ended };
}

const bodyEnds = ['complete', 'broken', 'left'] as const satisfies readonly BodyEnd[];

function isBodyEnd(value: unknown): value is BodyEnd {
  return (bodyEnds as readonly unknown[]).includes(value);
}

function requestOf({ method, url, headers, body }: JsonObject): TracedRequest {
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  return { method: stringOf(method) ?? 'POST', url: stringOf(url) ?? '/', headers: headersOf(headers), body: text };
}

function headersOf(value: unknown): Headers {
  const pairs = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(pairs.flatMap(([name, one]) => (typeof one === 'string' ? [[name, one]] : [])));
}

function cutsOf(value: unknown): readonly (readonly [number, number])[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return (value as unknown[]).flatMap((one) =>
    Array.isArray(one) && typeof one[0] === 'number' && typeof one[1] === 'number' ? [[one[0], one[1]] as const] : [],
  );
}
