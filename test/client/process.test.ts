import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chatAnswer, chatDelta, chatFinish, modelServer, sse, status, stream } from './support.ts';

const index = join(import.meta.dirname, '../../packages/client/src/index.ts');

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly ms: number;
}

/** Runs one turn in a process of its own that has nothing else to do. */
async function runTurn(url: string): Promise<Run> {
  const script = `
    import { createModelSession, createProvider } from ${JSON.stringify(index)};
    const session = createModelSession({ provider: createProvider({ baseUrl: '${url}/v1', wireApi: 'chat' }) });
    const input = [{ type: 'message', role: 'user', content: 'hi' }];
    for await (const event of session.turn().stream({ model: 'm', input })) console.log(event.type);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  let doneAt = 0;
  child.stdout.on('data', () => (doneAt = performance.now()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { stdout, stderr, code, ms: performance.now() - doneAt };
}

test('a process that only waits for a retry stays alive until the answer', async () => {
  await using server = await modelServer(status(503), status(503), stream(chatAnswer()));
  const { stdout, stderr, code } = await runTurn(server.url);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n').slice(0, 3)).toEqual(['retrying', 'retrying', 'created']);
  expect(stdout).toContain('completed');
  expect(code).toBe(0);
});

test('a process ends by itself after the answer, though the server holds the socket and nobody closed the session', async () => {
  await using server = await modelServer(stream(sse(chatDelta('a'), chatFinish('stop')), { hold: true }));
  const { stdout, code, ms } = await runTurn(server.url);
  expect(stdout.trim().endsWith('completed')).toBe(true);
  expect(code).toBe(0);
  expect(ms).toBeLessThan(5000);
});

test('a kept connection does not keep the process', async () => {
  await using server = await modelServer(stream(chatAnswer()));
  const { stdout, code, ms } = await runTurn(server.url);
  expect(stdout).toContain('completed');
  expect(code).toBe(0);
  expect(ms).toBeLessThan(3000);
});
