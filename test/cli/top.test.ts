import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ExchangeRow } from '../../packages/bridge/src/inspect/api.ts';
import { tableLines } from '../../turnwire/src/cli/top-table.ts';
import { askSse, post } from '../bridge/harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from '../bridge/raw-upstream.ts';
import { freePort } from '../free-port.ts';
import { runInProcess, startInProcess } from './harness.ts';

const SSE = { 'content-type': 'text/event-stream' };
const NOW = 1_700_000_020_000;

function row(id: string, more: Partial<ExchangeRow>): ExchangeRow {
  const plain = { id, startedAt: NOW - 20_000, route: 'chat_sse', attempts: 1, deltas: 0, bytes: 0, repairs: {} };
  return { ...plain, state: 'waiting', upstream: 'http://a:8080/v1', askedAt: NOW - 20_000, ...more };
}

const streaming = row('req_aaaaaa', {
  client: 'codex',
  model: 'tiny\u001b[31m',
  state: 'streaming',
  firstEventAt: NOW - 18_500,
  lastByteAt: NOW - 8500,
  lastEventAt: NOW - 8500,
  deltas: 200,
});
const over = row('req_bbbbbb', { state: 'completed', startedAt: NOW - 30_000, endedAt: NOW - 25_000, model: 'other' });
const list = { now: NOW, removed: [], rows: [over, streaming] };

describe('the table', () => {
  it('has what runs first, and why it waits', () => {
    expect(tableLines(list, { columns: 140, rows: 20 })).toEqual([
      'id      client  model           server  state      first  tok/s  age    why',
      'aaaaaa  codex   tiny\\u{1b}[31m  a:8080  streaming  1.5 s  20.0   20 s   no byte from http://a:8080/v1 for 8.5 s',
      'bbbbbb          other           a:8080  completed                5.0 s  completed in 5 s',
    ]);
  });

  it('leaves out columns for the reason on a narrow terminal', () => {
    expect(tableLines(list, { columns: 80, rows: 20 })).toEqual([
      'model           state      age    why',
      'tiny\\u{1b}[31m  streaming  20 s   no byte from http://a:8080/v1 for 8.5 s',
      'other           completed  5.0 s  completed in 5 s',
    ]);
  });

  it('has two lines for each exchange on a very narrow one, cut to its width', () => {
    expect(tableLines(list, { columns: 30, rows: 20 })).toEqual([
      'streaming 20 s tiny\\u{1b}[31m',
      '  no byte from http://a:8080/…',
      'completed 5.0 s other',
      '  completed in 5 s',
    ]);
  });

  it('counts what does not fit', () => {
    const rows = Array.from({ length: 50 }, (_, n) => row(`req_${n}`, {}));
    const lines = tableLines({ ...list, rows }, { columns: 120, rows: 10 });
    expect([lines.length, lines.at(-1)]).toEqual([10, 'and 42 more']);
  });
});

describe('turnwire top', () => {
  it('prints once where nobody sits at a terminal', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const asked = askSse(bridge, { input: 'hi' });
    const { res } = await upstream.next();
    const { code, stdout } = await runInProcess(['top', '--url', bridge.url]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^id +client.*\n\S+ .* waiting .* no answer from http:/)]);
    res.writeHead(200, SSE).end(chatChunk('Hello') + chatEnd);
    await asked;
  });

  it('draws on a screen of its own, says when the bridge is lost, and leaves the terminal as it was', async () => {
    await using upstream = await startRawUpstream();
    const port = await freePort();
    const bridge = await startBridge([upstream], { port });
    const top = startInProcess(['top', '--url', bridge.url, '--interval', '100'], { tty: true });
    await top.until(/no exchange yet/);
    await post(bridge, '/v1/responses', '{');
    await top.until(/refused with 400/);
    await bridge.close();
    await top.until(/no answer, trying again: connection_failed/);
    await using again = await startBridge([upstream], { port });
    await top.until(/trying again[^]*no exchange yet/);
    top.signal('SIGINT');
    const { code, stdout, stderr } = await top.result;
    expect([code, stderr, again.port]).toEqual([0, '', port]);
    expect(stdout.startsWith('\x1b[?1049h\x1b[?25l\x1b[?7l')).toBe(true);
    expect(stdout.endsWith('\x1b[?7h\x1b[?25h\x1b[?1049l')).toBe(true);
  });

  it('ends at once while a bridge is silent', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const top = startInProcess(['top', '--url', `:${port}`], { tty: true });
    await once(silent, 'connection');
    top.signal('SIGINT');
    expect((await top.result).code).toBe(0);
    silent.close();
  });

  it('prints lines of JSON', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { authToken: 'token-of-all' });
    await post(bridge, '/v1/responses', '{', { headers: { authorization: 'Bearer token-of-all' } });
    const env = { TOKEN: 'token-of-all' };
    const args = ['top', '--url', bridge.url, '--json', '--once', '--auth-token-env', 'TOKEN'];
    const { code, stdout } = await runInProcess(args, { env });
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { now: expect.any(Number) as number, exchanges: [expect.objectContaining({ state: 'refused', status: 400 })] },
    ]);
  });

  it('says what is wrong, and what to do', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { authToken: 'token-of-all' });
    expect(await runInProcess(['top', '--url', bridge.url])).toEqual({
      code: 2,
      stdout: '',
      stderr: `turnwire top: the bridge at ${bridge.url} wants its token: name the variable that has it with --auth-token-env\n`,
    });
    const other = await runInProcess(['top', '--url', upstream.url]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('is no bridge of turnwire')]);
    await bridge.close();
    const gone = await runInProcess(['top', '--url', bridge.url]);
    expect([gone.code, gone.stdout, gone.stderr]).toEqual([
      1,
      '',
      expect.stringMatching(/^turnwire top: connection_failed/),
    ]);
  });
});
