import { isObject, parseJson, stringOf } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { protocolIds, protocolOfPath } from '@turnwire/wire/internal/protocols';
import type { ReadRequest, RepairCause } from '../observe/observer.ts';
import {
  parseTrace,
  type ParsedTrace,
  type TracedOutcome,
  type TracedRepair,
  type TraceLine,
} from '../observe/read-trace.ts';
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
  const trace = parseTrace(text);
  if (trace === undefined) return { exchange: undefined, problem: 'it is no trace: its first line is no request' };
  const { at, client, route, lines, problem } = trace;
  const { method, url, headers } = client;
  const wires = wiresOf(lines);
  const entries = [requestOf(trace), ...lines.flatMap((line) => entriesOf(line, wires))];
  const ended = entries.some(({ kind }) => kind === 'end'); // its body may end behind it
  const cut: Entry = { t: entries.at(-1)?.t ?? 0, kind: 'end', outcome: 'stream_truncated', error: NO_END };
  const exchange = {
    start: { id, route, method, url, headers },
    startedAt: Date.parse(at) || 0,
    entries: ended ? entries : [...entries, cut],
  };
  return { exchange, problem: problem ?? (ended ? undefined : NO_END) };
}

const NO_END = 'it has no end: its bridge was stopped, or still writes it';

function requestOf({ route, client }: ParsedTrace): Entry {
  const read = parseJson(client.body);
  const body = isObject(read) ? read : undefined;
  const request: ReadRequest = {
    route,
    wire: protocolOfPath(client.url),
    model: stringOf(body?.model),
    size: 0,
    body: () => body,
  };
  return { t: 0, kind: 'request', request };
}

type HeadLine = Extract<TraceLine, { readonly kind: 'head' }>;
type Wires = ReadonlyMap<HeadLine, ProtocolId | undefined>;

/** The wire of each answer: traces of older versions tell it by its first text alone. */
function wiresOf(lines: readonly TraceLine[]): Wires {
  const wires = new Map<HeadLine, ProtocolId | undefined>();
  lines.forEach((line, at) => {
    if (line.kind !== 'head') return;
    const first = lines.slice(at).find(({ kind }) => kind === 'received');
    wires.set(line, line.wire ?? (first?.kind === 'received' ? wireOfText(first.text) : undefined));
  });
  return wires;
}

function entriesOf(line: TraceLine, wires: Wires): readonly Entry[] {
  const t = line.ms;
  switch (line.kind) {
    case 'attempt':
      return [{ t, kind: 'attempt', attempt: { ...line, conceal: (text) => text } }];
    case 'asked':
      return [{ t, kind: 'asked', asked: line }];
    case 'ended':
      return [{ t, kind: 'body', how: line.how }];
    case 'head':
      return [{ t, kind: 'head', head: { ...line, wire: wires.get(line) } }];
    case 'received':
      return [{ t, kind: 'chunk', bytes: Buffer.from(line.text) }];
    case 'sent':
      return [{ t, kind: 'sent', text: line.text }];
    case 'repair':
      return [{ t, kind: 'repair', repair: line.repair, about: causeOf(line) }];
    case 'end':
      return [...usageOf(t, line), { t, kind: 'end', outcome: line.outcome, error: line.error }];
  }
}

function causeOf({ data, failure }: TracedRepair): string | RepairCause | undefined {
  if (failure === undefined) return data;
  const { upstream, message, delayMs } = failure;
  return { upstream, failure: new ModelError({ kind: 'server_error', message }), delayMs };
}

function usageOf(t: number, { tokens }: TracedOutcome): readonly Entry[] {
  if (tokens === undefined) return [];
  const usage = {
    input_tokens: tokens.input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: tokens.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: tokens.input + tokens.output,
  };
  return [{ t, kind: 'usage', usage }];
}

/** The wire that the text of an answer looks like. */
function wireOfText(text: string): ProtocolId | undefined {
  return protocolIds.toReversed().find((id) => looks[id].test(text)); // that of chat is the vaguest
}
