import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createDecoder, type DecoderOptions, type ProtocolId } from '../../packages/wire/src/index.ts';
import { captures, linesOf, resultOf, runInProcess, spawnCli, startInProcess } from './harness.ts';
import { captureWire } from '../capture-wire.ts';

const names = readdirSync(captures).filter((name) => name.endsWith('.sse'));

/** What the library itself says about the same bytes, in one piece. */
function expected(wire: ProtocolId, bytes: Uint8Array, options: DecoderOptions = {}): unknown[] {
  const decoder = createDecoder(wire, options);
  const events: unknown[] = [...decoder.push(bytes), ...decoder.end({ type: 'close' })];
  if (decoder.failure !== undefined) events.push({ type: 'error', error: decoder.failure.toJSON() });
  return JSON.parse(JSON.stringify(events)) as unknown[];
}

const finished = 'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n';
const usage = 'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}\n\n';
const text = { type: 'message', id: 'msg_0', role: 'assistant' };
const part = { type: 'output_text', text: 'Hi', annotations: [] };
const finishedEvents = [
  { type: 'created', response_id: 'c1' },
  { type: 'output_item.added', item: { ...text, status: 'in_progress', content: [] } },
  { type: 'output_text.delta', delta: 'Hi', item_id: 'msg_0' },
  { type: 'output_item.done', item: { ...text, status: 'completed', content: [part] } },
];
const completed = { type: 'completed', response_id: 'c1', finish_reason: 'stop', ended_by: 'finish_reason' };

describe('decode', () => {
  it.each(names)('prints the events of the capture %s, one JSON line each', async (name) => {
    const bytes = readFileSync(join(captures, name));
    const options = { usageAsked: true };
    const flags = ['decode', '--wire', captureWire(name), '--usage-asked', '--chunk-size', '7'];
    const { code, stdout, stderr } = await runInProcess([...flags, name]);
    const events = expected(captureWire(name), bytes, options);
    expect(linesOf(stdout)).toEqual(events);
    expect(stderr).toBe('');
    expect(code).toBe((events.at(-1) as { type: string }).type === 'completed' ? 0 : 1);
  });

  it('prints the exact events of a small stream from stdin', async () => {
    const { code, stdout } = await runInProcess(['decode', '--wire', 'chat'], { stdin: finished });
    expect(linesOf(stdout)).toEqual([...finishedEvents, completed]);
    expect(code).toBe(0);
  });

  it('prints each event as it happens and ends at completed, with stdin still open', async () => {
    const stdin = new PassThrough();
    const cli = startInProcess(['decode', '--wire', 'chat', '-'], { stdin });
    stdin.write('data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
    await cli.until(/output_text\.delta/);
    stdin.write('data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n');
    expect(await cli.result).toMatchObject({ code: 0 });
    expect(linesOf(cli.printed().stdout)).toEqual([...finishedEvents, completed]);
  });

  it('waits no longer than the grace for usage that does not come', async () => {
    const stdin = new PassThrough();
    const cli = startInProcess(['decode', '--wire', 'chat', '--usage-asked', '--usage-grace', '20'], { stdin });
    stdin.write(finished);
    const { code, stdout } = await cli.result;
    expect(linesOf(stdout)).toEqual([...finishedEvents, completed]);
    expect(code).toBe(0);
  });

  it('takes usage that comes within the grace and ends at once', async () => {
    const stdin = new PassThrough();
    const cli = startInProcess(['decode', '--wire', 'chat', '--usage-asked', '--usage-grace', '3600000'], { stdin });
    stdin.write(finished);
    await cli.until(/output_item\.done/);
    stdin.write(usage);
    const { stdout } = await cli.result;
    expect(linesOf(stdout).at(-1)).toMatchObject({ ...completed, usage: { input_tokens: 3, output_tokens: 1 } });
  });

  it('reads a finished JSON body', async () => {
    const body = { id: 'c1', choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }] };
    const { code, stdout } = await runInProcess(['decode', '--wire', 'chat'], { stdin: JSON.stringify(body) });
    expect(linesOf(stdout).at(-2)).toMatchObject({ type: 'output_item.done', item: { content: [part] } });
    expect(linesOf(stdout).at(-1)).toMatchObject({ type: 'completed', response_id: 'c1', finish_reason: 'stop' });
    expect(code).toBe(0);
  });

  it.each([
    ['an HTML page', '<!DOCTYPE html><html><body>502</body></html>', 'protocol'],
    ['a close in the middle', 'data: {"id":"c1","choices":[{"delta":{"content":"Hi"}}]}\n\n', 'stream_truncated'],
    ['nothing at all', '', 'stream_truncated'],
    ['an error of the server', 'data: {"error":{"message":"no","code":"insufficient_quota"}}\n\n', 'quota_exceeded'],
  ])('prints the failure of %s as the last line and exits 1', async (_, stdin, kind) => {
    const { code, stdout, stderr } = await runInProcess(['decode', '--wire', 'chat'], { stdin });
    const last = linesOf(stdout).at(-1);
    expect(last).toMatchObject({ type: 'error', error: { kind, retry: {} } });
    expect(stderr).toBe('');
    expect(code).toBe(1);
  });

  it('passes over junk lines and loses nothing around them', async () => {
    const stdin = Buffer.concat([
      Buffer.from('data: {not json\n\ndata: 17\n\ndata: '),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`\n\n${finished}`),
    ]);
    const { code, stdout } = await runInProcess(['decode', '--wire', 'chat'], { stdin });
    expect(linesOf(stdout)).toEqual([...finishedEvents, completed]);
    expect(code).toBe(0);
  });

  it('hands its flags to the decoder', async () => {
    const open = 'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n';
    const close = await runInProcess(['decode', '--wire', 'chat', '--on-close', 'complete'], { stdin: open });
    expect(linesOf(close.stdout).at(-1)).toMatchObject({ type: 'completed', ended_by: 'close' });
    const length = finished.replace('"stop"', '"length"');
    const limited = await runInProcess(['decode', '--wire', 'chat', '--token-limit'], { stdin: length });
    expect(linesOf(limited.stdout).at(-1)).toMatchObject({ error: { kind: 'incomplete', code: 'max_output_tokens' } });
    const thought = finished.replace('"Hi"', '"<think>Hm</think>Hi"');
    for (const [name, text] of [
      ['--think-tags', thought],
      ['--think-tags-opened', thought.replace('<think>', '')],
    ] as const) {
      const read = await runInProcess(['decode', '--wire', 'chat', name], { stdin: text });
      expect(linesOf(read.stdout).at(2)).toMatchObject({ type: 'reasoning_text.delta', delta: 'Hm' });
    }
    const window = ['decode', '--wire', 'chat', '--usage-asked', '--context-window', '4'];
    const full = await runInProcess(window, { stdin: length + usage });
    expect(linesOf(full.stdout).at(-1)).toMatchObject({ error: { kind: 'context_window_exceeded' } });
    const call = '{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}';
    const stop = `data: {"choices":[{"index":0,"delta":{"tool_calls":[${call}]},"finish_reason":"stop"}]}\n\n`;
    const flags = ['decode', '--wire', 'chat', '--tool-calls-on-stop', 'promote'];
    const promoted = await runInProcess(flags, { stdin: stop });
    expect(linesOf(promoted.stdout).at(-2)).toMatchObject({ item: { type: 'function_call', call_id: 'a' } });
  });
});

