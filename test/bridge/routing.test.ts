import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { startMock } from '../../packages/testing/src/index.ts';
import { deadUrl, freePort } from '../free-port.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { askJson, askOn, askSse, openSocket, post, startRig, type Json } from './harness.ts';
import { chatChunk, chatEnd, startRawUpstream, type RawUpstream } from './raw-upstream.ts';

const TURN = 'x-codex-turn-state';
const asked = { model: 'm', input: 'hi', stream: true };

describe('bridge: several upstreams', () => {
  it('sends a new turn to the one with the fewest open streams', async () => {
    await using one = await startRawUpstream();
    await using two = await startRawUpstream();
    await using bridge = createBridge({ upstreams: [one.url, two.url], wire: 'chat', port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    const answers = [1, 2, 3, 4].map(() => askSse(bridge, { input: 'hi' }));
    const exchanges = await Promise.all([one.next(), one.next(), two.next(), two.next()]);
    for (const { res } of exchanges) res.writeHead(200).end(chatChunk('x') + chatEnd);
    expect((await Promise.all(answers)).map((end) => end.how)).toEqual(Array(4).fill('completed'));
  });

  it('keeps a turn where it began, and hands the upstream its own state back', async () => {
    const mocks = [1, 2].map((n) => ({
      wire: 'responses' as const,
      scenario: 'text',
      faults: [`turn-state:own-${n}`],
    }));
    await using at = await startRig(mocks, { wire: 'responses' });
    const first = await post(at.bridge, '/v1/responses', asked);
    await first.text();
    const token = first.headers.get(TURN)!;
    expect(token).toMatch(/^tw1\.[\x21-\x7e]+$/);
    expect(token).not.toContain('own-');
    for (let round = 0; round < 4; round++) {
      const next = await post(at.bridge, '/v1/responses', asked, { headers: { [TURN]: token } });
      await next.text();
      expect(next.headers.get(TURN)).toBeNull();
    }
    const counts = at.mocks.map((mock) => mock.requests.length);
    expect([...counts].sort()).toEqual([0, 5]);
    const chosen = counts.indexOf(5);
    const states = at.mocks[chosen]!.requests.map((request) => request.headers[TURN]);
    expect(states).toEqual([undefined, ...Array<string>(4).fill(`own-${chosen + 1}`)]);
  });

  it('ignores a state that it did not seal', async () => {
    await using at = await startRig({ wire: 'responses', scenario: 'text' }, { wire: 'responses' });
    await (await post(at.bridge, '/v1/responses', asked, { headers: { [TURN]: 'own-1' } })).text();
    expect(at.mock.requests[0]?.headers[TURN]).toBeUndefined();
  });

  it('tells Codex the state on a WebSocket, and takes it from its metadata', async () => {
    const mocks = [1, 2].map(() => ({ wire: 'chat' as const, scenario: 'text' }));
    await using at = await startRig(mocks, { wire: 'chat' });
    const socket = await openSocket(at.bridge, { originator: 'codex_exec' });
    const first = await askOn(socket, { input: 'hi' });
    const metadata = first.events.find((event) => event.type === 'response.metadata');
    const token = (metadata?.headers as Json)[TURN];
    for (let round = 0; round < 3; round++) {
      const next = await askOn(socket, { input: 'hi', client_metadata: { [TURN]: token } });
      expect([next.how, next.events.some((event) => event.type === 'response.metadata')]).toEqual(['completed', false]);
    }
    expect(at.mocks.map((mock) => mock.requests.length).sort()).toEqual([0, 4]);
    socket.terminate();
  });

  it.each(['translate', 'passthrough'] as const)('leaves a silent upstream for another one: %s', async (mode) => {
    await using silent = await startRawUpstream();
    await using mock = await startMock({ wire: 'responses', scenario: 'text' });
    const upstreams = [silent.url, mock.baseUrl];
    // Long enough for a healthy server on a busy machine.
    const options = { mode, wire: 'responses', port: 0, drainTimeoutMs: 0, idleTimeoutMs: 1500 } as const;
    await using bridge = createBridge({ upstreams, ...options });
    await bridge.listen();
    const ends = await Promise.all([askSse(bridge, { input: 'hi' }), askSse(bridge, { input: 'hi' })]);
    expect(ends.map((end) => end.how)).toEqual(['completed', 'completed']);
    expect(mock.requests).toHaveLength(2);
    expect((await silent.next()).res.headersSent).toBe(false);
  });

  it('tells nothing of an upstream that was left for another one: neither its state nor its limits', async () => {
    await using one = await startRawUpstream();
    await using two = await startRawUpstream();
    await using bridge = createBridge({ upstreams: [one.url, two.url], wire: 'chat', port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    const failOver = async (): Promise<string | undefined> => {
      const asking = [one.next(), two.next()];
      const refusing = await Promise.race(asking);
      refusing.res.writeHead(429, { 'x-ratelimit-remaining-requests': '0' }).end('{}');
      const [a, b] = await Promise.all(asking);
      const { req, res } = a === refusing ? b! : a!;
      res.writeHead(200).end(chatChunk('x') + chatEnd);
      return req.headers.host;
    };
    const answer = post(bridge, '/v1/responses', asked);
    await failOver();
    expect((await answer).headers.get('x-ratelimit-remaining-requests')).toBeNull();
    await (await answer).text();

    const socket = await openSocket(bridge, { originator: 'codex_exec' });
    const end = askOn(socket, { input: 'hi' });
    const host = await failOver();
    const states = (await end).events.filter((event) => event.type === 'response.metadata');
    expect(states).toHaveLength(1);
    const token = (states[0]?.headers as Json)[TURN];
    const later = askOn(socket, { input: 'hi', client_metadata: { [TURN]: token } });
    const { req, res } = await Promise.race([one.next(), two.next()]);
    res.writeHead(200).end(chatChunk('x') + chatEnd);
    expect([req.headers.host, (await later).how]).toEqual([host, 'completed']);
    socket.terminate();
  });

  it('leaves a dead upstream for another one before the first byte, once', async () => {
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    await using bridge = createBridge({
      upstreams: [await deadUrl(), mock.baseUrl],
      wire: 'chat',
      port: 0,
      drainTimeoutMs: 0,
    });
    await bridge.listen();
    for (let round = 0; round < 4; round++) expect((await askSse(bridge, { input: 'hi' })).how).toBe('completed');
    expect(mock.requests).toHaveLength(4);
  });

  it('leaves a server alone that asked for a pause, for that long', async () => {
    const clock = manualClock();
    await using busy = await startRawUpstream();
    await using other = await startRawUpstream();
    await using bridge = createBridge({ upstreams: [busy.url, other.url], wire: 'chat', port: 0, clock });
    await bridge.listen();
    const serve = async (server: RawUpstream): Promise<void> => {
      (await server.next()).res.writeHead(200).end(chatChunk('x') + chatEnd);
    };
    const ask = (): Promise<string> => askSse(bridge, { input: 'hi' }).then(({ how }) => how);
    const first = ask();
    (await busy.next()).res.writeHead(429, { 'retry-after': '30' }).end('{}');
    await serve(other);
    const second = [ask(), ask()];
    await Promise.all([serve(other), serve(other)]);
    expect(await Promise.all([first, ...second])).toEqual(Array(3).fill('completed'));
    clock.advance(30_000);
    const third = [ask(), ask()];
    await Promise.all([serve(busy), serve(other)]);
    expect(await Promise.all(third)).toEqual(Array(2).fill('completed'));
  });

  it('loses only what had begun when one of two dies', async () => {
    const dying = await startRawUpstream();
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    await using bridge = createBridge({
      upstreams: [dying.url, mock.baseUrl],
      wire: 'chat',
      port: 0,
      drainTimeoutMs: 0,
    });
    await bridge.listen();
    const begun = [1, 2, 3].map(() => askSse(bridge, { input: 'hi' }));
    const held = await dying.next();
    held.res.writeHead(200).write(chatChunk('Hel'));
    await mock.waitForRequests(1);
    await new Promise((resolve) => setImmediate(resolve));
    await dying.close();
    const ends = await Promise.all(begun);
    const failed = ends.filter((end) => end.how.startsWith('failed:'));
    for (const end of ends) expect(end.violations).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(2);
    for (let round = 0; round < 5; round++) expect((await askSse(bridge, { input: 'hi' })).how).toBe('completed');
  });

  it('takes an upstream back when it is there again', async () => {
    const port = await freePort();
    await using other = await startMock({ wire: 'chat', scenario: 'text' });
    await using bridge = createBridge({
      upstreams: [`http://127.0.0.1:${port}/v1`, other.baseUrl],
      wire: 'chat',
      port: 0,
      drainTimeoutMs: 0,
    });
    await bridge.listen();
    await askSse(bridge, { input: 'hi' });
    await askSse(bridge, { input: 'hi' });
    await using again = await startRawUpstream(port);
    void again.next().then(({ res }) => res.writeHead(200).end(chatChunk('back') + chatEnd));
    // It rests for a while; the test's own timeout is the bound.
    for (let texts: string[] = []; !texts.includes('back');) {
      const ends = await Promise.all([askSse(bridge, { input: 'hi' }), askSse(bridge, { input: 'hi' })]);
      texts = ends.map(({ text }) => text);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});

describe('bridge: retries', () => {
  it('asks again before the first byte, as the policy says', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'text', faults: ['status:503:2'] },
      { wire: 'chat', requestMaxRetries: 4 },
    );
    expect((await askSse(at.bridge, { input: 'hi' })).how).toBe('completed');
    expect(at.mock.requests).toHaveLength(3);
  });

  it('waits as long as it is told to', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'text', faults: ['rate-limit-text:28ms'] },
      { wire: 'chat', requestMaxRetries: 4 },
    );
    expect((await askJson(at.bridge, { input: 'hi' })).how).toBe('completed');
    expect(at.mock.requests).toHaveLength(2);
  });

  it('does not repeat what the user has to mend, and never asks after the first byte', async () => {
    for (const fault of ['invalid-prompt', 'reset-after:3']) {
      await using at = await startRig(
        { wire: 'chat', scenario: 'text', faults: [fault] },
        { wire: 'chat', requestMaxRetries: 4 },
      );
      await askSse(at.bridge, { input: 'hi' });
      expect(at.mock.requests).toHaveLength(1);
    }
  });

  it('tells the delay to a client that has to wait longer', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'text', faults: ['retry-after:30:9'] },
      { wire: 'chat', requestMaxRetries: 4 },
    );
    const response = await post(at.bridge, '/v1/responses', asked);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '30']);
    const codex = await askSse(at.bridge, { input: 'hi' }, { originator: 'codex_exec' });
    expect(codex.how).toBe('failed:rate_limit_exceeded');
    expect(((codex.body as Json).error as Json).message).toMatch(/try again in 30s/);
  });
});

