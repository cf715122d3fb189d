import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import {
  connectMcpServers,
  type Elicit,
  type McpAddress,
  type McpConnections,
} from '../../packages/agent/src/index.ts';
import type { ProxyOptions } from '../../packages/client/src/index.ts';
import { startProxy, type TestProxy } from '../transport/support/proxy.ts';
import { TestClock } from '../terminal/harness.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

const seen: { method: string; key: string | undefined }[] = [];
const sessions = new Map<string, StreamableHTTPServerTransport>();
let isJson = false;
let handler: Handler = serve;
const http = createServer((request, response) => {
  seen.push({ method: request.method ?? '', key: request.headers.authorization });
  void handler(request, response);
});
let url = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
});
afterAll(() => {
  http.close();
  http.closeAllConnections();
});
beforeEach(() => {
  seen.length = 0;
  sessions.clear();
  isJson = false;
  handler = serve;
});

/** A server with sessions; one that it does not know is 404. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = request.headers['mcp-session-id'];
  const known = typeof id === 'string' ? sessions.get(id) : await openSession();
  if (known === undefined) response.writeHead(404).end('no such session');
  else await known.handleRequest(request, response);
}

let opened = 0;

async function openSession(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => `session-${(opened += 1)}`,
    enableJsonResponse: isJson,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  const server = new McpServer({ name: 'test', version: '1' });
  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  server.registerTool('hang', {}, () => new Promise(() => undefined));
  server.registerTool('confirm', {}, async ({ requestId: relatedRequestId }) => {
    const requestedSchema = { type: 'object' as const, properties: {} };
    const answer = await server.server.elicitInput({ message: 'Go on?', requestedSchema }, { relatedRequestId });
    return { content: [{ type: 'text', text: answer.action }] };
  });
  await server.connect(transport);
  return transport;
}

async function connect(
  more: Partial<McpAddress> = {},
  proxy: ProxyOptions = {},
): Promise<McpConnections & { use: Use; said: string[] }> {
  const connections = await connectMcpServers([{ name: 'web', url, ...more }], { cwd: '/', proxy });
  onTestFinished(() => connections.close());
  const said: string[] = [];
  const use: Use = async (name, value = {}) => {
    const { signal } = new AbortController();
    const tool = connections.tools.find((each) => each.name === `mcp__web__${name}`);
    const plan = await tool?.plan({ type: 'json', value }, { signal });
    const result = await plan?.run({ signal, output: (_, text) => void said.push(text) });
    return result?.output ?? 'no such tool';
  };
  return { ...connections, tools: connections.tools, use, said };
}

type Use = (name: string, value?: object) => Promise<string>;

test.each([true, false])('a server over HTTP is used and told goodbye; answers as JSON: %s', async (json) => {
  isJson = json;
  const connections = await connect({ headers: { authorization: 'Bearer sesame-1' } });
  const { warnings, use } = connections;
  expect(warnings).toEqual([]);
  expect(await use('add', { a: 1, b: 2 })).toBe('3');
  await connections.close();
  expect(seen).toEqual(
    ['POST', 'POST', 'POST', 'POST', 'DELETE'].map((method) => ({ method, key: 'Bearer sesame-1' })),
  );
  expect(sessions.size).toBe(0);
});

test('a session that the server has forgotten is opened anew, once for all calls', async () => {
  const { use, said } = await connect();
  const before = opened;
  sessions.clear();
  expect(await Promise.all([use('add', { a: 1, b: 2 }), use('add', { a: 3, b: 4 })])).toEqual(['3', '7']);
  expect(opened).toBe(before + 1);
  expect(new Set(said)).toEqual(new Set(['the MCP server web has forgotten its session: a new one is opened\n']));
});

test('a server that stays away is told at each call, and used when it is back', async () => {
  const { use } = await connect();
  sessions.clear();
  handler = (_, response) => response.writeHead(404).end('gone');
  const { origin } = new URL(url);
  const gone = `${origin} answered with status 404: Streamable HTTP error: Error POSTing to endpoint: gone`;
  await expect(use('add', { a: 1, b: 2 })).rejects.toThrow(gone);
  await expect(use('add', { a: 1, b: 2 })).rejects.toThrow(gone);
  handler = serve;
  expect(await use('add', { a: 1, b: 2 })).toBe('3');
});

test('a refusal is told in one short line without the key that it quotes', async () => {
  handler = (request, response) =>
    response.writeHead(401).end(`not\n${request.headers.authorization ?? ''}\n${'x'.repeat(1000)}`);
  const { warnings } = await connect({ headers: { authorization: 'Bearer sesame-1' } });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(
    /^the MCP server web cannot be used: http:\/\/127\.0\.0\.1:\d+ answered with status 401: .*not Bearer \[redacted\] x{100,}… \(sign in with: turnwire mcp login web; or/,
  );
  expect(warnings[0]?.length).toBeLessThan(500);
});

test('headers go to no other server, whatever the server answers', async () => {
  const strangers: (string | undefined)[] = [];
  const stranger = createServer((request, response) => {
    strangers.push(request.headers.authorization);
    response.end();
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void stranger.close());
  const location = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`;
  handler = (_, response) => response.writeHead(307, { location }).end();
  const { warnings } = await connect({ headers: { authorization: 'Bearer sesame-1' } });
  expect(warnings).toEqual([
    expect.stringMatching(/^the MCP server web cannot be used: .*Redirect to .* not followed/),
  ]);
  expect(strangers).toEqual([]);
});

test('what a server asks on the stream of its call is asked, and waited for longer than any request', async () => {
  const clock = new TestClock();
  const connections = await connectMcpServers([{ name: 'web', url, toolTimeoutMs: 60_000 }], {
    cwd: '/',
    clock,
  });
  onTestFinished(() => connections.close());
  const tool = connections.tools.find(({ name }) => name === 'mcp__web__confirm');
  const { signal } = new AbortController();
  const plan = await tool?.plan({ type: 'json', value: {} }, { signal });
  const elicit: Elicit = () => {
    clock.pass(100_000);
    return Promise.resolve({ action: 'accept' });
  };
  const result = await plan?.run({ signal, output: () => undefined, elicit });
  expect(result).toEqual({ output: 'accept', ok: true });
});

test('a server that never answers, and one that is not there, hold up nothing', async () => {
  handler = () => undefined;
  const { warnings } = await connect({ startupTimeoutMs: 50 });
  expect(warnings).toEqual([expect.stringMatching(/^the MCP server web cannot be used: .*Request timed out/)]);
  const away = await connect({ url: 'http://127.0.0.1:2/' });
  expect(away.warnings).toEqual([
    'the MCP server web cannot be used: http://127.0.0.1:2: POST http://127.0.0.1:2/ failed: connection refused; is the server running, and is this its port? (ECONNREFUSED)',
  ]);
});

test('a call that takes too long, or whose answer is too long, fails alone', async () => {
  isJson = true;
  const hurried = await connect({ toolTimeoutMs: 50 });
  await expect(hurried.use('hang')).rejects.toThrow('the MCP server web gave no answer within 50 ms');
  const { use } = await connect();
  handler = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.alloc(17 * 1024 * 1024, ' '));
  };
  await expect(use('hang')).rejects.toThrow('its answer is longer than 16777216 bytes');
  handler = serve;
  expect(await use('add', { a: 1, b: 2 })).toBe('3');
});

/** A proxy beside the server, to which it takes everything. */
async function proxyToServer(): Promise<TestProxy> {
  const proxy = await startProxy(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  return proxy;
}

test('a server is reached through the proxy, which looks its name up', async () => {
  const { url: httpProxy, targets } = await proxyToServer();
  const connections = await connect({ url: 'http://tickets.example/mcp' }, { httpProxy });
  expect([connections.warnings, await connections.use('add', { a: 1, b: 2 })]).toEqual([[], '3']);
  await connections.close();
  expect(new Set(targets)).toEqual(new Set(['POST http://tickets.example/mcp']));
  expect(seen.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST', 'POST', 'DELETE']);
});

test('a server that noProxy names is reached directly', async () => {
  const { url: httpProxy, targets } = await proxyToServer();
  const { use } = await connect({}, { httpProxy, noProxy: 'other.example,127.0.0.1' });
  expect([await use('add', { a: 1, b: 2 }), targets]).toEqual(['3', []]);
});

test('a proxy that is not there is told without its password', async () => {
  const { warnings } = await connect({}, { httpProxy: 'http://user:sesame@127.0.0.1:2' });
  expect(warnings).toEqual([expect.stringContaining('the MCP server web cannot be used: ')]);
  expect(warnings[0]).not.toContain('sesame');
});
