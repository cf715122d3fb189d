import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { isProtocolId, protocolIds, protocolOfPath } from '@turnwire/wire/internal/protocols';
import type { ReadRequest } from '../observe/observer.ts';
import type { Entry } from './entries.ts';
import type { PastExchange } from './past.ts';

/** A trace, as far as it could be read. */
export interface ReadTrace {
  /** Undefined where its first line is no request. */
  readonly exchange: PastExchange | undefined;
  /** What is wrong with it: what was whole before that is kept. */
  readonly problem: string | undefined;
}

/** How the answers of each wire begin, for traces that do not name it: those of bridges before it was written. */
const looks: Readonly<Record<ProtocolId, RegExp>> = {
  messages: /^event: (?:message_start|ping)|"type":\s*"message/m,
  responses: /^event: response\.|"type":\s*"response\.|"object":\s*"response"/m,
  chat: /"choices"/,
};

/** Reads a file that `--trace-dir` wrote. Never throws. */
export function readTrace(id: string, text: string): ReadTrace {
  const lines = text.split('\n').filter((line) => line !== '');
  const parsed = lines.map(parseJson);
  const broken = parsed.findIndex((line) => !isObject(line));
  const whole = (broken < 0 ? parsed : parsed.slice(0, broken)).filter(isObject);
  const [request, ...rest] = whole;
  const fault = broken < 0 ? undefined : `line ${broken + 1} is not a whole JSON object`;
  if (request === undefined || typeof request.at !== 'string' || typeof request.method !== 'string') {
    return { exchange: undefined, problem: fault ?? 'it is no trace: its first line is no request' };
  }
  const entries = [requestOf(request), ...rest.flatMap((line, at) => entriesOf(line, rest.slice(at + 1)))];
  const ended = entries.at(-1)?.kind === 'end';
  const problem = fault ?? (ended ? undefined : NO_END);
  const cut: Entry = { t: entries.at(-1)?.t ?? 0, kind: 'end', outcome: 'stream_truncated', error: NO_END };
  return { exchange: { ...startOf(id, request), entries: ended ? entries : [...entries, cut] }, problem };
}

const NO_END = 'it has no end: its bridge was stopped, or still writes it';

function startOf(id: string, line: JsonObject): Omit<PastExchange, 'entries'> {
  const { at, method, url, headers, route } = line;
  const start = { id, route: textOf(route), method: textOf(method), url: textOf(url), headers: headersOf(headers) };
  return { start, startedAt: Date.parse(textOf(at)) || 0 };
}

function requestOf({ route, body, url }: JsonObject): Entry {
  const read = isObject(body) ? body : undefined;
  const model = read?.model;
  const request: ReadRequest = {
    route: textOf(route),
    wire: protocolOfPath(textOf(url)),
    model: typeof model === 'string' ? model : undefined,
    size: 0,
    body: () => read,
  };
  return { t: 0, kind: 'request', request };
}

/** @param later - the lines behind this one, for what it does not tell */
function entriesOf(line: JsonObject, later: readonly JsonObject[]): readonly Entry[] {
  const t = typeof line.ms === 'number' ? line.ms : 0;
  const { attempt, upstream, received, sent, repair, outcome } = line;
  if (typeof attempt === 'number') {
    return [{ t, kind: 'attempt', attempt: { number: attempt, upstream: textOf(upstream), conceal: (text) => text } }];
  }
  if (typeof received === 'string') return [{ t, kind: 'chunk', bytes: Buffer.from(received) }];
  if (typeof sent === 'string') return [{ t, kind: 'sent', text: sent }];
  if (typeof repair === 'string') return [repairOf(t, repair, line)];
  if (typeof outcome === 'string') return endOf(t, outcome, line);
  return typeof line.status === 'number' ? [headOf(t, line.status, line, later)] : [];
}

function headOf(t: number, status: number, line: JsonObject, later: readonly JsonObject[]): Entry {
  const { upstream, wire, headers } = line;
  const known = isProtocolId(wire)
    ? wire
    : wireOfText(textOf(later.find(({ received }) => received !== undefined)?.received));
  return { t, kind: 'head', head: { upstream: textOf(upstream), wire: known, status, headers: headersOf(headers) } };
}

function repairOf(t: number, repair: string, { data, upstream, error, retry_ms: delay }: JsonObject): Entry {
  if (typeof error !== 'string')
    return { t, kind: 'repair', repair, about: typeof data === 'string' ? data : undefined };
  const failure = new ModelError({ kind: 'server_error', message: error });
  const delayMs = typeof delay === 'number' ? delay : 0;
  return { t, kind: 'repair', repair, about: { upstream: textOf(upstream), failure, delayMs } };
}

function endOf(t: number, outcome: string, line: JsonObject): readonly Entry[] {
  const { error, input_tokens, output_tokens } = line;
  const end: Entry = { t, kind: 'end', outcome, error: typeof error === 'string' ? error : undefined };
  if (typeof input_tokens !== 'number' || typeof output_tokens !== 'number') return [end];
  const usage = {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens,
  };
  return [{ t, kind: 'usage', usage }, end];
}

/** The wire that the text of an answer looks like. */
export function wireOfText(text: string): ProtocolId | undefined {
  return protocolIds.toReversed().find((id) => looks[id].test(text)); // that of chat is the vaguest
}

function headersOf(value: unknown): Record<string, string> {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, textOf(one)])) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
