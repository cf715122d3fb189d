import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { packages, publicEntries, sourceFlags, sourceUrl } from '../../scripts/packages.ts';
import { childEnv } from '../run-folder.ts';

vi.setConfig({ testTimeout: 120_000 });

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'turnwire-loaded-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entries = packages.flatMap((each) =>
  publicEntries(each).map((entry) => `${each.manifest.name}${entry.slice(1)}`),
);
const declared = new Set(
  packages.flatMap(({ manifest }) => Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })),
);

/**
 * Runs a program in a process of its own; its code, what it wrote, and the files of ours and the packages of the manifest that it loaded.
 *
 * @param until - a text on stdout, at which it is told to end: what it loads afterwards does not count
 */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, until?: string) {
  const file = join(folder, `${Math.random()}.json`);
  const hooks = pathToFileURL(join(root, 'scripts', 'trace-modules.ts')).href;
  const child = spawn(process.execPath, [...sourceFlags, '--import', hooks, ...args], {
    env: { ...childEnv, MODULES_FILE: file, ...(until !== undefined && { MODULES_UNTIL: until }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
    if (until !== undefined && !child.killed && stdout.includes(until)) child.kill('SIGTERM');
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number | null];
  const { modules } = JSON.parse(readFileSync(file, 'utf8')) as { modules: readonly string[] };
  const packages = new Set(modules.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []));
  const own = modules.filter((url) => url.startsWith(pathToFileURL(root).href) && !url.includes('/node_modules/'));
  return {
    code,
    stdout,
    stderr,
    modules,
    own: own.length,
    packages: [...packages].filter((name) => declared.has(name)).sort(),
  };
}

function urlOf(entry: string): string {
  const url = sourceUrl(entry);
  if (url === undefined) throw new Error(`no package has an entry ${entry}`);
  return url;
}

function runScript(script: string, env?: Readonly<Record<string, string>>) {
  return run(['--input-type=module', '--eval', script], env);
}

/** What the import of each entry may load of the package's dependencies. Everything else comes with its first use. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  '@turnwire/wire': [],
  '@turnwire/wire/fetch': [],
  '@turnwire/wire/register': [],
  '@turnwire/client': [],
  '@turnwire/client/telemetry': ['@opentelemetry/api'],
  '@turnwire/testing': [],
  '@turnwire/agent': ['ignore', 'zod'],
  '@turnwire/bridge': ['find-my-way', 'pino', 'undici'],
  '@turnwire/inspector': [],
  turnwire: [],
  'turnwire/wire': [],
  'turnwire/fetch': [],
  'turnwire/register': [],
  'turnwire/telemetry': ['@opentelemetry/api'],
  'turnwire/testing': [],
  'turnwire/bridge': ['find-my-way', 'pino', 'undici'],
  'turnwire/agent': ['ignore', 'zod'],
};

describe('what an import loads', () => {
  it('is said of every entry', () => {
    expect(Object.keys(wanted)).toEqual(entries);
  });

  it.each(entries)('%s', async (entry) => {
    const { code, stdout, stderr, own, packages } = await runScript(`
      await import(${JSON.stringify(urlOf(entry))});
      console.log(process.moduleLoadList.filter((name) => name.endsWith('deps/undici/undici')).length);`);
    expect({ code, stderr, packages }).toEqual({ code: 0, stderr: '', packages: wanted[entry] });
    expect(stdout, "Node's own copy of undici is not loaded: platform/node-http.ts").toBe('0\n');
    expect(own, 'what it loaded was seen').toBeGreaterThan(0);
  });
});

describe('what a use loads', () => {
  it('an agent is loaded without a client: it takes any model', async () => {
    const { modules } = await runScript(`await import(${JSON.stringify(urlOf('@turnwire/agent'))})`);
    expect(modules.filter((url) => /\/client\/src\/(?:index\.ts|session|http|transport)/.test(url))).toEqual([]);
  });

  it('a client that speaks HTTP does without ws, and with WebSockets has it', async () => {
    const answered = (supportsWebsockets: boolean) => `
      const { startMock } = await import(${JSON.stringify(urlOf('turnwire/testing'))});
      const { createModelSession, createProvider } = await import(${JSON.stringify(urlOf('turnwire'))});
      const mock = await startMock();
      const provider = createProvider({ baseUrl: mock.baseUrl, model: 'm', supportsWebsockets: ${supportsWebsockets} });
      const session = createModelSession({ provider });
      const input = [{ type: 'message', role: 'user', content: 'Hi' }];
      for await (const event of session.turn().stream({ input })) if (event.type === 'completed') console.log(event.type);
      await session.close();
      console.log(mock.requests.map(({ transport }) => transport).join());
      await mock.close();`;
    const http = await runScript(answered(false));
    const webSocket = await runScript(answered(true));
    expect([http.stdout, http.stderr, http.packages]).toEqual(['completed\nhttp\n', '', ['undici']]);
    expect([webSocket.stdout, webSocket.stderr, webSocket.packages]).toEqual(['completed\nwebsocket\n', '', ['ws']]);
  });

  it('without ws a turn says what to install, and goes on over HTTP', async () => {
    const { stdout, stderr } = await runScript(
      `const { createServer } = await import('node:http');
      const { createModelSession, createProvider } = await import(${JSON.stringify(urlOf('@turnwire/client'))});
      const server = createServer((request, response) => {
        response.end('data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}\\n\\n');
      }).listen(0, '127.0.0.1', async () => {
        const baseUrl = 'http://127.0.0.1:' + server.address().port + '/v1';
        const provider = createProvider({ baseUrl, model: 'm', supportsWebsockets: true });
        const session = createModelSession({ provider });
        const input = [{ type: 'message', role: 'user', content: 'Hi' }];
        const types = [];
        for await (const event of session.turn().stream({ input })) types.push(event.error?.message ?? event.type);
        await session.close();
        server.close();
        console.log([...new Set(types)].join('\\n'));
      });`,
      { MODULES_MISSING: 'ws' },
    );
    const [failure = '', ...rest] = stdout.trim().split('\n');
    expect(failure.replace(/:\d+\//, '/')).toBe(
      'WebSocket ws://127.0.0.1/v1/responses failed: a WebSocket needs the package ws, which is not installed: npm install ws',
    );
    expect([rest, stderr]).toEqual([['completed'], '']);
  });

  it('a scripted server closes every socket, also of those that came while ws was being loaded', async () => {
    const { stdout, stderr, packages } = await runScript(`
      const { startMock } = await import(${JSON.stringify(urlOf('turnwire/testing'))});
      const mock = await startMock();
      const sockets = [1, 2, 3].map(() => new WebSocket(mock.url.replace('http', 'ws') + '/v1/responses'));
      await Promise.all(sockets.map((socket) => new Promise((resolve) => (socket.onopen = resolve))));
      const closed = sockets.map((socket) => new Promise((resolve) => (socket.onclose = resolve)));
      await mock.close();
      console.log((await Promise.all(closed)).length);`);
    expect([stdout, stderr, packages]).toEqual(['3\n', '', ['ws']]);
  });

  it('a bridge of the command loads what a bridge does, its flags and its configuration', async () => {
    const args = ['bridge', '--upstream', 'http://127.0.0.1:9', '--port', '0'];
    const { code, packages } = await run([join(root, 'turnwire', 'src', 'cli', 'main.ts'), ...args], {}, 'listening');
    expect({ code, packages }).toEqual({
      code: 0,
      packages: ['commander', ...(wanted['turnwire/bridge'] ?? []), 'smol-toml'].sort(),
    });
  });

  it('a chat can be typed in before the agent, its tools and what speaks to a server are loaded', async () => {
    const args = ['chat', '--base-url', 'http://127.0.0.1:9/v1', '--wire', 'chat', '--model', 'm'];
    const main = join(root, 'turnwire', 'src', 'cli', 'main.ts');
    const { code, modules, packages } = await run([main, ...args], { MODULES_TERMINAL: 'on' }, '›');
    expect({ code, packages }).toEqual({ code: 130, packages: ['@earendil-works/pi-tui', 'commander', 'smol-toml'] });
    const later =
      /agent\/src\/(?:agent|compose|index|tools\/toolset|thread\/store)\.ts$|client\/src\/(?:session|transport|websocket)\/|cli\/exec\.ts$|pi-tui\/dist\/(?:index|tui-alt-screen)\.js$/;
    expect(modules.filter((url) => later.test(url))).toEqual([]);
  });

  it('decode loads commander alone', async () => {
    const capture = join(root, 'test', 'captures', 'chat-json-schema.sse');
    const { code, packages } = await run([
      join(root, 'turnwire', 'src', 'cli', 'main.ts'),
      'decode',
      capture,
      '--wire',
      'chat',
    ]);
    expect({ code, packages }).toEqual({ code: 0, packages: ['commander'] });
  });

  it('a redis store without the package redis says how to get it', async () => {
    const args = ['bridge', '--upstream', 'http://127.0.0.1:9', '--port', '0', '--store', 'redis://127.0.0.1:9'];
    const { code, stdout, stderr } = await run([join(root, 'turnwire', 'src', 'cli', 'main.ts'), ...args], {
      MODULES_MISSING: 'redis',
    });
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'turnwire bridge: the bridge cannot start: a redis:// store needs the package redis, which is not installed: npm install redis\n',
    });
  });
});
