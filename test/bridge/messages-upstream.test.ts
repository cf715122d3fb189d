import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBridge, type Bridge, type BridgeOptions } from '../../packages/bridge/src/index.ts';
import { createDecoder, type ProtocolId } from '../../packages/wire/src/index.ts';
import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import { createTranscriptText } from '../wire/summaries.ts';
import {
  begin,
  body,
  calls,
  finish,
  jsonDelta,
  last,
  signatureDelta,
  start,
  stop,
  texts,
  thinkingBlock,
  thinkingDelta,
  toolBlock,
} from '../wire/messages-support.ts';

/** Clients of the other wires in front of a server that speaks Messages and nothing else, over real sockets. */
const thinking = [start(0, thinkingBlock), thinkingDelta(0, 'hm'), signatureDelta(0, 'sig'), stop(0)];

interface Answer {
  readonly sent: string;
  /** Left open behind what was sent. */
  readonly hold?: boolean;
  readonly told: {
    readonly text?: string;
    readonly reasoning?: string;
    readonly calls?: readonly string[];
    readonly end: string;
  };
}

const answers: Readonly<Record<string, Answer>> = {
  text: { sent: body(begin(), ...texts(0, 'hel', 'lo'), finish(), last), told: { text: 'hello', end: 'completed' } },
  'a call': {
    sent: body(begin(), ...texts(0, 'so'), ...calls(1, 'toolu_1', '{"a"', ':1}'), finish('tool_use'), last),
    told: { text: 'so', calls: ['f({"a":1})'], end: 'completed' },
  },
  'parallel calls, interleaved': {
    sent: body(
      ...[begin(), start(0, toolBlock('t1')), start(1, toolBlock('t2'))],
      ...[jsonDelta(1, '{"b":2}'), jsonDelta(0, '{"a":1}'), stop(1), stop(0), finish('tool_use'), last],
    ),
    told: { calls: ['f({"a":1})', 'f({"b":2})'], end: 'completed' },
  },
  'calls that end in end_turn': {
    sent: body(begin(), ...calls(0, 'toolu_1', '{}'), finish('end_turn'), last),
    told: { calls: ['f({})'], end: 'completed' },
  },
  reasoning: {
    sent: body(begin(), ...thinking, ...texts(1, 'hello'), finish(), last),
    told: { reasoning: 'hm', text: 'hello', end: 'completed' },
  },
  'a limit': {
    sent: body(begin(), ...texts(0, 'hel'), finish('max_tokens'), last),
    told: { text: 'hel', end: 'incomplete' },
  },
  'an error': {
    sent: body(begin(), ...texts(0, 'hel'), { type: 'error', error: { type: 'api_error', message: 'boom' } }),
    told: { text: 'hel', end: 'failed' },
  },
  'a cut': { sent: body(begin(), ...texts(0, 'hel')), told: { text: 'hel', end: 'failed' } },
  'a finish that is held open': {
    sent: body(begin(), ...texts(0, 'hello'), finish()),
    hold: true,
    told: { text: 'hello', end: 'completed' },
  },
};

const clients = {
  chat: {
    path: '/v1/chat/completions',
    body: {
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    },
  },
  responses: {
    path: '/v1/responses',
    body: { input: 'hi', tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }] },
  },
} as const;

let answer: Answer = answers.text!;
const seen: { readonly path: string | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
const open = new Set<ServerResponse>();
const server = createServer((req, res) => {
  let text = '';
  req.setEncoding('utf8').on('data', (piece: string) => void (text += piece));
  req.once('end', () => {
    seen.push({ path: req.url, headers: req.headers, body: text });
    if (req.url !== '/v1/messages') {
      res.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"no route"}}');
    } else if (text === '[]') {
      res.writeHead(400, { 'content-type': 'application/json' });
      res.end('{"type":"error","error":{"type":"invalid_request_error","message":"no object"}}');
    } else {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      if (answer.hold === true) open.add(res.once('close', () => open.delete(res)));
      if (answer.hold === true) res.write(answer.sent);
      else res.end(answer.sent);
    }
  });
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function startBridge(options: Partial<BridgeOptions> = {}): Promise<Bridge> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const bridge = createBridge({ upstreams: [url], port: 0, requestMaxRetries: 0, drainTimeoutMs: 0, ...options });
  await bridge.listen();
  return bridge;
}

async function ask(bridge: Bridge, client: keyof typeof clients, stream: boolean) {
  const { path, body: fields } = clients[client];
  const response = await fetch(bridge.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', stream, ...fields }),
  });
  return { status: response.status, ...told(client, await textOf(response)) };
}

/** What came of a body, also where it was cut. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  } catch {
    // a failed chat stream is cut
  }
  return text;
}

function told(wire: ProtocolId, text: string) {
  const decoder = createDecoder(wire, { tokenLimit: true });
  const events = [...decoder.push(new TextEncoder().encode(text)), ...decoder.end({ type: 'close' })];
  const items = events.flatMap((event): OutputItem[] => (event.type === 'output_item.done' ? [event.item] : []));
  const { kind } = decoder.failure ?? {};
  const end = kind === undefined ? 'completed' : kind === 'incomplete' ? 'incomplete' : 'failed';
  return { ...createTranscriptText(items), end };
}

describe.each(['chat', 'responses'] as const)('a %s client on a Messages server', (client) => {
  it.each(Object.entries(answers))('is streamed %s', async (_, given) => {
    answer = given;
    await using bridge = await startBridge({ wire: 'messages' });
    expect(await ask(bridge, client, true)).toEqual({ status: 200, text: '', reasoning: '', calls: [], ...given.told });
  });

  it.each(
    Object.entries(answers).filter(
      ([
        ,
        {
          told: { end },
        },
      ]) => end !== 'failed',
    ),
  )('is given %s as one body', async (_, given) => {
    answer = given;
    await using bridge = await startBridge({ wire: 'messages' });
    expect(await ask(bridge, client, false)).toEqual({
      status: 200,
      text: '',
      reasoning: '',
      calls: [],
      ...given.told,
    });
  });

  it('finds by itself what the server speaks, and sends the key as such servers take it', async () => {
    answer = answers.text!;
    seen.length = 0;
    await using bridge = await startBridge({ wire: 'auto', apiKey: () => 'sk-ant-1' });
    expect(await ask(bridge, client, true)).toMatchObject({ status: 200, text: 'hello', end: 'completed' });
    expect(seen.map(({ path }) => path)).toEqual([
      '/v1/chat/completions',
      '/v1/responses',
      '/v1/messages',
      '/v1/messages',
    ]);
    const { headers, body: asked } = seen.at(-1)!;
    expect(headers).toMatchObject({ 'x-api-key': 'sk-ant-1', 'anthropic-version': '2023-06-01' });
    expect(headers).not.toHaveProperty('authorization');
    expect(JSON.parse(asked)).toMatchObject({
      model: 'm',
      messages: [{ role: 'user' }],
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
    });
  });
});

it('passes a Messages request through with the version that the client named and the key of the bridge', async () => {
  answer = answers.text!;
  seen.length = 0;
  await using bridge = await startBridge({ mode: 'passthrough', apiKey: () => 'sk-ant-1' });
  const response = await fetch(`${bridge.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2026-10-21', 'x-api-key': 'client' },
    body: JSON.stringify({ model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'hi' }] }),
  });
  expect(await response.text()).toBe(answer.sent);
  expect(seen[0]?.headers).toMatchObject({ 'anthropic-version': '2026-10-21', 'x-api-key': 'sk-ant-1' });
});
