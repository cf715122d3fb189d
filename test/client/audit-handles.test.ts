import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import { runExample } from '../docs/examples.ts';
import { bodyOf } from '../transport/support/server.ts';
import { startWebSocketServer } from '../transport/support/websocket-server.ts';
import { cut, messageEvents, responsesAnswer, sse, status, stream } from './support.ts';
import { answer } from './websocket-support.ts';

vi.setConfig({ testTimeout: 90_000 });

/** In a process of its own, where nothing else holds sockets and timers: every way to end, then what is left. */
const program = `
import { createModelSession, createProvider } from 'turnwire';

const baseUrl = process.env.BASE_URL;
const input = [{ type: 'message', role: 'user', content: 'hi' }];
const controller = new AbortController();
let listeners = 0;
const { signal } = controller;
const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
signal.addEventListener = (...args) => (listeners++, add(...args));
signal.removeEventListener = (...args) => (listeners--, remove(...args));
const ends = [];

async function run(session, leave) {
  try {
    for await (const event of session.turn().stream({ model: 'm', input }, { signal })) {
      if (leave && event.type === 'output_text.delta') break;
    }
    ends.push(leave ? 'left' : 'completed');
  } catch (error) {
    ends.push(error.kind);
  }
}

for (const supportsWebsockets of [false, true]) {
  const provider = createProvider({
    baseUrl, wireApi: 'responses', supportsWebsockets,
    requestMaxRetries: 0, streamMaxRetries: 0, streamIdleTimeoutMs: 1500, firstByteTimeoutMs: 15_000,
  });
  const session = createModelSession({ provider });
  for (let n = 0; n < (supportsWebsockets ? 5 : 8); n++) await run(session, n === 1);
  await session.close();
}
const kept = createModelSession({ provider: createProvider({ baseUrl, wireApi: 'responses' }) });
const running = run(kept, false);
setTimeout(() => controller.abort(), 200);
await running;
await kept.close();
await new Promise((resolve) => setTimeout(resolve, 1300));
console.log(JSON.stringify({
  ends,
  listeners,
  left: process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|FS|Immediate/.test(name)),
}));
`;

test('nothing is left after everything that can happen, over HTTP and WebSocket', async () => {
  const half = messageEvents('half').slice(0, 2);
  const handlers: ((response: ServerResponse) => void)[] = [
    stream(responsesAnswer()),
    stream(sse(...half), { hold: true }),
    cut(sse(...half)),
    stream(sse(...half)),
    stream(sse(...half), { hold: true }),
    status(401, { error: { message: 'no' } }),
    (response) => response.destroy(),
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    stream(sse(...half), { hold: true }),
  ];
  const server = await startWebSocketServer();
  let posts = 0;
  server.onRequest = (request, response) => {
    void bodyOf(request).then(() => handlers[posts++]?.(response));
  };
  // Over WebSocket: a whole answer, one that is left, an error, one that breaks off, silence.
  const frames = [
    answer('r1'),
    half,
    [{ type: 'error', error: { code: 'invalid_prompt', message: 'no' } }],
    half,
    half,
  ];
  let asked = 0;
  const speak = async (): Promise<void> => {
    while (asked < frames.length) {
      const peer = await server.socket();
      peer.ws.on('message', () => {
        const n = asked++;
        for (const event of frames[n] ?? []) peer.ws.send(JSON.stringify(event));
        if (n === 3) peer.raw.resetAndDestroy();
      });
    }
  };
  void speak();
  const { stdout, stderr, code } = await runExample(program, { BASE_URL: `${server.url}/v1` });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    ends: [
      ...['completed', 'left', 'stream_truncated', 'stream_truncated', 'stream_idle', 'unauthorized'],
      ...['connection_failed', 'protocol', 'completed', 'left', 'invalid_request', 'stream_truncated', 'stream_idle'],
      'aborted',
    ],
    listeners: 0,
    left: [],
  });
  expect(code).toBe(0);
  await server.close();
});
