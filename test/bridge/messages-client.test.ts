import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createBridge, type Bridge, type BridgeOptions } from '../../packages/bridge/src/index.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import { orderProblem } from '../wire/messages-order.ts';
import { post, readBody, sseEvents, startRig, type Json } from './harness.ts';

const headers = { 'anthropic-version': '2023-06-01' };
const hello = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] };
const tools = [{ name: 'read_file', input_schema: { type: 'object', properties: { path: { type: 'string' } } } }];

/** How one answer ended, and what it said: texts, thinking and calls. */
interface Ended {
  readonly status: number;
  readonly how: string;
  readonly blocks: readonly Json[];
}

async function ask(bridge: Bridge, body: Json, stream: boolean): Promise<Ended> {
  const response = await post(bridge, '/v1/messages?beta=true', { ...hello, stream, ...body }, { headers });
  const { text, cut } = await readBody(response);
  expect(cut).toBe(false); // the end is told, never meant by a cut
  if (response.status !== 200) return { status: response.status, how: errorType(JSON.parse(text)), blocks: [] };
  if (!stream) {
    const { content, stop_reason } = JSON.parse(text) as { content: Json[]; stop_reason: string };
    return { status: 200, how: stop_reason, blocks: content.map(bare) };
  }
  const events = sseEvents(text);
  expect(
    orderProblem(events.map((event) => ({ type: String(event.type), data: JSON.stringify(event) }))),
  ).toBeUndefined();
  return { status: 200, how: endOf(events), blocks: blocksOf(events) };
}

function errorType(body: unknown): string {
  return String(((body as Json).error as Json).type);
}

function endOf(events: readonly Json[]): string {
  const failed = events.find(({ type }) => type === 'error');
  if (failed !== undefined) return `error:${errorType(failed)}`;
  expect(events.at(-1)).toEqual({ type: 'message_stop' });
  return String((events.findLast(({ type }) => type === 'message_delta')?.delta as Json).stop_reason);
}

function blocksOf(events: readonly Json[]): Json[] {
  const blocks: Json[] = [];
  for (const event of events) {
    if (event.type === 'content_block_start') blocks.push({ ...(event.content_block as Json), json: '' });
    const block = blocks.at(-1);
    const delta = event.delta as Json | undefined;
    if (block === undefined || event.type !== 'content_block_delta') continue;
    if (delta?.type === 'text_delta') block.text = String(block.text) + String(delta.text);
    if (delta?.type === 'thinking_delta') block.thinking = String(block.thinking) + String(delta.thinking);
    if (delta?.type === 'signature_delta') block.signature = delta.signature;
    if (delta?.type === 'input_json_delta') block.json = String(block.json) + String(delta.partial_json);
  }
  return blocks.map(({ json, ...block }) =>
    bare(block.type === 'tool_use' ? { ...block, input: JSON.parse(String(json)) } : block),
  );
}

/** A block without what differs from answer to answer. */
function bare({ type, text, thinking, name, input }: Json): Json {
  return Object.fromEntries(
    Object.entries({ type, text, thinking, name, input }).filter(([, value]) => value !== undefined),
  );
}

const wires: readonly ProtocolId[] = ['chat', 'responses', 'messages'];
const cells = wires.flatMap((wire) => [true, false].map((stream) => ({ wire, stream })));

describe('a Messages client of the bridge', () => {
  it.each(cells)('N2 N11 gets a text from a $wire server (stream: $stream)', async ({ wire, stream }) => {
    await using at = await startRig({ wire, scenario: 'text' }, { wire });
    const ended = await ask(at.bridge, {}, stream);
    expect(ended).toMatchObject({ status: 200, how: 'end_turn', blocks: [{ type: 'text' }] });
    expect(ended.blocks).toHaveLength(1);
  });

  it.each(cells)('N6 N8 gets a call from a $wire server (stream: $stream)', async ({ wire, stream }) => {
    await using at = await startRig({ wire, scenario: 'tool-call' }, { wire });
    const ended = await ask(at.bridge, { tools }, stream);
    expect(ended.how).toBe('tool_use');
    expect(ended.blocks.filter(({ type }) => type === 'tool_use')).toMatchObject([{ name: 'read_file' }]);
  });

  it.each(cells)('N12 is told that a $wire server broke off (stream: $stream)', async ({ wire, stream }) => {
    await using at = await startRig({ wire, scenario: 'text', faults: ['cut-after:4'] }, { wire });
    const ended = await ask(at.bridge, {}, stream);
    expect([ended.status, ended.how]).toEqual(stream ? [200, 'error:api_error'] : [502, 'api_error']);
  });
});

