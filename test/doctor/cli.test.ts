import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { runInProcess, startInProcess } from '../cli/harness.ts';

const quick = ['--timeout', '15000', '--hold', '400'];

describe('turnwire doctor', () => {
  it('prints a table and exits 0 for a clean server; progress goes to stderr', async () => {
    await using mock = await startMock();
    const { code, stdout, stderr } = await runInProcess(['doctor', mock.url, ...quick]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${mock.baseUrl}, model scripted`);
    expect(stdout).toMatch(/66 checks: 66 pass, 0 fault, .*; 0 broken, 0 odd\n$/);
    expect(stderr).toContain('turnwire doctor: chat, tool call: ok\n');
  });

  it('exits 1 when something is broken, and prints one JSON object when asked', async () => {
    await using mock = await startMock({ faults: ['tool-index-reused'] });
    const { code, stdout } = await runInProcess(['doctor', mock.url, '--wire', 'chat', '--json', ...quick]);
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as { broken: number; findings: { quirk: string; level: string }[] };
    expect(report.broken).toBe(1);
    expect(report.findings.find(({ level }) => level === 'broken')).toMatchObject({
      quirk: 'tool-index-reused',
      wire: 'chat',
      stumbles: expect.arrayContaining(['openai 7.55: one call with the arguments of both']) as string[],
    });
  });

  it('sends the key of an environment variable, and shows it nowhere', async () => {
    await using mock = await startMock();
    const { stdout, stderr } = await runInProcess(
      ['doctor', mock.url, '--wire', 'chat', '--json', '--env-key', 'KEY', ...quick],
      { env: { KEY: 'very-secret' } },
    );
    expect(mock.requests[0]?.headers.authorization).toBe('Bearer very-secret');
    expect(stdout + stderr).not.toContain('very-secret');
  });

  it('examines the server of a provider, with its key and its model', async () => {
    await using mock = await startMock();
    const cwd = mkdtempSync(join(tmpdir(), 'turnwire-doctor-'));
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
    const table = `[model_providers.mine]\nbase_url = "${mock.baseUrl}"\nenv_key = "KEY"\nmodel = "tiny"\n`;
    writeFileSync(join(cwd, 'turnwire.toml'), table);
    const args = ['doctor', '--provider', 'mine', '--trust-project', '--wire', 'chat', ...quick];
    const { code, stdout } = await runInProcess(args, { cwd, env: { KEY: 'very-secret' } });
    expect([code, stdout.split('\n')[0]]).toEqual([0, `${mock.baseUrl}, model tiny`]);
    expect(mock.requests[0]?.headers.authorization).toBe('Bearer very-secret');
    expect((await runInProcess(args, { cwd })).stderr).toContain('the environment variable KEY is not set');
  });

  it('asks for the model that is named', async () => {
    await using mock = await startMock();
    await runInProcess(['doctor', mock.url, '--wire', 'chat', '--model', 'other', ...quick]);
    expect(new Set(mock.requests.map(({ body }) => body?.model))).toEqual(new Set(['other']));
  });

  it.each([
    [['doctor'], /a server is needed: its URL, or --provider NAME/],
    [['doctor', 'ftp://x'], /the address of the server must be an http:\/\/ or https:\/\/ URL/],
    [['doctor', 'gpu:8080'], /: did you mean http:\/\/gpu:8080\?/],
    [['doctor', 'http://127.0.0.1:1', '--env-key', 'NONE'], /the environment variable NONE is not set/],
    [['doctor', 'http://127.0.0.1:1', '--provider', 'x'], /a URL and --provider contradict each other/],
    [['doctor', '--provider', 'x'], /no provider "x"/],
  ])('says in one line what is wrong with %j', async (args, message) => {
    const { code, stderr } = await runInProcess(args);
    expect(stderr).toMatch(message);
    expect([code, stderr.split('\n').length]).toEqual([2, 2]);
  });

  it('ends with what it has at Ctrl-C', async () => {
    await using mock = await startMock({ faults: ['slow-headers:60000'] });
    const cli = startInProcess(['doctor', mock.url]);
    await mock.waitForRequests(1);
    cli.signal('SIGINT');
    const { code, stdout } = await cli.result;
    expect(code).toBe(130);
    expect(stdout).toContain('interrupted');
  });
});
