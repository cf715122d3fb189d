import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../packages/testing/src/index.ts';
import { askJson, askOn, askSse, openSocket, post, startRig, type Json, type Rig } from './harness.ts';
import { chatChunk, chatEnd, startRawUpstream } from './raw-upstream.ts';
import { startRedis, whyNoRedis } from './redis-server.ts';

/** Repeats what the model was told, oldest first. */
const echo: Scenario = {
  turns: [
    {
      replies: [
        {
          parts: ({ body }) => {
            const messages = body.messages as { role: string; content: unknown }[];
            return [{ type: 'text', text: messages.map((one) => `${one.role}:${String(one.content)}`).join(' ') }];
          },
        },
      ],
    },
  ],
};

function rig(): Promise<Rig> {
  return startRig({ wire: 'chat', scenario: echo }, { wire: 'chat' });
}

async function get(at: Rig, path: string, method = 'GET'): Promise<{ status: number; body: Json }> {
  const response = await fetch(at.bridge.url + path, { method });
  return { status: response.status, body: (await response.json()) as Json };
}

describe('bridge: state', () => {
  it('continues a response, over JSON and SSE', async () => {
    await using at = await rig();
    const first = await askJson(at.bridge, { input: 'one' });
    const second = await askSse(at.bridge, { input: 'two', previous_response_id: first.body?.id });
    expect(second.text).toBe('user:one assistant:user:one user:two');
    const third = await askJson(at.bridge, { input: 'three', previous_response_id: second.body?.id });
    expect(third.text).toContain('user:one assistant:user:one user:two assistant:');
    expect(third.text).toMatch(/user:three$/);
  });

  it('does not know a response that was not to be stored, or was deleted', async () => {
    await using at = await rig();
    const kept = await askJson(at.bridge, { input: 'one' });
    const lost = await askJson(at.bridge, { input: 'one', store: false });
    const asked = at.mock.requests.length;
    expect((await get(at, `/v1/responses/${String(kept.body?.id)}`, 'DELETE')).body).toMatchObject({ deleted: true });
    for (const id of [lost.body?.id, kept.body?.id, 'resp_never']) {
      const end = await askSse(at.bridge, { input: 'two', previous_response_id: id });
      expect([end.how, end.body?.code, end.body?.param]).toEqual([
        'http:404',
        'previous_response_not_found',
        'previous_response_id',
      ]);
      expect((await get(at, `/v1/responses/${String(id)}`)).status).toBe(404);
    }
    expect(at.mock.requests.length).toBe(asked);
  });

  it('keeps an answer that a limit cut', async () => {
    await using at = await startRig({ wire: 'chat', scenario: 'text', faults: ['length@1'] }, { wire: 'chat' });
    const cut = await askSse(at.bridge, { input: 'one' });
    expect(cut.how).toBe('incomplete:max_output_tokens');
    expect((await get(at, `/v1/responses/${String(cut.body?.id)}`)).body).toEqual(cut.body);
    const next = await askJson(at.bridge, { input: 'go on', previous_response_id: cut.body?.id });
    expect(next.how).toBe('completed');
    expect((at.mock.requests[1]?.body?.messages as unknown[]).length).toBe(3);
  });

  it('serves responses and their input items', async () => {
    await using at = await rig();
    const input = ['a', 'b', 'c'].map((content) => ({ role: 'user', content }));
    const end = await askSse(at.bridge, { input });
    const id = String(end.body?.id);
    for (const prefix of ['', '/v1']) expect((await get(at, `${prefix}/responses/${id}`)).body).toEqual(end.body);
    const page = (await get(at, `/v1/responses/${id}/input_items?limit=2`)).body;
    const data = page.data as { id: string; type: string; role: string; content: unknown }[];
    const listed = (text: string): unknown => [{ type: 'input_text', text }];
    expect([data.map((item) => item.content), page.has_more]).toEqual([[listed('c'), listed('b')], true]);
    expect(data.map((item) => [item.type, item.role])).toEqual(Array(2).fill(['message', 'user']));
    const rest = (await get(at, `/v1/responses/${id}/input_items?after=${data[1]!.id}`)).body;
    expect([(rest.data as Json[]).map((item) => item.content), rest.has_more]).toEqual([[listed('a')], false]);
    expect((await get(at, '/v1/responses/resp_never/input_items')).status).toBe(404);
  });

  it('tells when its store fails', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnwire-'));
    const path = join(folder, 'store.db');
    try {
      await using at = await startRig({ wire: 'chat', scenario: echo }, { wire: 'chat', store: `sqlite:${path}` });
      const { body } = await askJson(at.bridge, { input: 'one' });
      const database = new DatabaseSync(path);
      database.exec('DROP TABLE items; DROP TABLE responses');
      database.close();
      for (const [method, rest] of [
        ['GET', ''],
        ['GET', '/input_items'],
        ['DELETE', ''],
      ] as const) {
        const answer = await get(at, `/v1/responses/${String(body?.id)}${rest}`, method);
        expect([answer.status, (answer.body.error as Json).type]).toEqual([503, 'server_error']);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('resolves references to items, once', async () => {
    await using at = await rig();
    const first = await askJson(at.bridge, { input: 'one' });
    const id = (first.body?.output as Json[])[0]!.id;
    const second = await askJson(at.bridge, {
      input: [
        { type: 'item_reference', id },
        { role: 'user', content: 'two' },
      ],
    });
    expect(second.text).toBe('assistant:user:one user:two');
    const third = await askJson(at.bridge, {
      previous_response_id: first.body?.id,
      input: [
        { type: 'item_reference', id },
        { role: 'user', content: 'two' },
      ],
    });
    expect(third.text).toBe('user:one assistant:user:one user:two');
    const missing = await askJson(at.bridge, { input: [{ type: 'item_reference', id: 'msg_never' }] });
    expect([missing.how, missing.body?.code, missing.body?.param]).toEqual([
      'http:404',
      'item_not_found',
      'input[0].id',
    ]);
  });

  it('remembers on a socket what it was told not to store', async () => {
    await using at = await rig();
    const socket = await openSocket(at.bridge, { originator: 'codex_exec' });
    const warm = await askOn(socket, {
      input: [{ role: 'developer', content: 'be kind' }],
      generate: false,
      store: false,
    });
    expect([warm.how, warm.text, at.mock.requests.length]).toEqual(['completed', '', 0]);
    expect(warm.violations).toEqual([]);
    const first = await askOn(socket, { input: 'one', previous_response_id: warm.body?.id, store: false });
    expect(first.text).toBe('system:be kind user:one');
    const second = await askOn(socket, { input: 'two', previous_response_id: first.body?.id, store: false });
    expect(second.text).toBe('system:be kind user:one assistant:system:be kind user:one user:two');
    const other = await openSocket(at.bridge);
    const lost = await askOn(other, { input: 'two', previous_response_id: first.body?.id, store: false });
    expect([lost.how, lost.body?.code]).toEqual(['http:404', 'previous_response_not_found']);
    const again = await askOn(other, { input: 'three', store: false });
    expect(again.text).toBe('user:three');
    socket.terminate();
    other.terminate();
  });

  it('plays the recorded session of Codex over a WebSocket', async () => {
    const file = new URL('clients/codex-ws--multi.json', import.meta.url);
    const { requests } = JSON.parse(readFileSync(file, 'utf8')) as {
      requests: { kind: string; headers: Record<string, string>; body: Json }[];
    };
    const script: Scenario = {
      turns: [
        {
          replies: ['one', 'two', 'three', 'four'].map((text) => ({
            parts: [
              {
                type: 'tool_call',
                name: 'exec_command',
                arguments: { cmd: text },
                callId: `call_s${['one', 'two', 'three', 'four'].indexOf(text)}_a`,
              },
            ],
          })),
        },
      ],
    };
    await using at = await startRig({ wire: 'chat', scenario: script }, { wire: 'chat' });
    const socket = await openSocket(at.bridge, { originator: 'codex_exec' });
    let previous: unknown;
    for (const { body } of requests.filter((request) => request.kind !== 'upgrade')) {
      const continued = body.previous_response_id === undefined ? {} : { previous_response_id: previous };
      const end = await askOn(socket, { ...body, ...continued });
      expect([end.how, end.violations]).toEqual(['completed', []]);
      previous = end.body?.id;
    }
    const last = at.mock.requests.at(-1)!.body as {
      messages: { role: string }[];
      tools: { function: { name: string } }[];
    };
    expect(last.messages.map((message) => message.role)).toEqual([
      'system',
      'user',
      'user',
      'assistant',
      'tool',
      'assistant',
      'tool',
      'assistant',
      'tool',
    ]);
    expect(last.tools.map((tool) => tool.function.name)).toContain('multi_agent_v1__spawn_agent');
    socket.terminate();
  });

  const noRedis = whyNoRedis();
  if (noRedis !== undefined) console.log(`two bridges on one redis are not tested: ${noRedis}`);
  it.skipIf(noRedis !== undefined)('is shared by two bridges on one redis', async () => {
    const redis = await startRedis();
    try {
      await using one = await startRig({ wire: 'chat', scenario: echo }, { wire: 'chat', store: redis.url });
      await using two = await startRig({ wire: 'chat', scenario: echo }, { wire: 'chat', store: redis.url });
      const first = await askJson(one.bridge, { input: 'one' });
      const second = await askJson(two.bridge, { input: 'two', previous_response_id: first.body?.id });
      expect(second.text).toBe('user:one assistant:user:one user:two');
    } finally {
      await redis.stop();
    }
  });
});

const deep = '['.repeat(100_000) + ']'.repeat(100_000);

describe('bridge: bad input', () => {
  it.each([
    ['n of the wrong type', '"n":"2"', 'n'],
    ['a deep field', `"stop":${deep}`, null],
  ])('%s is refused in a chat request', async (_name, field, param) => {
    await using at = await rig();
    const body = `{"model":"m","messages":[{"role":"user","content":"x"}],${field}}`;
    const response = await post(at.bridge, '/v1/chat/completions', body);
    const { error } = (await response.json()) as { error: Json };
    expect([response.status, error.param]).toEqual([400, param]);
    expect(at.mock.requests).toEqual([]);
  });

  it('gives items with the names of inherited fields an id like any other', async () => {
    await using at = await rig();
    const { body } = await askJson(at.bridge, { input: [{ type: 'constructor' }, { role: 'user', content: 'x' }] });
    const list = await get(at, `/v1/responses/${String(body?.id)}/input_items`);
    const ids = (list.body.data as Json[]).map((item) => item.id);
    expect(ids).toEqual([expect.stringMatching(/^msg_\w+$/), expect.stringMatching(/^item_\w+$/)]);
  });

  it.each([
    ['no JSON', '{"model":', 400, undefined],
    ['no object', '[]', 400, undefined],
    ['input of the wrong type', { input: 7 }, 400, 'input'],
    [
      'a part of the wrong type',
      { input: [{ role: 'user', content: [{ type: 'input_text', text: 1 }] }] },
      400,
      'input[0].content[0].text',
    ],
    ['tools of the wrong type', { input: 'x', tools: [{ type: 'function' }] }, 400, 'tools[0].name'],
    ['a temperature of the wrong type', { input: 'x', temperature: 'hot' }, 400, 'temperature'],
    ['a number past all numbers', '{"input":"x","temperature":1e999}', 400, 'temperature'],
    ['an id of the wrong type', { previous_response_id: 7 }, 400, 'previous_response_id'],
    ['a store of the wrong type', { input: 'x', store: 'false' }, 400, 'store'],
    ['metadata of the wrong type', { input: 'x', metadata: ['a'] }, 400, 'metadata'],
    ['deep metadata', `{"input":"x","metadata":{"a":${deep}}}`, 400, undefined],
    ['deep tools', `{"input":"x","tools":[{"type":"function","name":"f","parameters":{"a":${deep}}}]}`, 400, undefined],
    ['deep input', `{"input":[{"type":"other","a":${deep}}]}`, 400, undefined],
    ['background', { input: 'x', background: true, store: false }, 400, 'background'],
    ['a conversation', { input: 'x', conversation: 'conv_1' }, 400, 'conversation'],
  ])('%s is refused in the shape of the API', async (_name, body, status, param) => {
    await using at = await rig();
    const response = await post(at.bridge, '/v1/responses', body);
    const { error } = (await response.json()) as { error: Json };
    expect([response.status, error.type, error.param ?? undefined]).toEqual([status, 'invalid_request_error', param]);
    expect(String(error.message)).not.toBe('');
    expect(at.mock.requests).toEqual([]);
  });

  it('refuses too much, foreign routes and methods, and goes on', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', bodyLimit: 10_000, maxStreams: 1 });
    expect((await post(at.bridge, '/v1/responses', { input: 'x'.repeat(20_000) })).status).toBe(413);
    expect((await post(at.bridge, '/v1/embeddings', {})).status).toBe(404);
    expect((await fetch(`${at.bridge.url}/v1/responses`)).status).toBe(426);
    expect((await post(at.bridge, '/v1/responses?api_key=sk', { input: 'x' })).status).toBe(400);
    expect(
      (await post(at.bridge, '/v1/responses', { input: 'x' }, { headers: { 'content-type': 'text/plain' } })).status,
    ).toBe(415);
    expect(
      (await post(at.bridge, '/v1/responses', { input: 'x' }, { headers: { origin: 'https://evil.example' } })).status,
    ).toBe(403);
    expect((await get(at, '/health')).body).toEqual({ ok: true });
    expect((await get(at, '/v1/models')).body).toMatchObject({ object: 'list' });
    expect((await askJson(at.bridge, { input: 'x' })).how).toBe('completed');
  });

  it('carries 10,000 tools and a prompt of 20 MB', async () => {
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
    const tools = Array.from({ length: 10_000 }, (_, index) => ({
      type: 'function',
      name: `tool.${index}`,
      parameters: { type: 'object', properties: {} },
    }));
    expect((await askJson(at.bridge, { input: 'x', tools })).how).toBe('completed');
    expect(at.mock.requests[0]?.body?.tools).toHaveLength(10_000);
    const size = 20 * 1024 * 1024;
    expect((await askSse(at.bridge, { input: 'x'.repeat(size), store: false })).how).toBe('completed');
    expect(at.mock.requests[1]?.text.length).toBeGreaterThan(size);
  });

  /** What this thread has worked: others on the machine take nothing from it. */
  const threadMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const places = Array.from({ length: 20_000 }, (_, place) => place);
  const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' };
  const output = { type: 'function_call_output', call_id: 'c', output: 'x' };
  const image = { role: 'system', content: [{ type: 'input_image', image_url: 'http://127.0.0.1/x.png' }] };
  it.each([
    ['calls of one id', [...places.map(() => call), ...places.map(() => output)]],
    ['pictures for the system', places.map(() => image)],
  ])('is not held up by 20,000 %s', async (_name, input) => {
    await using upstream = await startRawUpstream();
    await using at = await startRig({ wire: 'chat' }, { upstreams: [upstream.url], wire: 'chat' });
    const before = threadMs();
    const answer = askJson(at.bridge, { input, store: false });
    const { res } = await upstream.next();
    expect(threadMs() - before).toBeLessThan(3000);
    res.end(chatChunk('x') + chatEnd);
    expect((await answer).how).toBe('completed');
  });

  it('is not held up by 2,000 references into one response', async () => {
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
    const ids = places.slice(0, 2000).map((place) => `msg_${place}`);
    await askJson(at.bridge, { input: ids.map((id) => ({ id, role: 'user', content: 'x'.repeat(500) })) });
    const before = threadMs();
    const input = ids.map((id) => ({ type: 'item_reference', id }));
    expect((await askJson(at.bridge, { input, store: false })).how).toBe('completed');
    expect(threadMs() - before).toBeLessThan(3000);
  });

  it('answers odd frames with an error, and goes on', async () => {
    await using at = await rig();
    const socket = await openSocket(at.bridge);
    for (const frame of ['no json', '7', '{"type":"response.append"}', '{"type":"response.create","input":7}']) {
      const answer = new Promise<Json>((resolve) =>
        socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString()) as Json)),
      );
      socket.send(frame);
      expect(await answer).toMatchObject({ type: 'error', status: 400, error: { type: 'invalid_request_error' } });
    }
    expect((await askOn(socket, { input: 'x' })).how).toBe('completed');
    socket.terminate();
  });
});
