import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  it('writes where it listens, as one line', async () => {
    const { cli, baseUrl } = await startMockCli('--server-info', 'info.json');
    const line = readFileSync(join(folder, 'info.json'), 'utf8');
    expect(line).toMatch(/^.*\n$/);
    const url = baseUrl.replace('/v1', '');
    expect(JSON.parse(line)).toEqual({ port: Number(new URL(url).port), pid: process.pid, url });
    cli.signal('SIGTERM');
    await cli.result;
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
