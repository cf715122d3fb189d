import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBridge, type Bridge, type BridgeOptions, type CallerOptions } from '../../packages/bridge/src/index.ts';
import { startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { runInProcess, startInProcess } from '../cli/harness.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { askOn, openSocket, post, type Json } from './harness.ts';
import { startBridge, startRawUpstream } from './raw-upstream.ts';
import { startRedis, whyNoRedis, type RedisServer } from './redis-server.ts';

const alice: CallerOptions = { name: 'alice', token: 'alice-token-1' };
const bob: CallerOptions = { name: 'bob', token: 'bob-token-22' };

const as = ({ token }: { readonly token: string }): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${token}` },
});

interface At extends AsyncDisposable {
  readonly bridge: Bridge;
  readonly mock: MockServer;
}

async function serving(callers: readonly CallerOptions[], more: Partial<BridgeOptions> = {}): Promise<At> {
  const mock = await startMock({ wire: 'chat', scenario: 'text' });
  const bridge = createBridge({ upstreams: [mock.url], wire: 'chat', port: 0, drainTimeoutMs: 0, callers, ...more });
  await bridge.listen();
  return {
    bridge,
    mock,
    [Symbol.asyncDispose]: async () => {
      await bridge.close();
      await mock.close();
    },
  };
}

const asked = { model: 'm', input: 'hi' };
const bodyOf = async (response: Response): Promise<Json> => (await response.json()) as Json;
const get = (at: At, path: string, who: CallerOptions): Promise<Response> => fetch(`${at.bridge.url}${path}`, as(who));

describe('callers', () => {
  it('are known by their tokens, as a bearer or as x-api-key, beside the token of all', async () => {
    await using at = await serving([alice, bob], { authToken: 'of-all' });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await post(at.bridge, '/v1/responses', asked, { headers })).status;
    for (const token of [alice.token, bob.token, 'of-all']) {
      expect(await status({ authorization: `Bearer ${token}` })).toBe(200);
      expect(await status({ 'x-api-key': token })).toBe(200);
    }
    for (const token of ['', 'alice', `${alice.token}x`, alice.token.slice(1)]) {
      expect(await status({ authorization: `Bearer ${token}` })).toBe(401);
    }
  });

  it('make a bridge fit for more than loopback', () => {
    const upstreams = ['http://127.0.0.1:1'];
    expect(() => createBridge({ upstreams, host: '0.0.0.0', callers: [alice] })).not.toThrow();
    expect(() => createBridge({ upstreams, host: '0.0.0.0', callers: [] })).toThrow(/callers\.NAME/);
  });

  it.each<[string, readonly CallerOptions[], RegExp]>([
    ['two of one name', [alice, { ...bob, name: 'alice' }], /two callers alice/],
    ['two with one token', [alice, { ...bob, token: alice.token }], /the same token/],
    ['one with the token of all', [{ ...alice, token: 'of-all' }], /the same token/],
    ['one without a token', [{ ...alice, token: ' ' }], /alice has no token/],
    ['a name that no log line would hold', [{ ...alice, name: 'a\nb' }], /visible characters/],
  ])('are refused: %s', (_, callers, why) => {
    const make = (): unknown => createBridge({ upstreams: ['http://127.0.0.1:1'], authToken: 'of-all', callers });
    expect(make).toThrow(why);
  });

  it('have a bound of requests in a minute, told in the words of each wire', async () => {
    const clock = manualClock();
    await using at = await serving([{ ...alice, requestsPerMinute: 2 }, bob], { clock });
    const first = await post(at.bridge, '/v1/responses', asked, as(alice));
    const limits = ['limit', 'remaining', 'reset'].map((name) => first.headers.get(`x-ratelimit-${name}-requests`));
    expect([first.status, limits]).toEqual([200, ['2', '1', '30s']]);
    await first.text();
    const chat = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
    expect((await post(at.bridge, '/v1/chat/completions', chat, as(alice))).status).toBe(200);
    const refused = await post(at.bridge, '/v1/responses', asked, as(alice));
    expect([
      refused.status,
      refused.headers.get('retry-after'),
      refused.headers.get('x-ratelimit-remaining-requests'),
    ]).toEqual([429, '30', '0']);
    const message = 'alice may use 2 requests in a minute: try again in 30s';
    expect(await bodyOf(refused)).toEqual({
      error: { message, type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' },
    });
    const ofAnthropic = await post(at.bridge, '/v1/messages', { ...chat, max_tokens: 9 }, as(alice));
    expect([ofAnthropic.status, ofAnthropic.headers.get('anthropic-ratelimit-requests-limit')]).toEqual([429, '2']);
    const reset = ofAnthropic.headers.get('anthropic-ratelimit-requests-reset') ?? '';
    expect(reset).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    // Of two requests in a minute both are back after a whole one; the header has whole seconds of the time of day.
    expect(Math.abs(Date.parse(reset) - Date.now() - 60_000)).toBeLessThan(20_000);
    expect(await bodyOf(ofAnthropic)).toMatchObject({ type: 'error', error: { type: 'rate_limit_error', message } });
    expect((await post(at.bridge, '/v1/responses', asked, as(bob))).status).toBe(200);
    clock.advance(30_000);
    expect((await post(at.bridge, '/v1/responses', asked, as(alice))).status).toBe(200);
    expect((await post(at.bridge, '/v1/responses', asked, as(alice))).status).toBe(429);
  });

  it('have a bound of tokens: what an answer took is waited for', async () => {
    const clock = manualClock();
    await using at = await serving([{ ...alice, tokensPerMinute: 5 }], { clock });
    const first = await bodyOf(await post(at.bridge, '/v1/responses', asked, as(alice)));
    const used = (first.usage as { total_tokens: number }).total_tokens;
    expect(used).toBeGreaterThan(5);
    const refused = await post(at.bridge, '/v1/responses', asked, as(alice));
    const wait = Number(refused.headers.get('retry-after'));
    expect([refused.status, wait]).toEqual([429, Math.ceil(((used - 5 + 1) * 60) / 5)]);
    expect((await bodyOf(refused)).error).toMatchObject({
      message: `alice may use 5 tokens in a minute: try again in ${wait}s`,
    });
    clock.advance(wait * 1000);
    expect((await post(at.bridge, '/v1/responses', asked, as(alice))).status).toBe(200);
  });

  it('have a bound of open streams, on sockets too', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { callers: [{ ...alice, maxStreams: 1 }, bob] });
    const open = post(bridge, '/v1/responses', { ...asked, stream: true }, as(alice));
    const { res } = await upstream.next();
    expect((await post(bridge, '/v1/responses', asked, as(alice))).status).toBe(429);
    const socket = await openSocket(bridge, as(alice).headers);
    expect((await askOn(socket, { input: 'hi' })).how).toBe('http:429');
    socket.terminate();
    const other = post(bridge, '/v1/responses', asked, as(bob));
    for (const one of [res, (await upstream.next()).res]) {
      one.writeHead(200).end('data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n');
    }
    await (await open).text();
    expect((await other).status).toBe(200);
    void upstream.next().then((next) => next.res.writeHead(503).end('{}'));
    expect((await post(bridge, '/v1/responses', asked, as(alice))).status).toBe(503);
  });

  it('are asked on a socket for each request', async () => {
    await using at = await serving([{ ...alice, requestsPerMinute: 1 }], { clock: manualClock() });
    const socket = await openSocket(at.bridge, as(alice).headers);
    expect((await askOn(socket, { input: 'hi', generate: false })).how).toBe('completed');
    expect((await askOn(socket, { input: 'hi' })).how).toBe('completed');
    expect((await askOn(socket, { input: 'hi' })).how).toBe('http:429');
    socket.terminate();
    await expect(openSocket(at.bridge, as(bob).headers)).rejects.toThrow(/401/);
  });

  it('do not see the limits of the account behind the bridge', async () => {
    await using upstream = await startRawUpstream();
    for (const mode of ['translate', 'passthrough'] as const) {
      await using bridge = await startBridge([upstream], {
        mode,
        authToken: 'of-all',
        callers: [{ ...alice, requestsPerMinute: 9 }],
      });
      const told = async (who: { readonly token: string }): Promise<string | null> => {
        const answer = post(
          bridge,
          '/v1/chat/completions',
          { model: 'm', messages: [{ role: 'user', content: 'x' }] },
          as(who),
        );
        const { res } = await upstream.next();
        res.writeHead(200, { 'content-type': 'application/json', 'x-ratelimit-limit-requests': '777' });
        res.end('{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}');
        const response = await answer;
        await response.text();
        return response.headers.get('x-ratelimit-limit-requests');
      };
      expect([mode, await told(alice), await told({ token: 'of-all' })]).toEqual([mode, '9', '777']);
    }
  });
});

const noRedis = whyNoRedis();

describe.each(['memory', 'sqlite', ...(noRedis === undefined ? ['redis'] : [])])('what callers keep (%s)', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-owned-'));
  let redis: RedisServer | undefined;
  beforeAll(async () => {
    if (kind === 'redis') redis = await startRedis();
  });
  afterAll(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is theirs alone: to read, to continue, to refer to, to delete', async () => {
    const store = redis?.url ?? (kind === 'memory' ? 'memory' : `sqlite:${join(folder, 'a.db')}`);
    await using at = await serving([alice, bob], { authToken: 'of-all', store });
    const all: CallerOptions = { name: 'all', token: 'of-all' };
    const item = { type: 'message', id: 'msg_mine', role: 'user', content: 'the word is plum' };
    const { id } = await bodyOf(await post(at.bridge, '/v1/responses', { ...asked, input: [item] }, as(alice)));
    for (const other of [bob, all]) {
      // The same id of an item, and one that would lead to another caller's.
      for (const own of ['msg_mine', 'alice\0msg_mine']) {
        const input = [{ type: 'message', id: own, role: 'user', content: 'not hers' }];
        expect((await post(at.bridge, '/v1/responses', { ...asked, input }, as(other))).status).toBe(200);
      }
      for (const path of [
        `/v1/responses/${String(id)}`,
        `/v1/responses/${String(id)}/input_items`,
        `/v1/responses/${String(id)}?stream=true`,
      ]) {
        expect([path, (await get(at, path, other)).status]).toEqual([path, 404]);
      }
      expect(
        (await fetch(`${at.bridge.url}/v1/responses/${String(id)}`, { method: 'DELETE', ...as(other) })).status,
      ).toBe(404);
      const next = await post(at.bridge, '/v1/responses', { ...asked, previous_response_id: id }, as(other));
      expect((await bodyOf(next)).error).toMatchObject({ code: 'previous_response_not_found' });
      const reference = [{ type: 'item_reference', id: 'alice\0msg_mine' }];
      const referring = await post(at.bridge, '/v1/responses', { ...asked, input: reference }, as(other));
      expect((await bodyOf(referring)).error).toMatchObject({ code: 'item_not_found' });
    }
    expect((await get(at, `/v1/responses/${String(id)}`, alice)).status).toBe(200);
    const input = [{ type: 'item_reference', id: 'msg_mine' }];
    expect((await post(at.bridge, '/v1/responses', { ...asked, input }, as(alice))).status).toBe(200);
    expect(at.mock.requests.at(-1)?.text).toContain('the word is plum');
    expect(
      (await fetch(`${at.bridge.url}/v1/responses/${String(id)}`, { method: 'DELETE', ...as(alice) })).status,
    ).toBe(200);
  });

  it('is so while it runs in the background, too', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { callers: [alice, bob], store: 'memory' });
    const { id } = await bodyOf(await post(bridge, '/v1/responses', { ...asked, background: true }, as(alice)));
    const url = `${bridge.url}/v1/responses/${String(id)}`;
    expect((await fetch(url, as(bob))).status).toBe(404);
    expect((await fetch(`${url}/cancel`, { method: 'POST', ...as(bob) })).status).toBe(404);
    expect(await bodyOf(await fetch(url, as(alice)))).toMatchObject({
      id,
      status: expect.stringMatching(/queued|in_progress/) as string,
    });
    expect((await fetch(`${url}/cancel`, { method: 'POST', ...as(alice) })).status).toBe(200);
  });
});

describe('who watches', () => {
  it('sees the names of callers in log and metrics, and no token anywhere', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    await using at = await serving([alice, bob], { authToken: 'of-all', logger });
    await (await post(at.bridge, '/v1/responses', asked, as(alice))).text();
    const socket = await openSocket(at.bridge, as(bob).headers);
    await askOn(socket, { input: 'hi' });
    socket.terminate();
    await (await post(at.bridge, '/v1/responses', asked, as({ token: 'wrong-token-3' }))).text();
    const metrics = await (await fetch(`${at.bridge.url}/metrics`, as({ token: 'of-all' }))).text();
    expect(metrics).toContain('turnwire_caller_requests_total{caller="alice",outcome="completed"} 1');
    expect(metrics).toContain('turnwire_caller_requests_total{caller="bob",outcome="completed"} 1');
    expect(metrics).toMatch(/turnwire_caller_tokens_total\{caller="alice",direction="output"\} [1-9]/);
    expect((await fetch(`${at.bridge.url}/metrics`, as(alice))).status).toBe(403);
    const ended = lines
      .map((line) => JSON.parse(line) as Json)
      .filter(({ msg }) => msg === 'response' || msg === 'refused');
    expect(ended.map(({ caller }) => caller)).toEqual(['alice', 'bob', undefined, 'alice']);
    expect(lines.join('') + metrics).not.toMatch(/-token-\d|of-all/);
  });
});

describe('[callers.NAME]', () => {
  const home = mkdtempSync(join(tmpdir(), 'turnwire-callers-'));
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const secret = join(home, 'token');
  const writeOwn = (toml: string): void => {
    mkdirSync(join(home, '.config', 'turnwire'), { recursive: true });
    writeFileSync(join(home, '.config', 'turnwire', 'config.toml'), toml);
  };
  const args = ['bridge', '--upstream', 'http://127.0.0.1:1', '--port', '0'];

  it('has tokens from a variable and from a file of its owner', async () => {
    writeFileSync(secret, 'of-file\nnot this\n', { mode: 0o600 });
    writeOwn(`
      [callers.alice]
      token_env = "ALICE"
      requests_per_minute = 1
      [callers.bob]
      token_file = "${secret}"
      tokens_per_minute = 1000
      streams = 2
    `);
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    const env = { ALICE: 'of-variable' };
    const command = startInProcess(['bridge', '--upstream', mock.url, '--wire', 'chat', '--port', '0'], { home, env });
    const [, url = ''] = await command.until(/OPENAI_BASE_URL=(\S+)/);
    const status = async (token: string): Promise<number> => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      return (await fetch(`${url}/responses`, { method: 'POST', headers, body: JSON.stringify(asked) })).status;
    };
    expect([
      await status('of-variable'),
      await status('of-variable'),
      await status('of-file'),
      await status('not this'),
    ]).toEqual([200, 429, 200, 401]);
    command.signal('SIGTERM');
    const { code, stdout, stderr } = await command.result;
    expect([code, stdout + stderr]).toEqual([0, expect.not.stringMatching(/of-variable|of-file/)]);
  });

  it.each([
    ['token_env = "NONE"', 'the environment variable NONE is not set'],
    ['requests_per_minute = 1', 'wants either token_env or token_file'],
    ['token_env = "A"\ntoken_file = "b"', 'wants either token_env or token_file'],
    ['token = "x"', 'unknown key "token"'],
    ['token_env = "ALICE"\nstreams = 0', 'callers.x.streams must be at least 1'],
    [`token_file = "${secret}.none"`, 'no such file'],
  ])('is refused where it cannot be used: %s', async (table, why) => {
    writeOwn(`[callers.x]\n${table}\n`);
    const result = await runInProcess(args, { home, env: { ALICE: 'x' } });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(why);
  });

  it('takes no token from a file that others can read', async () => {
    writeFileSync(secret, 'of-file\n');
    chmodSync(secret, 0o640);
    writeOwn(`[callers.x]\ntoken_file = "${secret}"\n`);
    const stderr = `turnwire bridge: ${secret} can be read by others: chmod 600 ${secret}\n`;
    expect(await runInProcess(args, { home })).toEqual({ code: 2, stdout: '', stderr });
  });
});
