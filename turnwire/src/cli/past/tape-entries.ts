import type { TapedExchange } from '@turnwire/testing';
import type { Entry } from '@turnwire/bridge/internal/inspect/entries';
import type { BodyEnd } from '@turnwire/bridge/internal/observe/observer';
import type { PastExchange } from '@turnwire/bridge/internal/inspect/past';
import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocolOfPath } from '@turnwire/wire/internal/protocols';

/** An exchange of a tape: its server is the one that was recorded, which a tape does not name. */
export function pastOfTape(id: string, tape: TapedExchange): PastExchange {
  const { request, response, end } = tape;
  const wire = protocolOfPath(request.target);
  const headers = Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const start = { id, route: wire ?? tape.kind, method: request.method, url: request.target, headers };
  const attempt = { number: 1, upstream: 'recorded server', conceal: (text: string) => text };
  const entries: Entry[] = [
    requestOf(tape, wire),
    { t: 0, kind: 'attempt', attempt },
    ...(response === undefined ? [] : [headOf(response, wire)]),
    ...(tape.kind === 'http'
      ? tape.chunks.map(({ ms, data }): Entry => ({ t: ms, kind: 'chunk', bytes: data }))
      : framesOf(tape, wire)),
    ...bodyOf(tape),
    { t: end.ms, kind: 'end', ...outcomes[end.how](tape) },
  ];
  return { start, startedAt: Date.parse(request.at) || 0, entries };
}

function requestOf({ request, messages, kind }: TapedExchange, wire: ProtocolId | undefined): Entry {
  const first =
    kind === 'http' ? Buffer.from(request.body).toString() : messages.find(({ from }) => from === 'client')?.data;
  const body = typeof first === 'string' ? asObject(first) : undefined;
  const model = typeof body?.model === 'string' ? body.model : undefined;
  return { t: 0, kind: 'request', request: { route: wire ?? kind, wire, model, size: 0, body: () => body } };
}

function asObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isObject(value) ? value : undefined;
}

function headOf(
  { ms, status, headers }: Pick<NonNullable<TapedExchange['response']>, 'ms' | 'status' | 'headers'>,
  wire: ProtocolId | undefined,
): Entry {
  const head = { upstream: 'recorded server', wire, status, headers: Object.fromEntries(headers) };
  return { t: ms, kind: 'head', head };
}

/** Each message of a client asks for an answer of its own; one of the server is read as one event. */
function framesOf({ messages }: TapedExchange, wire: ProtocolId | undefined): readonly Entry[] {
  return messages
    .filter(({ kind }) => kind === 'message')
    .map(({ ms, from, data }): Entry => {
      if (from === 'client') return headOf({ ms, status: 200, headers: [] }, wire);
      return { t: ms, kind: 'chunk', bytes: Buffer.from(`data: ${Buffer.from(data).toString()}\n\n`) };
    });
}

const bodyEnds: Readonly<Record<TapedExchange['end']['how'], BodyEnd | undefined>> = {
  complete: 'complete',
  cut: 'broken',
  reset: 'broken',
  'client-left': 'left',
  stopped: 'left',
  failed: undefined,
  torn: undefined,
};

function bodyOf({ kind, response, end }: TapedExchange): readonly Entry[] {
  const how = kind === 'http' && response !== undefined ? bodyEnds[end.how] : undefined;
  return how === undefined ? [] : [{ t: end.ms, kind: 'body', how }];
}

type Outcome = Pick<Entry & { readonly kind: 'end' }, 'outcome' | 'error'>;

/** What became of an answer, by the end of its tape. */
const outcomes: Readonly<Record<TapedExchange['end']['how'], (tape: TapedExchange) => Outcome>> = {
  complete: ({ response }) =>
    response === undefined || response.status < 400
      ? { outcome: 'completed' }
      : { outcome: 'server_error', error: `the server answered with ${response.status}` },
  cut: () => ({ outcome: 'stream_truncated', error: 'the server closed the connection in the middle' }),
  reset: () => ({ outcome: 'stream_truncated', error: 'the server reset the connection' }),
  'client-left': () => ({ outcome: 'aborted' }),
  failed: ({ end }) => ({ outcome: 'connection_failed', error: end.error ?? 'no answer came' }),
  stopped: () => ({ outcome: 'aborted', error: 'the recording was stopped' }),
  torn: () => ({ outcome: 'stream_truncated', error: 'the tape has no end: the recorder died' }),
};
