import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readTape, recordTo, replayTape, startMock, type TapedExchange } from '../../packages/testing/src/index.ts';
import { encodeExchange } from '../../packages/testing/src/tape/encode.ts';
import { parseTape } from '../../packages/testing/src/tape/tape.ts';
import { bytesOf, cutBlocks, joinBlocks } from '../../turnwire/src/doctor/proof/blocks.ts';
import { findingsOf } from '../../turnwire/src/doctor/proof/findings-of.ts';
import { shrinkList } from '../../turnwire/src/doctor/proof/shrink-list.ts';
import { shrinkExchange, timelineOf, type Timeline } from '../../turnwire/src/doctor/index.ts';
import { startBridge } from '../bridge/raw-upstream.ts';
import { linesOf, runInProcess } from '../cli/harness.ts';
import { hear, textOf } from '../mock/tape-support.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-tapes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => Buffer.from(text);
const chunk = (fields: string): string => `data: {"id":"c","choices":[{"index":0,${fields}}]}\n\n`;
const hello = chunk('"delta":{"content":"Hello"},"finish_reason":null');
const call = (id: string): string =>
  chunk(
    `"delta":{"tool_calls":[{"index":0,"id":"${id}","function":{"name":"now","arguments":"{}"}}]},"finish_reason":null`,
  );
const calls = chunk('"delta":{},"finish_reason":"tool_calls"');
const done = 'data: [DONE]\n\n';

/** An answer whose pieces came 10 ms after one another. */
function taped(pieces: readonly string[], more: Partial<TapedExchange> = {}): TapedExchange {
  const chunks = pieces.map((text, n) => ({ ms: 10 * (n + 1), data: bytes(text) }));
  return {
    file: '0001.tape.jsonl',
    kind: 'http',
    request: {
      at: '2026-11-27T03:00:00.000Z',
      method: 'POST',
      target: '/v1/chat/completions',
      headers: [
        ['content-type', 'application/json'],
        ['user-agent', 'test'],
      ],
      body: bytes('{"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}],"max_tokens":100}'),
    },
    response: {
      ms: 5,
      status: 200,
      reason: 'OK',
      headers: [
        ['server', 'llama.cpp'],
        ['content-type', 'text/event-stream'],
      ],
    },
    chunks,
    messages: [],
    end: { ms: 10 * (pieces.length + 1), how: 'complete' },
    ...more,
  };
}

function save(name: string, exchange: TapedExchange): string {
  const path = join(folder, name);
  writeFileSync(path, encodeExchange(exchange));
  return path;
}

const reused = taped([hello, call('a'), call('b'), calls, done]);
const quirksOf = (exchange: TapedExchange): readonly string[] => (findingsOf(exchange) ?? []).map(({ quirk }) => quirk);

describe('blocks of a body', () => {
  it.each([
    ['LF', 'data: a\n\n: c\n\ndata: b'],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n'],
    ['CR', 'data: a\r\rdata: b\r\r'],
    ['nothing to cut at', '{"one":"body"}'],
    ['nothing', ''],
  ])('with %s are all of it, however it was cut', (_name, text) => {
    const whole = cutBlocks([{ ms: 0, data: bytes(text) }]).map((block) => Buffer.from(bytesOf(block)).toString());
    expect(whole.join('')).toBe(text);
    const single = Array.from(bytes(text), (byte, ms) => ({ ms, data: new Uint8Array([byte]) }));
    expect(cutBlocks(single).map((block) => Buffer.from(bytesOf(block)).toString())).toEqual(whole);
    expect(joinBlocks(cutBlocks(single))).toEqual(single.map(({ ms, data }) => ({ ms, data })));
  });

  it('know the chunks that they came in', () => {
    const chunks = [
      { ms: 1, data: bytes('data: a\n\ndata: ') },
      { ms: 2, data: bytes('b\n\ndata: c\n\n') },
    ];
    const blocks = cutBlocks(chunks);
    expect(joinBlocks(blocks)).toEqual(chunks.map(({ ms, data }) => ({ ms, data: Buffer.from(data) })));
    expect(joinBlocks(blocks.slice(1))).toEqual([
      { ms: 1, data: Buffer.from('data: ') },
      { ms: 2, data: Buffer.from('b\n\ndata: c\n\n') },
    ]);
  });
});

