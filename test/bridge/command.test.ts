import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { runInProcess } from '../cli/harness.ts';
import { startCommand } from './bridge-process.ts';
import { post, startRig } from './harness.ts';
import { chatChunk, chatEnd, startRawUpstream } from './raw-upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('turnwire bridge', () => {
  it('prints the block for Codex, takes its key from stdin, logs one line per answer and no secret', async () => {
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    const traces = join(folder, 'traces');
    const args = ['--upstream', mock.url, '--api-key-stdin', '--auth-token-env', 'CALLERS', '--trace-dir', traces];
    const command = await startCommand(args, { CALLERS: 'caller-secret' }, 'upstream-secret\n');
    expect(command.stdout()).toContain(
      `base_url = "${command.url}/v1"\nwire_api = "responses"\nsupports_websockets = true\n`,
    );
    expect(command.stdout()).toContain('\ncommand = "printenv"\nargs = [ "CALLERS" ]\n');
    const response = await fetch(`${command.url}/v1/responses`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer caller-secret',
        'x-api-key': 'other-secret',
      },
      body: JSON.stringify({ model: 'm', input: 'hi', stream: true, 'odd\u009b\u202efield': 1 }),
    });
    expect(await response.text()).toContain('response.completed');
    expect(await command.end()).toBe(0);
    expect(mock.requests[0]?.headers.authorization).toBe('Bearer upstream-secret');
    const lines = command
      .stderr()
      .split('\n')
      .filter((line) => line.includes('"msg":"response"'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      route: 'responses_sse',
      outcome: 'completed',
      upstream: `${mock.url}/v1`,
      ended_by: 'finish_reason',
    });
    // A log is read in a terminal, which obeys U+009B.
    expect(command.stderr()).toContain('odd\\u009b\\u202efield');
    const [trace] = readdirSync(traces);
    const traced = readFileSync(join(traces, trace!), 'utf8');
    expect(traced).toContain('response.completed');
    expect(command.stderr() + command.stdout() + traced).not.toMatch(/-secret/);
  });

  it('lets a stream finish after SIGTERM, and ends with 0', async () => {
    await using upstream = await startRawUpstream();
    const command = await startCommand(['--upstream', upstream.url, '--wire', 'chat']);
    const answer = fetch(`${command.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', input: 'x', stream: true }),
    });
    const { res } = await upstream.next();
    res.writeHead(200).write(chatChunk('Hel'));
    const response = await answer;
    const ended = command.end();
    await expect(async () => {
      for (;;) await (await fetch(`${command.url}/health`, { headers: { connection: 'close' } })).text();
    }).rejects.toThrow();
    res.end(chatChunk('lo') + chatEnd);
    expect(await response.text()).toContain('"status":"completed"');
    expect(await ended).toBe(0);
  });

  it("asks a provider of the configuration as its table says, and names the table's model", async () => {
    await using mock = await startMock({ wire: 'chat', scenario: 'text' });
    const home = join(folder, 'home');
    mkdirSync(join(home, 'turnwire'), { recursive: true });
    const table = `[model_providers.odd]
base_url = "${mock.baseUrl}"
wire_api = "chat"
model = "tiny"
query_params = { "api-version" = "7" }
http_headers = { "X-Plain" = "one" }
env_http_headers = { "X-From-Env" = "TENANT" }
`;
    writeFileSync(join(home, 'turnwire', 'config.toml'), table);
    const command = await startCommand(['--provider', 'odd'], { XDG_CONFIG_HOME: home, TENANT: 'two' });
    expect(command.stdout()).toContain('model = "tiny"\n');
    const response = await fetch(`${command.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"input":"hi"}',
    });
    expect(await response.text()).toContain('"status":"completed"');
    expect(await command.end()).toBe(0);
    const { query, headers, body } = mock.requests[0]!;
    expect([query, headers['x-plain'], headers['x-from-env'], body?.model]).toEqual([
      'api-version=7',
      'one',
      'two',
      'tiny',
    ]);
  });

  it("names the other providers when Codex' own is the bridge itself", async () => {
    const home = join(folder, 'codex-home');
    mkdirSync(join(home, '.codex'), { recursive: true });
    const table = `model_provider = "turnwire"
[model_providers.turnwire]
base_url = "http://127.0.0.1:18082/v1"
[model_providers.llama]
base_url = "http://127.0.0.1:8080/v1"
wire_api = "chat"
`;
    writeFileSync(join(home, '.codex', 'config.toml'), table);
    await expect(startCommand(['--codex-config', '--port', '18082'], { HOME: home })).rejects.toThrow(
      /http:\/\/127\.0\.0\.1:18082\/v1, is this bridge itself: name the model server with --provider NAME \(known: llama\)/,
    );
  });

  it.each([
    [[], /an upstream is needed/],
    [['--upstream', 'http://localhost:18081', '--port', '18081'], /http:\/\/localhost:18081\/v1 is this bridge itself/],
    [['--upstream', 'http://127.0.0.1:1', '--codex-config'], /--upstream and --codex-config contradict each other/],
    [['--upstream', 'nonsense'], /http:\/\//],
    [['--upstream', 'http://127.0.0.1:1', '--host', '0.0.0.0'], /--auth-token-env/],
    [['--upstream', 'http://127.0.0.1:1', '--env-key', 'NOT_SET'], /NOT_SET is not set/],
    [['--upstream', 'http://127.0.0.1:1', '--store', 'mysql://x'], /memory, sqlite:PATH or redis/],
    [['--upstream', 'http://127.0.0.1:1', '--store', 'redis://:sesame@h'], /^(?!.*sesame).*--store-password-env/s],
    [['--upstream', 'http://127.0.0.1:1?key=sesame'], /^(?!.*sesame).*\(key\): use --env-key/s],
    [['--upstream', 'http://127.0.0.1:1', '--store-password-env', 'PW'], /is for a redis:\/\/ store/],
    [['--upstream', 'http://127.0.0.1:1', '--search-key-env', 'PW'], /is for the engine of --search-url/],
    [['--upstream', 'http://127.0.0.1:1', '--search-url', 'searx'], /--search-url must be an http/],
    [['--upstream', 'http://h', '--search-url', 'http://h', '--search-key-env', 'PW'], /PW is not set/],
    [['--upstream', 'http://h', '--store', 'redis://h', '--store-password-env', 'PW'], /PW is not set/],
    [['--upstream', 'http://127.0.0.1:1', '--mode', 'sideways'], /sideways/],
  ])('refuses %j with one line', async (args, message) => {
    const { code, stdout, stderr } = await runInProcess(['bridge', '--port', '0', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.split('\n')).toHaveLength(2);
  });
});

describe('bridge: what is no request', () => {
  it.each([
    ['garbage', 'GARBAGE\r\n\r\n', 400],
    ['endless headers', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    ['no host', 'GET /v1/models HTTP/1.0\r\n\r\n', 400],
  ])('%s is answered in the shape of the API, and others go on', async (_name, bytes, status) => {
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
    const socket = connect(at.bridge.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(bytes);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({
      error: { type: 'invalid_request_error' },
    });
    expect((await post(at.bridge, '/v1/responses', { model: 'm', input: 'x' })).status).toBe(200);
  });
});
