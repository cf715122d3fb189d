import { describe, expect, it } from 'vitest';
import { createBridge, type Bridge } from '../../packages/bridge/src/index.ts';
import { OpenStreams, type OpenStream } from '../../packages/bridge/src/upstream/streams.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { orderProblem } from '../wire/messages-order.ts';
import { post, sseEvents, type Json } from './harness.ts';
import { startRawUpstream, type RawUpstream } from './raw-upstream.ts';

/** What a Messages client sees of a server that takes its time, over real sockets. */
const asked = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] };
const chatText = (text: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const chatEnd = (reason: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })}\n\ndata: [DONE]\n\n`;

async function startBridge(upstream: RawUpstream, wire: ProtocolId, heartbeatMs: number): Promise<Bridge> {
  const bridge = createBridge({
    ...{ upstreams: [upstream.url], port: 0, requestMaxRetries: 0, drainTimeoutMs: 0 },
    ...{ wire, heartbeatMs },
  });
  await bridge.listen();
  return bridge;
}

/** Reads a stream until its text has a word; what was read before is told with it. */
async function until(reader: ReadableStreamDefaultReader<string>, word: string, seen = ''): Promise<string> {
  let text = seen;
  while (!text.includes(word)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stream ended without ${word}: ${text}`);
    text += value;
  }
  return text;
}

async function rest(reader: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value;
  return text;
}

function typesOf(text: string): unknown[] {
  const events = sseEvents(text);
  expect(
    orderProblem(events.map((event) => ({ type: String(event.type), data: JSON.stringify(event) }))),
  ).toBeUndefined();
  return events.map(({ type }) => type).filter((type, place) => type !== 'ping' || place === 1);
}

describe('a Messages client of a server that says nothing yet', () => {
  it('N1 N10 gets message_start and pings, and then the answer behind them', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge(upstream, 'chat', 20);
    const response = await post(bridge, '/v1/messages', { ...asked, stream: true });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const { res } = await upstream.next();
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': expect.stringContaining('no-cache') as string,
      'x-accel-buffering': 'no',
      'request-id': expect.stringMatching(/^req_/) as string,
    });
    const seen = await until(reader, 'ping"}\n\nevent: ping');
    expect(seen.startsWith('event: message_start\n')).toBe(true);
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatText('Hello') + chatEnd('stop'));
    expect(typesOf(seen + (await rest(reader)))).toEqual([
      ...['message_start', 'ping', 'content_block_start', 'content_block_delta', 'content_block_stop'],
      ...['message_delta', 'message_stop'],
    ]);
  });

  it('N1 N12 is told in the stream what came to nothing behind that', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge(upstream, 'chat', 20);
    const response = await post(bridge, '/v1/messages', { ...asked, stream: true });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const { res } = await upstream.next();
    const seen = await until(reader, 'message_start');
    res.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"full"}}');
    const text = seen + (await rest(reader));
    expect(typesOf(text)).toEqual(['message_start', 'ping', 'error']);
    expect(sseEvents(text).at(-1)).toMatchObject({ error: { type: 'overloaded_error' } });
  });

  it('N1 is told with a status what came to nothing before', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge(upstream, 'chat', 60_000);
    const response = post(bridge, '/v1/messages', { ...asked, stream: true });
    const { res } = await upstream.next();
    res.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"full"}}');
    expect((await response).status).toBe(529);
  });
});

describe('N10 silence', () => {
  it('is never longer than the time between two signs of life, wherever in it something is sent', () => {
    const every = 10_000;
    for (let offset = 0; offset < 2000; offset += 250) {
      const clock = manualClock();
      const streams = new OpenStreams(clock, every, 10);
      const seen: number[] = [];
      const stream: OpenStream = {
        active: false,
        lastSentAt: clock.now(),
        heartbeat: () => void seen.push(clock.now()),
        stop: () => undefined,
      };
      streams.add(stream);
      clock.advance(5000 + offset);
      seen.push(clock.now());
      stream.active = true; // something was sent
      clock.advance(40_000);
      streams.delete(stream);
      const gaps = seen.slice(1).map((at, place) => at - (seen[place] ?? 0));
      expect([offset, Math.max(...gaps) <= every, Math.min(...gaps) >= every - 2000]).toEqual([offset, true, true]);
    }
  });
});

describe('N8 N11 a full context', () => {
  const withUsage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 40, completion_tokens: 58, total_tokens: 98 } })}\n\n`;
  const cutByContext =
    chatText('Hel') +
    chatEnd('model_context_window_exceeded').replace('data: [DONE]\n\n', `${withUsage}data: [DONE]\n\n`);
  const ownMessages = [
    { type: 'message_start', message: { id: 'msg_1', content: [], usage: { input_tokens: 40, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'model_context_window_exceeded' }, usage: { output_tokens: 58 } },
    { type: 'message_stop' },
  ]
    .map((event) => `data: ${JSON.stringify(event)}\n\n`)
    .join('');

  it.each([
    ['chat', true, cutByContext],
    ['chat', false, cutByContext],
    ['messages', true, ownMessages],
    ['messages', false, ownMessages],
  ] as const)('of a %s server keeps the text that there is (stream: %s)', async (wire, stream, sent) => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge(upstream, wire, 60_000);
    const response = post(bridge, '/v1/messages', { ...asked, max_tokens: 90, stream });
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(sent);
    const text = await (await response).text();
    expect((await response).status).toBe(200);
    const usage = { input_tokens: 40, output_tokens: 58 };
    if (stream) {
      const [delta] = sseEvents(text).filter(({ type }) => type === 'message_delta');
      expect(delta).toMatchObject({ delta: { stop_reason: 'model_context_window_exceeded' }, usage });
      expect(text).toContain('"text":"Hel"');
    } else {
      expect(JSON.parse(text) as Json).toMatchObject({
        content: [{ type: 'text', text: 'Hel' }],
        stop_reason: 'model_context_window_exceeded',
        usage,
      });
    }
  });

  it.each([true, false])('before the first word is a request that is too long (stream: %s)', async (stream) => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge(upstream, 'messages', 60_000);
    const response = post(bridge, '/v1/messages', { ...asked, stream });
    const { res } = await upstream.next();
    const error = { type: 'invalid_request_error', message: 'prompt is too long: 210 tokens > 100 maximum' };
    res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ type: 'error', error }));
    expect([(await response).status, await (await response).json()]).toMatchObject([400, { error }]);
  });
});
