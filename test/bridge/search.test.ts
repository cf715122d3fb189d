import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { searchWeb } from '../../packages/bridge/src/upstream/search-engine.ts';
import type { HttpRequest, HttpResponse } from '../../packages/client/src/transport/http.ts';
import { post, startRig, type Json, type Rig } from './harness.ts';

const scenario = { turns: [{ replies: [{ parts: [{ type: 'text' as const, text: 'x' }] }] }] };

/** A search engine: what it was asked, and what it is to say. */
const engine = {
  asked: [] as IncomingMessage[],
  status: 200,
  answer: {} as unknown,
};
let url: string;
const server = createServer((req, res) => {
  engine.asked.push(req);
  res.writeHead(engine.status, { 'content-type': 'application/json' }).end(JSON.stringify(engine.answer));
});
let rig: Rig;
beforeEach(async () => {
  Object.assign(engine, { asked: [], status: 200, answer: { results: [] } });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
  await new Promise((resolve) => server.close(resolve));
});

const start = async (path = '', key?: string): Promise<Bridge> => {
  rig = await startRig(
    { wire: 'chat', scenario },
    { search: { url: url + path, ...(key === undefined ? {} : { key: () => key }) } },
  );
  return rig.bridge;
};
const ask = async (bridge: Bridge, commands: Json, more: Json = {}): Promise<unknown> => {
  const response = await post(bridge, '/v1/alpha/search', { id: 't', model: 'm', commands, ...more });
  expect(response.status).toBe(200);
  return ((await response.json()) as Json).output;
};
const parametersOf = (place = 0): Json => Object.fromEntries(new URL(engine.asked[place]?.url ?? '', url).searchParams);

describe('POST /v1/alpha/search', () => {
  it('searches with SearXNG, and lists what it found', async () => {
    engine.answer = {
      results: [
        { url: 'https://a.example/1', title: 'One', content: 'The <strong>first</strong>\n page.' },
        { url: 'javascript:alert(1)', title: 'No page', content: '' },
        { url: 'https://b.example/2', title: 'Two' },
      ],
    };
    const output = await ask(await start('/base', 'Bearer k'), { search_query: [{ q: 'turn wire', recency: 3 }] });
    expect(output).toBe(
      'Results for "turn wire":\n\n[turn0search0] One\nhttps://a.example/1\nThe first page.\n\n[turn0search1] Two\nhttps://b.example/2',
    );
    expect(engine.asked[0]?.url).toMatch(/^\/base\/search\?/);
    expect(parametersOf()).toEqual({ format: 'json', q: 'turn wire', time_range: 'week' });
    expect(engine.asked[0]?.headers.authorization).toBe('Bearer k');
  });

  it('keeps to the domains of the query, else to those of the configuration', async () => {
    const page = (host: string): Json => ({ url: `https://${host}/`, title: host, content: '' });
    engine.answer = { results: [page('docs.good.example'), page('evilgood.example'), page('good.example')] };
    const bridge = await start();
    const settings = { filters: { allowed_domains: ['good.example'] } };
    const output = await ask(
      bridge,
      { search_query: [{ q: 'x' }, { q: 'y', domains: ['evilgood.example'] }] },
      { settings },
    );
    expect(output).toBe(
      'Results for "x":\n\n[turn0search0] docs.good.example\nhttps://docs.good.example/\n\n\n[turn0search1] good.example\nhttps://good.example/\n\n\nResults for "y":\n\n[turn1search0] evilgood.example\nhttps://evilgood.example/',
    );
    const asked = [parametersOf(0).q, parametersOf(1).q].sort();
    expect(asked).toEqual(['x (site:good.example)', 'y (site:evilgood.example)']);
  });

  it('tells the model what failed, what was not found, and what is not served', async () => {
    const bridge = await start();
    expect(await ask(bridge, { search_query: [{ q: 'x' }] })).toBe('Nothing was found for "x".');
    expect(await ask(bridge, { open: [{ ref_id: 'turn0search0' }] })).toContain('The command open is not served here');
    engine.status = 429;
    expect(await ask(bridge, { search_query: [{ q: 'x' }] })).toBe(
      'The search for "x" failed: the search engine answered with status 429',
    );
    engine.status = 200;
    engine.answer = '<html>';
    expect(await ask(bridge, { search_query: [{ q: 'x' }] })).toContain('something else than results');
    expect(await ask(bridge, {})).toBe('There was nothing to search for.');
  });

  it('says no more than the tokens that it may', async () => {
    engine.answer = { results: [{ url: 'https://a.example/', title: 'x'.repeat(1000), content: '' }] };
    expect(await ask(await start(), { search_query: [{ q: 'x' }] }, { max_output_tokens: 10 })).toHaveLength(40);
  });

  it('asks Brave in its own words', async () => {
    rig = await startRig({ wire: 'chat', scenario });
    const sent: HttpRequest[] = [];
    const found = { web: { results: [{ url: 'https://a.example/', title: 'A', description: 'It says 42.' }] } };
    const chunks = [[new TextEncoder().encode(JSON.stringify(found))], undefined];
    const response = { status: 200, read: () => Promise.resolve(chunks.shift()), release: () => undefined };
    const transport = {
      send: (request: HttpRequest) => {
        sent.push(request);
        return Promise.resolve(response as unknown as HttpResponse);
      },
      close: () => Promise.resolve(),
    };
    const settings = { url: 'https://api.search.brave.com', key: () => 'k' };
    const query = { text: 'x', days: 90, domains: [] };
    const results = await searchWeb(settings, query, { transport, signal: new AbortController().signal });
    expect(results).toEqual([{ url: 'https://a.example/', title: 'A', snippet: 'It says 42.' }]);
    expect(String(sent[0]?.url)).toBe('https://api.search.brave.com/res/v1/web/search?q=x&freshness=py');
    expect(sent[0]?.headers).toEqual({ accept: 'application/json', 'x-subscription-token': 'k' });
  });

  it('is not there without an engine, and says how to have it', async () => {
    rig = await startRig({ wire: 'chat', scenario });
    const response = await post(rig.bridge, '/v1/alpha/search', { commands: {} });
    expect(response.status).toBe(404);
    expect(((await response.json()) as { error: Json }).error.message).toContain('--search-url');
  });
});