describe('errors for a Messages client', () => {
  it('E have their form, their id and their headers', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const response = await post(at.bridge, '/v1/messages', { ...hello, messages: 'x' }, { headers });
    const id = response.headers.get('request-id');
    expect(id).toMatch(/^req_/);
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: 'messages: expected an array, got a string',
          details: { error_code: 'invalid_type' },
        },
        request_id: id,
      },
    ]);
  });

  it('Q1 a thread is refused as the SDK expects', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const response = await post(at.bridge, '/v1/messages', { ...hello, thread: { type: 'create' } }, { headers });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] } } },
    ]);
  });

  it('a path that is not there is told in their form, too', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const response = await fetch(`${at.bridge.url}/v1/nowhere`, { headers });
    expect([response.status, errorType(await response.json())]).toEqual([404, 'not_found_error']);
  });

  it('x-api-key is a token as good as a bearer; a wrong one is not asked for again', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', authToken: 'sesame' });
    const status = async (own: Record<string, string>): Promise<number> =>
      (await post(at.bridge, '/v1/messages', hello, { headers: { ...headers, ...own } })).status;
    expect([await status({ 'x-api-key': 'sesame' }), await status({ authorization: 'Bearer sesame' })]).toEqual([
      200, 200,
    ]);
    const refused = await post(at.bridge, '/v1/messages', hello, { headers: { ...headers, 'x-api-key': 'sesam' } });
    expect([refused.status, refused.headers.get('x-should-retry'), errorType(await refused.json())]).toEqual([
      401,
      'false',
      'authentication_error',
    ]);
  });
});

describe('what else a Messages client asks', () => {
  it('HEAD / says that somebody is there', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    expect((await fetch(at.bridge.url, { method: 'HEAD' })).status).toBe(200);
  });

  it('Q9 the list of models has the form of the client', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const list = (await (await fetch(`${at.bridge.url}/v1/models`)).json()) as { data: Json[] };
    const asked = (await (await fetch(`${at.bridge.url}/v1/models?limit=1000`, { headers })).json()) as Json;
    const ids = list.data.map(({ id }) => id);
    expect(list).toMatchObject({ object: 'list' });
    expect(asked).toEqual({
      data: ids.map((id) => ({
        type: 'model',
        id,
        display_name: id,
        created_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      })),
      has_more: false,
      first_id: ids[0],
      last_id: ids.at(-1),
    });
  });

  it.each(wires.filter((wire) => wire !== 'messages'))('Q9 counts tokens on a %s server', async (wire) => {
    await using at = await startRig({ wire }, { wire });
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(9000) } };
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'x'.repeat(400) }, image] }];
    const response = await post(at.bridge, '/v1/messages/count_tokens', { model: 'm', messages }, { headers });
    const { input_tokens } = (await response.json()) as { input_tokens: number };
    expect(response.status).toBe(200);
    expect(input_tokens).toBeGreaterThan(1600);
    expect(input_tokens).toBeLessThan(1700);
    // A server that cannot count is no worse for it.
    expect((await ask(at.bridge, {}, false)).status).toBe(200);
  });

  it('Q9 tells what a server of the wire counts', async () => {
    await using server = await serving((request, body) => {
      expect([request.url, JSON.parse(body)]).toEqual(['/v1/messages/count_tokens', { model: 'm', messages: [] }]);
      return '{"input_tokens":42}';
    });
    await using bridge = await bridgeTo(server.url, { wire: 'messages' });
    const response = await post(bridge, '/v1/messages/count_tokens', { model: 'm', messages: [] }, { headers });
    expect(await response.json()).toEqual({ input_tokens: 42 });
  });

  it('while the server thinks, it is sent pings', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'text', faults: ['stall-after:1'] },
      { wire: 'chat', heartbeatMs: 20 },
    );
    const response = await post(at.bridge, '/v1/messages', { ...hello, stream: true }, { headers });
    let text = '';
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes as Uint8Array).toString();
      if ((text.match(/event: ping\n/g) ?? []).length > 2) break;
    }
    expect(text).toContain('event: ping\ndata: {"type":"ping"}\n\n');
    expect(text).not.toContain(': keep-alive');
  });
});

