import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { RawData, WebSocket, WebSocketServer } from 'ws';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { answer } from '../exchange/answer.ts';
import { badRequest, errorFrame, shuttingDown, tooMany, type ApiError } from '../reply/api-error.ts';
import { isCodex, translatedHeaders } from '../request/client-kind.ts';
import type { BridgeContext } from '../exchange/context.ts';
import { keep, keepUsage, refusalOf, responsesReplyEncoderFor } from '../exchange/responses.ts';
import type { ReplyEncoder } from '../reply/reply-encoder.ts';
import { internalError } from '../reply/internal-error.ts';
import { newId, type Prepared } from '../request/prepare.ts';
import { refuseRaw } from './refuse-raw.ts';
import { readRequest } from '../request/request-body.ts';
import { SocketReplyWriter } from '../reply/socket-writer.ts';
import { prepareResponses, type LocalState } from '../request/state.ts';
import type { Exchange } from '../observe/exchange.ts';
import { continued } from '../store/index.ts';

/** Responses that a connection remembers beside the store. */
const REMEMBERED = 8;
/** Requests that may wait on one socket; a client that sends more is cut off. */
const MAX_WAITING = 16;
/** A client that said goodbye, or was told to, has this long to close its connection. */
const CLOSE_MS = 1000;

/** Serves the Responses API over WebSocket. */
export class WebSocketRoute {
  readonly #context: BridgeContext;
  #server: WebSocketServer | undefined;
  /** Handshakes that wait for `ws` to be loaded. */
  #opening = 0;
  #closed = false;

  constructor(context: BridgeContext) {
    this.#context = context;
  }

