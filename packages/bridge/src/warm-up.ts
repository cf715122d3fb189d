import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createServer } from '@turnwire/client/internal/platform/node-http';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { nextTurn, wait } from '@turnwire/client/internal/platform/wait';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { protocolIds, protocolOfPath, protocols } from '@turnwire/wire/internal/protocols';
import type { BridgeOptions, Settings } from './options.ts';

const HOST = '127.0.0.1';
/** A bridge as far as it is warmed up. */
interface WarmBridge {
  /** Once it listens. */
  readonly port: number;
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** Requests that are under way at one time. */
const AT_ONCE = 16;

/**
 * Runs the code that answers requests, so that V8 has compiled it when the first client comes: a bridge of its own, which shares nothing
 * with the one that is to serve, answers clients of every wire from a model server in this process, all on loopback. It ends
 * after `warmUpMs`, whatever was answered by then. Why: docs/decisions/0032-warm-up.md.
 *
 * @param serve - makes that bridge
 */
export async function warmUp(settings: Settings, serve: (options: BridgeOptions) => WarmBridge): Promise<void> {
  const { clock, warmUpMs } = settings;
  const upstream = createServer(answer);
  await listening(upstream);
  const token = randomHex(16);
  const bridge = serve(optionsFor(settings, portOf(upstream), token));
  const over = new AbortController();
  try {
    await bridge.listen();
    const requests = protocolIds.map((wire) => requestText(wire, token));
    for (let lane = 0; lane < AT_ONCE; lane++) void askOn(bridge.port, requests, lane, over.signal);
    await wait(clock, warmUpMs);
  } finally {
    over.abort();
    await bridge.close();
    upstream.close().closeAllConnections();
  }
}

/** Asks one after the other; ends with the bridge, which cuts the last one. Never rejects. */
async function askOn(port: number, requests: readonly string[], first: number, over: AbortSignal): Promise<void> {
  for (let n = first; !over.aborted; n++) await ask(port, requests[n % requests.length] ?? '');
}

/** As the bridge that is to serve, where that decides which code runs. */
function optionsFor({ mode, upstreams, resumeMs, inspect }: Settings, port: number, authToken: string): BridgeOptions {
  const wire = upstreams.map((each) => each.wire).find((each) => each !== 'auto') ?? 'chat';
  return {
    upstreams: [`http://${HOST}:${port}/v1`],
    wire,
    mode,
    host: HOST,
    port: 0,
    authToken,
    resumeMs,
    drainTimeoutMs: 0,
    ...(inspect === undefined ? {} : { inspect: { page: [] } }),
  };
}

async function listening(server: Server): Promise<void> {
  server.listen(0, HOST);
  await once(server, 'listening');
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port; // it listens on a port
}

const REQUEST: ModelRequest = {
  model: 'warm-up',
  instructions: 'Be brief.',
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'What is in this folder?' }] }],
  tools: [
    {
      type: 'function',
      name: 'list',
      description: 'Lists a folder.',
      parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
    },
  ],
};

/** A request for a stream as a client sends it that is gone behind the answer. */
function requestText(wire: ProtocolId, token: string): string {
  const protocol = protocols[wire];
  const body = JSON.stringify({ ...protocol.toRequest(REQUEST, { maxOutputTokens: 100 }).body, stream: true });
  const head = [
    `POST /v1/${protocol.path} HTTP/1.1`,
    `host: ${HOST}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Settles when the answer is over, or the connection. */
function ask(port: number, request: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST }, () => socket.write(request));
    socket
      .on('error', () => undefined) // `close` follows
      .once('close', () => resolve())
      .resume();
  });
}

/** The model server. Each of its connections is for one answer, as new ones are what comes first. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume().once('end', () => void write(response, answers[protocolOfPath(request.url ?? '') ?? 'chat']));
}

async function write(response: ServerResponse, [first, rest]: readonly [string, string]): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
  response.write(first);
  await nextTurn();
  response.end(rest);
}

const MESSAGE = { type: 'message', id: 'msg_1', role: 'assistant' } as const;
const WORDS = ['It', ' holds', ' a', ' "page"', ' and', ' two', ' pictures', '.'];
const CALL = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'list' } as const;
const INPUT = '{"path":"."}';

const EVENTS: readonly ModelEvent[] = [
  { type: 'created', response_id: 'answer_1' },
  { type: 'output_item.added', item: { ...MESSAGE, content: [] } },
  ...WORDS.map((delta): ModelEvent => ({ type: 'output_text.delta', item_id: MESSAGE.id, delta })),
  {
    type: 'output_item.done',
    item: { ...MESSAGE, content: [{ type: 'output_text', text: WORDS.join(''), annotations: [] }] },
  },
  { type: 'output_item.added', item: { ...CALL, arguments: '' } },
  { type: 'tool_call_input.delta', call_id: CALL.call_id, item_id: CALL.id, delta: INPUT },
  { type: 'output_item.done', item: { ...CALL, arguments: INPUT } },
  {
    type: 'completed',
    response_id: 'answer_1',
    usage: {
      input_tokens: 40,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 60,
    },
    ended_by: 'response.completed',
  },
];

/** So many of them come before the others. */
const FIRST = 3;

/** What the model server answers on each wire, in the pieces that it is written in. */
const answers: Readonly<Record<ProtocolId, readonly [string, string]>> = {
  chat: piecesOf('chat'),
  responses: piecesOf('responses'),
  messages: piecesOf('messages'),
};

function piecesOf(wire: ProtocolId): readonly [string, string] {
  const protocol = protocols[wire];
  const encoder = protocol.createEncoder({ id: 'answer_1', createdAt: 0, model: REQUEST.model });
  const textOf = (events: readonly ModelEvent[]): string => protocol.toSse(events.flatMap((one) => encoder.push(one)));
  return [textOf(EVENTS.slice(0, FIRST)), textOf(EVENTS.slice(FIRST))];
}
