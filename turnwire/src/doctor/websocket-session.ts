import type { ClientRequest, IncomingMessage } from 'node:http';
import { WebSocket, type RawData } from 'ws';
import type { Timer } from '@turnwire/wire/internal/base/clock';
import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { SseEvent } from './sse-reading.ts';

/** How a handshake went. */
export type Handshake =
  | { readonly type: 'open'; readonly ms: number }
  | { readonly type: 'refused'; readonly status: number; readonly ms: number }
  | { readonly type: 'silent' | 'broken'; readonly ms: number; readonly error: string };

/** The messages that answered one request. */
export interface WebSocketAnswer {
  readonly events: readonly SseEvent[];
  readonly binary: number;
  readonly pings: number;
  /** Set when the socket went before the answer was over. */
  readonly closed?: number;
  /** Nothing came for too long. */
  readonly idle: boolean;
}

export interface WebSocketOptions {
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const TERMINAL = /^(response\.(completed|failed|incomplete)|error)$/;

/** One socket to the Responses route, read message by message. */
export class WebSocketSession {
  readonly #socket: WebSocket;
  readonly #options: WebSocketOptions;
  #closed: number | undefined;

  constructor(url: URL, options: WebSocketOptions) {
    const address = new URL(url);
    address.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#options = options;
    this.#socket = new WebSocket(address, {
      headers: { ...options.headers, 'openai-beta': 'responses_websockets=2026-02-06' },
      handshakeTimeout: options.timeoutMs,
      perMessageDeflate: false,
      maxPayload: 16 * 1024 * 1024,
    });
    this.#socket.on('error', () => undefined); // told by 'close' and by the handshake
    this.#socket.once('close', (code) => (this.#closed = code));
  }

  /** Ends with the handshake, within its timeout. */
  async handshake(): Promise<Handshake> {
    const start = systemClock.now();
    const { signal } = this.#options;
    const abort = (): void => this.#socket.terminate();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<Handshake>((resolve) => {
        const after = (): number => systemClock.now() - start;
        this.#socket.once('open', () => resolve({ type: 'open', ms: after() }));
        this.#socket.once('unexpected-response', (request: ClientRequest, { statusCode }: IncomingMessage) => {
          resolve({ type: 'refused', status: statusCode ?? 0, ms: after() });
          request.destroy();
        });
        this.#socket.once('error', ({ message }) => {
          resolve({ type: message.includes('timed out') ? 'silent' : 'broken', ms: after(), error: message });
        });
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Sends a request and collects what comes until its end, the socket's end, or too long a silence. */
  async ask(body: JsonObject): Promise<WebSocketAnswer> {
    const events: SseEvent[] = [];
    const start = systemClock.now();
    let [binary, pings, idle] = [0, 0, false];
    const socket = this.#socket;
    let onMessage: (data: RawData, isBinary: boolean) => void = () => undefined;
    const onPing = (): void => {
      pings++;
    };
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      const timedOut = (): void => {
        idle = true;
        resolve();
      };
      const watch = (): void => {
        timer?.cancel();
        timer = systemClock.after(this.#options.timeoutMs, timedOut, { keepAlive: true });
      };
      onMessage = (data, isBinary) => {
        if (isBinary) binary++;
        const event = parseEvent((data as Buffer).toString('utf8'), systemClock.now() - start, events.length);
        events.push(event);
        watch();
        if (TERMINAL.test(String(event.json?.type))) resolve();
      };
      socket.on('message', onMessage);
      socket.on('ping', onPing);
      socket.once('close', () => resolve());
      if (this.#closed !== undefined) resolve();
      watch();
      socket.send(JSON.stringify({ type: 'response.create', ...body }), () => undefined);
    });
    timer?.cancel();
    socket.off('message', onMessage);
    socket.off('ping', onPing);
    return { events, binary, pings, idle, ...(this.#closed === undefined ? {} : { closed: this.#closed }) };
  }

  /** The server has closed the socket, or it broke. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** One message as an event of the stream. */
export function parseEvent(data: string, ms: number, chunk: number): SseEvent {
  const json = parseJson(data);
  return { data, ms, chunk, whole: true, size: data.length, ...(isObject(json) ? { json } : {}) };
}