describe('shrinking a list', () => {
  it('leaves what is needed together, in order', async () => {
    const items = Array.from({ length: 100 }, (_, n) => n);
    const budget = { tries: 1000 };
    const small = await shrinkList(items, (some) => [7, 50, 93].every((n) => some.includes(n)), budget);
    expect(small).toEqual([7, 50, 93]);
    expect(1000 - budget.tries).toBeLessThan(120);
  });

  it('may leave nothing, and stops when its tries are over', async () => {
    expect(await shrinkList([1, 2, 3], () => true, { tries: 100 })).toEqual([]);
    const budget = { tries: 3 };
    expect(await shrinkList([1, 2, 3, 4], () => false, budget)).toEqual([1, 2, 3, 4]);
    expect(budget.tries).toBe(0);
  });
});

describe('what a tape shows', () => {
  it.each([
    ['a good answer', taped([hello, chunk('"delta":{},"finish_reason":"stop"'), done]), []],
    ['two calls with one index', reused, ['tool-index-reused']],
    ['a cut', taped([hello], { end: { ms: 20, how: 'cut' } }), ['cut-after']],
    ['a client that left early', taped([hello], { end: { ms: 900, how: 'client-left' } }), []],
    ['a client that waited in vain', taped([hello], { end: { ms: 9000, how: 'client-left' } }), ['stall-after']],
    ['a finished answer, left at once', taped([hello, calls], { end: { ms: 400, how: 'client-left' } }), []],
    ['a finished answer, held', taped([hello, calls], { end: { ms: 4000, how: 'client-left' } }), ['finish-then-hold']],
    ['a recorder that died', taped([hello], { end: { ms: 10, how: 'torn' } }), []],
  ])('of %s', (_name, exchange, quirks) => {
    expect(quirksOf(exchange).filter((name) => name !== 'usage-never')).toEqual(expect.arrayContaining(quirks));
    if (quirks.length === 0) expect(quirksOf(exchange)).toEqual([]);
  });

  it('of a socket is told for each of its requests', () => {
    const create = (ms: number) =>
      ({ ms, from: 'client', kind: 'message', data: '{"type":"response.create","model":"m"}' }) as const;
    const event = (ms: number, data: string) => ({ ms, from: 'server', kind: 'message', data }) as const;
    const socket = taped([], {
      kind: 'websocket',
      chunks: [],
      messages: [
        create(1),
        event(2, '{"type":"response.completed","response":{"id":"r"}}'),
        create(3),
        event(4, '{"type":"error","error":{"code":"x","message":"no"}}'),
      ],
      end: { ms: 5, how: 'client-left' },
    });
    expect(quirksOf(socket)).toEqual(expect.arrayContaining(['ws-error-frame']));
    expect(quirksOf({ ...socket, messages: socket.messages.slice(0, 1), end: { ms: 5, how: 'reset' } })).toEqual([
      'reset-after',
    ]);
  });
});

describe('a tape as text', () => {
  it('is read as it was written', () => {
    const exchange = { ...reused, chunks: [...reused.chunks, { ms: 60, data: new Uint8Array([0xff, 0x00]) }] };
    const { exchange: again, problems } = parseTape('0001.tape.jsonl', encodeExchange(exchange));
    const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
    const plain = (one: TapedExchange | undefined) => ({
      ...one,
      request: { ...one?.request, body: hex(one?.request.body ?? new Uint8Array()) },
      chunks: one?.chunks.map(({ ms, data }) => [ms, hex(data)]),
    });
    expect([plain(again), problems]).toEqual([plain(exchange), []]);
  });
});

describe('turnwire tape show', () => {
  it('shows when what came, and how long nothing did', async () => {
    const slow = taped([hello, calls], { end: { ms: 4020, how: 'client-left' } });
    const { code, stdout } = await runInProcess(['tape', 'show', save('show.tape.jsonl', slow)]);
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'show.tape.jsonl  2026-11-27T03:00:00.000Z',
      '     0.0 ms      +0.0              > POST /v1/chat/completions, 91 B',
      '     5.0 ms      +5.0              < HTTP 200',
      '    10.0 ms      +5.0              < 91 B, 1 event      data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hello…',
      '    20.0 ms     +10.0              < 82 B, 1 event      data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason…',
      '  4020.0 ms   +4000.0 ████████████ = still open when the client left',
      '  turnwire reads it: completed',
      '  BROKEN finish-then-hold: over after 20 ms, then held open 4000 ms',
      '',
      '',
    ]);
  });

  it('shortens what is long, and nothing with --all; --json has it all', async () => {
    const long = save('long.tape.jsonl', taped([...Array.from({ length: 50 }, () => hello), calls, done]));
    const short = await runInProcess(['tape', 'show', long]);
    expect(short.stdout).toMatch(/… 36 more, \d+ B, 36 events in 350 ms/);
    expect(short.stdout.split('\n').length).toBeLessThan(26);
    expect((await runInProcess(['tape', 'show', long, '--all'])).stdout.split('\n').length).toBeGreaterThan(54);
    const [timeline] = linesOf((await runInProcess(['tape', 'show', long, '--json'])).stdout) as unknown as Timeline[];
    expect(timeline?.entries).toHaveLength(52);
    expect(timeline).toMatchObject({ method: 'POST', status: 200, end: 'complete', reads: 'completed' });
  });
});

