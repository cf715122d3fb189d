import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { HeaderValues } from '@turnwire/wire/internal/base/http-headers';
import { abortFailure, networkFailure } from './failures.ts';
import { FrameExchange, type FrameExchangeOptions } from './websocket-exchange.ts';

/** How long a polite close may take. */
const CLOSE_MS = 1000;
const MAX_REASON = 300;

export interface FrameSocketInit {
  readonly clock: Clock;
  /** Of the 101. */
  readonly headers: HeaderValues;
  readonly connection: Socket;
  /** For error messages. */
  readonly target: string;
}

/**
 * An open WebSocket that serves one exchange after another. It reads from the first one on. Between them nothing keeps
 * the process alive, pings are answered, and messages that nobody asked for are dropped.
 */
export class FrameSocket {
  /** Of the answer to the handshake, names in lower case. */
  readonly headers: HeaderValues;
  readonly #ws: WebSocket;
  readonly #init: FrameSocketInit;
  #exchange: FrameExchange | undefined;
  /** What went wrong, told by an `error` event before the close. */
  #failure: ModelError | undefined;
  /** The last ping that came while a pong was on its way. */
  #unanswered: Buffer | undefined;
  #answering = false;

  constructor(ws: WebSocket, init: FrameSocketInit) {
    this.#ws = ws;
    this.#init = init;
    this.headers = init.headers;
    init.connection.unref();
    // What a server says before it was asked anything, a complaint for instance, is for the first exchange.
    ws.pause();
    ws.on('message', (data, isBinary) => {
      this.#onMessage(data, isBinary);
    });
    ws.on('ping', (data) => {
      this.#onPing(data);
    });
    ws.on('error', (error) => {
      this.#failure ??= toFailure(error, init.target);
    });
    ws.on('close', (code, reason) => {
      this.#onClose(code, reason.toString('utf8'));
    });
  }

  /** True while the connection stands and no exchange is running. */
  get free(): boolean {
    return this.#ws.readyState === this.#ws.OPEN && this.#exchange === undefined;
  }

  /**
   * Sends one text message; the messages that come from now on are the exchange's, until it is released or has failed.
   * Only on a free socket.
   */
  exchange(text: string, options: FrameExchangeOptions): FrameExchange {
    if (this.#exchange !== undefined) throw new Error('the WebSocket already serves an exchange');
    this.#init.connection.ref();
    const exchange = new FrameExchange(options, {
      clock: this.#init.clock,
      target: this.#init.target,
      pause: () => this.#ws.pause(),
      resume: () => this.#ws.resume(),
      over: (keep) => this.#onOver(keep),
    });
    this.#exchange = exchange;
    this.#ws.resume();
    if (options.signal?.aborted === true) exchange.fail(abortFailure(options.signal));
    else this.#send(text, exchange);
    return exchange;
  }

  /** Closes politely, and for certain within a second. */
  close(): void {
    this.#ws.resume();
    this.#ws.close(1000);
    const timer = this.#init.clock.after(CLOSE_MS, () => this.#ws.terminate());
    this.#ws.once('close', () => timer.cancel());
  }

  /** Closes at once, without a farewell. */
  terminate(): void {
    this.#ws.terminate();
  }

  #send(text: string, exchange: FrameExchange): void {
    this.#ws.send(text, (error?: Error | null) => {
      if (error instanceof Error) exchange.fail(networkFailure(error, false, this.#init.target));
      else exchange.onSent();
    });
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#exchange === undefined) return;
    if (isBinary) {
      this.#exchange.fail(new ModelError({ kind: 'protocol', message: `binary message from ${this.#init.target}` }));
      return;
    }
    this.#exchange.onFrame((data as Buffer).toString('utf8'));
  }

  /** Of pings that come faster than pongs go out the last one is answered: a flood costs nothing. */
  #onPing(data: Buffer): void {
    if (this.#answering) this.#unanswered = data;
    else this.#pong(data);
  }

  #pong(data: Buffer): void {
    this.#answering = true;
    this.#ws.pong(data, undefined, () => {
      this.#answering = false;
      const next = this.#unanswered;
      this.#unanswered = undefined;
      if (next !== undefined) this.#pong(next);
    });
  }

  #onClose(code: number, reason: string): void {
    const failure = this.#failure ?? closeFailure(code, reason, this.#init.target);
    if (failure === undefined) this.#exchange?.onEnd();
    else this.#exchange?.fail(failure);
    this.#exchange = undefined;
  }

  #onOver(keep: boolean): void {
    this.#exchange = undefined;
    this.#ws.resume();
    this.#init.connection.unref();
    if (!keep) this.#ws.terminate();
  }
}

/** What `ws` reports after the handshake: mostly bytes that are no WebSocket, or a message over the limit. */
function toFailure(error: Error & { code?: unknown }, target: string): ModelError {
  if (typeof error.code !== 'string' || !error.code.startsWith('WS_ERR_')) return networkFailure(error, true, target);
  const message = `${target} broke the WebSocket protocol: ${error.message}`;
  return new ModelError({ kind: 'protocol', message, cause: error });
}

/** A close without a reason to complain is the end of the messages; what that means the reader knows. */
function closeFailure(code: number, reason: string, target: string): ModelError | undefined {
  if (code === 1000 || code === 1001 || code === 1005) return undefined;
  if (code === 1006) {
    return new ModelError({ kind: 'stream_truncated', message: `the connection to ${target} broke without a close` });
  }
  const why = reason === '' ? '' : `: ${reason.slice(0, MAX_REASON)}`;
  return new ModelError({ kind: 'stream_truncated', message: `${target} was closed with code ${code}${why}` });
}
