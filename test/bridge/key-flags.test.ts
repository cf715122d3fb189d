import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runInProcess, startInProcess } from '../cli/harness.ts';
import { startModelServer, type ModelServer } from './model-server.ts';

const home = mkdtempSync(join(tmpdir(), 'turnwire-keys-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const env = { ONE: 'sk-one', TWO: 'sk-two', THREE: 'sk-three' };

/** Starts a bridge, asks it so many times, and ends it; gives back what it wrote. */
async function asking(
  args: readonly string[],
  times: number,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const flags = ['--port', '0', '--log-level', 'silent'];
  const command = startInProcess(['bridge', ...args, ...flags], { home, env: { ...env, ...more } });
  const [, url = ''] = await command.until(/OPENAI_BASE_URL=(\S+)/);
  for (let round = 0; round < times; round++) {
    const body = JSON.stringify({ model: 'm', input: 'hi' });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${url}/responses`, { method: 'POST', headers, body })).status).toBe(200);
  }
  command.signal('SIGTERM');
  const { stdout, stderr } = await command.result;
  return stdout + stderr;
}

const keysOf = ({ headers }: ModelServer): unknown =>
  [...new Set(headers.map(({ authorization }) => authorization))].sort();

describe('--env-key', () => {
  it.each<[name: string, args: (a: string, b: string) => readonly string[], keys: unknown]>([
    [
      'behind a server is for that one',
      (a, b) => ['--upstream', a, '--env-key', 'ONE', '--upstream', b],
      [['Bearer sk-one'], [undefined]],
    ],
    [
      'behind each is for each',
      (a, b) => ['--upstream', a, '--env-key', 'ONE', '--upstream', b, '--env-key', 'TWO'],
      [['Bearer sk-one'], ['Bearer sk-two']],
    ],
    [
      'alone behind all is for all',
      (a, b) => ['--upstream', a, '--upstream', b, '--env-key', 'ONE'],
      [['Bearer sk-one'], ['Bearer sk-one']],
    ],
    [
      'before all is for all',
      (a, b) => ['--env-key', 'ONE', '--upstream', a, '--upstream', b],
      [['Bearer sk-one'], ['Bearer sk-one']],
    ],
    [
      'may be given several times for one',
      (a, b) => ['--upstream', a, '--env-key', 'ONE', '--env-key', 'TWO', '--upstream', b, '--env-key', 'THREE'],
      [['Bearer sk-one', 'Bearer sk-two'], ['Bearer sk-three']],
    ],
    [
      'by its other name is for all',
      (a, b) => ['--upstream', a, '--upstream', b, '--bearer-env', 'TWO'],
      [['Bearer sk-two'], ['Bearer sk-two']],
    ],
  ])('%s', async (_, args, keys) => {
    await using a = await startModelServer();
    await using b = await startModelServer();
    const said = await asking([...args(a.url, b.url), '--wire', 'chat'], 6);
    expect([keysOf(a), keysOf(b)]).toEqual(keys);
    expect(said).not.toContain('sk-');
  });

  it('is for all as a variable', async () => {
    await using a = await startModelServer();
    const said = await asking(['--upstream', a.url, '--wire', 'chat'], 2, {
      TURNWIRE_ENV_KEY: 'ONE TURNWIRE_KEY',
      TURNWIRE_KEY: 'sk-own',
    });
    expect(keysOf(a)).toEqual(['Bearer sk-one', 'Bearer sk-own']);
    expect(said).not.toContain('note:');
  });

  it('names the variable that is not set', async () => {
    const args = ['bridge', '--upstream', 'http://127.0.0.1:1', '--env-key', 'ONE', '--env-key', 'NONE', '--port', '0'];
    const stderr = 'turnwire bridge: --env-key: the environment variable NONE is not set\n';
    expect(await runInProcess(args, { home, env })).toEqual({ code: 2, stdout: '', stderr });
  });
});

describe('--provider', () => {
  it('may be given several times, each with its own key, headers, wire and models', async () => {
    await using a = await startModelServer();
    await using b = await startModelServer({ list: ['m'] });
    mkdirSync(join(home, '.config', 'turnwire'), { recursive: true });
    const toml = `
      [model_providers.a]
      base_url = "${a.url}"
      wire_api = "chat"
      env_key = "ONE"
      http_headers = { "x-own" = "of-a" }
      models = ["other*"]
      [model_providers.b]
      base_url = "${b.url}"
      wire_api = "chat"
      env_key = "TWO"
    `;
    writeFileSync(join(home, '.config', 'turnwire', 'config.toml'), toml);
    const said = await asking(['--provider', 'a', '--provider', 'b'], 3);
    expect([a.asked, b.asked]).toEqual([[], ['m', 'm', 'm']]);
    expect([keysOf(b), b.headers.some((headers) => 'x-own' in headers)]).toEqual([['Bearer sk-two'], false]);
    expect(said).not.toContain('sk-');
    await asking(['--provider', 'a'], 1);
    expect([a.asked, keysOf(a), a.headers[0]?.['x-own']]).toEqual([['m'], ['Bearer sk-one'], 'of-a']);
  });
});
