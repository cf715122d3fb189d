import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { OutputItem } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { randomId } from '../platform/random.ts';
import type { HttpTimers } from '../transport/watch.ts';
import type { FrameExchange } from '../transport/websocket-exchange.ts';
import type { FrameDecoder } from '@turnwire/wire/internal/frame-decoder';
import { createResponsesFrameDecoder } from '@turnwire/wire/internal/frame-decoder';
import { headerEvents, TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { HealedRequest, type HealingOptions } from '../http/healed-request.ts';
import type { ModelObserver, PollResult } from '../observer.ts';
import type { Attempt } from '../stream/retrying-stream.ts';
import type { TurnState } from '../turn-state.ts';
import type { ResponsesSocket, SocketPool } from './socket-pool.ts';
import { baselineAfter, createFrame, type CreateFrame } from './frame.ts';

export interface WebSocketCallContext extends HealingOptions {
  readonly pool: SocketPool;
  readonly clock: Clock;
  readonly observer?: ModelObserver | undefined;
  readonly timers: HttpTimers;
  readonly signal?: AbortSignal | undefined;
  readonly turnState?: TurnState | undefined;
  readonly warmUp?: boolean;
}

/** Codes that say nothing ran, and that the whole input on a new socket will do. */
const wantsWholeInput = new Set(['websocket_connection_limit_reached', 'previous_response_not_found']);

/** Refusals that say something of the caller or of the moment: HTTP would be told the same. */
const saysMore = new Set([401, 402, 408, 409, 425, 429]);

/**
 * What the server of a refused handshake is: one that has WebSockets switched off (426), or one without any. Those
 * answer in many ways (404, 405, 501; 400 from gateways; 403 from web frameworks that have no such route), and never to
 * a prompt, which a handshake does not carry.
 */
const meansNoWebSocket = (status: number): boolean => (status < 500 && !saysMore.has(status)) || status === 501;

/** The request and its answer that run on a connection. */
interface Running {
  readonly connection: ResponsesSocket;
  readonly exchange: FrameExchange;
  readonly decoder: FrameDecoder;
  readonly frame: CreateFrame;
  /** Items that are done, for the next baseline. */
  readonly items: OutputItem[];
}

/** One request over WebSocket and its answer as events. */
export class WebSocketCall implements Attempt {
  readonly #context: WebSocketCallContext;
  readonly #request: HealedRequest;
  /** Fires for the caller's abort and for `cancel`. */
  readonly #stop = new AbortController();
  #running: Running | undefined;
  #refusedWith: number | undefined;
  /** Something of an answer was handed out: the request cannot be sent again unseen. */
  #delivered = false;
  #resent = false;
  #cancelled = false;
  #over = false;
  #following = false;

  constructor(request: ModelRequest, context: WebSocketCallContext) {
    this.#request = new HealedRequest(request, context);
    this.#context = context;
  }

  /** The request was sent on a socket: from here a failure is the stream's. */
  get started(): boolean {
    return this.#running !== undefined;
  }

  /** The model that the answer names, once it has. */
  get model(): string | undefined {
    return this.#running?.decoder.model;
  }

  /** The failure means that this server has no WebSocket to offer (426, 404, …): HTTP is the way, at once. */
  get noWebSocket(): boolean {
    return this.#refusedWith !== undefined && meansNoWebSocket(this.#refusedWith);
  }

  /** Status of the answer to a handshake that was refused. */
  get refusedWith(): number | undefined {
    return this.#refusedWith;
  }

  async next(): Promise<readonly ModelEvent[] | undefined> {
    if (this.#over) return undefined;
    try {
      if (this.#running !== undefined) return await this.#pump(this.#running);
      this.#follow();
      const running = await this.#start();
      if (this.#cancelled) return undefined;
      const events = this.#introduce(running.connection);
      return events.length > 0 ? events : await this.#pump(running);
    } catch (error) {
      this.#close();
      if (this.#cancelled) return undefined;
      throw error;
    }
  }

  cancel(): void {
    if (this.#over) return;
    this.#cancelled = true;
    this.#close();
    this.#stop.abort();
  }

  async #start(): Promise<Running> {
    const { pool, provider, timers, turnState, warmUp = false } = this.#context;
    const { body } = this.#request.body();
    const connection = pool.take() ?? (await this.#openConnection());
    this.#offerStateOf(connection);
    const frame = createFrame(body, {
      baseline: connection.baseline,
      turnState: turnState?.headers()[TURN_STATE_HEADER],
      warmUp,
    });
    const exchange = connection.socket.exchange(frame.text, { signal: this.#stop.signal, timers });
    this.#running = {
      connection,
      exchange,
      frame,
      decoder: createResponsesFrameDecoder({ mintId: randomId, thinkTags: provider.thinkTags }),
      items: [],
    };
    return this.#running;
  }

  async #openConnection(): Promise<ResponsesSocket> {
    const { pool, turnState } = this.#context;
    const answer = await pool.open(turnState, this.#stop.signal);
    if (answer.type === 'open') {
      if (this.#stop.signal.aborted) answer.connection.socket.terminate();
      return answer.connection;
    }
    this.#refusedWith = answer.status;
    throw answer.error;
  }

  /** The headers of the 101 speak for every request of the connection, but limits are those of their moment. */
  #introduce(connection: ResponsesSocket): readonly ModelEvent[] {
    const events = headerEvents(connection.socket.headers);
    if (connection.introduced || this.#context.warmUp === true)
      return events.filter((event) => event.type !== 'rate_limits');
    connection.introduced = true;
    return events;
  }

  /** The first turn on a connection takes the turn state of its handshake, even if a warm-up opened it. */
  #offerStateOf(connection: ResponsesSocket): void {
    if (connection.introduced) return;
    const value = connection.socket.headers[TURN_STATE_HEADER];
    this.#context.turnState?.offer(firstHeaderValue(value));
  }

  /** Reads until there are events, or the answer is over. */
  async #pump(running: Running): Promise<readonly ModelEvent[] | undefined> {
    const { exchange, decoder } = running;
    while (decoder.phase !== 'ended') {
      const events = await this.#poll(running);
      if (this.#cancelled) return undefined;
      this.#context.turnState?.offer(decoder.turnState);
      if (hasEnded(decoder)) this.#settle(running, events.at(-1));
      if (events.length === 0) continue;
      exchange.progress();
      if (!this.#delivered) this.#request.accepted();
      this.#delivered = true;
      return events;
    }
    if (decoder.failure === undefined) {
      this.#close();
      return undefined;
    }
    if (!this.#delivered && (this.#mayResend(decoder.failure) || this.#request.amend(decoder.failure)))
      return await this.#resend();
    throw decoder.failure;
  }

  /** Once only. */
  #mayResend({ code }: ModelError): boolean {
    if (this.#resent || code === undefined || !wantsWholeInput.has(code)) return false;
    this.#resent = true;
    return true;
  }

  /** Nothing ran: once more, whole, on a new socket. */
  async #resend(): Promise<readonly ModelEvent[] | undefined> {
    this.#running = undefined;
    return await this.#pump(await this.#start());
  }

  async #poll(running: Running): Promise<readonly ModelEvent[]> {
    const { observer, clock } = this.#context;
    if (observer?.onWsPoll === undefined) return (await this.#read(running)).events;
    const startedAt = clock.now();
    const { events, result } = await this.#read(running);
    observer.onWsPoll(result ?? { type: 'events', events }, clock.now() - startedAt);
    return events;
  }

  async #read({ exchange, decoder, items }: Running): Promise<{ events: ModelEvent[]; result?: PollResult }> {
    let frames: readonly string[] | undefined;
    try {
      frames = await exchange.read();
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return { events: decoder.end({ type: 'failed', error }), result: { type: 'error', error } };
    }
    if (frames === undefined) return { events: decoder.end({ type: 'close' }), result: { type: 'end' } };
    const events = frames.flatMap((frame) => decoder.pushText(frame));
    for (const event of events) if (event.type === 'output_item.done') items.push(event.item);
    return { events };
  }

  /** The answer is over: keeps the socket for the next request, or drops it, and with it all that its server knows. */
  #settle({ connection, exchange, frame, decoder, items }: Running, last: ModelEvent | undefined): void {
    if (decoder.skipped > 0) this.#context.observer?.onSkipped?.(decoder.skipped);
    if (decoder.failure !== undefined || last?.type !== 'completed') {
      exchange.cancel();
      return;
    }
    this.#unfollow();
    exchange.release();
    connection.baseline = baselineAfter(frame, last.response_id, items);
    if (connection.socket.free) this.#context.pool.giveBack(connection);
  }

  #close(): void {
    this.#over = true;
    this.#unfollow();
    if (this.#running?.decoder.phase !== 'ended') this.#running?.exchange.cancel();
  }

  #follow(): void {
    const { signal } = this.#context;
    if (this.#following) return;
    this.#following = true;
    if (signal?.aborted === true) this.#stop.abort(signal.reason);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  #unfollow(): void {
    this.#context.signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#stop.abort(this.#context.signal?.reason);
  };
}

function hasEnded(decoder: FrameDecoder): boolean {
  return decoder.phase === 'ended';
}
