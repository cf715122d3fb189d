import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import type { IncomingMessage } from 'node:http';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import { isObject, nonEmpty, omit, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { answer } from '../exchange/answer.ts';
import type { BridgeContext } from '../exchange/context.ts';
import { keep, keepUsage, refusalOf, responsesReplyEncoderFor } from '../exchange/responses.ts';
import type { Exchange } from '../observe/exchange.ts';
import { badRequest, errorFrame, shuttingDown, tooMany, type ApiError } from '../reply/api-error.ts';
import { internalError } from '../reply/internal-error.ts';
import type { ReplyEncoder } from '../reply/reply-encoder.ts';
import { inStream, SocketReplyWriter } from '../reply/socket-writer.ts';
import { translatedHeaders } from '../request/client-kind.ts';
import { newId, type Prepared } from '../request/prepare.ts';
import type { readRequest } from '../request/request-body.ts';
import { prepareResponses } from '../request/state.ts';
import { continued } from '../store/index.ts';
import type { ConnectionMemory } from './connection-memory.ts';
import type { Steering } from './steering.ts';

/** What the requests of one socket share. */
export interface SocketState {
  readonly context: BridgeContext;
  readonly client: WebSocket;
  /** The request that became the socket. */
  readonly request: IncomingMessage;
  readonly codex: boolean;
  readonly log: Logger;
  readonly memory: ConnectionMemory;
  readonly steering: Steering;
  /** The answers under way. */
  readonly running: Set<AbortController>;
  readonly draining: boolean;
  begin(): Exchange;
}

/** One frame, as it was read. */
export type ReadFrame = ReturnType<typeof readRequest>;

/** Answers what came in one frame, and the responses that follow from it by themselves; settles when the connection took it all. Never rejects. */
export async function serveFrame(state: SocketState, read: ReadFrame, streamId: string | undefined): Promise<void> {
  const one = new SocketRequest(state, streamId);
  for (let next: ReadFrame | undefined = read; next !== undefined;) {
    const successor: JsonObject | undefined = await one.serve(next);
    next = successor === undefined || 'refusal' in next ? undefined : { body: successor, size: next.size };
  }
}

class SocketRequest {
  readonly #state: SocketState;
  readonly #streamId: string | undefined;

  constructor(state: SocketState, streamId: string | undefined) {
    this.#state = state;
    this.#streamId = streamId;
  }

  /** Returns the request of the successor that was asked for meanwhile. */
  async serve(read: ReadFrame): Promise<JsonObject | undefined> {
    const exchange = this.#state.begin();
    const refusal = this.#state.draining
      ? shuttingDown()
      : 'refusal' in read
        ? read.refusal
        : this.#refusalOf(read.body);
    if (refusal !== undefined || 'refusal' in read) {
      if ('body' in read) this.#evict(read.body);
      await this.#refuse(exchange, refusal ?? shuttingDown());
      return undefined;
    }
    const { body, size } = read;
    const model = nonEmpty(body.model);
    exchange.onRequest({ route: 'responses_ws', wire: 'responses', model, size, body: () => body });
    try {
      return await this.#generate(exchange, body);
    } catch (error) {
      this.#evict(body);
      const told = refusalOf(error) ?? internalError(this.#state.log, error, 'a request on a socket failed');
      await this.#refuse(exchange, told);
      return undefined;
    }
  }

  async #generate(exchange: Exchange, body: JsonObject): Promise<JsonObject | undefined> {
    const { context, codex, memory, steering } = this.#state;
    const previous = nonEmpty(body.previous_response_id);
    const prepared = await prepareResponses(withSteered(body, steering.take(previous)), {
      store: context.store,
      live: context.live,
      codex,
      local: memory,
    });
    if (body.generate !== false) return this.#answer(exchange, prepared);
    await this.#warmUp(exchange, prepared);
    return undefined;
  }

  /** A continuation that failed takes what it continued along (Open Responses 2026-04-24). */
  #evict(body: JsonObject): void {
    const previous = nonEmpty(body.previous_response_id);
    if (previous !== undefined) this.#state.memory.forget(previous);
  }

  #refusalOf(body: JsonObject): ApiError | undefined {
    if (body.type !== 'response.create') {
      return badRequest('type: only response.create and response.steer are known here', { param: 'type' });
    }
    if (body.background === true) return badRequest('background: not over a WebSocket', { param: 'background' });
    const { streams, caller } = this.#state.context;
    if (streams.full) return tooMany();
    return body.generate === false ? undefined : caller?.admit('responses');
  }

  /** Takes in what a first request will build upon, without asking anybody. */
  async #warmUp(exchange: Exchange, prepared: Prepared): Promise<void> {
    const id = newId('resp');
    const encoding = responsesReplyEncoderFor(this.#state.context, prepared, id, this.#state.codex);
    const end = { type: 'completed', response_id: id, ended_by: 'response.completed' } as const;
    const events = [...encoding.push({ type: 'created', response_id: id }), ...encoding.push(end)];
    await this.#remember(prepared, encoding);
    exchange.onSent(events);
    exchange.onEnd({ how: 'completed', event: end }, () => encoding.body);
    await Promise.all(events.map(({ data }) => this.#send(data)));
  }

  async #answer(exchange: Exchange, prepared: Prepared): Promise<JsonObject | undefined> {
    const { context, client, request, codex, log, steering, running } = this.#state;
    const { headers } = request;
    const metadata = isObject(prepared.body.client_metadata) ? prepared.body.client_metadata : {};
    const given = nonEmpty(metadata[TURN_STATE_HEADER]) ?? firstHeaderValue(headers[TURN_STATE_HEADER]);
    const id = newId('resp');
    const encoding = responsesReplyEncoderFor(context, prepared, id, codex);
    const sink = new SocketReplyWriter(client, encoding, this.#streamId);
    const abort = new AbortController();
    running.add(abort);
    if (client.readyState !== client.OPEN) abort.abort(); // it left while its request was put together
    steering.begin(id, { encoding, send: (events) => sink.send(events) });
    await answer({
      context,
      exchange,
      prepared,
      encoding,
      sink,
      headers: { ...translatedHeaders(headers), ...metadataHeaders(metadata) },
      turn: context.seal.open(given),
      codex,
      abort,
      log: log.child({ request: exchange.id }),
      onTurn: (token) => {
        if (codex) client.send(inStream(turnFrame(token), this.#streamId));
      },
      onEnded: () => this.#remember(prepared, encoding),
      onLateUsage: (usage) => keepUsage(usage, context.store, log, prepared, encoding.body),
    });
    running.delete(abort);
    if (sink.rejected) this.#evict(prepared.body);
    const input = steering.end(id);
    return input === undefined || abort.signal.aborted ? undefined : successorOf(prepared.body, id, input);
  }

  async #remember(prepared: Prepared, encoding: ReplyEncoder): Promise<void> {
    const { memory, context, log } = this.#state;
    const response = encoding.body;
    const output = Array.isArray(response.output) ? (response.output as Item[]) : [];
    memory.add(String(response.id), continued(prepared.input, output));
    await keep(context.store, log, prepared, response);
  }

  #refuse(exchange: Exchange, error: ApiError): Promise<void> {
    exchange.onEnd({ how: 'refused', refusal: error });
    return this.#send(JSON.stringify(errorFrame(error)));
  }

  /** Settles when the connection took it: a client that asks and does not read is not asked what else it wants. */
  #send(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#state.client.send(inStream(text, this.#streamId), () => resolve());
    });
  }
}

/** With the input that waited for the outputs which this request brings before its own. */
function withSteered(body: JsonObject, steered: readonly Item[]): JsonObject {
  if (steered.length === 0) return body;
  const { input } = body;
  const own: readonly unknown[] =
    typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : Array.isArray(input) ? input : [];
  return { ...body, input: [...steered, ...own] };
}

/** A request with the settings of the one before it. */
function successorOf(body: JsonObject, previousId: string, input: readonly Item[]): JsonObject {
  return { ...omit(body, 'generate'), previous_response_id: previousId, input };
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
