import { headerIn, type HeaderValues } from '@turnwire/wire/internal/base/http-headers';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { parseJson } from '@turnwire/wire/internal/base/json';
import { readRefusal } from '@turnwire/wire/internal/model/classify';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ProxyOptions } from '../transport/proxy-choice.ts';
import type { FrameSocket } from '../transport/websocket-socket.ts';
import { openWebSocket } from '../transport/websocket.ts';
import { requestHeaders, websocketUrl, type GetEnv } from '../provider/provider-request.ts';
import { protocols } from '@turnwire/wire/internal/protocols';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import type { ProviderConfig } from '../provider/provider.ts';
import { retryAfterOf } from '@turnwire/wire/internal/read/retry-headers';
import type { TurnState } from '../turn-state.ts';
import { WEBSOCKET_BETA, type Baseline } from './frame.ts';

export interface SocketPoolOptions {
  readonly provider: ProviderConfig;
  readonly getEnv: GetEnv;
  readonly clock: Clock;
  readonly proxy?: ProxyOptions | undefined;
}

/** A socket, and what its server knows. */
export interface ResponsesSocket {
  readonly socket: FrameSocket;
  /** Absent after a request that cannot be built upon. */
  baseline: Baseline | undefined;
  /** A turn has had what the headers of the handshake say. */
  introduced: boolean;
}

/** What came of opening a connection. */
export type SocketAnswer =
  | { readonly type: 'open'; readonly connection: ResponsesSocket }
  | { readonly type: 'refused'; readonly status: number; readonly error: ModelError };

/** Connections for calls: one connection is kept between them. A second call at the same time has a connection of its own. */
export class SocketPool {
  readonly #options: SocketPoolOptions;
  #kept: ResponsesSocket | undefined;
  #closed = false;

  constructor(options: SocketPoolOptions) {
    this.#options = options;
  }

  /** Takes the kept connection, if it still stands. */
  take(): ResponsesSocket | undefined {
    const connection = this.#kept;
    this.#kept = undefined;
    return connection?.socket.free === true ? connection : undefined;
  }

  /** Keeps a connection for the next call, unless another one is kept already. */
  giveBack(connection: ResponsesSocket): void {
    if (this.#kept?.socket.free === true || this.#closed) connection.socket.close();
    else this.#kept = connection;
  }

  close(): void {
    this.#closed = true;
    this.take()?.socket.close();
  }

  /** Opens a connection. The turn state goes along, so that the connection too lands at the right replica. */
  async open(turnState: TurnState | undefined, signal: AbortSignal): Promise<SocketAnswer> {
    const { provider, getEnv, clock, proxy } = this.#options;
    const url = websocketUrl(provider, protocols[provider.wireApi].path);
    const answer = await openWebSocket({
      url,
      headers: {
        'openai-beta': WEBSOCKET_BETA,
        'user-agent': 'turnwire',
        ...requestHeaders(provider, getEnv),
        ...turnState?.headers(),
      },
      signal,
      connectMs: provider.websocketConnectTimeoutMs,
      maxMessageBytes: provider.maxEventBytes,
      clock,
      proxy,
    });
    if (answer.type === 'open') {
      return { type: 'open', connection: { socket: answer.socket, baseline: undefined, introduced: false } };
    }
    // An answer over HTTP like any other: a replica may have taken the turn all the same.
    turnState?.offer(headerIn(answer.headers, TURN_STATE_HEADER));
    return { type: 'refused', status: answer.status, error: refusalError(url, answer) };
  }
}

function refusalError(
  url: string,
  { status, headers, body }: { readonly status: number; readonly headers: HeaderValues; readonly body: string },
): ModelError {
  const header = (name: string): string | undefined => headerIn(headers, name);
  const { origin, pathname } = new URL(url);
  return readRefusal(parseJson(body), {
    status,
    requestId: header('x-request-id') ?? header('x-oai-request-id'),
    afterMs: retryAfterOf(header),
    fallbackMessage: `${origin}${pathname} answered ${status} instead of opening a WebSocket`,
  });
}
