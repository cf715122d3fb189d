import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { pino, type Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { Bridge, BridgeOptions } from '../../packages/bridge/src/index.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { askOn, askSse, openSocket, post, sseEvents, streamEnd } from './harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from './raw-upstream.ts';

const CODEX = { originator: 'codex_exec' };

const asked = { model: 'm', input: 'hi', messages: [{ role: 'user', content: 'hi' }], stream: true };

/** Settles when the upstream is left after its client has gone: at once, since no timer of the bridge ever fires. */
async function leaveAfter(
  mode: BridgeOptions['mode'],
  path: string,
  stage: 'headers' | 'first event',
  stream = true,
): Promise<void> {
  await using upstream = await startRawUpstream();
  await using bridge = await startBridge([upstream], { mode: mode ?? 'translate', clock: manualClock() });
  const client = new AbortController();
  const response = post(bridge, path, { ...asked, stream }, { signal: client.signal });
  response.catch(() => undefined);
  const exchange = await upstream.next();
  if (stage === 'first event') {
    exchange.res.writeHead(200, { 'content-type': 'text/event-stream' });
    exchange.res.write(chatChunk('Hello'));
    if (stream) await (await response).body?.getReader().read();
  }
  client.abort();
  await exchange.left;
}

/** The same for a client on a WebSocket. */
async function socketLeavesAfter(stage: string): Promise<void> {
  await using upstream = await startRawUpstream();
  await using bridge = await startBridge([upstream], { clock: manualClock() });
  const socket = await openSocket(bridge);
  socket.send(JSON.stringify({ type: 'response.create', ...asked }));
  const exchange = await upstream.next();
  if (stage === 'first event') {
    exchange.res.writeHead(200).write(chatChunk('Hello'));
    await once(socket, 'message');
  }
  socket.terminate();
  await exchange.left;
}

describe('bridge: a client that leaves', () => {
  it.each([
    ['translate', '/v1/responses', 'headers', true],
    ['translate', '/v1/responses', 'headers', false],
    ['translate', '/v1/responses', 'first event', true],
    ['translate', '/v1/responses', 'first event', false],
    ['translate', '/v1/chat/completions', 'headers', true],
    ['translate', '/v1/chat/completions', 'first event', true],
    ['final-only', '/v1/responses', 'headers', true],
    ['passthrough', '/v1/chat/completions', 'headers', true],
    ['passthrough', '/v1/chat/completions', 'first event', true],
  ] as const)('ends the upstream at once: %s %s before the %s (stream %s)', async (mode, path, stage, stream) => {
    await leaveAfter(mode, path, stage, stream);
  });

  it.each(['headers', 'first event'])('ends the upstream when its WebSocket goes, before the %s', async (stage) => {
    await socketLeavesAfter(stage);
  });
});

describe('bridge: a WebSocket that goes while requests wait on it', () => {
  it.each([
    ['without a word', (socket: WebSocket) => socket.terminate()],
    ['since it sent what it may not', (socket: WebSocket) => socket.send(Buffer.from([1]))],
  ])('takes them along: %s', async (_name, leave) => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const socket = await openSocket(bridge);
    socket.on('error', () => undefined);
    for (let count = 0; count < 3; count++) socket.send(JSON.stringify({ type: 'response.create', ...asked }));
    const { left } = await upstream.next();
    leave(socket);
    await left;
    // Behind those of the socket: what comes next is of this client.
    const other = post(bridge, '/v1/responses', { ...asked, input: 'other', stream: false });
    const { body, res } = await upstream.next();
    expect(JSON.stringify(body.messages)).toContain('other');
    res.end(chatChunk('Hello') + chatEnd);
    expect((await other).status).toBe(200);
  });

  it('ends the upstream of a client that said goodbye and left its connection open', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const socket = await openSocket(bridge);
    socket.send(JSON.stringify({ type: 'response.create', ...asked }));
    const { left } = await upstream.next();
    socket.pause(); // it never reads the other side's goodbye
    socket.close();
    const at = performance.now();
    await left;
    expect(performance.now() - at).toBeLessThan(20_000); // `ws` by itself waits for 30 s
    socket.terminate();
  });
});