describe('decode --batch', () => {
  const line = (request: object): string => `${JSON.stringify(request)}\n`;
  const b64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');

  it('answers every line in order, failures among them, and exits 0', async () => {
    const requests = names.map((name) => ({ wire: captureWire(name), b64: b64(readFileSync(join(captures, name))) }));
    const broken = { wire: 'chat', b64: b64('<html>') };
    const stdin = [...requests, broken, ...requests].map(line).join('\n');
    const { code, stdout, stderr } = await runInProcess(['decode', '--batch'], { stdin });
    const of = ({ wire, b64: bytes }: { wire: string; b64: string }) =>
      expected(wire as ProtocolId, Buffer.from(bytes, 'base64'));
    const results = [...requests, broken, ...requests].map((request, n) => ({ n, events: of(request) }));
    expect(linesOf(stdout)).toEqual(results);
    expect(results[names.length]?.events).toMatchObject([{ type: 'error', error: { kind: 'protocol' } }]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('gives the same at any chunk size', async () => {
    const stdin = names
      .map((name) => line({ wire: captureWire(name), b64: b64(readFileSync(join(captures, name))) }))
      .join('');
    const whole = await runInProcess(['decode', '--batch'], { stdin });
    const bytewise = await runInProcess(['decode', '--batch', '--chunk-size', '1'], { stdin });
    expect(bytewise.stdout).toBe(whole.stdout);
  });

  it('does not wait for usage: the input is all there is', async () => {
    const options = { usageAsked: true, usageGraceMs: 3_600_000 };
    const stdin =
      line({ wire: 'chat', b64: b64(finished), options }) + line({ wire: 'chat', b64: b64(finished + usage), options });
    const { stdout } = await runInProcess(['decode', '--batch'], { stdin });
    const [first, second] = linesOf(stdout) as { events: unknown[] }[];
    expect(first?.events).toEqual([...finishedEvents, completed]);
    expect(second?.events.at(-1)).toMatchObject({ ...completed, usage: { total_tokens: 4 } });
  });

  it('reads the options of a line, and flags for those that have none', async () => {
    const open = b64('data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
    const stdin = line({ b64: open }) + line({ b64: open, options: { onClose: 'error' } });
    const flags = ['decode', '--batch', '--wire', 'chat', '--on-close', 'complete'];
    const results = linesOf((await runInProcess(flags, { stdin })).stdout) as { events: unknown[] }[];
    expect(results[0]?.events.at(-1)).toMatchObject({ type: 'completed', ended_by: 'close' });
    expect(results[1]?.events.at(-1)).toMatchObject({ type: 'error', error: { kind: 'stream_truncated' } });
  });

  it.each([
    ['no JSON', 'nonsense\n', 'not a JSON object'],
    ['no wire', line({ b64: '' }), '"wire" must be "chat" or "responses" or "messages"'],
    ['no base64', line({ wire: 'chat', b64: '%' }), '"b64" must be base64 text'],
    [
      'an unknown option',
      line({ wire: 'chat', b64: '', options: { x: 1 } }),
      '"options.x" is unknown or has a wrong value',
    ],
    [
      'a wrong option',
      line({ wire: 'chat', b64: '', options: { onClose: 'no' } }),
      '"options.onClose" is unknown or has a wrong value',
    ],
  ])('answers a line that is no request with what is wrong, and goes on: %s', async (_, bad, why) => {
    const good = line({ wire: 'chat', b64: b64(finished) });
    const { code, stdout, stderr } = await runInProcess(['decode', '--batch'], { stdin: good + bad + good });
    const events = [...finishedEvents, completed];
    const message = `this line of the batch is no request: ${why}`;
    const error = { kind: 'invalid_request', message, retry: { class: 'never', replay_safe: true } };
    expect(linesOf(stdout)).toEqual([
      { n: 0, events },
      { n: 1, events: [{ type: 'error', error }] },
      { n: 2, events },
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('answers streams that are nested too deep, and goes on', async () => {
    const nested = '['.repeat(20_000) + ']'.repeat(20_000);
    const deepChat = `data: {"x":${nested},"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n`;
    const deepItem = `data: {"type":"response.output_item.done","item":{"content":${nested}}}\n\n`;
    const stdin =
      line({ wire: 'chat', b64: b64(deepChat) }) +
      line({ wire: 'responses', b64: b64(deepItem) }) +
      `{"wire":"chat","b64":"","options":${nested}}\n` +
      line({ wire: 'chat', b64: b64(finished) });
    const error = { kind: 'protocol', message: 'the server sent JSON that is nested more than 500 levels deep' };
    const { code, stdout, stderr } = await runInProcess(['decode', '--batch'], { stdin });
    expect(linesOf(stdout)).toMatchObject([
      { n: 0, events: [{ type: 'error', error }] },
      { n: 1, events: [{ type: 'error', error }] },
      { n: 2, events: [{ type: 'error', error: { kind: 'invalid_request' } }] },
      { n: 3, events: [...finishedEvents, completed] },
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('wrong usage of decode is one line and exit 2', () => {
  it.each([
    [['--wire', 'chat', 'no-such-file'], 'cannot read the input: no such file'],
    [['--wire', 'chat', '.'], 'cannot read the input: it is a directory'],
    [[], '--wire is needed: "chat" or "responses" or "messages"'],
    [['--wire', 'morse'], 'Allowed choices are chat, responses'],
    [['--wier', 'chat'], "unknown option '--wier' (Did you mean --wire?)"],
    [['--wire', 'chat', '--chunk-size', '0'], 'A whole number of at least 1 is wanted'],
    [['--wire', 'chat', '--usage-grace', 'soon'], 'A whole number of at least 0 is wanted'],
    [['--wire', 'chat', 'a', 'b'], 'too many arguments'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runInProcess(['decode', ...args]);
    expect(stderr).toMatch(/^turnwire decode: .*\n$/);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('the real process', () => {
  it('ends at completed while its stdin is held open', async () => {
    const child = spawnCli(['decode', '--wire', 'chat']);
    const result = resultOf(child);
    child.stdin.write(finished);
    expect((await result).code).toBe(0);
    expect(linesOf((await result).stdout)).toEqual([...finishedEvents, completed]);
  });

  it('ends quietly when its reader goes away', async () => {
    const child = spawnCli(['decode', '--batch', '--wire', 'chat']);
    const result = resultOf(child);
    const request = `${JSON.stringify({ b64: Buffer.from(finished).toString('base64') })}\n`;
    child.stdin.on('error', () => undefined);
    child.stdout.once('data', () => child.stdout.destroy());
    // More than any pipe holds, so that it must notice; stdin stays open.
    child.stdin.write(request.repeat(20_000));
    expect(await result).toMatchObject({ code: 0, stderr: '' });
  });
});