describe('bridge: wires and modes', () => {
  it.each(['chat', 'responses'] as const)('finds out that an upstream speaks %s, asking once', async (wire) => {
    await using at = await startRig({ wire, scenario: 'text' });
    for (let round = 0; round < 2; round++) expect((await askJson(at.bridge, { input: 'hi' })).how).toBe('completed');
    expect(at.mock.requests.map((request) => request.view?.wire)).toEqual([wire, wire]);
  });

  it.each([
    ['a gateway without its server', 502, 'application/json'],
    ['a gateway that waits for it', 503, 'text/plain'],
    ['a web page', 200, 'text/html'],
    ['nothing there yet', 404, 'application/json'],
  ])('asks again after %s', async (_name, status, type) => {
    const starting = createServer((req, res) => {
      req.resume();
      res.writeHead(status, { 'content-type': type }).end('<html>');
    });
    const port = await freePort();
    starting.listen(port, '127.0.0.1');
    await once(starting, 'listening');
    const upstreams = [`http://127.0.0.1:${port}`];
    await using bridge = createBridge({ upstreams, port: 0, requestMaxRetries: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    expect((await askJson(bridge, { input: 'hi' })).how).toMatch(/^http:/);
    starting.closeAllConnections();
    await new Promise((resolve) => starting.close(resolve));
    await using mock = await startMock({ wire: 'responses', scenario: 'text', port });
    expect((await askJson(bridge, { input: 'hi' })).how).toBe('completed');
    expect(mock.requests.map((request) => request.view?.wire)).toEqual(['responses']);
  });

  it('takes the chat wire of a server that has both', async () => {
    await using at = await startRig({ scenario: 'text' });
    expect((await askJson(at.bridge, { input: 'hi' })).how).toBe('completed');
    expect(at.mock.requests.map((request) => request.view?.wire)).toEqual(['chat']);
  });

  it('sends whole items alone in final-only mode, the text once', async () => {
    for (const wire of ['chat', 'responses'] as const) {
      await using at = await startRig({ wire, scenario: 'parallel-calls' }, { mode: 'final-only' });
      const end = await askSse(at.bridge, { input: 'hi' }, {}, true);
      expect(end.violations).toEqual([]);
      const done = Array<string>(3).fill('response.output_item.done');
      expect(end.events.map((event) => event.type)).toEqual(['response.created', ...done, 'response.completed']);
    }
  });

  it('hands bytes through as they are', async () => {
    await using at = await startRig({ wire: 'responses', scenario: 'parallel-calls' }, { mode: 'passthrough' });
    const body = JSON.stringify({ ...asked, unknown_field: { kept: true } });
    const through = await (
      await post(at.bridge, '/v1/responses', body, {
        headers: { authorization: 'Bearer mine', 'x-custom': '1', cookie: 'a=b' },
      })
    ).text();
    const request = at.mock.requests[0]!;
    expect(request.text).toBe(body);
    expect(request.headers).toMatchObject({ 'x-custom': '1' });
    expect(request.headers.authorization ?? request.headers.cookie).toBeUndefined();
    const direct = await (
      await fetch(`${at.mock.baseUrl}/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    ).text();
    const withoutIds = (text: string): string => text.replace(/_\d+/g, '_N');
    expect(withoutIds(through)).toBe(withoutIds(direct));
  });

  it('hands through what it had to decompress, and what an upstream refused', async () => {
    for (const [fault, status] of [
      ['gzip', 200],
      ['status:418', 418],
    ] as const) {
      await using at = await startRig({ wire: 'chat', scenario: 'text', faults: [fault] }, { mode: 'passthrough' });
      const body = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] };
      const response = await post(at.bridge, '/v1/chat/completions', body);
      expect(response.status).toBe(status);
      expect(await response.text()).toContain(status === 200 ? 'scripted' : 'error');
    }
  });

  it('answers the pages of an allowed origin alone', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'text' },
      { wire: 'chat', allowedOrigins: ['http://page.example'] },
    );
    const ask = (origin: string, method: string): Promise<Response> =>
      fetch(`${at.bridge.url}/v1/models`, { method, headers: { origin } });
    for (const method of ['OPTIONS', 'GET']) {
      const good = await ask('http://page.example', method);
      expect([good.ok, good.headers.get('access-control-allow-origin')]).toEqual([true, 'http://page.example']);
      const bad = await ask('http://evil.example', method);
      expect([bad.status, bad.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    }
  });

  it('lets a page of an allowed origin read what is passed through, whatever the upstream says of pages', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = createBridge({
      upstreams: [upstream.url],
      mode: 'passthrough',
      port: 0,
      drainTimeoutMs: 0,
      allowedOrigins: ['http://page.example'],
    });
    await bridge.listen();
    const answer = post(bridge, '/v1/chat/completions', {}, { headers: { origin: 'http://page.example' } });
    const { res } = await upstream.next();
    res.writeHead(200, { 'access-control-allow-origin': '', 'access-control-allow-credentials': 'true' }).end('{}');
    const { headers } = await answer;
    expect(headers.get('access-control-allow-origin')).toBe('http://page.example');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('replaces the key of the caller by its own, and shows neither', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'text' },
      { wire: 'chat', apiKey: () => 'upstream-key', authToken: 'caller-key' },
    );
    expect((await post(at.bridge, '/v1/responses', asked)).status).toBe(401);
    const answer = await post(at.bridge, '/v1/responses', asked, { headers: { authorization: 'Bearer caller-key' } });
    expect(await answer.text()).not.toMatch(/upstream-key|caller-key/);
    expect(at.mock.requests[0]?.headers.authorization).toBe('Bearer upstream-key');
  });

  it('refuses WebSockets at once with 426 when they are off', async () => {
    for (const options of [{ websocket: false }, { mode: 'passthrough' as const }]) {
      await using at = await startRig({ wire: 'chat' }, options);
      await expect(openSocket(at.bridge)).rejects.toThrow(/426/);
    }
  });

  it('refuses to listen beyond loopback without a token', () => {
    expect(() => createBridge({ upstreams: ['http://127.0.0.1:1'], host: '0.0.0.0' })).toThrow(/--auth-token-env/);
    expect(() => createBridge({ upstreams: ['http://127.0.0.1:1'], host: '0.0.0.0', authToken: 'x' })).not.toThrow();
    for (const url of ['ftp://x', 'nonsense', 'http://user:pw@host'])
      expect(() => createBridge({ upstreams: [url] })).toThrow(/upstream/);
  });

  it('counts what it does under /metrics', async () => {
    await using at = await startRig({ wire: 'chat', scenario: 'text', faults: ['reset-after:3@2'] }, { wire: 'chat' });
    await askSse(at.bridge, { input: 'hi' });
    await askSse(at.bridge, { input: 'hi' });
    const text = await (await fetch(`${at.bridge.url}/metrics`)).text();
    expect(text).toContain('turnwire_requests_total{route="responses_sse",outcome="completed"} 1');
    expect(text).toContain('turnwire_errors_total{kind="stream_truncated"} 1');
    expect(text).toContain('turnwire_streams_open 0');
    expect(text).toMatch(/turnwire_tokens_total\{direction="output"\} [1-9]/);
  });
});