/** The timer of the bridge's side of a connection, as Linux tells it: 2 is the one of keep-alive probes. */
function timerOf(port: number): string | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  return rows.find(([, address, , state]) => address?.endsWith(local) === true && state === '01')?.[5]?.split(':')[0];
}

describe('bridge: a client that vanished without a word', () => {
  const why = existsSync('/proc/net/tcp') ? '' : ' (skipped: this system has no /proc/net/tcp)';
  it.skipIf(why !== '')(`is asked for by TCP${why}`, async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const socket = await openSocket(bridge);
    await expect.poll(() => timerOf(bridge.port)).toBe('02'); // first it may wait for what it sent
    socket.terminate();
  });
});

describe('bridge: a slow client', () => {
  it.each(['translate', 'passthrough'] as const)('holds the upstream back: %s', async (mode) => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { mode });
    const client = await rawPost(bridge, '/v1/chat/completions', JSON.stringify(asked));
    client.pause();
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const chunk = chatChunk('x'.repeat(16_000));
    const wanted = 64 * 1024 * 1024;
    let written = 0;
    // Stops when nobody takes more: what fits into all buffers on the way is far less than what is offered.
    while (written < wanted) {
      const more = res.write(chunk);
      written += chunk.length;
      if (!more && !(await drainedSoon(res))) break;
    }
    expect(written).toBeLessThan(24 * 1024 * 1024);
    client.destroy();
  });
});

describe('bridge: silence', () => {
  it('is broken by data events for Codex, by comments for others, and by nothing in a good stream', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { heartbeatMs: 20 });
    for (const [headers, sign] of [
      [CODEX, 'event: response.heartbeat'],
      [{}, ': keep-alive'],
    ] as const) {
      const response = post(bridge, '/v1/responses', asked, { headers: { ...headers } });
      const { res } = await upstream.next();
      const reader = (await response).body!.pipeThrough(new TextDecoderStream()).getReader();
      let seen = '';
      while (!seen.includes(sign)) seen += (await reader.read()).value ?? '';
      res.writeHead(200).end(chatChunk('Hello') + chatEnd);
      for (let read = await reader.read(); !read.done; read = await reader.read()) seen += read.value;
      expect(
        sseEvents(seen)
          .filter((event) => event.type !== 'response.heartbeat')
          .at(-1)?.type,
      ).toBe('response.completed');
      expect(seen.includes('response.heartbeat')).toBe(headers === CODEX);
      // A blank line behind a comment makes openai-go before 3.43 dispatch an empty event (bifrost#5874).
      expect(seen).not.toContain(': keep-alive\n\n');
    }
  });

  it('of an upstream ends in a failed response once a heartbeat has opened the stream', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { heartbeatMs: 10, idleTimeoutMs: 100 });
    const end = await askSse(bridge, { input: 'hi' });
    expect(end.how).toBe('failed:server_error');
    expect(end.violations).toEqual([]);
  });
});

