import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createBridge, type BridgeOptions } from '../../packages/bridge/src/index.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { askJson, askOn, askSse, openSocket, post, type Json } from './harness.ts';
import { startModelServer, type ModelServer } from './model-server.ts';
import { startBridge } from './raw-upstream.ts';

const idsIn = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);

const get = (bridge: { url: string }, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${bridge.url}${path}`, { headers });

const bodyOf = async (response: Response): Promise<[number, Json]> => [
  response.status,
  (await response.json()) as Json,
];

function turns(model: string): readonly [path: string, body: Json][] {
  const messages = [{ role: 'user', content: 'hi' }];
  return [
    ['/v1/responses', { model, input: 'hi' }],
    ['/v1/chat/completions', { model, messages }],
    ['/v1/messages', { model, messages, max_tokens: 9 }],
  ];
}

describe('a request goes to the servers that have its model', () => {
  it.each(['translate', 'final-only', 'passthrough'] as const)('in mode %s, on every wire', async (mode) => {
    await using a = await startModelServer({ list: ['qwen', 'both'] });
    await using b = await startModelServer({ list: ['llama', 'both'] });
    await using bridge = await startBridge([a, b], { mode });
    const wires = mode === 'passthrough' ? ['/v1/chat/completions'] : turns('').map(([path]) => path);
    for (const model of ['qwen', 'llama', 'both', 'both']) {
      for (const [path, body] of turns(model).filter(([one]) => wires.includes(one))) {
        const response = await post(bridge, path, body);
        await response.text();
        expect([path, model, response.status]).toEqual([path, model, 200]);
      }
    }
    const each = wires.length;
    expect(a.asked.filter((model) => model === 'llama')).toEqual([]);
    expect(b.asked.filter((model) => model === 'qwen')).toEqual([]);
    expect(a.asked.filter((model) => model === 'qwen')).toHaveLength(each);
    expect(b.asked.filter((model) => model === 'llama')).toHaveLength(each);
    expect([...a.asked, ...b.asked].filter((model) => model === 'both')).toHaveLength(2 * each);
  });

  it('over a WebSocket, too', async () => {
    await using a = await startModelServer({ list: ['qwen'] });
    await using b = await startModelServer({ list: ['llama'] });
    await using bridge = await startBridge([a, b]);
    const socket = await openSocket(bridge);
    for (const model of ['llama', 'qwen', 'llama']) {
      expect((await askOn(socket, { model, input: 'hi' })).how).toBe('completed');
    }
    expect([a.asked, b.asked]).toEqual([['qwen'], ['llama', 'llama']]);
    expect((await askOn(socket, { model: 'nobody', input: 'hi' })).how).toBe('http:404');
    socket.terminate();
  });

  it('and to one without a list as well, which may have any', async () => {
    await using listing = await startModelServer({ list: ['qwen'], strict: true });
    await using silent = await startModelServer();
    await using bridge = await startBridge([listing, silent]);
    for (let round = 0; round < 4; round++)
      expect((await askJson(bridge, { model: 'qwen', input: 'hi' })).how).toBe('completed');
    for (let round = 0; round < 2; round++)
      expect((await askJson(bridge, { model: 'other', input: 'hi' })).how).toBe('completed');
    expect([listing.asked.includes('qwen'), silent.asked.filter((model) => model === 'other')]).toEqual([
      true,
      ['other', 'other'],
    ]);
    expect(silent.asked).toContain('qwen');
  });

  it('or by the names that its configuration gives it, unasked', async () => {
    await using a = await startModelServer();
    await using b = await startModelServer({ list: ['gpt-5', 'llama'] });
    const upstreams = [{ url: a.url, models: ['gpt-*', 'o4'] }, b.url];
    await using bridge = createBridge({ upstreams, wire: 'chat', port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    for (const model of ['gpt-6', 'o4', 'llama'])
      expect((await askJson(bridge, { model, input: 'hi' })).how).toBe('completed');
    expect([a.asked, b.asked, a.others]).toEqual([['gpt-6', 'o4'], ['llama'], []]);
    expect((await bodyOf(await post(bridge, '/v1/responses', { model: 'o5', input: 'hi' })))[0]).toBe(404);
    expect(await idsIn(await get(bridge, '/v1/models'))).toEqual(['o4', 'gpt-5', 'llama']);
  });

  it('under the names that servers take for the same', async () => {
    await using ollama = await startModelServer({ list: [{ id: 'qwen3:latest', owned_by: 'library' }] });
    await using other = await startModelServer({
      list: ['claude-sonnet-4-5-20250929', 'deepseek/r1', { id: 'a', aliases: ['b'] }],
    });
    await using bridge = await startBridge([ollama, other]);
    for (const model of ['qwen3', 'claude-sonnet-4-5', 'deepseek/r1:nitro', 'b']) {
      expect((await askJson(bridge, { model, input: 'hi' })).how).toBe('completed');
    }
    expect([ollama.asked, other.asked]).toEqual([['qwen3'], ['claude-sonnet-4-5', 'deepseek/r1:nitro', 'b']]);
  });

  it('is tried again, as with one server alone, where one alone has the model', async () => {
    let refusals = 2;
    await using a = await startModelServer({
      list: ['qwen'],
      answer: (_, res) => {
        if (refusals-- <= 0) return false;
        res.writeHead(503).end('{}');
        return true;
      },
    });
    await using b = await startModelServer({ list: ['llama'] });
    await using bridge = await startBridge([a, b], { requestMaxRetries: 4 });
    expect((await askJson(bridge, { model: 'qwen', input: 'hi' })).how).toBe('completed');
    expect([a.asked.length, b.asked.length]).toEqual([3, 0]);
  });

  it('does not wait for a server that does not answer, once another one lists the model', async () => {
    const hole = createServer().listen(0, '127.0.0.1');
    await once(hole, 'listening');
    await using a = await startModelServer({ list: ['qwen'] });
    const url = `http://127.0.0.1:${(hole.address() as AddressInfo).port}`;
    await using bridge = await startBridge([a, { url }], { clock: manualClock() });
    expect((await askJson(bridge, { model: 'qwen', input: 'hi' })).how).toBe('completed');
    hole.close();
  });
});