describe('what a Messages client sends', () => {
  const claude = JSON.parse(
    readFileSync(new URL('../captures/clients/claude-code--parallel.json', import.meta.url), 'utf8'),
  ) as Json[];

  it("Q2 Claude Code's line for accounting goes to no other server", async () => {
    for (const wire of wires) {
      await using at = await startRig({ wire }, { wire });
      const response = await post(at.bridge, '/v1/messages', { ...claude[1], stream: false }, { headers });
      expect([wire, response.status, response.headers.get('x-turnwire-not-carried')]).toEqual([wire, 200, null]);
      const { body } = at.mock.requests.findLast(({ body: sent }) => JSON.stringify(sent).includes('Claude')) ?? {};
      expect([wire, JSON.stringify(body).includes('x-anthropic-billing-header')]).toEqual([wire, false]);
    }
  });

  it.each(wires)('Q2 its marks of what to keep are named in the log where a %s server is not told', async (wire) => {
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    await using at = await startRig({ wire }, { wire, logger });
    await post(at.bridge, '/v1/messages', { ...claude[1], stream: false }, { headers });
    const ignored = lines.flatMap((line) => (JSON.parse(line) as { fields?: string[] }).fields ?? []);
    expect(ignored.includes('cache_control')).toBe(wire !== 'messages');
  });

  const between = [
    { role: 'user', content: 'hi' },
    { role: 'system', content: 'be brief' },
    { role: 'assistant', content: 'yes' },
    { role: 'user', content: 'go' },
  ];
  const asUser = 'hi|<system-reminder>\nbe brief\n</system-reminder>';
  /** Role and texts of each message. */
  const said = (body: Json): string[] =>
    (body.messages as Json[]).map(({ role, content }) => {
      const texts = typeof content === 'string' ? content.split('\n\n') : (content as Json[]).map(({ text }) => text);
      return `${String(role)}: ${texts.join('|')}`;
    });

  it.each(['chat', 'messages'] as const)(
    'Q3 keeps the system at its place, and lets the user say it once a %s server refuses that',
    async (wire) => {
      const seen: string[][] = [];
      await using server = await serving((_, body) => {
        const texts = said(JSON.parse(body) as Json);
        seen.push(texts);
        if (texts[1]?.startsWith('system') === true)
          return {
            status: 500,
            body: '{"error":{"message":"Jinja Exception: System message must be at the beginning."}}',
          };
        return WHOLE[wire];
      });
      await using bridge = await bridgeTo(server.url, { wire });
      const asking = () => post(bridge, '/v1/messages', { ...hello, messages: between }, { headers });
      expect([(await asking()).status, (await asking()).status]).toEqual([200, 200]);
      const rest = ['assistant: yes', 'user: go'];
      const mended = [`user: ${asUser}`, ...rest];
      expect(seen).toEqual([['user: hi', 'system: be brief', ...rest], mended, mended]);
    },
  );

  it.each(['chat', 'messages'] as const)(
    'Q3 lets the user say it to a %s server from the start, if asked',
    async (wire) => {
      const seen: string[][] = [];
      await using server = await serving((_, body) => {
        seen.push(said(JSON.parse(body) as Json));
        return WHOLE[wire];
      });
      await using bridge = await bridgeTo(server.url, { wire, systemAsUser: true });
      expect((await post(bridge, '/v1/messages', { ...hello, messages: between }, { headers })).status).toBe(200);
      expect(seen).toEqual([[`user: ${asUser}`, 'assistant: yes', 'user: go']]);
    },
  );

  it('goes to a server of the same wire with its marks and its betas', async () => {
    const seen: { headers: IncomingMessage['headers']; body: Json }[] = [];
    await using server = await serving((request, body) => {
      seen.push({ headers: request.headers, body: JSON.parse(body) as Json });
      return JSON.stringify({
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        content: [],
        stop_reason: 'end_turn',
        usage: {},
      });
    });
    await using bridge = await bridgeTo(server.url, { wire: 'messages' });
    const betas = { ...headers, 'anthropic-beta': 'context-management-2025-06-27' };
    await post(bridge, '/v1/messages', { ...claude[1], stream: false }, { headers: betas });
    const { messages, tools: sentTools, context_management, thinking } = claude[1] as Json;
    const blocks = (messages as Json[]).map(({ role, content }) => ({
      role,
      content: typeof content === 'string' ? [{ type: 'text', text: content }] : content,
    }));
    expect(seen.at(-1)?.body).toMatchObject({ messages: blocks, tools: sentTools, context_management, thinking });
    expect(seen.at(-1)?.headers['anthropic-beta']).toBe('context-management-2025-06-27');
  });
});

const WHOLE = {
  messages: '{"id":"msg_1","type":"message","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn"}',
  chat: '{"choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}',
} as const;

/** A server that gives each request the JSON that `answer` makes, with status 200 where it names none. */
async function serving(
  answer: (request: IncomingMessage, body: string) => string | { readonly status: number; readonly body: string },
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const given = answer(request, Buffer.concat(chunks).toString());
      const { status, body } = typeof given === 'string' ? { status: 200, body: given } : given;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function bridgeTo(url: string, options: Partial<BridgeOptions>): Promise<Bridge> {
  const bridge = createBridge({ upstreams: [url], port: 0, requestMaxRetries: 0, drainTimeoutMs: 0, ...options });
  await bridge.listen();
  return bridge;
}
