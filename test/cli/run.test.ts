import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startMock } from '@turnwire/testing';
import { resultOf, spawnCli } from './harness.ts';

/** A client that says how it was started, asks its server once on each path it is told, and ends as it is told. */
const FAKE = `
import { writeFileSync, readFileSync, existsSync } from 'node:fs';
const { env, argv } = process;
const settings = argv[argv.indexOf('--settings') + 1];
const args = argv.slice(2);
const seen = { args, env, settings: argv.includes('--settings') ? JSON.parse(readFileSync(settings, 'utf8')) : undefined, settingsPath: settings };
const stdin = env.FAKE_STDIN === undefined ? '' : readFileSync(0, 'utf8');
const answers = [];
for (const [url, headers, body] of JSON.parse(env.FAKE_ASKS ?? '[]')) {
  const at = url.replace('BASE', baseOf());
  const asked = body === undefined ? { method: 'HEAD' } : { method: 'POST', body: JSON.stringify(body) };
  const answer = await fetch(at, { ...asked, headers: { 'content-type': 'application/json', ...headersOf(headers) } });
  answers.push({ status: answer.status, text: await answer.text() });
}
writeFileSync(env.FAKE_OUT, JSON.stringify({ ...seen, stdin, answers }));
function baseOf() {
  const codex = args.find((arg) => arg.startsWith('model_providers.turnwire_run.base_url='));
  if (codex !== undefined) return JSON.parse(codex.slice(codex.indexOf('=') + 1)).replace(/\\/v1$/, '');
  return env.ANTHROPIC_BASE_URL ?? JSON.parse(env.OPENCODE_CONFIG_CONTENT).provider.turnwire.options.baseURL.replace(/\\/v1$/, '');
}
function headersOf(headers) {
  const token = env.TURNWIRE_TOKEN ?? env.ANTHROPIC_AUTH_TOKEN ?? JSON.parse(env.OPENCODE_CONFIG_CONTENT).provider.turnwire.options.apiKey;
  return JSON.parse(JSON.stringify(headers).replace('TOKEN', token));
}
if (env.FAKE_WAIT !== undefined) {
  for (const name of ['SIGTERM', 'SIGINT']) {
    process.on(name, () => {
      process.stdout.write('got ' + name + '\\n');
      if (env.FAKE_WAIT !== 'deaf') process.exit(9);
    });
  }
  setInterval(() => undefined, 1000);
  process.stdout.write('ready\\n');
} else process.exitCode = Number(env.FAKE_CODE ?? 0);
`;

interface Seen {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly settings?: { readonly env: Readonly<Record<string, string>> };
  readonly settingsPath: string;
  readonly stdin: string;
  readonly answers: readonly { readonly status: number; readonly text: string }[];
}

// Each test starts several programs.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
const where = (name: string): string => join(folder, name);
const seen = (): Seen => JSON.parse(readFileSync(where('seen.json'), 'utf8')) as Seen;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnwire-run-test-'));
  for (const name of ['bin', 'home', 'work']) mkdirSync(where(name));
  writeFileSync(where('fake.mjs'), FAKE);
  for (const name of ['codex', 'claude', 'opencode']) {
    writeFileSync(where(`bin/${name}`), `#!/bin/sh\nexec ${process.execPath} ${where('fake.mjs')} "$@"\n`);
    chmodSync(where(`bin/${name}`), 0o755);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const own = { HOME: where('home'), PATH: where('bin'), FAKE_OUT: where('seen.json') };
  return spawnCli(['run', ...args], { ...own, ...env }, where('work'));
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = start(args, env);
  child.stdin.end();
  return await resultOf(child);
}

/** By POST; without a body by HEAD. */
const ask = (url: string, headers: Readonly<Record<string, string>>, ...body: [] | [object]) =>
  [`BASE${url}`, headers, ...body] as const;
const responses = { model: 'm', input: 'hi' };