describe('turnwire tape shrink', () => {
  it('leaves the events alone that show the fault, byte for byte, and the request whole', async () => {
    const tape = save('reused.tape.jsonl', reused);
    const { code, stdout, stderr } = await runInProcess(['tape', 'shrink', tape, '--fault', 'tool-index-reused']);
    const path = tape.replace('.tape', '.min.tape');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /reused\.min\.tape\.jsonl: 2 events, \d+ bytes of 5 events, \d+ bytes, shows tool-index-reused, \d+ tries\n$/,
      ),
    ]);
    expect(stderr).toContain('tries left');
    const { exchanges } = await readTape(path);
    expect(textOf(exchanges[0]?.chunks.map(({ data }) => data) ?? [])).toBe(call('a') + call('b'));
    expect(exchanges[0]?.chunks.map(({ ms }) => ms)).toEqual([20, 30]);
    expect(Buffer.from(exchanges[0]?.request.body ?? []).toString()).toBe(Buffer.from(reused.request.body).toString());
    expect(exchanges[0]?.response?.headers).toEqual([['content-type', 'text/event-stream']]);
    const again = await runInProcess(['tape', 'shrink', tape, '--fault', 'tool-index-reused']);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('it is there already')]);
  });

  it('keeps what a command of the client fails upon, and kills one that hangs', async () => {
    const tape = save('client.tape.jsonl', reused);
    const script = save('client.mjs', reused);
    writeFileSync(
      script,
      `const answer = await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', { method: 'POST', body: '{}' });
       const text = await answer.text();
       if (text.includes('"id":"b"')) await new Promise((resolve) => setTimeout(resolve, 60000));`,
    );
    const out = join(folder, 'client.min.jsonl');
    const run = await runInProcess(
      ['tape', 'shrink', tape, '--out', out, '--timeout', '4000', '--tries', '5', '--', process.execPath, script],
      { env: { PATH: process.env.PATH ?? '' } },
    );
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('tries left')]);
    expect(run.stdout).toMatch(
      /events, .* of 5 events, .* shows what fails the command, 5 tries; it may be smaller: --tries\n$/,
    );
    expect(readFileSync(out, 'utf8')).toContain(String.raw`\"id\":\"b\"`);
  }, 60_000);

  it.each([
    [['--fault', 'crlf'], /does not show crlf; shows .*tool-index-reused/],
    [['--', process.execPath, '-e', '0'], /the command succeeds upon the whole tape/],
    [['--', '/no/such/program'], /cannot start \/no\/such\/program/],
    [['--fault', 'x', '--', 'true'], /--fault and a command contradict each other/],
  ])('says in one line what is wrong with %j', async (args, message) => {
    const tape = save('wrong.tape.jsonl', reused);
    const { code, stderr, stdout } = await runInProcess([
      'tape',
      'shrink',
      tape,
      '--out',
      join(folder, 'never.jsonl'),
      ...args,
    ]);
    expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
    expect(stderr).toMatch(message);
  });

  it('decodes a compressed answer to leave events of it out', async () => {
    const { gzipSync } = await import('node:zlib');
    const packed = gzipSync(textOf(reused.chunks.map(({ data }) => data)));
    const headers = [...(reused.response?.headers ?? []), ['content-encoding', 'gzip'] as const];
    const exchange = {
      ...reused,
      chunks: [{ ms: 50, data: packed }],
      response: { ms: 5, status: 200, reason: 'OK', headers },
    };
    const shows = (candidate: TapedExchange): boolean => quirksOf(candidate).includes('tool-index-reused');
    const { exchange: small, smallest } = await shrinkExchange(exchange, { shows, tries: 500 });
    expect([textOf(small.chunks.map(({ data }) => data)), smallest]).toEqual([call('a') + call('b'), true]);
  });
});

