import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import {
  createBridge,
  type Bridge,
  type BridgeOptions,
  type UpstreamOptions,
} from '../../packages/bridge/src/index.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { askJson, askSse, post, type Json } from './harness.ts';
import { startModelServer, type ModelServer, type ModelServerOptions } from './model-server.ts';
import { startRawUpstream } from './raw-upstream.ts';

const keyed = (...names: readonly string[]): NonNullable<UpstreamOptions['keys']> =>
  names.map((name) => ({ key: () => `sk-${name}-value`, source: `--env-key ${name}` }));

async function bridgeTo(upstreams: BridgeOptions['upstreams'], more: Partial<BridgeOptions> = {}): Promise<Bridge> {
  const bridge = createBridge({ upstreams, wire: 'chat', port: 0, drainTimeoutMs: 0, requestMaxRetries: 0, ...more });
  await bridge.listen();
  return bridge;
}

/** The keys that a server was asked with, by name, in order. */
function keysOf(server: ModelServer): readonly (string | undefined)[] {
  return server.headers.map(({ authorization }) => /sk-(\w+)-value/.exec(authorization ?? '')?.[1]);
}

/** Refuses the keys that `statusOf` has a status for. */
function refusing(
  statusOf: Readonly<Record<string, number | undefined>>,
  headers: Record<string, string> = {},
): ModelServerOptions {
  return {
    answer: (req, res) => {
      const name = /sk-(\w+)-value/.exec(req.headers.authorization ?? '')?.[1] ?? '';
      const status = statusOf[name];
      if (status === undefined) return false;
      res.writeHead(status, headers).end(JSON.stringify({ error: { message: `no: ${req.headers.authorization}` } }));
      return true;
    },
  };
}

const ask = (bridge: Bridge): Promise<string> => askJson(bridge, { input: 'hi' }).then(({ how }) => how);

describe('the keys of upstreams', () => {
  it('go to the server that they are of, and to no other', async () => {
    await using a = await startModelServer();
    await using b = await startModelServer();
    await using c = await startModelServer();
    await using bridge = await bridgeTo([{ url: a.url, keys: keyed('A') }, { url: b.url, keys: [] }, c.url], {
      apiKey: () => 'sk-usual-value',
    });
    for (let round = 0; round < 6; round++) expect(await ask(bridge)).toBe('completed');
    await fetch(`${bridge.url}/v1/models`);
    expect([a, b, c].map((server) => [...new Set(keysOf(server))])).toEqual([['A'], [undefined], ['usual']]);
  });

  it('of one server are used in turn, as often as one another', async () => {
    await using a = await startModelServer();
    await using bridge = await bridgeTo([{ url: a.url, keys: keyed('A', 'B', 'C') }]);
    for (let round = 0; round < 6; round++) expect(await ask(bridge)).toBe('completed');
    expect(keysOf(a)).toEqual(['A', 'B', 'C', 'A', 'B', 'C']);
  });

  it('of one address that is named twice are all its keys', async () => {
    await using a = await startModelServer();
    await using bridge = await bridgeTo([
      { url: a.url, keys: keyed('A') },
      { url: a.url, keys: keyed('B') },
    ]);
    for (let round = 0; round < 4; round++) expect(await ask(bridge)).toBe('completed');
    expect(keysOf(a)).toEqual(['A', 'B', 'A', 'B']);
  });

  it.each([401, 402, 429])('rest after %i, while the others go on', async (status) => {
    const clock = manualClock();
    await using a = await startModelServer(refusing({ A: status }, status === 429 ? { 'retry-after': '60' } : {}));
    await using bridge = await bridgeTo([{ url: a.url, keys: keyed('A', 'B') }], { clock });
    for (let round = 0; round < 4; round++) expect(await ask(bridge)).toBe('completed');
    expect(keysOf(a)).toEqual(['A', 'B', 'B', 'B', 'B']);
    clock.advance(60_001);
    for (let round = 0; round < 2; round++) expect(await ask(bridge)).toBe('completed');
    expect(keysOf(a).slice(5)).toContain('A');
  });

  it('do not help a server that is broken: it is asked once more, as with one key, and not once for each', async () => {
    await using a = await startModelServer(refusing({ A: 503, B: 503, C: 503 }));
    await using bridge = await bridgeTo([{ url: a.url, keys: keyed('A', 'B', 'C') }], { requestMaxRetries: 1 });
    expect(await ask(bridge)).toBe('http:503');
    expect(keysOf(a)).toHaveLength(2);
  });

  it('are all tried, and then the next server', async () => {
    await using a = await startModelServer(refusing({ A: 429, B: 401 }));
    await using b = await startModelServer();
    await using bridge = await bridgeTo([{ url: a.url, keys: keyed('A', 'B') }, b.url]);
    for (let round = 0; round < 3; round++) expect(await ask(bridge)).toBe('completed');
    expect([new Set(keysOf(a).filter((name) => name !== undefined)), b.asked.length]).toEqual([new Set(['A', 'B']), 3]);
  });

  it('are one each in the limit of the first event: a silent server is not asked again with another key', async () => {
    const clock = manualClock();
    await using silent = await startRawUpstream();
    await using bridge = await bridgeTo([{ url: silent.url, keys: keyed('A', 'B') }], {
      clock,
      firstEventTimeoutMs: 1000,
    });
    const answer = ask(bridge);
    const { res } = await silent.next();
    clock.advance(1001);
    res.writeHead(200).end('data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n');
    expect(await answer).toBe('completed');
  });

  it('are in no error, log, metric, trace or header', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    await using a = await startModelServer(
      refusing({ A: 429, B: 401 }, { 'retry-after': '9', 'x-ratelimit-key': 'sk-A-value' }),
    );
    await using bridge = await bridgeTo([{ url: a.url, keys: keyed('A', 'B') }], { logger });
    const response = await post(bridge, '/v1/responses', { model: 'm', input: 'hi' });
    const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
    const told = JSON.stringify([...response.headers]) + (await response.text()) + metrics + lines.join('');
    expect(told).not.toMatch(/sk-|-value/);
    expect(lines.join('')).toContain('with the key of --env-key A');
  });
});

