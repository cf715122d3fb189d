import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { HeaderList, TapedExchange, TapedMessage, TapeEnding } from '@turnwire/testing';
import type { RawAnswer, RawEnd } from '../raw-exchange.ts';
import type { WebSocketAnswer } from '../websocket-session.ts';

/** A request that the doctor sent. */
export interface AskedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How what was seen on the socket is called on a tape. */
const endings: Readonly<Record<RawEnd, TapeEnding>> = {
  end: 'complete',
  cut: 'cut',
  reset: 'reset',
  refused: 'failed',
  idle: 'client-left',
  left: 'client-left',
  'too-large': 'client-left',
  timeout: 'client-left',
};

/** A request and its answer as a tape of them. */
export function exchangeOf({ url, method, headers, body }: AskedRequest, answer: RawAnswer): TapedExchange {
  const { status, chunks, end, endMs, error } = answer;
  return {
    file: '',
    kind: 'http',
    request: {
      at: timestamp(),
      method,
      target: url.pathname + url.search,
      headers: listOf(headers),
      body: Buffer.from(body),
    },
    ...(status === 0 ? {} : { response: { ms: answer.headMs, status, reason: '', headers: listOf(answer.headers) } }),
    chunks,
    messages: [],
    end: { ms: endMs, how: endings[end], ...(error === undefined ? {} : { error }) },
  };
}

/** A request on a socket and its messages, as a tape of them. */
export function socketExchange(url: URL, body: JsonObject, { events, closed }: WebSocketAnswer): TapedExchange {
  const asked: TapedMessage = {
    ms: 0,
    from: 'client',
    kind: 'message',
    data: JSON.stringify({ type: 'response.create', ...body }),
  };
  const came = events.map(({ ms, data }): TapedMessage => ({ ms, from: 'server', kind: 'message', data }));
  return {
    file: '',
    kind: 'websocket',
    request: {
      at: timestamp(),
      method: 'GET',
      target: url.pathname + url.search,
      headers: [],
      body: new Uint8Array(),
    },
    response: { ms: 0, status: 101, reason: 'Switching Protocols', headers: [] },
    chunks: [],
    messages: [asked, ...came],
    end: {
      ms: events.at(-1)?.ms ?? 0,
      ...(closed === undefined ? { how: 'client-left' } : { how: 'complete', code: closed }),
    },
  };
}

function listOf(headers: Readonly<Record<string, string>>): HeaderList {
  return Object.entries(headers);
}