describe('turnwire tape report', () => {
  it('says what came, why it is wrong, how to see it again, and what was at work', async () => {
    const secret = `${hello.slice(0, -3)},"api_key":"sk-1234567890abcdef"}\n\n`;
    const tape = save('report.tape.jsonl', { ...reused, chunks: [{ ms: 1, data: bytes(secret) }, ...reused.chunks] });
    const { code, stdout } = await runInProcess(['tape', 'report', tape]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# Chat Completions: tool-index-reused\n/);
    expect(stdout).toContain('"messages":[{"role":"user","content":"hi"}]');
    expect(stdout).toMatch(/^> +20 ms {2}data: .*"id":"a"/m);
    expect(stdout).toContain('- Right: each call has an index of its own');
    expect(stdout).toContain('by the API reference of Chat Completions');
    expect(stdout).toContain(
      'npx turnwire replay report.tape.jsonl --port 18433 &\ncurl -sN http://127.0.0.1:18433/v1/chat/completions',
    );
    expect(stdout).toMatch(
      /- server: llama\.cpp\n- model: tiny\n- recorded: 2026-11-27T03:00:00\.000Z\n- client: test\n- turnwire: \d/,
    );
    expect(stdout).not.toContain('sk-1234567890abcdef');
    expect(stdout).not.toContain(folder);
  });

  it('says so when there is nothing to report', async () => {
    const good = save('good.tape.jsonl', taped([hello, chunk('"delta":{},"finish_reason":"stop"'), done]));
    const { code, stdout } = await runInProcess(['tape', 'report', good]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('The checks of turnwire find nothing wrong with it.')]);
  });
});

