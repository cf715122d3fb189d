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

/** The head of an answer. */
export interface TracedHead {
  readonly upstream: string;
  /** Absent in traces of older versions, and where the answer is none of a model. */
  readonly wire?: ProtocolId;
  readonly status: number;
  readonly headers: Headers;
}

/** Some lines of an answer, and how the chunks were cut that they came in. */
export interface TracedText {
  readonly text: string;
  /** Milliseconds and bytes of each chunk; absent in traces of older versions. */
  readonly cuts?: readonly (readonly [ms: number, bytes: number])[];
}

/** A repair, and what it was made after. */
export interface TracedRepair {
  readonly repair: string;
  /** The data of an event that was skipped. */
  readonly data?: string;
  readonly failure?: { readonly upstream: string; readonly message: string; readonly delayMs: number };
}

/** How an exchange ended. */
export interface TracedOutcome {
  readonly outcome: string;
  readonly error?: string;
  readonly tokens?: { readonly input: number; readonly output: number };
}

/** A line behind the first one; `ms` is in milliseconds behind the beginning of the exchange. */
export type TraceLine = { readonly ms: number } & (
  | { readonly kind: 'attempt'; readonly number: number; readonly upstream: string }
  | ({ readonly kind: 'asked' } & TracedRequest)
  | ({ readonly kind: 'head' } & TracedHead)
  | ({ readonly kind: 'received' } & TracedText)
  | { readonly kind: 'ended'; readonly how: BodyEnd }
  | { readonly kind: 'sent'; readonly text: string }
  | ({ readonly kind: 'repair' } & TracedRepair)
  | ({ readonly kind: 'end' } & TracedOutcome)
);

type Timed<T> = T & { readonly ms: number };

/** A model server was asked, and what it answered. */
export interface TracedAttempt {
  readonly number: number;
  readonly upstream: string;
  readonly ms: number;
  /** What was sent, the last time; absent in traces of older versions. */
  readonly asked?: Timed<TracedRequest>;
  readonly head?: Timed<TracedHead>;
  readonly received: readonly Timed<TracedText>[];
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
  /** All lines behind the request, in their order. */
  readonly lines: readonly TraceLine[];
  /** The same by server that was asked. */
  readonly attempts: readonly TracedAttempt[];
  /** Absent when the bridge died before, or is still at it. */
  readonly end?: Timed<TracedOutcome>;
  /** What is wrong with the file; what is whole before it is kept. */
  readonly problem?: string;
}

type Open<T> = { -readonly [K in keyof T]: T[K] };
type OpenAttempt = Omit<Open<TracedAttempt>, 'received'> & { received: Timed<TracedText>[] };

/** Reads the text of one trace; undefined when it is none. */
export function parseTrace(text: string): ParsedTrace | undefined {
  const [first, ...rest] = text.split('\n').filter((line) => line !== '');
  const request = parseJson(first ?? '');
  if (!isObject(request) || typeof request.at !== 'string' || typeof request.route !== 'string') return undefined;
  const { lines, wrong } = parseLines(rest);
  const end = lines.findLast((line) => line.kind === 'end');
  return {
    at: request.at,
    client: requestOf(request),
    route: request.route,
    lines,
    attempts: attemptsOf(lines),
    ...(end === undefined ? {} : { end }),
    ...(wrong === undefined ? {} : { problem: `line ${wrong + 2} is no whole line of a trace` }),
  };
}

/** @returns what is read, up to the first line that cannot be */
function parseLines(texts: readonly string[]): { readonly lines: readonly TraceLine[]; readonly wrong?: number } {
  const lines: TraceLine[] = [];
  for (const [at, text] of texts.entries()) {
    const line = parseJson(text);
    if (!isObject(line) || typeof line.ms !== 'number') return { lines, wrong: at };
    const known = lineOf(line, line.ms);
    if (known !== undefined) lines.push(known);
  }
  return { lines };
}

/** Undefined for a line of another version. */
function lineOf(line: JsonObject, ms: number): TraceLine | undefined {
  const upstream = stringOf(line.upstream) ?? '';
  const { attempt, asked, status, received, ended, sent, repair, outcome } = line;
  if (typeof attempt === 'number') return { ms, kind: 'attempt', number: attempt, upstream };
  if (isObject(asked)) return { ms, kind: 'asked', ...requestOf(asked) };
  if (typeof received === 'string') return { ms, kind: 'received', text: received, ...cutsOf(line.cuts) };
  if (isBodyEnd(ended)) return { ms, kind: 'ended', how: ended };
  if (typeof sent === 'string') return { ms, kind: 'sent', text: sent };
  if (typeof repair === 'string') return { ms, kind: 'repair', ...repairOf(repair, upstream, line) };
  if (typeof outcome === 'string') return { ms, kind: 'end', ...outcomeOf(outcome, line) };
  if (typeof status !== 'number') return undefined;
  const wire = isProtocolId(line.wire) ? { wire: line.wire } : {};
  return { ms, kind: 'head', upstream, ...wire, status, headers: headersOf(line.headers) };
}

function repairOf(repair: string, upstream: string, { data, error, retry_ms: delay }: JsonObject): TracedRepair {
  if (typeof error !== 'string') return { repair, ...(typeof data === 'string' ? { data } : {}) };
  return { repair, failure: { upstream, message: error, delayMs: typeof delay === 'number' ? delay : 0 } };
}

function outcomeOf(outcome: string, { error, input_tokens: input, output_tokens: output }: JsonObject): TracedOutcome {
  return {
    outcome,
    ...(typeof error === 'string' ? { error } : {}),
    ...(typeof input === 'number' && typeof output === 'number' ? { tokens: { input, output } } : {}),
  };
}

/** What happened, by server that was asked. */
export function attemptsOf(lines: readonly TraceLine[]): readonly TracedAttempt[] {
  const attempts: OpenAttempt[] = [];
  for (const line of lines) {
    if (line.kind === 'attempt')
      attempts.push({ number: line.number, upstream: line.upstream, ms: line.ms, received: [] });
    const attempt = attempts.at(-1);
    if (attempt !== undefined) readInto(attempt, line);
  }
  return attempts;
}

function readInto(attempt: OpenAttempt, line: TraceLine): void {
  if (line.kind === 'asked') attempt.asked = line;
  else if (line.kind === 'head') attempt.head = line;
  else if (line.kind === 'received') attempt.received.push(line);
  else if (line.kind === 'ended') attempt.ended = line;
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

function cutsOf(value: unknown): Pick<TracedText, 'cuts'> {
  if (!Array.isArray(value)) return {};
  const cuts = (value as unknown[]).flatMap((one) =>
    Array.isArray(one) && typeof one[0] === 'number' && typeof one[1] === 'number' ? [[one[0], one[1]] as const] : [],
  );
  return { cuts };
}
