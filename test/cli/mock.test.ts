import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { listFaults } from '../../packages/testing/src/index.ts';
import { linesOf, resultOf, runInProcess, spawnCli, startInProcess, type RunningCli } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-mock-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts `turnwire mock` and waits until it says where it listens. */
async function startMockCli(...args: string[]): Promise<{ cli: RunningCli; baseUrl: string }> {
  const cli = startInProcess(['mock', ...args], { cwd: folder });
  const [, baseUrl = ''] = await cli.until(/base URL (\S+)\n/);
  return { cli, baseUrl };
}

const ask = async (baseUrl: string) =>
  await runInProcess(['exec', '--json', '--base-url', baseUrl, '--wire', 'chat', 'hi']);

describe('mock', () => {
  it('lists every fault with one line', async () => {
    const { code, stdout } = await runInProcess(['mock', '--faults']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/[\s:]/)[0]),
    ).toEqual(listFaults().map(({ name }) => name));
    expect(code).toBe(0);
  });

  it('lists those of one wire, each with its other names', async () => {
    const { stdout } = await runInProcess(['mock', '--wire', 'messages', '--faults']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/[\s:]/)[0])).toEqual(
      listFaults()
        .filter(({ wires }) => wires.includes('messages'))
        .map(({ name }) => name),
    );
    expect(lines.find((line) => line.startsWith('finish-then-hold'))).toMatch(/ Also: hold-after-stop-reason\.$/);
  });

  it('takes another name of a fault, and says which it is', async () => {
    const { cli, baseUrl } = await startMockCli('--wire', 'messages', '--fault', 'no-message-stop@1');
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], stream: true });
    const stops: boolean[] = [];
    for (let n = 1; n <= 2; n++) {
      const answer = await fetch(`${baseUrl}/messages`, { method: 'POST', body });
      stops.push((await answer.text()).includes('message_stop'));
    }
    expect(stops).toEqual([false, true]);
    cli.signal('SIGTERM');
    expect(await cli.result).toMatchObject({
      code: 0,
      stderr: 'turnwire mock: no-message-stop is the fault no-sentinel\n',
    });
  });

  it('plays a fault to a client, and ends well when as many requests came as expected', async () => {
    const { cli, baseUrl } = await startMockCli('--fault', 'finish-then-hold', '--expect', '1');
    const answer = await ask(baseUrl);
    expect(linesOf(answer.stdout).at(-1)).toMatchObject({ type: 'turn.completed' });
    cli.signal('SIGTERM');
    expect(await cli.result).toMatchObject({ code: 0, stderr: '' });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('says what did not come at %s, and exits 1', async (signal) => {
    const { cli, baseUrl } = await startMockCli('--fault', 'finish-then-hold', '--expect', '2');
    await ask(baseUrl);
    cli.signal(signal);
    const { code, stderr } = await cli.result;
    expect(stderr).toMatch(/^expected 2 requests, got 1\n/);
    expect(stderr).toMatch(/finish_reason/);
    expect(code).toBe(1);
  });

  it('names the requests that it refused, and does not call them unsent', async () => {
    const { cli, baseUrl } = await startMockCli('--wire', 'chat', '--expect', '1');
    const post = async (path: string, body: string) => (await fetch(baseUrl + path, { method: 'POST', body })).status;
    expect(await post('/chat/completions', '{"messages":[')).toBe(400);
    expect(await post('/chat/completion', '{}')).toBe(404);
    expect(await post('/responses', '{}')).toBe(404);
    cli.signal('SIGTERM');
    const { code, stderr } = await cli.result;
    expect(stderr.split('\n')).toEqual([
      'expected 1 request, got 0',
      '  refused, not counted: POST /v1/chat/completions, status 400, answered with a whole body, body ended',
      '  refused, not counted: POST /v1/chat/completion, status 404, answered with a whole body, body ended',
      '  refused, not counted: POST /v1/responses, status 404, answered with a whole body, body ended',
      '',
    ]);
    expect(code).toBe(1);
  });

  it('says what a scenario file says', async () => {
    const turns = [{ replies: [{ text: 'From a file.' }] }];
    writeFileSync(join(folder, 'scenario.json'), JSON.stringify({ turns }));
    const { cli, baseUrl } = await startMockCli('--scenario', 'scenario.json', '--wire', 'chat');
    expect((await ask(baseUrl)).stdout).toContain('From a file.');
    cli.signal('SIGTERM');
    await cli.result;
  });

  it('writes where it listens, as one line, for as long as it does', async () => {
    const { cli, baseUrl } = await startMockCli('--server-info', 'info.json');
    const file = join(folder, 'info.json');
    const line = readFileSync(file, 'utf8');
    expect(line).toMatch(/^.*\n$/);
    const url = baseUrl.replace('/v1', '');
    const port = Number(new URL(url).port);
    expect(JSON.parse(line)).toEqual({ port, pid: process.pid, url, base_url: baseUrl });
    cli.signal('SIGTERM');
    expect((await cli.result).code).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  it('leaves the file of a server that came after it', async () => {
    const first = await startMockCli('--server-info', 'both.json');
    const second = await startMockCli('--server-info', 'both.json');
    first.cli.signal('SIGTERM');
    await first.cli.result;
    const { base_url: found } = JSON.parse(readFileSync(join(folder, 'both.json'), 'utf8')) as { base_url: string };
    expect(found).toBe(second.baseUrl);
    second.cli.signal('SIGTERM');
    await second.cli.result;
  });

  it.each([
    [[], /listening on 0\.0\.0\.0 lets others in: only with --insecure/],
    [['--auth-token-env', 'NOT_SET'], /--auth-token-env: the environment variable NOT_SET is not set/],
  ])('does not let others in by accident: %j', async (flags, message) => {
    const { code, stderr } = await runInProcess(['mock', '--host', '0.0.0.0', ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it('listens where it is told, for those who send the token', async () => {
    const env = { MOCK_TOKEN: 'sesame' };
    const cli = startInProcess(['mock', '--host', '0.0.0.0', '--auth-token-env', 'MOCK_TOKEN'], { cwd: folder, env });
    const [, port = ''] = await cli.until(/base URL http:\/\/0\.0\.0\.0:(\d+)\/v1\n/);
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/v1/models`, { headers })).status;
    expect([await status({}), await status({ authorization: 'Bearer sesame' })]).toEqual([401, 200]);
    cli.signal('SIGTERM');
    const { stdout, stderr } = await cli.result;
    expect(stdout + stderr).not.toContain('sesame');
  });

  it('says in one line that a port is in use', async () => {
    const { cli, baseUrl } = await startMockCli();
    const { port } = new URL(baseUrl);
    const second = await runInProcess(['mock', '--port', port]);
    expect(second).toEqual({
      code: 2,
      stdout: '',
      stderr: `turnwire mock: cannot listen on port ${port}: the port is in use\n`,
    });
    cli.signal('SIGTERM');
    await cli.result;
  });

  it('says in one line that its information cannot be written, and does not go on', async () => {
    const { code, stdout, stderr } = await runInProcess(['mock', '--server-info', 'no/such/folder'], { cwd: folder });
    expect(stderr).toBe('turnwire mock: --server-info: cannot write no/such/folder: no such file\n');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('ends as a process at SIGTERM', async () => {
    const child = spawnCli(['mock', '--expect', '1']);
    const result = resultOf(child);
    child.stdout.once('data', () => child.kill('SIGTERM'));
    expect(await result).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^expected 1 request, got 0\n/) as string,
    });
  });
});

describe('mock with a command', () => {
  const shows = `fetch(process.env.OPENAI_BASE_URL + '/chat/completions', { method: 'POST', body: '{"messages":[]}', headers: { authorization: 'Bearer ' + process.env.OPENAI_API_KEY } })
    .then(({ status }) => require('node:fs').writeFileSync('told.json', JSON.stringify({ status, other: process.env.ANTHROPIC_BASE_URL, key: process.env.ANTHROPIC_API_KEY })))`;
  const node = (program: string): readonly string[] => ['--', process.execPath, '-e', program];
  const run = (flags: readonly string[], program: string, env: Readonly<Record<string, string>> = {}) =>
    runInProcess(['mock', ...flags, ...node(program)], { cwd: folder, env });

  it('tells it where the mock is, and ends with it', async () => {
    const { code, stdout, stderr } = await run(
      ['--expect', '1', '--auth-token-env', 'TOKEN', '--server-info', 'info.json'],
      shows,
      { TOKEN: 'sesame' },
    );
    const [, url = ''] = /^turnwire mock: listening, base URL (\S+)\/v1\n$/.exec(stderr) ?? [];
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(JSON.parse(readFileSync(join(folder, 'told.json'), 'utf8'))).toEqual({
      status: 200,
      other: url,
      key: 'sesame',
    });
    expect(existsSync(join(folder, 'info.json'))).toBe(false);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('fails as the command does, or where something was not as expected', async () => {
    const codes = [
      (await run([], 'process.exit(3)')).code,
      (await run(['--expect', '1'], 'process.exit(3)')).code,
      (await run(['--expect', '1'], '')).code,
      (await run([], "process.kill(process.pid, 'SIGTERM')")).code,
    ];
    expect(codes).toEqual([3, 3, 1, 143]);
    const missing = await runInProcess(['mock', '--', 'no-such-program'], { cwd: folder });
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('cannot start no-such-program');
  });

  it.each([[['stray']], [['--expect', '1', 'stray', '--', process.execPath, '-e', '0']]])(
    'takes no word that is not behind -- for a command: %j',
    async (args) => {
      expect(await runInProcess(['mock', ...args], { cwd: folder })).toMatchObject({
        code: 2,
        stdout: '',
        stderr:
          'turnwire mock: there is no argument stray: a command to run stands behind -- (see turnwire mock --help)\n',
      });
    },
  );
});
