import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTape, recordTo, replayTape, startMock } from '../../packages/testing/src/index.ts';
import { resultOf, runInProcess, spawnCli, startInProcess } from '../cli/harness.ts';
import { freePort } from '../free-port.ts';
import { chatBody, eventsOf, hear, responsesBody, tapeFolder } from './tape-support.ts';

describe('turnwire record and replay', () => {
  it('record a session and serve it again, with where they listen in a file', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: ['drip:1'] });
    const record = startInProcess(
      ['record', '--upstream', mock.url, '--out', 'tapes', '--port', '0', '--server-info', 'record.json'],
      { cwd: folder.path },
    );
    const [, recordUrl = ''] = await record.until(/base URL (\S+)\n/);
    const info = JSON.parse(readFileSync(join(folder.path, 'record.json'), 'utf8')) as { port: number; url: string };
    expect(`${info.url}/v1`).toBe(recordUrl);
    const live = await hear(`${recordUrl}/chat/completions`, { body: chatBody('hi') });
    record.signal('SIGTERM');
    expect(await record.result).toMatchObject({ code: 0, stderr: 'turnwire record: 1 exchange in tapes\n' });
    const replay = startInProcess(['replay', 'tapes', '--speed', 'max'], { cwd: folder.path });
    const [, replayUrl = ''] = await replay.until(/base URL (\S+)\n/);
    const again = await hear(`${replayUrl}/chat/completions`, { body: chatBody('hi') });
    expect(again.chunks).toEqual(live.chunks);
    await hear(`${replayUrl}/models`, { method: 'GET' });
    replay.signal('SIGINT');
    expect(await replay.result).toMatchObject({
      code: 0,
      stderr: 'turnwire replay: the tape had no answer to GET /v1/models\n',
    });
  });

  it('say in one line what cannot be used', async () => {
    using folder = tapeFolder();
    writeFileSync(join(folder.path, 'file'), '');
    const run = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await runInProcess(args, { cwd: folder.path });
      expect(code).toBe(2);
      expect(stderr.split('\n')).toHaveLength(2);
      return stderr;
    };
    expect(await run('record', '--out', 'x')).toContain('--upstream URL is needed');
    expect(await run('record', '--upstream', 'http://127.0.0.1:1')).toContain('--out DIR is needed');
    expect(await run('record', '--upstream', 'ftp://x', '--out', 'x')).toContain(
      'the address of the upstream must be an http:// or https:// URL',
    );
    expect(await run('record', '--upstream', 'http://u:p@127.0.0.1:1', '--out', 'x')).toContain('password');
    expect(await run('record', '--upstream', 'http://127.0.0.1:1', '--out', 'file/x')).toContain('--out: cannot use');
    expect(await run('replay', 'none')).toContain('no such tape');
    expect(await run('replay', '.')).toContain('no tape in');
    expect(await run('replay', '.', '--speed', '0')).toContain('above 0, or max');
  });

  it('leave a readable tape when the recorder is killed in the middle of an answer', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: ['drip:10'] });
    const child = spawnCli(['record', '--upstream', mock.url, '--out', folder.path]);
    const result = resultOf(child);
    const listening = await new Promise<string>((resolve) => {
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
    const baseUrl = /base URL (\S+)/.exec(listening)?.[1] ?? '';
    let killed = false;
    const body = chatBody('word '.repeat(300));
    const live = await hear(`${baseUrl}/chat/completions`, {
      body,
      leaveWhen: (text) => {
        if (!killed && text.includes('scripted')) killed = child.kill('SIGKILL');
        return false;
      },
    });
    expect((await result).code).toBeNull();
    expect(live.how).toBe('broken');
    const { exchanges, problems } = await readTape(folder.path);
    expect(problems).toHaveLength(1);
    const kept = exchanges[0]?.chunks.map(({ data }) => Buffer.from(data)) ?? [];
    // Whatever the client got was on the tape before.
    expect(live.chunks.length).toBeGreaterThan(2);
    expect(kept.slice(0, live.chunks.length)).toEqual(live.chunks);
    await using replay = await replayTape(folder.path, { speed: 'max' });
    const again = await hear(`${replay.baseUrl}/chat/completions`, { body });
    expect(again.chunks).toEqual(kept);
    expect(eventsOf('chat', again).at(-1)).toBe('stream_truncated');
  });
});

const llama = process.env.LLAMA_HOME ?? '/tmp/llama';

describe('a real model server', () => {
  const binary = join(llama, 'llama-server');
  const model = join(llama, 'tiny.gguf');
  const absent = [binary, model].filter((file) => !existsSync(file));
  if (absent.length > 0) console.log(`llama-server is not recorded: ${absent.join(' and ')} not found`);

  it.skipIf(absent.length > 0)(
    'is recorded and replayed with identical bytes and events',
    async () => {
      using folder = tapeFolder();
      await using server = await startLlama(binary, model);
      const recorder = await recordTo(folder.path, { upstream: server.url });
      const asks = [
        ['chat', '/chat/completions', limited(chatBody('Say something.'), 'max_tokens')],
        ['responses', '/responses', limited(responsesBody('Say something.'), 'max_output_tokens')],
      ] as const;
      const live = [];
      for (const [, path, body] of asks) live.push(await hear(`${recorder.baseUrl}${path}`, { body }));
      await recorder.close();
      await using replay = await replayTape(folder.path, { speed: 'max' });
      for (const [i, [wire, path, body]] of asks.entries()) {
        const again = await hear(`${replay.baseUrl}${path}`, { body });
        expect(live[i]?.status).toBe(200);
        expect(again.chunks).toEqual(live[i]?.chunks);
        expect(eventsOf(wire, again)).toEqual(eventsOf(wire, live[i]!));
      }
    },
    60_000,
  );
});

function limited(body: string, name: string): string {
  return JSON.stringify({ ...(JSON.parse(body) as object), [name]: 24 });
}

async function startLlama(binary: string, model: string): Promise<AsyncDisposable & { readonly url: string }> {
  const port = await freePort();
  const args = `--host 127.0.0.1 --port ${port} --offline --jinja -np 1 -c 4096 -t 1 --temp 1 -m`.split(' ');
  const child = spawn(binary, [...args, model], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const ready = async (): Promise<number> => (await hear(`${url}/health`, { method: 'GET' })).status;
  await expect.poll(ready, { timeout: 30_000, interval: 200 }).toBe(200);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
