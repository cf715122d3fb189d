import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { rawResponse } from '@turnwire/client/internal/platform/raw-response';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { errorBodyOf, errorFrameOf } from '@turnwire/wire/internal/encode-error';
import { protocols } from '@turnwire/wire/internal/protocols';
import type { Step } from '../answer.ts';
import { aborted, pause } from '@turnwire/client/internal/platform/wait';
import { earlierItems, remember, renderInput, responseNotFound, type ExchangeContext } from './exchange.ts';
import { enter, type PlayContext } from './play.ts';
import { headersOf, newRecord, type RecordedRequest } from './recorder.ts';
import { viewRequest, type RequestView } from '../scenario/request-view.ts';
import { renderReply, type RenderInput } from './render-reply.ts';
import { responsesInput } from '../scenario/wires.ts';

const PATHS = new Set(['/v1/responses', '/responses']);

/** Text not yet taken by the socket, in bytes, at which the mock waits. */
const HIGH_WATER = 1024 * 1024;

/** Messages that may wait on one socket while an answer is under way; more close it with 1008. */
const MAX_WAITING = 64;

/** The WebSocket side of a mock: upgrades of `/v1/responses`. */
export class WebSocketSide {
  readonly #context: ExchangeContext;
  readonly #silent = new Set<Duplex>();
  #server: WebSocketServer | undefined;
  #warmUps = 0;

  constructor(context: ExchangeContext) {
    this.#context = context;
  }

