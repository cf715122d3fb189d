import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { createDecoder, type ProtocolId } from '@turnwire/wire';
import { protocolOfPath } from '@turnwire/wire/internal/protocols';
import type { TapedExchange, TapedMessage } from '@turnwire/testing';
import { checkSocket } from '../check-socket.ts';
import { checkSample } from '../checks.ts';
import type { Finding } from '../finding.ts';
import type { RawAnswer, RawEnd } from '../raw-exchange.ts';
import { readSample, type Sample } from '../sample.ts';
import { parseEvent, type WebSocketAnswer } from '../websocket-session.ts';
import type { ProbeWire } from '../wires.ts';

/**
 * What is wrong with the answer, or the answers, of a tape; undefined for one that is no answer of a model.
 *
 * @param heldMs - how long a client has to have stayed after a finished answer to tell that its body does not end
 */
export function findingsOf(exchange: TapedExchange, heldMs = HELD): readonly Finding[] | undefined {
  if (exchange.kind === 'websocket')
    return socketAnswers(exchange).flatMap(({ answer, body }) => checkSocket(answer, body));
  const sample = sampleOf(exchange, heldMs);
  return sample === undefined ? undefined : checkSample(sample);
}

/** The wire of a tape, by the path that was asked. */
export function wireOf({ kind, request }: TapedExchange): ProbeWire | undefined {
  return kind === 'websocket' ? 'websocket' : protocolOfPath(request.target);
}

/** The answer on a tape as if the doctor had got it just now; undefined for one that is none of a model. */
export function sampleOf(exchange: TapedExchange, heldMs = HELD): Sample | undefined {
  const { request, response, chunks, end } = exchange;
  const wire = protocolOfPath(request.target);
  if (exchange.kind !== 'http' || wire === undefined) return undefined;
  const body = requestOf(exchange);
  const { how, endMs, stayedMs } = endOf(exchange, wire, body, heldMs);
  const answer: RawAnswer = {
    status: response?.status ?? 0,
    headers: headersOf(exchange),
    httpVersion: '1.1',
    headMs: response?.ms ?? 0,
    chunks,
    end: how,
    endMs,
    reused: false,
    ...(end.error === undefined ? {} : { error: end.error }),
  };
  return readSample({ wire, answer, earlier: [], body, stayedMs });
}

/** The body of a request; empty when it is no JSON object. */
export function requestOf({ request }: TapedExchange): JsonObject {
  const json = parseJson(Buffer.from(request.body).toString('utf8'));
  return isObject(json) ? json : {};
}

function headersOf({ response }: TapedExchange): Readonly<Record<string, string>> {
  const joined = new Map<string, string>();
  for (const [name, value] of response?.headers ?? []) {
    const before = joined.get(name.toLowerCase());
    joined.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(joined);
}

/** A client that leaves after so long a silence had waited for the server; in milliseconds. */
const PATIENCE = 5000;

/** Who leaves sooner than this after a finished answer, as most clients do, cannot tell whether its body would have ended; in milliseconds. */
const HELD = 1000;

interface SeenEnd {
  readonly how: RawEnd;
  readonly endMs: number;
  readonly stayedMs: number;
}

function endOf(exchange: TapedExchange, wire: ProtocolId, body: JsonObject, heldMs: number): SeenEnd {
  const { ms, how } = exchange.end;
  const last = exchange.chunks.at(-1)?.ms ?? exchange.response?.ms ?? 0;
  switch (how) {
    case 'complete':
      return { how: 'end', endMs: ms, stayedMs: 0 };
    case 'cut':
    case 'reset':
      return { how, endMs: ms, stayedMs: 0 };
    case 'failed':
      return { how: 'refused', endMs: ms, stayedMs: 0 };
    case 'client-left':
    case 'stopped':
    case 'torn':
      if (isOver(exchange, wire, body)) return { how: 'left', endMs: ms, stayedMs: ms - last < heldMs ? 0 : ms - last };
      // Who leaves in the middle of an answer that flows says nothing of its server.
      return { how: ms - last >= PATIENCE ? 'idle' : 'timeout', endMs: ms - last >= PATIENCE ? ms : last, stayedMs: 0 };
  }
}

function isOver({ chunks }: TapedExchange, wire: ProtocolId, body: JsonObject): boolean {
  const decoder = createDecoder(wire, { usageAsked: isObject(body.stream_options), tokenLimit: true });
  for (const { data } of chunks) decoder.push(data);
  return decoder.phase !== 'streaming';
}

/** A request on a socket, and what answered it. */
interface SocketAnswer {
  readonly body: JsonObject;
  readonly answer: WebSocketAnswer;
}

/** Each `response.create` of a tape, with what came up to the next. */
export function socketAnswers({ messages, end }: TapedExchange): readonly SocketAnswer[] {
  const requests = messages.flatMap((message, place) => (isRequest(message) ? [place] : []));
  return requests.flatMap((place, n) => {
    const next = requests[n + 1];
    const asked = messages[place];
    const came = messages.slice(place + 1, next).filter(({ from }) => from === 'server');
    const closed = next === undefined ? closeCode(end) : undefined;
    const idle = next === undefined && end.ms - (came.at(-1) ?? asked ?? end).ms >= PATIENCE;
    // It was still on its way when its client left.
    if (next === undefined && closed === undefined && !idle && !hasEnd(came)) return [];
    return [{ body: bodyOf(asked), answer: answerOf(came, asked?.ms ?? 0, idle && closed === undefined, closed) }];
  });
}

/** The code of a socket that its server closed or broke (RFC 6455, 7.4.1); undefined for one that its client left. */
function closeCode({ how, code }: TapedExchange['end']): number | undefined {
  if (how === 'complete') return code ?? 1005;
  return how === 'cut' || how === 'reset' ? 1006 : undefined;
}

function answerOf(
  came: readonly TapedMessage[],
  start: number,
  idle: boolean,
  closed: number | undefined,
): WebSocketAnswer {
  const told = came.filter(({ kind }) => kind === 'message');
  return {
    events: told.map(({ data, ms }, place) => parseEvent(textOf(data), ms - start, place)),
    binary: told.filter(({ data }) => typeof data !== 'string').length,
    pings: came.length - told.length,
    idle,
    ...(closed === undefined ? {} : { closed }),
  };
}

const END = /^(response\.(completed|failed|incomplete)|error)$/;

function hasEnd(came: readonly TapedMessage[]): boolean {
  return came.some(({ data }) => {
    const json = parseJson(textOf(data));
    return isObject(json) && END.test(String(json.type));
  });
}

function isRequest({ from, kind, data }: TapedMessage): boolean {
  if (from !== 'client' || kind !== 'message') return false;
  const json = parseJson(textOf(data));
  return isObject(json) && json.type === 'response.create';
}

function bodyOf(message: TapedMessage | undefined): JsonObject {
  const json = message === undefined ? undefined : parseJson(textOf(message.data));
  return isObject(json) ? json : {};
}

function textOf(data: string | Uint8Array): string {
  return typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
}
