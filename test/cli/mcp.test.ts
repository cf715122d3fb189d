import { createHash } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { connectMcpServers } from '../../packages/agent/src/index.ts';
import { McpCredentialFile } from '../../turnwire/src/cli/mcp-credentials.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { startProxy } from '../transport/support/proxy.ts';
import { runInProcess, startInProcess } from './harness.ts';

// An MCP server and its authorization server: OAuth 2.1 with PKCE, registration and refreshed tokens.
const http = createServer((request, response) => void serve(request, response));
let origin = '';
/** The authorization server: the same one by another name, which makes it another origin. */
const there = () => origin.replace('127.0.0.1', 'localhost');
let challenge = '';
let tokens = { access: 'access-1', refresh: 'refresh-1' };
let grants: string[] = [];
let keyed = new Set<string>();
let home = '';
let cwd = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => {
  http.close();
  http.closeAllConnections();
});
beforeEach(async () => {
  grants = [];
  keyed = new Set();
  tokens = { access: 'access-1', refresh: 'refresh-1' };
  home = await temporaryFolder();
  cwd = await temporaryFolder();
  await mkdir(join(home, '.config', 'turnwire'), { recursive: true });
  const tables = `[mcp_servers.web]\nurl = "${origin}/mcp"\nhttp_headers = { x-key = "k" }\n[mcp_servers.files]\ncommand = "node"\nargs = ["a b"]\n`;
  await writeFile(join(home, '.config', 'turnwire', 'config.toml'), tables);
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', origin);
  if (request.headers['x-key'] !== undefined) keyed.add(pathname);
  const json = (value: object, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  switch (pathname) {
    case '/about/mcp':
      return void json({ resource: `${origin}/mcp`, authorization_servers: [there()] });
    case '/.well-known/oauth-authorization-server':
      return void json({
        issuer: there(),
        authorization_endpoint: `${there()}/authorize`,
        token_endpoint: `${there()}/token`,
        registration_endpoint: `${there()}/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      });
    case '/register':
      return void json({ ...(JSON.parse(await text(request)) as object), client_id: 'client-1' }, 201);
    case '/authorize': {
      challenge = searchParams.get('code_challenge') ?? '';
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('state', searchParams.get('state') ?? '');
      back.searchParams.set('code', 'code-1');
      return void response.writeHead(302, { location: back.href }).end();
    }
    case '/token':
      return void json(...answerToken(new URLSearchParams(await text(request))));
    case '/mcp':
      return serveMcp(request, response);
    default:
      return void json({}, 404);
  }
}

function answerToken(form: URLSearchParams): [object, number] {
  const grant = form.get('grant_type') ?? '';
  const verified = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  const isGood =
    grant === 'refresh_token'
      ? form.get('refresh_token') === tokens.refresh
      : form.get('code') === 'code-1' && verified === challenge;
  grants.push(`${grant} ${isGood ? 'given' : 'refused'}`);
  if (!isGood) return [{ error: 'invalid_grant' }, 400];
  return [{ access_token: tokens.access, token_type: 'Bearer', expires_in: 3600, refresh_token: tokens.refresh }, 200];
}

async function serveMcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers.authorization !== `Bearer ${tokens.access}`) {
    const where = `Bearer resource_metadata="${origin}/about/mcp"`;
    response.writeHead(401, { 'www-authenticate': where }).end('sign in');
    return;
  }
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  const server = new McpServer({ name: 'test', version: '1' });
  server.registerTool('hello', {}, () => ({ content: [{ type: 'text', text: 'hello' }] }));
  await server.connect(transport);
  await transport.handleRequest(request, response);
}

const turnwire = (...args: string[]) => runInProcess(['mcp', ...args], { cwd, home, env: {} });

/** Signs in as a person does who opens the page that is shown. */
async function login(env: Record<string, string> = {}) {
  const cli = startInProcess(['mcp', 'login', 'web'], { cwd, home, env });
  const page = (await cli.until(/http\S+authorize\S+(?=\n)/))[0];
  const back = new URL(page).searchParams.get('redirect_uri') ?? '';
  const forged = await fetch(`${back}?code=evil&state=other`);
  const heard = await fetch(page);
  return { result: await cli.result, answers: [forged.status, heard.status] };
}

test('one signs in through the proxy that the environment names', async () => {
  const proxy = await startProxy();
  onTestFinished(() => proxy.close());
  expect(await login({ http_proxy: proxy.url })).toMatchObject({ result: { code: 0 } });
  // Both hosts: the server, and where one signs in to it.
  expect(proxy.targets).toEqual(expect.arrayContaining([`POST ${origin}/mcp`, expect.stringContaining(there())]));
});

async function connect() {
  const credentials = new McpCredentialFile({ env: {}, home });
  const connections = await connectMcpServers([{ name: 'web', url: `${origin}/mcp`, credentials }], { cwd });
  await connections.close();
  return [...connections.warnings, ...connections.tools.map(({ name }) => name)];
}

test('a person signs in, the tokens are kept for the person alone, used, refreshed and forgotten', async () => {
  const refused = `the MCP server web cannot be used: ${origin} answered with status 401: `;
  expect(await connect()).toEqual([expect.stringContaining(refused)]);
  expect(await connect()).toEqual([expect.stringContaining('sign in with: turnwire mcp login web')]);
  expect(await login()).toMatchObject({ result: { code: 0, stdout: '' }, answers: [400, 200] });
  expect([...keyed]).toEqual(['/mcp', '/about/mcp']);
  expect((await stat(join(home, '.local/state/turnwire/mcp-credentials.json'))).mode & 0o777).toBe(0o600);
  expect((await turnwire('list')).stdout).toBe(`web\t${origin}/mcp\tsigned in\nfiles\tnode 'a b'\n`);
  expect(await connect()).toEqual(['mcp__web__hello']);

  tokens = { ...tokens, access: 'access-2' };
  expect(await connect()).toEqual(['mcp__web__hello']);
  expect(await connect()).toEqual(['mcp__web__hello']);
  expect(grants).toEqual(['authorization_code given', 'refresh_token given']);

  tokens = { access: 'access-3', refresh: 'refresh-3' };
  const ended = 'the sign-in has ended: sign in again with: turnwire mcp login web';
  expect(await connect()).toEqual([`the MCP server web cannot be used: ${origin}: ${ended}`]);

  expect(await turnwire('logout', 'web')).toMatchObject({ code: 0, stdout: '' });
  expect((await turnwire('list')).stdout).toBe(`web\t${origin}/mcp\nfiles\tnode 'a b'\n`);
  expect(await connect()).toEqual([expect.stringContaining(refused)]);
});

test('what cannot be signed in at is told', async () => {
  expect(await turnwire('login', 'files')).toMatchObject({ code: 2 });
  expect(await turnwire('login', 'none')).toMatchObject({ code: 2 });
  const { code, stderr } = await turnwire();
  expect([code, stderr]).toEqual([2, expect.stringContaining('login, logout, list')]);
});
