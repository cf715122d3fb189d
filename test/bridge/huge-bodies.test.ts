import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startMock } from '../../packages/testing/src/index.ts';
import { startCommand, type Command } from './bridge-process.ts';
import { askJson, askSse, post, startRig, type Json } from './harness.ts';
import { startBridge, startRawUpstream } from './raw-upstream.ts';

const MIB = 1024 * 1024;
const SIZE = 62 * MIB;

/** What one request may cost the others. It is a tenth of that where nothing else runs on the machine. */
const MAX_SILENCE_MS = 8000;
const MAX_GROWTH_MIB = 300;

function repeated(piece: string, size: number): string {
  return `{"model":"m","input":[${piece.repeat(size / piece.length)}${piece.slice(0, -1)}]}`;
}

const bodies: Readonly<Record<string, (size: number) => string>> = {
  'one list in another': (size) => `{"input":${'['.repeat(size / 2)}${']'.repeat(size / 2)}}`,
  'empty lists': (size) => repeated('[],', size),
  'small objects': (size) => repeated('{"a":{}},', size),
  'small messages': (size) => repeated('{"role":"user","content":"a"},', size),
  'one long text': (size) => `{"model":"m","input":"${'a'.repeat(size)}"}`,
};

interface Cost {
  readonly status: number;
  readonly silenceMs: number;
  readonly growthMiB: number;
}

