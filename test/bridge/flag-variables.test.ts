import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { runInProcess, startInProcess } from '../cli/harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-variables-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ask = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

describe('flags of the bridge as variables', () => {
  it('starts from variables alone: a text, a number, a list, a switch and the variable of a secret', async () => {
    await using one = await startMock({ wire: 'chat' });
    await using two = await startMock({ wire: 'chat' });
    const info = join(folder, 'info.json');
    const env = {
      TURNWIRE_UPSTREAM: `${one.url}\n  ${two.url} `,
      TURNWIRE_WIRE: 'chat',
      TURNWIRE_PORT: '0',
      TURNWIRE_SERVER_INFO: info,
      TURNWIRE_NO_WEBSOCKET: 'true',
      TURNWIRE_INSECURE: 'false',
      TURNWIRE_MODEL: '',
      TURNWIRE_AUTH_TOKEN_ENV: 'TURNWIRE_TOKEN',
      TURNWIRE_TOKEN: 'sesame',
      TURNWIRE_ENV_KEY: 'TURNWIRE_KEY',
      TURNWIRE_KEY: 'upstream-key',
      TURNWIRE_MODE: 'translate',
    };
    const command = startInProcess(['bridge', '--mode', 'passthrough'], { env });
    await command.until(/OPENAI_BASE_URL/);
    const { url } = JSON.parse(readFileSync(info, 'utf8')) as { url: string };
    const body = { model: 'm', messages: [{ role: 'user', content: 'x' }] };
    expect((await ask(url, body)).status).toBe(401);
    for (let n = 0; n < 2; n++) {
      const answer = await ask(url, body, { authorization: 'Bearer sesame' });
      expect([answer.status, answer.headers.get('x-turnwire-not-carried')]).toEqual([200, null]);
      await answer.text();
    }
    const keys = [...one.requests, ...two.requests].map(({ headers }) => headers.authorization);
    expect(keys).toEqual(['Bearer upstream-key', 'Bearer upstream-key']);
    command.signal('SIGTERM');
    const { code, stdout, stderr } = await command.result;
    expect(stdout).toContain('supports_websockets = false\n');
    expect(stdout).toContain('\ncommand = "printenv"\nargs = [ "TURNWIRE_TOKEN" ]\n');
    expect(stderr).not.toContain('note:');
    expect(code).toBe(0);
  });

  it('lets the command line go before a variable', async () => {
    const env = { TURNWIRE_UPSTREAM: 'http://127.0.0.1:1', TURNWIRE_PORT: '0' };
    const result = await runInProcess(['bridge', '--upstream', 'not an address'], { env });
    const stderr = 'turnwire bridge: the address of an upstream must be an http:// or https:// URL\n';
    expect(result).toEqual({ code: 2, stdout: '', stderr });
  });

  it.each([
    [{ TURNWIRE_PORT: 'many' }, 'TURNWIRE_PORT (for --port) is invalid. A whole number of at least 0 is wanted.'],
    [
      { TURNWIRE_WIRE: 'soap' },
      'TURNWIRE_WIRE (for --wire) is invalid. Allowed choices are auto, chat, responses, messages.',
    ],
    [{ TURNWIRE_INSECURE: 'yes' }, 'TURNWIRE_INSECURE (for --insecure) is invalid. It is true or false.'],
  ])('%j is one line and exit 2', async (env, message) => {
    expect(await runInProcess(['bridge'], { env })).toEqual({
      code: 2,
      stdout: '',
      stderr: `turnwire bridge: the variable ${message}\n`,
    });
  });

  it('names a variable that stands for no flag, and passes over what Kubernetes sets', async () => {
    const env = {
      TURNWIRE_UPSTREEM: 'http://127.0.0.1:1',
      TURNWIRE_PORT: 'tcp://10.0.0.1:18080',
      TURNWIRE_PORT_18080_TCP_ADDR: '10.0.0.1',
      TURNWIRE_SERVICE_HOST: '10.0.0.1',
    };
    const { code, stderr } = await runInProcess(['bridge'], { env });
    expect(code).toBe(2);
    expect(stderr.split('\n')).toEqual([
      'turnwire bridge: note: the variable TURNWIRE_UPSTREEM is set, and stands for no flag',
      'turnwire bridge: an upstream is needed: --upstream URL, or --provider NAME',
      '',
    ]);
  });
});

describe('turnwire bridge --health-check', () => {
  it('asks the bridge that the same flags would start', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const info = join(folder, 'health.json');
    const args = [
      'bridge',
      '--upstream',
      mock.url,
      '--host',
      '0.0.0.0',
      '--auth-token-env',
      'T',
      '--server-info',
      info,
    ];
    const command = startInProcess([...args, '--port', '0'], { env: { T: 'sesame' } });
    await command.until(/OPENAI_BASE_URL/);
    const { port } = JSON.parse(readFileSync(info, 'utf8')) as { port: number };
    const env = { TURNWIRE_PORT: String(port), TURNWIRE_HOST: '0.0.0.0' };
    expect(await runInProcess(['bridge', '--health-check'], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
    command.signal('SIGTERM');
    await command.result;
    const { code, stderr } = await runInProcess(['bridge', '--health-check'], { env });
    expect(stderr).toMatch(/^turnwire bridge: http:\/\/127\.0\.0\.1:\d+\/health does not answer: .*ECONNREFUSED.*\n$/);
    expect(code).toBe(1);
  });

  it('is not content with another server', async () => {
    const other = createServer((_, res) => res.writeHead(404).end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await runInProcess(['bridge', '--health-check', '--port', String(port)]);
    expect([code, stderr]).toEqual([1, `turnwire bridge: http://127.0.0.1:${port}/health answers with 404\n`]);
    other.close();
  });
});
