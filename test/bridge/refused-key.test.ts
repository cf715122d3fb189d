import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { BridgeOptions } from '../../packages/bridge/src/index.ts';
import { startMock } from '../../packages/testing/src/index.ts';
import { startCommand, type Command } from './bridge-process.ts';
import { askOn, askSse, openSocket, post, startRig, type Json, type Rig } from './harness.ts';
import { chatChunk, startBridge, startRawUpstream } from './raw-upstream.ts';

const CODEX = { originator: 'codex_cli_rs' };
const KEY = 'sk-bridge-0123456789';
const KEYED = { apiKey: () => KEY, apiKeySource: '--env-key UPSTREAM_TOKEN' };

const told = (rig: Rig, status = 401): string =>
  `${rig.mock.baseUrl} ${status === 403 ? 'forbids this to' : 'refuses'} the key of the bridge (${status}), ` +
  'which it has from --env-key UPSTREAM_TOKEN: ';

function refusing(status = 401, options: Partial<BridgeOptions> = {}): Promise<Rig> {
  return startRig({ faults: [`status:${status}`] }, { wire: 'responses', ...KEYED, ...options });
}

const requests: readonly (readonly [string, string, Json])[] = [
  ['Responses over SSE', '/v1/responses', { model: 'm', input: 'hi', stream: true }],
  ['Responses as JSON', '/v1/responses', { model: 'm', input: 'hi' }],
  ['chat over SSE', '/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'hi' }], stream: true }],
  ['chat as JSON', '/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'hi' }] }],
];

async function errorOf(response: Response): Promise<Json> {
  return ((await response.json()) as { error: Json }).error;
}

describe.each(['translate', 'passthrough'] as const)('a server that refuses the key of the bridge, in %s', (mode) => {
  it.each(requests)('is a 502 that names it: %s', async (_name, path, body) => {
    await using rig = await refusing(401, { mode });
    const response = await post(rig.bridge, path, body);
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false']);
    const error = await errorOf(response);
    expect(error).toEqual({
      message: expect.stringContaining(told(rig)) as unknown,
      type: 'server_error',
      code: 'upstream_unauthorized',
      param: null,
    });
    expect(String(error.message)).not.toContain(KEY);
  });

  it.each(requests)('is a bad request to Codex, which asks once: %s', async (_name, path, body) => {
    await using rig = await refusing(403, { mode });
    const response = await post(rig.bridge, path, body, { headers: CODEX });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toEqual({
      message: expect.stringContaining(told(rig, 403)) as unknown,
      type: 'invalid_request_error',
      code: 'invalid_prompt',
      param: null,
    });
  });

  it.each([true, false])('is a 401 to a Messages client, which is not to be repeated (stream: %s)', async (stream) => {
    await using rig = await refusing(401, { mode });
    const body = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }], stream };
    const response = await post(rig.bridge, '/v1/messages', body);
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([401, 'false']);
    expect((await errorOf(response)).message).toContain(told(rig));
  });

  it('is asked once by the OpenAI SDK', async () => {
    await using rig = await refusing(401, { mode });
    const client = new OpenAI({ apiKey: 'none', baseURL: `${rig.bridge.url}/v1` });
    const failed = client.responses.create({ model: 'm', input: 'hi' });
    await expect(failed).rejects.toMatchObject({ status: 502, code: 'upstream_unauthorized' });
    expect(rig.mock.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('says that there is no key to refuse', async () => {
    await using rig = await startRig({ faults: ['status:401'] }, { wire: 'responses', mode });
    const error = await errorOf(await post(rig.bridge, '/v1/responses', { model: 'm', input: 'hi' }));
    expect(error.message).toMatch(/refuses the bridge \(401\), which sends no key: name the environment variable/);
  });
});

describe('a server that refuses the key of the bridge', () => {
  it.each([
    [{}, 502, 'upstream_unauthorized'],
    [CODEX, 400, 'invalid_prompt'],
  ])('is an error frame on a socket (%j: %i)', async (headers, status, code) => {
    await using rig = await refusing();
    const socket = await openSocket(rig.bridge, headers);
    const ended = await askOn(socket, { input: 'hi' });
    socket.terminate();
    expect(ended.events).toHaveLength(1);
    expect(ended.how).toBe(`http:${status}`);
    expect(ended.body).toMatchObject({ code, message: expect.stringContaining(told(rig)) as unknown });
  });

  it.each([
    [{}, 'upstream_unauthorized'],
    [CODEX, 'invalid_prompt'],
  ])('is told in a stream that has begun (%j: %s)', async (headers, code) => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], KEYED);
    const answer = askSse(bridge, { input: 'hi' }, headers);
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel'));
    res.end(`data: ${JSON.stringify({ error: { message: 'revoked', code: 'invalid_api_key' } })}\n\n`);
    const ended = await answer;
    expect(ended.how).toBe(`failed:${code}`);
    expect((ended.body?.error as Json).message).toBe(
      `${upstream.url} refuses the key of the bridge (invalid_api_key), which it has from --env-key UPSTREAM_TOKEN: revoked`,
    );
  });

  it('is told with the flag that the key comes from', async () => {
    await using mock = await startMock({ wire: 'responses', faults: ['status:401'] });
    const ask = async (command: Command): Promise<string> => {
      const body = JSON.stringify({ model: 'm', input: 'hi' });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${command.url}/v1/responses`, { method: 'POST', headers, body });
      await command.end();
      return String((await errorOf(response)).message);
    };
    const args = ['--upstream', mock.url, '--wire', 'responses'];
    const byFlag = await ask(await startCommand([...args, '--env-key', 'TOKEN'], { TOKEN: KEY }));
    expect(byFlag).toContain('which it has from --env-key TOKEN: ');
    const byStdin = await ask(await startCommand([...args, '--api-key-stdin'], {}, `${KEY}\n`));
    expect(byStdin).toContain('which it has from --api-key-stdin: ');
  });

  it('is counted for what it is', async () => {
    await using rig = await refusing();
    await post(rig.bridge, '/v1/responses', { model: 'm', input: 'hi' });
    const metrics = await (await fetch(`${rig.bridge.url}/metrics`)).text();
    expect(metrics).toContain('turnwire_errors_total{kind="unauthorized"} 1');
  });

  it('tells any other failure as it was', async () => {
    await using rig = await refusing(404);
    expect((await post(rig.bridge, '/v1/responses', { model: 'm', input: 'hi' })).status).toBe(404);
  });
});