describe('turnwire tape from-trace', () => {
  it('makes of a trace the tape that a recorder would have made', async () => {
    const traces = join(folder, 'traces');
    await using mock = await startMock({ faults: ['tool-index-reused'] });
    const bridge = await startBridge([mock], { traceDir: traces });
    const body = JSON.stringify({
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: '/call a {}\n/call b {}' }],
    });
    await hear(`${bridge.url}/v1/chat/completions`, { body });
    await bridge.close();
    const out = join(folder, 'from-trace');
    const { code, stdout } = await runInProcess(['tape', 'from-trace', traces, '-o', out]);
    expect([code, stdout]).toEqual([
      0,
      `${join(out, '0001-post-v1-chat-completions.tape.jsonl')}: exact to the byte\n`,
    ]);

    const { exchanges } = await readTape(out);
    const [exchange] = exchanges;
    expect(JSON.parse(Buffer.from(exchange?.request.body ?? []).toString())).toMatchObject({
      stream_options: { include_usage: true },
    });
    expect(timelineOf(exchange ?? reused).findings.map(({ quirk }) => quirk)).toContain('tool-index-reused');
    await using server = await replayTape({ exchanges, problems: [] }, { speed: 'max' });
    const replayed = await hear(`${server.url}/v1/chat/completions`, {
      body,
      leaveWhen: (text) => text.includes('[DONE]'),
    });
    const direct = await hear(`${mock.url}/v1/chat/completions`, {
      body: Buffer.from(exchange?.request.body ?? []).toString(),
    });
    const shape = (text: string): string => text.replaceAll(/mock[-_]\d+/g, 'mock');
    expect(shape(textOf(replayed.chunks))).toBe(shape(textOf(direct.chunks)));
  });

  it.each([
    [[], 'complete', 0],
    [['slow-close:60'], 'complete', 1],
    [['finish-then-hold'], 'client-left', 90],
    [['done-then-hold'], 'client-left', 90],
  ])('holds where the server did, and closes where it closed: %j', async (faults, how, leastMs) => {
    const traces = join(folder, `ends-${faults.join()}`);
    await using mock = await startMock({ faults });
    await using bridge = await startBridge([mock], { traceDir: traces });
    const body = '{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}';
    await hear(`${bridge.url}/v1/chat/completions`, { body });
    const written = (): string =>
      readdirSync(traces)
        .map((name) => readFileSync(join(traces, name), 'utf8'))
        .join('');
    await expect.poll(written, { timeout: 10_000 }).toContain('"ended"'); // usage may come late: it is waited for, 5 s long
    const out = join(folder, `ends-tapes-${faults.join()}`);
    expect((await runInProcess(['tape', 'from-trace', traces, '-o', out])).code).toBe(0);
    const [exchange] = (await readTape(out)).exchanges;
    if (exchange === undefined) throw new Error('there is no tape');
    expect(exchange.end.how).toBe(how);
    expect(exchange.end.ms - (exchange.chunks.at(-1)?.ms ?? 0)).toBeGreaterThanOrEqual(leastMs);
    expect(textOf(exchange.chunks.map(({ data }) => data)).includes('[DONE]')).toBe(faults[0] !== 'finish-then-hold');
  });

  it('says what of an older trace, or of one with a secret, is not as it was', async () => {
    const request = {
      at: '2026-11-27T03:00:00.000Z',
      method: 'POST',
      url: '/v1/chat/completions',
      headers: {},
      body: { model: 'm' },
      route: 'chat_sse',
    };
    const attempt = [
      { ms: 1, attempt: 1, upstream: 'http://x' },
      { ms: 2, upstream: 'http://x', wire: 'chat', status: 200, headers: { 'content-type': 'text/event-stream' } },
    ];
    const write = (name: string, lines: readonly object[]): string => {
      const path = join(folder, name);
      writeFileSync(path, [request, ...attempt, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
      return path;
    };
    const old = write('old.jsonl', [
      { ms: 3, received: hello },
      { ms: 4, outcome: 'completed' },
    ]);
    const masked = write('masked.jsonl', [
      { ms: 3, received: hello, cuts: [[3, 500]] },
      { ms: 4, outcome: 'completed' },
    ]);
    const { code, stdout } = await runInProcess(['tape', 'from-trace', old, masked, '-o', join(folder, 'older')]);
    expect(code).toBe(0);
    const [first, second] = stdout.split('\n');
    expect(first).toMatch(/the request is the client's.*; the trace does not say how the chunks were cut/);
    expect(second).toMatch(/the server sent 500 bytes and the trace has \d+: secrets in it are masked/);
    expect(readdirSync(join(folder, 'older'))).toHaveLength(2);
  });

  it.each([
    [['none'], /no such trace: none/],
    [[join(import.meta.dirname, 'tapes.test.ts')], /is no trace of a bridge/],
  ])('says in one line what is wrong with %j', async (args, message) => {
    const { code, stderr } = await runInProcess(['tape', 'from-trace', ...args, '-o', join(folder, 'nothing')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('decode and doctor', () => {
  it('read a tape: what its request asked for counts, and how it ended', async () => {
    const usage = 'data: {"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n';
    const asking = {
      ...reused.request,
      body: bytes('{"model":"m","stream":true,"stream_options":{"include_usage":true}}'),
    };
    const late = taped([hello, calls, usage], { request: asking });
    const { code, stdout } = await runInProcess(['decode', save('usage.tape.jsonl', late)]);
    expect(code).toBe(0);
    expect(linesOf(stdout).at(-1)).toMatchObject({ type: 'completed', usage: { input_tokens: 1, output_tokens: 2 } });

    const cut = await runInProcess(['decode', save('cut.tape.jsonl', taped([hello], { end: { ms: 20, how: 'cut' } }))]);
    expect([cut.code, linesOf(cut.stdout).at(-1)]).toMatchObject([
      1,
      { type: 'error', error: { kind: 'stream_truncated' } },
    ]);

    const held = taped([hello, calls], { request: asking, end: { ms: 9000, how: 'client-left' } });
    const over = await runInProcess(['decode', save('held.tape.jsonl', held)]);
    expect([over.code, linesOf(over.stdout).at(-1)]).toMatchObject([0, { type: 'completed' }]);
  });

  it('read what a recorder wrote', async () => {
    const tapes = join(folder, 'recorded');
    await using mock = await startMock({ faults: ['crlf'] });
    const recorder = await recordTo(tapes, { upstream: mock.url });
    await hear(`${recorder.url}/v1/messages`, {
      body: '{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}',
    });
    await hear(`${recorder.url}/v1/models`, { method: 'GET' });
    await recorder.close();
    const { code, stdout } = await runInProcess(['doctor', tapes, '--json']);
    const report = JSON.parse(stdout) as { tally: object; findings: { quirk: string; wire: string }[]; model: string };
    expect(report.findings.map(({ quirk, wire }) => `${wire} ${quirk}`)).toEqual(['messages crlf']);
    expect([code, report.tally, report.model]).toEqual([
      0,
      { checks: 2, pass: 1, fault: 0, model: 0, 'not-offered': 0, 'not-run': 1 },
      'm',
    ]);
  });

  it('tell which tape, where there are several', async () => {
    const { code, stderr } = await runInProcess(['tape', 'report', join(folder, 'older')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/holds 2 exchanges: name one of its tapes\n$/)]);
  });
});

describe('turnwire tape', () => {
  it.each([
    [[], /^turnwire tape: which of these: show, report, shrink, from-trace\?\n$/],
    [['shwo'], /^turnwire tape: no command shwo; there are: show, report, shrink, from-trace\n$/],
  ])('%j names its commands', async (args, message) => {
    const { code, stderr } = await runInProcess(['tape', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