  /** Answers one upgrade request. */
  async upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => undefined); // a client that leaves in the middle is no event of note
    const refusal = this.#refusal(req);
    if (refusal === 'silent') {
      this.#silent.add(socket);
      socket.once('close', () => this.#silent.delete(socket));
      return;
    }
    if (refusal !== undefined) {
      refuseUpgrade(socket, refusal);
      return;
    }
    // Loaded at the first upgrade: a mock without WebSocket clients does not pay for it.
    const { WebSocketServer: Server } = await import('ws');
    this.#server ??= new Server({ noServer: true, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
    this.#server.handleUpgrade(req, socket, head, (client) => this.#serve(client, req));
  }

  /** Drops every socket. */
  close(): void {
    for (const socket of this.#silent) socket.destroy();
    for (const client of this.#server?.clients ?? []) client.terminate();
    this.#server?.close();
  }

  #refusal(req: IncomingMessage): number | 'silent' | undefined {
    const path = (req.url ?? '').split('?')[0] ?? '';
    if (!PATHS.has(path) || !(this.#context.wire === undefined || protocols[this.#context.wire].overWebSocket))
      return 404;
    return this.#context.faults.ofUpgrade();
  }

  #serve(client: WebSocket, req: IncomingMessage): void {
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, this.#context.closing]);
    let waiting = 0;
    let last: Promise<void> = Promise.resolve();
    client.on('close', () => gone.abort());
    client.on('error', () => gone.abort());
    client.on('message', (data: Buffer, isBinary: boolean) => {
      if (++waiting > MAX_WAITING) {
        client.close(1008, 'too many requests at once');
        return;
      }
      // One request after the other: the socket has one answer at a time.
      last = last
        .then(() =>
          signal.aborted ? undefined : this.#message(client, req, isBinary ? '' : data.toString('utf8'), signal),
        )
        .catch((error: unknown) =>
          sendJson(client, errorFrameOf(500, { message: String(error), type: 'server_error' })),
        )
        .finally(() => waiting--);
    });
  }

  async #message(client: WebSocket, req: IncomingMessage, text: string, signal: AbortSignal): Promise<void> {
    const message = parseJson(text);
    if (!isObject(message) || message.type !== 'response.create') {
      sendJson(client, errorFrameOf(400, { message: 'expected a response.create message' }));
      return;
    }
    const body: JsonObject = { ...message };
    delete body.type;
    const earlier = earlierItems(this.#context, body);
    if (earlier === undefined) {
      this.#record(req, text, body, undefined);
      sendJson(client, errorFrameOf(400, responseNotFound(body)));
      return;
    }
    if (body.generate === false) {
      this.#record(req, text, body, undefined);
      this.#warmUp(client, body, earlier);
      return;
    }
    const n = this.#context.recorder.modelRequests + 1;
    const view = viewRequest(body, { wire: 'responses', transport: 'websocket', n, earlier });
    await this.#answer(client, view, this.#record(req, text, body, view), earlier, signal);
  }

  async #answer(
    client: WebSocket,
    view: RequestView,
    record: RecordedRequest,
    earlier: readonly unknown[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, recorder } = this.#context;
    const play: PlayContext = { clock, recorder, state: record.answer, signal };
    const left = (): void => {
      if (record.answer.phase === 'held') record.answer.heldMs = clock.now() - record.answer.since;
      if (['waiting', 'streaming', 'held'].includes(record.answer.phase)) enter(play, 'left');
    };
    client.once('close', left);
    try {
      const input = renderInput(this.#context, view, 'websocket', '');
      if ('missing' in input) {
        sendJson(client, errorFrameOf(400, { message: input.missing }));
        enter(play, 'ended');
        return;
      }
      remember(this.#context, input, earlier);
      record.answer.status = 200;
      enter(play, 'streaming');
      await playMessages(client, stepsWithError(input), play);
    } finally {
      client.off('close', left);
    }
  }

  /** `generate: false`: an id to build on, nothing is generated. */
  #warmUp(client: WebSocket, body: JsonObject, earlier: readonly unknown[]): void {
    const id = `resp_warm_${++this.#warmUps}`;
    this.#context.responses.set(id, () => [...earlier, ...responsesInput(body)]);
    const response = { id, object: 'response', created_at: this.#context.createdAt, output: [] };
    sendJson(client, {
      type: 'response.created',
      response: { ...response, status: 'in_progress' },
      sequence_number: 0,
    });
    sendJson(client, {
      type: 'response.completed',
      response: { ...response, status: 'completed' },
      sequence_number: 1,
    });
  }

  #record(req: IncomingMessage, text: string, body: JsonObject, view: RequestView | undefined): RecordedRequest {
    const { clock, recorder, startedAt } = this.#context;
    const [path = '', query = ''] = (req.url ?? '').split('?');
    const record = newRecord(
      {
        n: recorder.next(),
        method: 'WS',
        path,
        query,
        headers: headersOf(req.headers),
        transport: 'websocket',
        text,
        body,
        view,
      },
      clock,
      startedAt,
    );
    recorder.add(record);
    return record;
  }
}

function refuseUpgrade(socket: Duplex, status: number): void {
  const body = JSON.stringify(errorBodyOf({ message: `no WebSocket here: ${status}` }));
  socket.end(rawResponse(status, [['content-type', 'application/json']], body));
}

/** A reply that is an HTTP error is an error frame here. */
function stepsWithError(input: RenderInput): Iterable<Step> {
  const { error } = input.reply;
  if (error?.status === undefined) return renderReply(input);
  const { status, ...fields } = error;
  return [
    { do: 'write', data: JSON.stringify({ type: 'error', status, error: fields }), mark: 'error' },
    { do: 'end' },
  ];
}

async function playMessages(client: WebSocket, steps: Iterable<Step>, play: PlayContext): Promise<void> {
  for (const step of steps) {
    if (play.signal.aborted) return;
    await performStep(client, step, play);
  }
}

async function performStep(client: WebSocket, step: Step, play: PlayContext): Promise<void> {
  switch (step.do) {
    case 'write':
      play.state.writes++;
      if (step.mark !== undefined) play.state.said = step.mark;
      client.send(step.data);
      if (client.bufferedAmount > HIGH_WATER) await drained(client, play.signal);
      return;
    case 'wait':
      await pause(play.clock, step.ms, play.signal);
      return;
    case 'hold':
    case 'pulse':
      enter(play, 'held');
      await aborted(play.signal);
      return;
    case 'end':
      enter(play, 'ended');
      return;
    case 'cut':
      enter(play, 'cut');
      client.terminate();
      return;
    case 'reset':
      enter(play, 'cut');
      client.terminate();
      return;
    case 'close':
      enter(play, 'cut');
      client.close(step.code, step.reason);
      return;
    case 'ping':
      client.ping();
  }
}

/** Until what was sent so far is with the kernel, or the signal says that nobody takes it. */
async function drained(client: WebSocket, signal: AbortSignal): Promise<void> {
  const sent = new EventTarget();
  client.ping(undefined, undefined, () => sent.dispatchEvent(new Event('sent')));
  await once(sent, 'sent', { signal }).catch(() => undefined);
}

function sendJson(client: WebSocket, value: JsonObject): void {
  client.send(JSON.stringify(value));
}