describe('a model that nobody has', () => {
  it('is a 404 in the words of the client, with what there is', async () => {
    await using a = await startModelServer({ list: ['qwen3'] });
    await using b = await startModelServer({ list: ['llama'] });
    await using bridge = await startBridge([a, b]);
    const message = 'no model server here has "qwen" (did you mean qwen3?); there are: qwen3, llama';
    const usual = { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' };
    const [responses, chat, messages] = turns('qwen');
    expect(await bodyOf(await post(bridge, ...responses!))).toEqual([404, { error: usual }]);
    expect(await bodyOf(await post(bridge, ...chat!))).toEqual([404, { error: usual }]);
    expect(await bodyOf(await post(bridge, ...messages!))).toMatchObject([
      404,
      { type: 'error', error: { type: 'not_found_error', message } },
    ]);
    expect([a.asked, b.asked]).toEqual([[], []]);
  });

  it('is there once a server lists it: a name that is not known is asked for again', async () => {
    const clock = manualClock();
    await using a = await startModelServer({ list: ['qwen'] });
    await using b = await startModelServer({ list: ['llama'] });
    await using bridge = await startBridge([a, b], { clock });
    const ask = async (): Promise<number> =>
      (await post(bridge, '/v1/responses', { model: 'new', input: 'hi' })).status;
    expect(await ask()).toBe(404);
    b.list = ['llama', 'new'];
    expect(await ask()).toBe(404); // not so soon
    clock.advance(10_001);
    expect(await ask()).toBe(200);
    expect(b.asked).toEqual(['new']);
  });

  it('goes to any of several servers with one list: they answer to every name, or say so themselves', async () => {
    await using a = await startModelServer({ list: ['tiny'] });
    await using b = await startModelServer({ list: ['tiny'] });
    await using bridge = await startBridge([a, b]);
    for (let round = 0; round < 4; round++)
      expect((await askJson(bridge, { model: 'gpt-5', input: 'hi' })).how).toBe('completed');
    expect([a.asked.length, b.asked.length]).toEqual([2, 2]);
  });

  it('goes to the only server as well, which is not asked what it has', async () => {
    await using a = await startModelServer({ list: ['tiny'] });
    await using bridge = await startBridge([a]);
    expect((await askJson(bridge, { model: 'gpt-5', input: 'hi' })).how).toBe('completed');
    expect([a.asked, a.others]).toEqual([['gpt-5'], []]);
  });

  it('is told with what there is where the only server refuses it', async () => {
    await using a = await startModelServer({ list: ['tiny', 'large'], strict: true });
    await using bridge = await startBridge([a]);
    const [status, body] = await bodyOf(await post(bridge, '/v1/responses', { model: 'gpt-5', input: 'hi' }));
    expect([status, (body.error as Json).message, (body.error as Json).code]).toEqual([
      404,
      'no model gpt-5 (models here: tiny, large)',
      'model_not_found',
    ]);
  });
});

describe('names are mapped', () => {
  const modelMap: BridgeOptions['modelMap'] = [
    { pattern: 'gpt-5-mini', model: 'small' },
    { pattern: 'gpt-5*', model: 'qwen' },
  ];

  it('on the way to the servers, by the first row that matches; the client sees its own', async () => {
    await using a = await startModelServer({ list: ['qwen'] });
    await using b = await startModelServer({ list: ['small'] });
    await using bridge = await startBridge([a, b], { modelMap, model: 'gpt-5' });
    for (const model of ['gpt-5.5', 'gpt-5-mini', 'qwen']) {
      for (const [path, body] of turns(model)) {
        const [status, answer] = await bodyOf(await post(bridge, path, body));
        expect([path, status, answer.model]).toEqual([path, 200, model]);
      }
      const { events } = await askSse(bridge, { model, input: 'hi' });
      const said = events.flatMap(({ response }) => (response === undefined ? [] : [(response as Json).model]));
      expect(new Set(said)).toEqual(new Set([model]));
    }
    expect((await askJson(bridge, { model: undefined, input: 'hi' })).body?.model).toBe('gpt-5');
    expect([new Set(a.asked), b.asked]).toEqual([new Set(['qwen']), Array(4).fill('small')]);
  });

  it('and what the server calls its model is told to those alone who asked for it by that name', async () => {
    await using a = await startModelServer({
      answer: (_, res) => {
        res.setHeader('openai-model', 'qwen');
        return false;
      },
    });
    await using bridge = await startBridge([a], { modelMap });
    const told = async (model: string): Promise<string | null> => {
      const response = await post(bridge, '/v1/responses', { model, input: 'hi' });
      await response.text();
      return response.headers.get('openai-model');
    };
    expect([await told('qwen'), await told('gpt-5')]).toEqual(['qwen', null]);
  });

  it('and are listed where they are no patterns', async () => {
    await using a = await startModelServer({ list: [{ id: 'small', object: 'model', owned_by: 'me' }] });
    await using bridge = await startBridge([a], { modelMap });
    expect(await bodyOf(await get(bridge, '/v1/models'))).toEqual([
      200,
      {
        object: 'list',
        data: [
          { id: 'small', object: 'model', owned_by: 'me' },
          { id: 'gpt-5-mini', object: 'model', owned_by: 'me' },
        ],
      },
    ]);
  });

  it('but not in passthrough, which leaves a request as it is', () => {
    const make = (): unknown => createBridge({ upstreams: ['http://127.0.0.1:1'], mode: 'passthrough', modelMap });
    expect(make).toThrow(/--model-map/);
  });
});

describe('the list of models', () => {
  it('has those of all servers, each once, as its first server wrote it', async () => {
    await using a = await startModelServer({ list: [{ id: 'x', mine: 1 }, 'y'] });
    await using b = await startModelServer({ list: ['z', { id: 'x', mine: 2 }] });
    await using silent = await startModelServer();
    await using bridge = await startBridge([a, b, silent]);
    const y = { id: 'y', object: 'model' };
    const data = [{ id: 'x', mine: 1 }, y, { id: 'z', object: 'model' }];
    expect(await bodyOf(await get(bridge, '/v1/models'))).toEqual([200, { object: 'list', data }]);
    expect(await bodyOf(await get(bridge, '/v1/models/y'))).toEqual([200, y]);
    const [, ofAnthropic] = await bodyOf(await get(bridge, '/v1/models/y', { 'anthropic-version': '2023-06-01' }));
    expect(ofAnthropic).toEqual({ type: 'model', id: 'y', display_name: 'y', created_at: '1970-01-01T00:00:00.000Z' });
    expect(await bodyOf(await get(bridge, '/v1/models/none'))).toMatchObject([
      404,
      { error: { code: 'model_not_found', param: 'model' } },
    ]);
  });

  it('is asked for anew, and has what servers told last where they are gone', async () => {
    const clock = manualClock();
    const a = await startModelServer({ list: ['x'] });
    await using b = await startModelServer({ list: ['y'] });
    await using bridge = await startBridge([a, b], { clock });
    const list = async (): Promise<unknown> => idsIn(await get(bridge, '/v1/models'));
    expect(await list()).toEqual(['x', 'y']);
    await a[Symbol.asyncDispose]();
    b.list = ['z'];
    clock.advance(1001);
    expect(await list()).toEqual(['x', 'z']);
  });

  it('finds a model whose name has slashes, written in either way', async () => {
    await using a = await startModelServer({ list: ['meta/llama-3'] });
    await using bridge = await startBridge([a]);
    for (const path of ['/v1/models/meta/llama-3', '/models/meta%2Fllama-3']) {
      expect(await bodyOf(await get(bridge, path))).toEqual([200, { id: 'meta/llama-3', object: 'model' }]);
    }
  });

  it('tells why there is none where no server answers', async () => {
    const gone: ModelServer = await startModelServer({ list: ['x'] });
    await gone[Symbol.asyncDispose]();
    await using bridge = await startBridge([gone]);
    expect((await get(bridge, '/v1/models')).status).toBe(502);
  });

  it('is passed through as it is where one server is passed through, and put together of several', async () => {
    await using a = await startModelServer({ list: ['x'], more: { 'GET /v1/models/a%2Fb': { mine: true } } });
    await using b = await startModelServer({ list: ['y'] });
    await using one = await startBridge([a], { mode: 'passthrough' });
    expect(await bodyOf(await get(one, '/v1/models/a/b'))).toEqual([200, { mine: true }]);
    expect((await get(one, '/v1/models?limit=1')).status).toBe(404); // as the server answers to it
    await using both = await startBridge([a, b], { mode: 'passthrough' });
    expect(await idsIn(await get(both, '/v1/models?limit=1'))).toEqual(['x', 'y']);
  });
});