/** A server with routes that answer the same JSON each time. */
async function jsonServer(routes: Readonly<Record<string, unknown>>): Promise<Server & { readonly base: string }> {
  const server = createServer((req, res) => {
    const body = routes[req.url ?? ''];
    res.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(body ?? { error: { message: 'no route' } }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(server, { base: `http://127.0.0.1:${port}` });
}

describe('turnwire run codex', () => {
  it('serves the client for as long as it runs, ends as it does, and says what was done', async () => {
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    const asks = [
      ask('/v1/responses', { authorization: 'Bearer TOKEN' }, responses),
      ask('/v1/responses', { authorization: 'Bearer wrong' }, responses),
      // No request to a model: it is not counted.
      ask('/api/hello', {}),
    ];
    const { code, stdout, stderr } = await run(
      ['codex', '--upstream', mock.url, '--', 'exec', '-c', 'x=1', 'Say "hi"'],
      {
        FAKE_ASKS: JSON.stringify(asks),
        FAKE_CODE: '7',
      },
    );
    const { args, env, answers } = seen();
    const base = /base_url="(http:\/\/127\.0\.0\.1:\d+\/v1)"/.exec(args.join(' '))?.[1];
    expect(args).toEqual([
      ...['-c', 'model="scripted"', '-c', 'model_provider="turnwire_run"'],
      ...[
        '-c',
        'model_providers.turnwire_run.name="turnwire"',
        '-c',
        `model_providers.turnwire_run.base_url="${base}"`,
      ],
      ...['-c', 'model_providers.turnwire_run.wire_api="responses"'],
      ...['-c', 'model_providers.turnwire_run.supports_websockets=true'],
      ...['-c', `model_providers.turnwire_run.auth.command=${JSON.stringify(process.execPath)}`],
      ...['-c', 'model_providers.turnwire_run.auth.args=[ "-p", "process.env.TURNWIRE_TOKEN" ]'],
      ...['exec', '-c', 'x=1', 'Say "hi"'],
    ]);
    expect(env.TURNWIRE_TOKEN).toMatch(/^[0-9a-f]{64}$/);
    expect(args.join(' ')).not.toContain(env.TURNWIRE_TOKEN);
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 401]);
    expect(code).toBe(7);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^turnwire: starting codex on scripted at (http:\/\/127\.0\.0\.1:\d+)\nturnwire: scripted at \1: 1 request, \d+ tokens in, \d+ out; refused: 1\n$/,
    );
    expect(readdirSync(where('home'))).toEqual([]);
  });

  it('gives the client what comes on stdin, and its own name of the model and window', async () => {
    const server = await jsonServer({
      '/v1/models': { data: [{ id: 'big "one"', owned_by: 'llamacpp' }] },
      '/props': { default_generation_settings: { n_ctx: 4096 } },
    });
    const flags = ['--upstream', server.base, '--search-url', ':9'];
    const child = start(['codex', ...flags], { FAKE_STDIN: 'yes' });
    child.stdin.end('from a pipe');
    const { code } = await resultOf(child);
    server.close();
    expect(code).toBe(0);
    expect(seen().stdin).toBe('from a pipe');
    expect(seen().args).toContain('model="big \\"one\\""');
    expect(seen().args).toContain('model_context_window=4096');
    expect(seen().args).toContain('model_providers.turnwire_run.supports_standalone_web_search=true');
    expect(seen().args).toContain('features.standalone_web_search=true');
  });

  it('writes the log of the bridge to the file that is asked for, without the token', async () => {
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    const asks = [ask('/v1/responses', { authorization: 'Bearer TOKEN' }, responses)];
    await run(['codex', '--upstream', mock.url, '--log', 'bridge.log'], { FAKE_ASKS: JSON.stringify(asks) });
    const log = readFileSync(where('work/bridge.log'), 'utf8');
    expect(log).toContain('"route":"responses_json"');
    expect(log).not.toContain(seen().env.TURNWIRE_TOKEN);
  });
});

describe('turnwire run claude', () => {
  it('points every model to the bridge, over the environment and the settings of its user', async () => {
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    const body = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };
    const asks = [ask('/v1/messages', { authorization: 'Bearer TOKEN', 'anthropic-version': '2023-06-01' }, body)];
    const { code } = await run(['claude', '--upstream', mock.url, '--context-window', '5000', '-p', 'hi'], {
      FAKE_ASKS: JSON.stringify(asks),
      ANTHROPIC_API_KEY: 'theirs',
      CLAUDE_CODE_USE_BEDROCK: '1',
    });
    const { args, env, settings, settingsPath, answers } = seen();
    expect(args).toEqual(['--settings', settingsPath, '-p', 'hi']);
    expect(existsSync(dirname(settingsPath))).toBe(false);
    const named = Object.fromEntries(Object.entries(env).filter(([name]) => /^(ANTHROPIC|CLAUDE)_/.test(name)));
    expect(named).toEqual({
      ANTHROPIC_BASE_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      ANTHROPIC_AUTH_TOKEN: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      ANTHROPIC_MODEL: 'scripted',
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'scripted',
      ANTHROPIC_DEFAULT_SONNET_MODEL: 'scripted',
      ANTHROPIC_DEFAULT_HAIKU_MODEL: 'scripted',
      ANTHROPIC_SMALL_FAST_MODEL: 'scripted',
      CLAUDE_CODE_MAX_CONTEXT_TOKENS: '5000',
    });
    expect(settings).toEqual({
      env: {
        ANTHROPIC_API_KEY: '',
        ANTHROPIC_UNIX_SOCKET: '',
        CLAUDE_CODE_USE_BEDROCK: '',
        CLAUDE_CODE_USE_FOUNDRY: '',
        CLAUDE_CODE_USE_VERTEX: '',
        ...named,
      },
    });
    expect([code, answers.map(({ status }) => status)]).toEqual([0, [200]]);
  });
});