/** Sends one body, and asks for the bridge's health all the while. */
async function costOf(bridge: Command, headers: Record<string, string>, body: Uint8Array<ArrayBuffer>): Promise<Cost> {
  const before = peakMiB(bridge);
  let settled = false;
  const answer = fetch(`${bridge.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  }).then(async (response) => {
    await response.arrayBuffer();
    settled = true;
    return response.status;
  });
  let silenceMs = 0;
  do {
    const asked = performance.now();
    await (await fetch(`${bridge.url}/health`)).arrayBuffer();
    silenceMs = Math.max(silenceMs, performance.now() - asked);
  } while (!settled);
  return { status: await answer, silenceMs, growthMiB: peakMiB(bridge) - before };
}

/** The most memory that the process ever had; 0 where the system does not tell. */
function peakMiB({ child }: Command): number {
  const file = `/proc/${child.pid}/status`;
  if (!existsSync(file)) return 0;
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0) / 1024;
}

describe('bridge: a request that is small on the wire and huge behind it', () => {
  it.each(Object.entries(bodies))('costs the others little, and is refused: %s', async (_name, make) => {
    await using mock = await startMock({ wire: 'responses' });
    const bridge = await startCommand(['--upstream', mock.url, '--wire', 'responses']);
    await costOf(bridge, {}, Buffer.from('{"model":"m","input":"warm"}'));
    const cost = await costOf(bridge, { 'content-encoding': 'gzip' }, gzipSync(make(SIZE), { level: 9 }));
    expect(cost.status).toBe(413);
    expect(cost.silenceMs).toBeLessThan(MAX_SILENCE_MS);
    expect(cost.growthMiB).toBeLessThan(MAX_GROWTH_MIB);
    expect(await bridge.end()).toBe(0);
    expect(mock.requests).toHaveLength(1);
  });

  it.each([
    ['one list in another', 400],
    ['empty lists', 413],
    ['small objects', 413],
    ['small messages', 413],
  ])('costs little when it is small enough to be unfolded: %s', async (name, status) => {
    await using mock = await startMock({ wire: 'responses' });
    const bridge = await startCommand(['--upstream', mock.url, '--wire', 'responses']);
    await costOf(bridge, {}, Buffer.from('{"model":"m","input":"warm"}'));
    const text = bodies[name]?.(7.9 * MIB) ?? '';
    for (const [coding, bytes] of [
      ['gzip', gzipSync(text)],
      ['identity', Buffer.from(text)],
    ] as const) {
      const cost = await costOf(bridge, { 'content-encoding': coding }, bytes);
      expect(cost.status).toBe(status);
      expect(cost.silenceMs).toBeLessThan(MAX_SILENCE_MS);
      expect(cost.growthMiB).toBeLessThan(MAX_GROWTH_MIB);
    }
    expect(await bridge.end()).toBe(0);
  });

  it('costs little when it has as many values as are allowed', async () => {
    await using mock = await startMock({ wire: 'responses' });
    const bridge = await startCommand(['--upstream', mock.url, '--wire', 'responses']);
    await costOf(bridge, {}, Buffer.from('{"model":"m","input":"warm"}'));
    const message = '{"role":"user","content":"a"},';
    const text = repeated(message, 66_000 * message.length);
    const cost = await costOf(bridge, { 'content-encoding': 'gzip' }, gzipSync(text));
    expect(cost.status).toBe(200);
    expect(cost.silenceMs).toBeLessThan(MAX_SILENCE_MS);
    expect(cost.growthMiB).toBeLessThan(MAX_GROWTH_MIB);
    expect(await bridge.end()).toBe(0);
  });
});

/** A long conversation: few things repeat in it. */
function conversation(bytes: number): string {
  const output = Array.from({ length: 1000 }, (_, n) => `line ${n}: ${Math.sin(n)} is not ${Math.cos(n)}`).join('\n');
  const items = Array.from({ length: Math.ceil(bytes / output.length) }, (_, n) => [
    { type: 'function_call', call_id: `c${n}`, name: 'f', arguments: '{}' },
    { type: 'function_call_output', call_id: `c${n}`, output: output.replaceAll('0.', `${n}.`) },
  ]);
  return JSON.stringify({ model: 'm', input: items.flat() });
}

it.each([
  ['zstd', zstdCompressSync],
  ['gzip', (text: string) => gzipSync(text, { level: 1 })],
] as const)('bridge: a long conversation is taken, compressed with %s', async (coding, compress) => {
  // A scenario that says little: the default one repeats what it was told.
  await using at = await startRig({ wire: 'responses', scenario: 'text' }, { wire: 'responses' });
  const text = conversation(12 * MIB);
  const body = new Uint8Array(compress(text));
  const response = await fetch(`${at.bridge.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': coding },
    body,
  });
  expect([response.status, ((await response.json()) as Json).status]).toEqual([200, 'completed']);
});

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('bridge: depth of a request', () => {
  const deep = 'the request is nested more than 500 levels deep';

  it.each([
    [
      '/v1/responses',
      (levels: number) => `{"type":"response.create","model":"m","input":"x","metadata":${nested(levels)}}`,
    ],
    ['/v1/chat/completions', (levels: number) => `{"model":"m","messages":[],"x":${nested(levels)}}`],
  ])('is bounded on %s', async (path, make) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    for (const levels of [500, 100_000]) {
      const response = await post(at.bridge, path, make(levels));
      expect([response.status, ((await response.json()) as { error: Json }).error.message]).toEqual([400, deep]);
    }
  });

  it('and the number of values are bounded on a WebSocket, which goes on', async () => {
    await using at = await startRig({ wire: 'responses' }, { wire: 'responses' });
    const socket = new WebSocket(`${at.bridge.url.replace('http', 'ws')}/v1/responses`);
    await once(socket, 'open');
    const ask = async (text: string): Promise<Json> => {
      socket.send(text);
      return JSON.parse(String((await once(socket, 'message'))[0])) as Json;
    };
    expect(await ask(`{"type":"response.create","x":${nested(600)}}`)).toMatchObject({
      type: 'error',
      status: 400,
      error: { message: deep },
    });
    expect(await ask(`{"type":"response.create","x":[${'1,'.repeat(200_000)}1]}`)).toMatchObject({
      type: 'error',
      status: 413,
      error: { code: 'request_too_large', message: 'the request has more than 200000 values' },
    });
    expect(await ask('{"type":"response.create","model":"m","input":"x"}')).toMatchObject({ type: 'response.created' });
    socket.close();
    await once(socket, 'close');
  });
});

it.each([
  ['chat', 'data: {"choices":[{"index":0,"delta":{"content":"a"}}],"x":'],
  ['responses', 'data: {"type":"response.output_item.done","item":'],
] as const)('bridge: depth of an answer of a %s server is told as its fault', async (wire, beginning) => {
  await using upstream = await startRawUpstream();
  await using bridge = await startBridge([upstream], { wire, requestMaxRetries: 0 });
  for (const ask of [askSse, askJson]) {
    const answer = ask(bridge, { input: 'x' });
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${beginning}${nested(20_000)}}\n\n`);
    expect((await answer).how).toBe('http:502');
  }
});
