import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import type { BridgeContext } from '../exchange/context.ts';
import type { Exchange } from '../observe/exchange.ts';
import { badRequest, type ApiError } from '../reply/api-error.ts';
import { isCodex } from '../request/client-kind.ts';
import { newId } from '../request/prepare.ts';
import { readRequest, type ReadBody } from '../request/request-body.ts';
import { ConnectionMemory } from './connection-memory.ts';
import { serveFrame, type ReadFrame, type SocketState } from './socket-request.ts';
import { Steering } from './steering.ts';

/** Requests that may wait on one socket; a client that sends more is cut off. */
const MAX_WAITING = 16;
/** Streams that may be under way on one socket. */
const MAX_LANES = 16;
/** Characters of a `stream_id`. */
const MAX_STREAM_ID = 256;

/** A request that waits. */
interface Waiting {
  readonly read: ReadFrame;
  /** In characters. */
  readonly length: number;
  /** What its events are to name. */
  readonly streamId: string | undefined;
}

/** The requests of one `stream_id`, or those without one: they are answered one after another. */
type Lane = Waiting[];

/** One socket. Its lanes go on beside each other. */
export class SocketConnection implements SocketState {
  readonly context: BridgeContext;
  readonly client: WebSocket;
  readonly request: IncomingMessage;
  readonly codex: boolean;
  readonly log: Logger;
  readonly memory = new ConnectionMemory();
  readonly steering = new Steering();
  readonly running = new Set<AbortController>();
  readonly #id = newId('ws');
  /** Those that have something to do. */
  readonly #lanes = new Map<string | undefined, Lane>();
  #waiting = 0;
  #waitingLength = 0;
  draining = false;

  constructor(context: BridgeContext, client: WebSocket, request: IncomingMessage) {
    this.context = context;
    this.client = client;
    this.request = request;
    this.codex = isCodex(request.headers);
    this.log = context.log.child({ socket: this.#id });
  }

  start(): void {
    this.client.setMaxListeners(4 * MAX_LANES); // each answer waits for the connection to take it, or to close
    this.client.on('message', (data, binary) => this.#onMessage(data, binary));
    this.client.on('close', () => this.#drop());
    this.client.on('error', () => this.client.terminate());
    this.client.on('turnwire-drain', () => {
      this.draining = true;
      this.#closeIfIdle();
    });
  }

  /** The exchange of one request. */
  begin(): Exchange {
    const { url = '', method = 'GET', headers } = this.request;
    return this.context.begin({ id: newId('req'), socket: this.#id, route: 'responses_ws', method, url, headers });
  }

  /** Nobody is there any more: neither the answers under way nor those that wait are of use. */
  #drop(): void {
    for (const lane of this.#lanes.values()) lane.length = 0;
    this.#waiting = 0;
    this.#waitingLength = 0;
    for (const abort of this.running) abort.abort();
  }

  /** Ends the connection of a client that does not keep to the protocol. */
  #cutOff(code: number, reason: string): void {
    this.begin().onEnd({ how: 'refused', refusal: { status: 400, code: `close_${code}`, message: reason } });
    this.client.close(code, reason);
    this.#drop();
  }

  #onMessage(data: RawData, binary: boolean): void {
    if (this.client.readyState !== this.client.OPEN) return;
    if (binary) {
      this.#cutOff(1003, 'text frames only');
      return;
    }
    const text = textOf(data);
    if (this.#waiting >= MAX_WAITING || this.#waitingLength + text.length > this.context.settings.bodyLimit) {
      this.#cutOff(1008, 'too many requests at once');
      return;
    }
    const read = readRequest(text);
    if ('body' in read && read.body.type === 'response.steer') this.#steer(read);
    else this.#enqueue(read, text.length);
  }

  #steer({ body, size }: ReadBody): void {
    const exchange = this.begin();
    exchange.onRequest({ route: 'responses_ws', wire: 'responses', size, body: () => body });
    const isKnown = (id: string): boolean => this.memory.conversation(id) !== undefined;
    const refusal = this.steering.submit(body, isKnown, (text) => this.client.send(text));
    exchange.onEnd(
      refusal === undefined
        ? { how: 'completed' }
        : { how: 'refused', refusal: badRequest(refusal.message, { code: refusal.code }) },
    );
  }

  #enqueue(read: ReadFrame, length: number): void {
    const { name, ...waiting } = this.#placeOf(read);
    const known = this.#lanes.get(name);
    const lane = known ?? [];
    lane.push({ ...waiting, length });
    this.#waiting += 1;
    this.#waitingLength += length;
    if (known !== undefined) return;
    this.#lanes.set(name, lane);
    void this.#work(name, lane);
  }

  /** The lane of a request; what cannot have the one that it names is refused among those without a name. */
  #placeOf(read: ReadFrame): Pick<Waiting, 'read' | 'streamId'> & { readonly name: string | undefined } {
    const streamId = 'body' in read ? (read.body.stream_id ?? undefined) : undefined;
    if (streamId === undefined) return { name: undefined, read, streamId };
    if (typeof streamId !== 'string' || streamId === '' || streamId.length > MAX_STREAM_ID) {
      return { name: undefined, read: { refusal: noStreamId() }, streamId: undefined };
    }
    if (this.#lanes.has(streamId) || this.#lanes.size < MAX_LANES) return { name: streamId, read, streamId };
    return { name: undefined, read: { refusal: tooManyLanes() }, streamId };
  }

  async #work(name: string | undefined, lane: Lane): Promise<void> {
    for (let next = lane.shift(); next !== undefined; next = lane.shift()) {
      this.#waiting -= 1;
      this.#waitingLength -= next.length;
      await serveFrame(this, next.read, next.streamId);
    }
    this.#lanes.delete(name);
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.draining && this.#lanes.size === 0) this.client.close(1001, 'the bridge is shutting down');
  }
}

function noStreamId(): ApiError {
  return badRequest(`stream_id: a text of 1 to ${MAX_STREAM_ID} characters is expected`, { param: 'stream_id' });
}

function tooManyLanes(): ApiError {
  const message = `${MAX_LANES} streams are under way on this socket: wait for one of them`;
  return badRequest(message, {
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    param: 'stream_id',
  });
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