describe('turnwire run opencode', () => {
  it('adds a provider to what the user has in the variable of the configuration', async () => {
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    const chat = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
    const { code } = await run(['opencode', '--upstream', mock.url, '--context-window', '8000'], {
      FAKE_ASKS: JSON.stringify([ask('/v1/chat/completions', { authorization: 'Bearer TOKEN' }, chat)]),
      OPENCODE_CONFIG_CONTENT: '{"theme":"dark","model":"x/y","provider":{"x":{"name":"X"}}}',
    });
    const config = JSON.parse(seen().env.OPENCODE_CONFIG_CONTENT ?? '') as Record<string, unknown>;
    expect(config).toEqual({
      theme: 'dark',
      model: 'turnwire/scripted',
      small_model: 'turnwire/scripted',
      provider: {
        x: { name: 'X' },
        turnwire: {
          npm: '@ai-sdk/openai-compatible',
          name: 'turnwire',
          options: {
            baseURL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/) as string,
            apiKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          },
          models: { scripted: { name: 'scripted', tool_call: true, limit: { context: 8000, output: 2000 } } },
        },
      },
    });
    expect([code, seen().answers.map(({ status }) => status)]).toEqual([0, [200]]);
  });
});

describe('signals', () => {
  async function waiting(kind: string) {
    const mock = await startMock({ wire: 'chat' });
    const child = start(['codex', '--upstream', mock.url], { FAKE_WAIT: kind });
    const ended = resultOf(child);
    await said(child.stdout, 'ready');
    return { child, ended, [Symbol.asyncDispose]: () => mock.close() };
  }

  async function said(stream: NodeJS.ReadableStream, word: string): Promise<void> {
    let text = '';
    while (!text.includes(word)) text += String(((await once(stream, 'data')) as [Buffer])[0]);
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('%s goes to the client, whose exit code counts', async (name) => {
    await using run = await waiting('polite');
    run.child.kill(name);
    expect(await run.ended).toMatchObject({ code: 9, stdout: `ready\ngot ${name}\n` });
  });

  it('a second SIGTERM kills a client that does not end', async () => {
    await using run = await waiting('deaf');
    run.child.kill('SIGTERM');
    await said(run.child.stdout, 'got SIGTERM');
    run.child.kill('SIGTERM');
    expect((await run.ended).code).toBe(137);
  });
});

describe('before the client is started', () => {
  const notStarted = () => expect(existsSync(where('seen.json'))).toBe(false);

  it('says how to install one that is not there', async () => {
    rmSync(where('bin/claude'));
    const { code, stderr } = await run(['claude', '--upstream', 'http://127.0.0.1:1']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'turnwire run: claude is not installed: there is no claude in PATH. Install it with: npm install -g @anthropic-ai/claude-code\n',
    });
  });

  it('tells a dead server within three seconds', async () => {
    const server = await jsonServer({});
    server.close();
    await once(server, 'close');
    const { code, stderr } = await run(['codex', '--upstream', server.base]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `turnwire run: connection_failed: GET ${server.base}/v1/models failed: connection refused; is the server running, and is this its port? (ECONNREFUSED)\n`,
    });
    notStarted();
  });

  it('tells a server that accepts and says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { code, stderr } = await run(['codex', '--upstream', url]);
    silent.closeAllConnections();
    silent.close();
    const why = 'takes connections and does not answer: it is no model server, hangs, or still loads its model';
    expect({ code, stderr }).toEqual({ code: 1, stderr: `turnwire run: ${url} ${why}\n` });
    notStarted();
  });

  it.each([
    [[{ id: 'a' }, { id: 'b' }], /has several models: name one with --model NAME \(a, b\)/],
    [[], /tells of no model at \/v1\/models: is that a model server, on this port\?/],
  ])('wants a model where the server lists %j and nobody can be asked', async (data, message) => {
    const server = await jsonServer({ '/v1/models': { data } });
    const { code, stderr } = await run(['codex', '--upstream', server.base]);
    server.close();
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    notStarted();
  });

  it('names the flag for a key that the server wants', async () => {
    await using mock = await startMock({ wire: 'chat', faults: [] });
    const locked = createServer((_, res) => res.writeHead(401).end('{}')).listen(0, '127.0.0.1');
    await once(locked, 'listening');
    const url = `http://127.0.0.1:${(locked.address() as AddressInfo).port}`;
    const wanted = `${url} wants a key: name the environment variable that holds it with --env-key VARIABLE`;
    const asks = [ask('/v1/responses', { authorization: 'Bearer TOKEN' }, responses)];
    const env = { FAKE_ASKS: JSON.stringify(asks) };
    const { code, stderr } = await run(['codex', '--upstream', url, '--upstream', mock.url], env);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      `turnwire run: note: ${wanted}\nturnwire: starting codex on scripted at ${url} and ${mock.url}\nturnwire: scripted at ${mock.url}: 1 request, `,
    );
    const alone = await run(['codex', '--upstream', url]);
    expect(alone).toEqual({ code: 1, stdout: '', stderr: `turnwire run: ${wanted}\n` });
    const wrong = await run(['codex', '--upstream', url, '--env-key', 'KEY'], { KEY: 'sesame' });
    locked.close();
    expect(wrong.stderr).toMatch(/^turnwire run: http:\S+ refuses the key of --env-key KEY: (?!.*sesame).*\n$/);
  });
});