describe('bridge: shutting down', () => {
  it('lets streams finish, and accepts no more', async () => {
    await using upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { drainTimeoutMs: 60_000 });
    const answer = askSse(bridge, { input: 'hi' });
    const { res } = await upstream.next();
    res.writeHead(200).write(chatChunk('Hel'));
    const closing = bridge.close();
    await expect(post(bridge, '/v1/responses', asked)).rejects.toThrow();
    res.end(chatChunk('lo') + chatEnd);
    const end = await answer;
    expect([end.how, end.text]).toEqual(['completed', 'Hello']);
    await closing;
  });

  it.each([
    ['one body', false],
    ['SSE', true],
  ])('lets a slow client read to the end: %s', async (_name, stream) => {
    await using upstream = await startRawUpstream();
    const { logger, logged } = awaitedLog();
    const bridge = await startBridge([upstream], { drainTimeoutMs: 60_000, mode: 'final-only', logger });
    const client = await rawPost(bridge, '/v1/responses', JSON.stringify({ ...asked, stream }));
    (await upstream.next()).res.writeHead(200).end(LONG);
    await logged('response');
    const closing = bridge.close();
    const text = await textOf(client);
    expect(text.endsWith(stream ? '\r\n0\r\n\r\n' : '}')).toBe(true);
    expect(text.length).toBeGreaterThan(LONG_TEXT);
    await closing;
  });

  it('lets a slow client read to the end: WebSocket', async () => {
    await using upstream = await startRawUpstream();
    const { logger, logged } = awaitedLog();
    const bridge = await startBridge([upstream], { drainTimeoutMs: 60_000, mode: 'final-only', logger });
    const socket = await openSocket(bridge);
    const end = askOn(socket, { input: 'hi' });
    socket.pause();
    (await upstream.next()).res.writeHead(200).end(LONG);
    await logged('response');
    const closing = bridge.close();
    socket.resume();
    expect((await end).text).toHaveLength(LONG_TEXT);
    await closing;
  });

  it('finishes what is under way on a WebSocket, refuses what waits behind it, and says goodbye', async () => {
    await using upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { drainTimeoutMs: 60_000 });
    const socket = await openSocket(bridge);
    const types: unknown[] = [];
    socket.on('message', (data: Buffer) => types.push((JSON.parse(data.toString()) as Record<string, unknown>).type));
    for (const input of ['one', 'two']) socket.send(JSON.stringify({ type: 'response.create', model: 'm', input }));
    const { res } = await upstream.next();
    const gone = once(socket, 'close');
    const closing = bridge.close();
    res.writeHead(200).end(chatChunk('x') + chatEnd);
    expect((await gone)[0]).toBe(1001);
    expect(types.slice(-2)).toEqual(['response.completed', 'error']);
    await closing;
  });

  it('tells the clients of what it has to stop, on a WebSocket too', async () => {
    await using upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { drainTimeoutMs: 50 });
    const socket = await openSocket(bridge);
    const answer = askOn(socket, { input: 'hi' });
    (await upstream.next()).res.writeHead(200).write(chatChunk('Hel'));
    await once(socket, 'message');
    await bridge.close();
    expect((await answer).how).toMatch(/^failed:/);
  });

  it('tells the clients of what it has to stop', async () => {
    await using upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { drainTimeoutMs: 50 });
    const answer = post(bridge, '/v1/responses', asked);
    const { res } = await upstream.next();
    res.writeHead(200).write(chatChunk('Hel'));
    const response = await answer; // the beginning has come that far
    await bridge.close();
    const end = streamEnd(sseEvents(await response.text()));
    expect(end.how).toMatch(/^failed:/);
    expect(end.violations).toEqual([]);
  });
});

describe('bridge: WebSocket', () => {
  it('holds no more of what waits on a socket than one request may have', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { bodyLimit: 4096 });
    const socket = await openSocket(bridge);
    const ask = JSON.stringify({ type: 'response.create', model: 'm', input: 'x'.repeat(1500) });
    for (let sent = 0; sent < 4; sent++) socket.send(ask);
    expect((await once(socket, 'close'))[0]).toBe(1008);
  });

  it('answers several requests on one socket, one after another', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const socket = await openSocket(bridge);
    for (const text of ['one', 'two']) {
      const end = askOn(socket, { input: text });
      const { res } = await upstream.next();
      res.writeHead(200).end(chatChunk(text) + chatEnd);
      expect((await end).text).toBe(text);
    }
    socket.terminate();
  });
});

/** More than the sockets on the way take. */
const LONG_TEXT = 16 * 1024 * 1024;
const LONG = chatChunk('x'.repeat(64 * 1024)).repeat(LONG_TEXT / (64 * 1024)) + chatEnd;

/** A log whose lines can be awaited. */
function awaitedLog(): { logger: Logger; logged: (message: string) => Promise<void> } {
  const lines = new EventEmitter();
  const seen: string[] = [];
  const write = (line: string): void => {
    seen.push(String((JSON.parse(line) as Record<string, unknown>).msg));
    lines.emit('line');
  };
  const logged = async (message: string): Promise<void> => {
    while (!seen.includes(message)) await once(lines, 'line');
  };
  return { logger: pino({}, { write }), logged };
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function rawPost(bridge: Bridge, path: string, body: string): Promise<Socket> {
  const socket = connect(bridge.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

/** False when the reader took nothing for a moment. */
async function drainedSoon(res: NodeJS.WritableStream): Promise<boolean> {
  try {
    await once(res, 'drain', { signal: AbortSignal.timeout(300) });
    return true;
  } catch {
    return false;
  }
}