  /** @param refuse - tells why there is no handshake after all */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, refuse: (error: ApiError) => void): void {
    this.#opening++;
    void this.#upgrade(request, socket, head, refuse)
      .catch((error: unknown) => refuse(internalError(this.#context.log, error, 'a handshake failed')))
      .finally(() => this.#opening--);
  }

  async #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    refuse: (error: ApiError) => void,
  ): Promise<void> {
    // Loaded at the first handshake: a bridge whose clients speak HTTP only does not pay for it.
    const { WebSocketServer: Server } = await import('ws');
    if (this.#closed) {
      refuse(shuttingDown());
      return;
    }
    this.#server ??= createSocketServer(Server, this.#context);
    this.#server.handleUpgrade(request, socket, head, (client) => {
      new Connection(this.#context, client, request).start();
    });
  }

  /** Sockets that are open, busy or not, or about to be. */
  get size(): number {
    return this.#clients.size + this.#opening;
  }

  /** Closes the sockets that have nothing to do; those under way close when they are done. */
  close(): void {
    this.#closed = true;
    for (const client of this.#clients) client.emit('turnwire-drain');
    this.#server?.close();
  }

  terminate(): void {
    for (const client of this.#clients) client.terminate();
  }

  get #clients(): ReadonlySet<WebSocket> {
    return this.#server?.clients ?? new Set();
  }
}

function createSocketServer(Server: typeof WebSocketServer, { settings, seal }: BridgeContext): WebSocketServer {
  // Deflate costs memory per socket and time per event, and may be declined.
  const options = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: settings.bodyLimit,
    closeTimeout: CLOSE_MS,
  };
  const server = new Server(options);
  server.on('wsClientError', (error: Error, socket: Duplex) => {
    refuseRaw(socket, badRequest(error.message, { headers: { 'sec-websocket-version': '13' } }));
  });
  server.on('headers', (lines, request: IncomingMessage) => {
    const turn = firstHeaderValue(request.headers[TURN_STATE_HEADER]);
    if (turn !== undefined && seal.open(turn) !== undefined) lines.push(`${TURN_STATE_HEADER}: ${turn}`);
  });
  return server;
}

/** One socket: its requests are answered one after another. */
class Connection {
  readonly #context: BridgeContext;
  readonly #client: WebSocket;
  readonly #request: IncomingMessage;
  readonly #codex: boolean;
  readonly #id = newId('ws');
  readonly #log: Logger;
  readonly #memory = new ConnectionMemory();
  readonly #waiting: string[] = [];
  #waitingLength = 0;
  #busy = false;
  #draining = false;
  #abort: AbortController | undefined;

  constructor(context: BridgeContext, client: WebSocket, request: IncomingMessage) {
    this.#context = context;
    this.#client = client;
    this.#request = request;
    this.#codex = isCodex(request.headers);
    this.#log = context.log.child({ socket: this.#id });
  }

  start(): void {
    this.#client.on('message', (data, binary) => this.#onMessage(data, binary));
    this.#client.on('close', () => this.#drop());
    this.#client.on('error', () => this.#client.terminate());
    this.#client.on('turnwire-drain', () => {
      this.#draining = true;
      this.#closeIfIdle();
    });
  }

  /** Nobody is there any more: neither the answer under way nor those that wait are of use. */
  #drop(): void {
    this.#waiting.length = 0;
    this.#waitingLength = 0;
    this.#abort?.abort();
  }

  /** Ends the connection of a client that does not keep to the protocol. */
  #cutOff(code: number, reason: string): void {
    this.#begin().onEnd({ how: 'refused', refusal: { status: 400, code: `close_${code}`, message: reason } });
    this.#client.close(code, reason);
    this.#drop();
  }

  /** The exchange of one request. */
  #begin(): Exchange {
    const { url = '', method = 'GET', headers } = this.#request;
    return this.#context.begin({ id: newId('req'), socket: this.#id, route: 'responses_ws', method, url, headers });
  }

  get #isOpen(): boolean {
    return this.#client.readyState === this.#client.OPEN;
  }

  #onMessage(data: RawData, binary: boolean): void {
    if (!this.#isOpen) return;
    if (binary) {
      this.#cutOff(1003, 'text frames only');
      return;
    }
    const text = textOf(data);
    const tooLong = this.#waitingLength + text.length > this.#context.settings.bodyLimit;
    if (this.#waiting.length >= MAX_WAITING || tooLong) {
      this.#cutOff(1008, 'too many requests at once');
      return;
    }
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift()) {
      this.#waitingLength -= text.length;
      await this.#serve(text);
    }
    this.#busy = false;
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#draining && !this.#busy) this.#client.close(1001, 'the bridge is shutting down');
  }

  async #serve(text: string): Promise<void> {
    const exchange = this.#begin();
    const read = this.#draining ? { refusal: shuttingDown() } : readRequest(text);
    const refusal = 'refusal' in read ? read.refusal : this.#refusalOf(read.body);
    if (refusal !== undefined || 'refusal' in read) {
      await this.#refuse(exchange, refusal ?? shuttingDown());
      return;
    }
    const { body } = read;
    exchange.onRequest({ route: 'responses_ws', wire: 'responses', body: () => body });
    try {
      const prepared = await prepareResponses(body, {
        store: this.#context.store,
        codex: this.#codex,
        local: this.#memory,
      });
      await (body.generate === false ? this.#warmUp(exchange, prepared) : this.#answer(exchange, prepared));
    } catch (error) {
      await this.#refuse(exchange, refusalOf(error) ?? internalError(this.#log, error, 'a request on a socket failed'));
    }
  }

  #refusalOf(body: JsonObject): ApiError | undefined {
    if (body.type !== 'response.create') {
      return badRequest('type: only response.create is known here', { param: 'type' });
    }
    if (body.background === true) return badRequest('background: not over a WebSocket', { param: 'background' });
    return this.#context.streams.full ? tooMany() : undefined;
  }

  /** Takes in what a first request will build upon, without asking anybody. */
  async #warmUp(exchange: Exchange, prepared: Prepared): Promise<void> {
    const id = newId('resp');
    const encoding = responsesReplyEncoderFor(this.#context, prepared, id, this.#codex);
    const end = { type: 'completed', response_id: id, ended_by: 'response.completed' } as const;
    const events = [...encoding.push({ type: 'created', response_id: id }), ...encoding.push(end)];
    await this.#remember(prepared, encoding);
    exchange.onSent(events);
    exchange.onEnd({ how: 'completed', event: end }, () => encoding.body);
    await Promise.all(events.map(({ data }) => this.#send(data)));
  }

  async #answer(exchange: Exchange, prepared: Prepared): Promise<void> {
    const { headers } = this.#request;
    const metadata = isObject(prepared.body.client_metadata) ? prepared.body.client_metadata : {};
    const given = nonEmpty(metadata[TURN_STATE_HEADER]) ?? firstHeaderValue(headers[TURN_STATE_HEADER]);
    const encoding = responsesReplyEncoderFor(this.#context, prepared, newId('resp'), this.#codex);
    const abort = new AbortController();
    this.#abort = abort;
    if (!this.#isOpen) abort.abort(); // it left while its request was put together
    await answer({
      context: this.#context,
      exchange,
      prepared,
      encoding,
      sink: new SocketReplyWriter(this.#client, encoding),
      headers: { ...translatedHeaders(headers), ...metadataHeaders(metadata) },
      turn: this.#context.seal.open(given),
      codex: this.#codex,
      abort,
      log: this.#log.child({ request: exchange.id }),
      onTurn: (token) => {
        if (this.#codex) this.#client.send(turnFrame(token));
      },
      onEnded: () => this.#remember(prepared, encoding),
      onLateUsage: (usage) => keepUsage(usage, this.#context.store, this.#log, prepared, encoding.body),
    });
  }

  async #remember(prepared: Prepared, encoding: ReplyEncoder): Promise<void> {
    const response = encoding.body;
    const output = Array.isArray(response.output) ? (response.output as Item[]) : [];
    this.#memory.add(String(response.id), continued(prepared.input, output));
    await keep(this.#context.store, this.#log, prepared, response);
  }

  #refuse(exchange: Exchange, error: ApiError): Promise<void> {
    exchange.onEnd({ how: 'refused', refusal: error });
    return this.#send(JSON.stringify(errorFrame(error)));
  }

  /** Settles when the connection took it: a client that asks and does not read is not asked what else it wants. */
  #send(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#client.send(text, () => resolve());
    });
  }
}

/** The last conversations of a socket: clients of this transport tell the server not to store, and count on this. */
class ConnectionMemory implements LocalState {
  readonly #conversations = new Map<string, readonly Item[]>();

  conversation(responseId: string): readonly Item[] | undefined {
    return this.#conversations.get(responseId);
  }

  add(responseId: string, items: readonly Item[]): void {
    this.#conversations.set(responseId, items);
    const oldest = this.#conversations.keys().next().value;
    if (this.#conversations.size > REMEMBERED && oldest !== undefined) this.#conversations.delete(oldest);
  }
}

function turnFrame(token: string): string {
  return JSON.stringify({ type: 'response.metadata', headers: { [TURN_STATE_HEADER]: token } });
}

/** Headers that Codex sends along with each request of a socket. */
function metadataHeaders(metadata: JsonObject): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of ['x-codex-turn-metadata', 'x-codex-window-id']) {
    const value = metadata[name];
    if (typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)) picked[name] = value;
  }
  return picked;
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