describe('what one key had encrypted', () => {
  const sealed = (text: string): string =>
    [
      { type: 'response.created', response: { id: 'r' } },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: text },
      },
      { type: 'response.completed', response: { id: 'r' } },
    ]
      .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join('');

  it('goes back with that key, whose turn it is or not, and to no other', async () => {
    await using server = await startRawUpstream();
    await using bridge = await bridgeTo([{ url: server.url, keys: keyed('A', 'B') }], { wire: 'responses' });
    const serve = async (): Promise<[string | undefined, Json[]]> => {
      const { req, res, body } = await server.next();
      const key = /sk-(\w)/.exec(req.headers.authorization ?? '')?.[1];
      res.writeHead(200, { 'content-type': 'text/event-stream' }).end(sealed(`by ${key}`));
      return [key, body.input as Json[]];
    };
    const first = askSse(bridge, { input: 'hi' });
    const [key] = await serve();
    const item = (await first).events.find(({ type }) => type === 'response.output_item.done')?.item as Json;
    expect(item.encrypted_content).not.toBe(`by ${key}`);
    for (let round = 0; round < 3; round++) {
      const again = askSse(bridge, { input: [item, { role: 'user', content: 'go on' }] });
      const [same, input] = await serve();
      await again;
      expect([same, input[0]?.encrypted_content]).toEqual([key, `by ${key}`]);
    }
  });

  it('is left out where that key rests', async () => {
    await using server = await startRawUpstream();
    await using bridge = await bridgeTo([{ url: server.url, keys: keyed('A', 'B') }], { wire: 'responses' });
    const first = askSse(bridge, { input: 'hi' });
    const { res } = await server.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(sealed('secret'));
    const item = (await first).events.find(({ type }) => type === 'response.output_item.done')?.item as Json;
    const again = askSse(bridge, { input: [item, { role: 'user', content: 'go on' }] });
    (await server.next()).res.writeHead(429).end('{}');
    const { res: other, body } = await server.next();
    other.writeHead(200, { 'content-type': 'text/event-stream' }).end(sealed('other'));
    expect((await again).how).toBe('completed');
    expect(JSON.stringify(body)).not.toMatch(/secret|turnwire-sealed/);
  });
});
