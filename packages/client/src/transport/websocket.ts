import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientOptions, WebSocket } from 'ws';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { Deadline } from '@turnwire/wire/internal/base/deadline';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { HeaderValues } from '@turnwire/wire/internal/base/http-headers';
import { abortFailure, describeTarget, networkFailure } from './failures.ts';
import { timerFailure } from '@turnwire/wire/internal/model/timer-failure';
import { proxyFor, type ProxyOptions } from './proxy-choice.ts';
import { Tunnel } from './tunnel.ts';
import { FrameSocket } from './websocket-socket.ts';
import { loadOptionalPeer } from '../platform/optional-peer.ts';
import { systemClock } from '../platform/system-clock.ts';
import { defaultTimers } from './watch.ts';

/** What is read of a refusal's body: enough for an error message. */
const REFUSAL_BYTES = 64 * 1024;

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export interface WebSocketRequest {
  /** `ws:` or `wss:`. */
  readonly url: string | URL;
  /** Of the handshake. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the handshake is answered; 0 is off. Default 15 s. */
  readonly connectMs?: number;
  /** Bound of one message; a longer one is a `protocol` failure. Default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** Default: none. */
  readonly proxy?: ProxyOptions | undefined;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export type WebSocketAnswer =
  | { readonly type: 'open'; readonly socket: FrameSocket }
  /** The server answered the handshake like a plain request: status, headers (lower case), the begin of its body. */
  | { readonly type: 'refused'; readonly status: number; readonly headers: HeaderValues; readonly body: string };

/**
 * Opens a WebSocket. No redirect is followed; compression is not offered.
 *
 * Fails with `ModelError`: `connection_failed`, `timeout` or `aborted`.
 */
export function openWebSocket(request: WebSocketRequest): Promise<WebSocketAnswer> {
  return new Handshake(request).answer;
}

class Handshake {
  readonly answer: Promise<WebSocketAnswer>;
  readonly #request: WebSocketRequest;
  readonly #target: string;
  readonly #settles = Promise.withResolvers<WebSocketAnswer>();
  readonly #connect: Deadline;
  #ws: WebSocket | undefined;
  #tunnel: Tunnel | undefined;
  #socket: Socket | undefined;
  #headers: HeaderValues = {};
  #settled = false;

  constructor(request: WebSocketRequest) {
    this.#request = request;
    this.answer = this.#settles.promise;
    const url = new URL(request.url);
    this.#target = describeTarget('WebSocket', url);
    const { clock = systemClock, connectMs = defaultTimers.connectMs, signal } = request;
    this.#connect = new Deadline(clock, connectMs, () => this.#fail(timerFailure('connect', connectMs, this.#target)));
    if (signal?.aborted === true) {
      this.#fail(abortFailure(signal));
      return;
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#connect.start();
    void this.#start(url);
  }

  async #start(url: URL): Promise<void> {
    let ws: WebSocket;
    try {
      // Loaded at the first handshake: who speaks HTTP only does not pay for it.
      const { WebSocket: Client } = await loadOptionalPeer(() => import('ws'), 'a WebSocket', 'ws');
      if (this.#settled) return;
      const proxy = proxyFor(url, this.#request.proxy ?? {});
      if (proxy !== undefined) this.#tunnel = new Tunnel(proxy, url);
      ws = new Client(url, {
        headers: this.#request.headers ?? {},
        perMessageDeflate: false,
        maxPayload: this.#request.maxMessageBytes ?? MAX_MESSAGE_BYTES,
        followRedirects: false,
        // The socket answers itself, as many pings as there are.
        autoPong: false,
        ...connectionThrough(this.#tunnel),
      });
    } catch (error) {
      this.#fail(networkFailure(error, false, this.#target));
      return;
    }
    this.#ws = ws;
    ws.on('upgrade', (response) => {
      this.#socket = response.socket;
      this.#headers = response.headers;
    });
    ws.on('open', this.#onOpen);
    ws.on('error', this.#onError);
    ws.on('unexpected-response', (clientRequest, response) => void this.#onRefused(clientRequest, response));
  }

  readonly #onOpen = (): void => {
    const { clock = systemClock } = this.#request;
    if (this.#settled || this.#ws === undefined || this.#socket === undefined) return;
    this.#ws.off('error', this.#onError);
    const socket = new FrameSocket(this.#ws, {
      clock,
      headers: this.#headers,
      connection: this.#socket,
      target: this.#target,
    });
    this.#settle();
    this.#settles.resolve({ type: 'open', socket });
  };

  readonly #onError = (error: Error): void => {
    this.#fail(networkFailure(error, false, this.#target));
  };

  readonly #onAbort = (): void => {
    if (this.#request.signal !== undefined) this.#fail(abortFailure(this.#request.signal));
  };

  /** Still under the connect timer and the signal, both of which destroy what is read here. */
  async #onRefused(request: ClientRequest, response: IncomingMessage): Promise<void> {
    const stop = (): void => void request.destroy();
    this.#onFailure = stop;
    const body = await headOf(response);
    stop();
    if (this.#settled) return;
    this.#settle();
    this.#settles.resolve({ type: 'refused', status: response.statusCode ?? 0, headers: response.headers, body });
  }

  #onFailure = (): void => {
    this.#tunnel?.cancel();
    this.#ws?.terminate();
  };

  #fail(failure: ModelError): void {
    if (this.#settled) return;
    this.#settle();
    this.#settles.reject(failure);
    this.#onFailure();
  }

  #settle(): void {
    this.#settled = true;
    this.#connect.stop();
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** `ws` asks for its connection like Node's own client, which takes it through a callback as well. */
function connectionThrough(tunnel: Tunnel | undefined): ClientOptions {
  if (tunnel === undefined) return {};
  const createConnection = (_options: unknown, settle: Parameters<Tunnel['open']>[0]): undefined => {
    tunnel.open(settle);
  };
  return { createConnection: createConnection as unknown as NonNullable<ClientOptions['createConnection']> };
}

async function headOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes > REFUSAL_BYTES) break;
    }
  } catch {
    // Cut off: what came is what there is.
  }
  return Buffer.concat(chunks).subarray(0, REFUSAL_BYTES).toString('utf8');
}
