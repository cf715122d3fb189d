import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bridge, BridgeOptions } from '../../packages/bridge/src/index.ts';
import { startCommand } from './bridge-process.ts';
import { askOn, openSocket, post, type Json } from './harness.ts';
import { startModelServer } from './model-server.ts';
import { startBridge } from './raw-upstream.ts';

const hello = { model: 'm', input: 'hi', stream: true };
const CODEX = { originator: 'codex_cli_rs' };

/** Answers whatever it is asked with a page, under the status that its path begins with. */
let web: Server;
/** Takes connections and says nothing. */
const silent = createTcpServer((socket) => socket.on('error', () => undefined));
let asked: string[] = [];
const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
const pages = (status: number): string => `http://127.0.0.1:${portOf(web)}/${status}`;

beforeAll(async () => {
  web = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    req.resume();
    res.writeHead(Number(req.url?.slice(1, 4)), { 'content-type': 'text/html; charset=utf-8' }).end('<html>No</html>');
  }).listen(0, '127.0.0.1');
  silent.listen(0, '127.0.0.1');
  await Promise.all([once(web, 'listening'), once(silent, 'listening')]);
});

afterAll(() => {
  web.closeAllConnections();
  web.close();
  silent.close();
});

/** A bridge with its usual retries. */
function bridgeTo(url: string, options: Partial<BridgeOptions> = {}): Promise<Bridge> {
  asked = [];
  return startBridge([{ url }], { requestMaxRetries: 4, ...options });
}

const told = (status: number, path: string): string =>
  `the server at ${new URL(pages(status)).origin} answers web pages (${status} with an HTML page to POST /${status}/${path}): ` +
  'it is no model server, or has no such path; check the base URL';

describe.each(['translate', 'passthrough'] as const)('a server of web pages, in %s', (mode) => {
  const path = mode === 'translate' ? 'chat/completions' : 'responses';

  it.each([200, 404, 405, 501])('is told at once as that, and is not asked again: %i', async (status) => {
    await using bridge = await bridgeTo(pages(status), { mode });
    const response = await post(bridge, '/v1/responses', hello);
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false']);
    expect(await response.json()).toEqual({
      error: { type: 'server_error', code: 'no_model_server', message: told(status, path), param: null },
    });
    expect(asked).toEqual([`POST /${status}/${path}`]);
  });

  it('is a bad request to Codex, which repeats everything else', async () => {
    await using bridge = await bridgeTo(pages(501), { mode });
    const response = await post(bridge, '/v1/responses', hello, { headers: CODEX });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_prompt', message: told(501, path) } });
  });
});

describe('a page', () => {
  it.each([500, 502, 503, 504])('with %i may come from a proxy before a server that is away', async (status) => {
    await using bridge = await bridgeTo(pages(status), { requestMaxRetries: 1 });
    const response = await post(bridge, '/v1/responses', hello);
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([status, null]);
    expect(asked).toHaveLength(2);
  });

  it('of another path than that of its wire is passed on as it is', async () => {
    await using bridge = await bridgeTo(pages(404), { mode: 'passthrough' });
    const response = await fetch(`${bridge.url}/v1/responses/resp_1`);
    expect([response.status, await response.text()]).toEqual([404, '<html>No</html>']);
  });

  it('is an error frame on a socket', async () => {
    await using bridge = await bridgeTo(pages(405));
    const socket = await openSocket(bridge, {});
    const ended = await askOn(socket, { input: 'hi' });
    socket.terminate();
    expect([ended.how, ended.body]).toEqual([
      'http:502',
      expect.objectContaining({ code: 'no_model_server', message: told(405, 'chat/completions') }) as Json,
    ]);
  });
});

describe('reach', () => {
  const stateOf = async (url: string): Promise<unknown> => {
    await using bridge = await bridgeTo(url);
    return (await bridge.reach())[0];
  };

  it('tells a server of web pages', async () => {
    expect(await stateOf(pages(501))).toEqual({
      upstream: pages(501),
      state: 'no_model_server',
      error: 'the server answers web pages, it is no model server: check the base URL and the port',
    });
    expect(asked.toSorted()).toEqual([
      'GET /501/models',
      'POST /501/chat/completions',
      'POST /501/messages',
      'POST /501/responses',
    ]);
  });

  it('takes one that has a page in place of a list alone for a model server', async () => {
    await using server = await startModelServer();
    const page = createServer((req, res) => {
      if (req.method === 'POST') res.writeHead(307, { location: `${server.url}/chat/completions` }).end();
      else res.writeHead(404, { 'content-type': 'text/html' }).end('<pre>Cannot GET</pre>');
    }).listen(0, '127.0.0.1');
    await once(page, 'listening');
    const url = `http://127.0.0.1:${portOf(page)}/v1`;
    expect(await stateOf(url)).toEqual({ upstream: url, state: 'up' });
    page.closeAllConnections();
    page.close();
  });

  it('tells one that takes connections and says nothing', async () => {
    const url = `http://127.0.0.1:${portOf(silent)}/v1`;
    expect(await stateOf(url)).toEqual({
      upstream: url,
      state: 'silent',
      error: `no answer within 2.5 s of sending GET ${url}/models: the server may be overloaded, or still loading the model`,
    });
  });

  it('tells https:// on a port without TLS, as a request does, which is not repeated by its client', async () => {
    const url = `https://127.0.0.1:${portOf(web)}/v1`;
    const why = (what: string): string =>
      `${what} failed: the server speaks no TLS; write http:// instead of https:// in the base URL (ERR_SSL_WRONG_VERSION_NUMBER)`;
    await using bridge = await bridgeTo(url, { requestMaxRetries: 0 });
    expect(await bridge.reach()).toEqual([{ upstream: url, state: 'down', error: why(`GET ${url}/models`) }]);
    const response = await post(bridge, '/v1/responses', hello);
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false']);
    expect(await response.json()).toMatchObject({ error: { message: why(`POST ${url}/chat/completions`) } });
  });
});

describe('turnwire bridge, started', () => {
  it('warns of a server of web pages', async () => {
    const command = await startCommand(['--upstream', pages(404), '--wire', 'chat']);
    while (!command.stderr().includes('\n')) await once(command.child.stderr ?? command.child, 'data');
    expect(JSON.parse(command.stderr())).toMatchObject({
      level: 40,
      upstream: pages(404),
      state: 'no_model_server',
      msg: 'the upstream is no model server: name the address of one with --upstream; until then requests fail',
    });
    expect(await command.end()).toBe(0);
  });

  it('asks a server once what it has, and says it', async () => {
    await using server = await startModelServer({ list: [{ id: 'tiny', max_model_len: 4096 }] });
    const command = await startCommand(['--upstream', server.url, '--wire', 'chat']);
    for (const line of [`model = "tiny"`, 'model_context_window = 4096'])
      expect(command.stdout()).toContain(`${line}\n`);
    expect(await command.end()).toBe(0);
    expect(server.others.filter((one) => one === 'GET /v1/models')).toHaveLength(1);
  });
});
