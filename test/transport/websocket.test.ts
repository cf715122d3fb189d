import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { FrameExchange } from '../../packages/client/src/transport/websocket-exchange.ts';
import type { FrameSocket } from '../../packages/client/src/transport/websocket-socket.ts';
import { openWebSocket, type WebSocketRequest } from '../../packages/client/src/transport/websocket.ts';
import { deadUrl } from '../free-port.ts';
import { manualClock, type ManualClock } from './support/manual-clock.ts';
import { socketsAreQuiet } from './support/quiet-sockets.ts';
import { refusal, startWebSocketServer, type ServerSocket, type TestServer } from './support/websocket-server.ts';

let server: TestServer;
let clock: ManualClock;

beforeEach(async () => {
  server = await startWebSocketServer();
  clock = manualClock();
});

afterEach(async () => {
  await server.close();
});

const timers = { idleMs: 1000, firstByteMs: 2000, progressMs: 5000, totalMs: 0 };

function request(options: Partial<WebSocketRequest> = {}): WebSocketRequest {
  return { url: server.url.replace('http', 'ws') + '/v1/responses?key=hunter2', clock, connectMs: 500, ...options };
}

async function opened(options?: Partial<WebSocketRequest>): Promise<{ client: FrameSocket; peer: ServerSocket }> {
  const answer = await openWebSocket(request(options));
  if (answer.type !== 'open') throw new Error(`refused with ${answer.status}`);
  return { client: answer.socket, peer: await server.socket() };
}

/** A socket with an exchange under way, whose request has arrived. */
async function asked(options: { signal?: AbortSignal; timers?: object } = {}) {
  const { client, peer } = await opened();
  const exchange = client.exchange('hello', { timers, ...options });
  expect(await peer.message()).toBe('hello');
  return { client, peer, exchange };
}

async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  return promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as ModelError,
  );
}

/** All messages up to the end; the failure, if there is one. */
async function drain(exchange: FrameExchange): Promise<{ frames: string[]; error?: ModelError }> {
  const frames: string[] = [];
  try {
    for (let read = await exchange.read(); read !== undefined; read = await exchange.read()) frames.push(...read);
    return { frames };
  } catch (error) {
    return { frames, error: error as ModelError };
  }
}

describe('the handshake', () => {
  test('carries headers out, gives those of the 101 back, and offers no compression', async () => {
    server.headers = ['X-Codex-Turn-State: ts-1'];
    const { client, peer } = await opened({ headers: { authorization: 'Bearer k' } });
    expect(client.headers['x-codex-turn-state']).toBe('ts-1');
    expect(peer.request.headers).toMatchObject({ authorization: 'Bearer k', upgrade: 'websocket' });
    expect(peer.request.headers['sec-websocket-extensions']).toBeUndefined();
    expect(peer.request.url).toBe('/v1/responses?key=hunter2');
    client.terminate();
  });

  test.each([426, 404, 401, 302, 200])('a %i is told with its headers and body', async (status) => {
    server.refuse = refusal(status, { 'X-Request-Id': 'r1', location: server.url }, '{"error":"no"}');
    const answer = await openWebSocket(request());
    expect(answer).toMatchObject({
      type: 'refused',
      status,
      body: '{"error":"no"}',
      headers: { 'x-request-id': 'r1' },
    });
    expect(server.handshakes).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('of a long refusal only the begin is read', async () => {
    server.refuse = (socket) => {
      socket.write('HTTP/1.1 500 Long\r\ncontent-length: 10000000\r\n\r\n');
      socket.write('x'.repeat(200_000));
    };
    const answer = await openWebSocket(request());
    expect(answer).toMatchObject({ type: 'refused', status: 500, body: 'x'.repeat(64 * 1024) });
  });

  test('a server that does not answer is a timeout', async () => {
    const arrived = Promise.withResolvers<undefined>();
    server.refuse = () => arrived.resolve(undefined);
    const failure = failureOf(openWebSocket(request()));
    await arrived.promise;
    clock.advance(500);
    expect(await failure).toMatchObject({ kind: 'timeout', retry: { class: 'backoff', replaySafe: true } });
    expect((await failure).message).not.toContain('hunter2');
    expect(clock.pending).toBe(0);
  });

  test('a refusal whose body never ends is a timeout', async () => {
    const arrived = Promise.withResolvers<undefined>();
    server.refuse = (socket) => {
      socket.write('HTTP/1.1 500 Slow\r\ncontent-length: 10\r\n\r\nx', () => arrived.resolve(undefined));
    };
    const failure = failureOf(openWebSocket(request()));
    await arrived.promise;
    clock.advance(500);
    expect((await failure).kind).toBe('timeout');
  });

  test('nobody listens: connection_failed', async () => {
    const url = (await deadUrl()).replace('http', 'ws');
    expect(await failureOf(openWebSocket(request({ url })))).toMatchObject({ kind: 'connection_failed' });
  });

  test.each([
    ['a reset', (socket: { destroy(): void }) => socket.destroy()],
    ['no HTTP', (socket: { end(text: string): void }) => socket.end('garbage\r\n\r\n')],
    [
      'a wrong accept key',
      (socket: { end(text: string): void }) =>
        socket.end(
          'HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n',
        ),
    ],
  ])('%s is connection_failed', async (_name, act) => {
    server.refuse = act;
    expect((await failureOf(openWebSocket(request()))).kind).toBe('connection_failed');
  });

  test('an abort before and while connecting is aborted', async () => {
    const reason = new Error('enough');
    const early = await failureOf(openWebSocket(request({ signal: AbortSignal.abort(reason) })));
    expect(early).toMatchObject({ kind: 'aborted', cause: reason });
    expect(server.handshakes).toHaveLength(0);

    const controller = new AbortController();
    const arrived = Promise.withResolvers<undefined>();
    server.refuse = (socket) => {
      socket.on('end', () => arrived.resolve(undefined));
      socket.resume();
      controller.abort(reason);
    };
    expect(await failureOf(openWebSocket(request({ signal: controller.signal })))).toMatchObject({ kind: 'aborted' });
    await arrived.promise;
  });
});

describe('an exchange', () => {
  test('sends one message and hands over what comes, those that came together at once', async () => {
    const { exchange, peer, client } = await asked();
    peer.ws.send('a');
    expect(await exchange.read()).toEqual(['a']);
    peer.ws.send('ä');
    peer.ws.send('ü');
    const frames: string[] = [];
    while (frames.length < 2) frames.push(...((await exchange.read()) ?? []));
    expect(frames).toEqual(['ä', 'ü']);
    exchange.release();
    expect(client.free).toBe(true);
    expect(clock.pending).toBe(0);
    client.terminate();
  });

  test('after a release the same socket serves the next one; messages in between are dropped', async () => {
    const { exchange, peer, client } = await asked();
    exchange.release();
    peer.ws.send('late');
    peer.ws.ping();
    await once(peer.ws, 'pong');
    const next = client.exchange('again', { timers });
    expect(await peer.message()).toBe('again');
    peer.ws.send('b');
    expect(await next.read()).toEqual(['b']);
    client.terminate();
  });

  test('pings are answered while the socket idles', async () => {
    const { exchange, client, peer } = await asked();
    exchange.release();
    peer.ws.ping('are you there');
    const [payload] = (await once(peer.ws, 'pong')) as [Buffer];
    expect(payload.toString()).toBe('are you there');
    client.terminate();
  });

  test('what the server says before it was asked is for the first exchange', async () => {
    const { client, peer } = await opened();
    peer.ws.send('no');
    peer.ws.close(1008, 'too many');
    const exchange = client.exchange('hello', { timers });
    expect(await drain(exchange)).toMatchObject({ frames: ['no'], error: { message: /code 1008: too many$/ } });
  });

  test('1,000 pings and no data end in stream_idle', async () => {
    const { exchange, peer } = await asked();
    const read = failureOf(exchange.read());
    for (let count = 1; count < 1000; count++) peer.ws.ping();
    const pong = new Promise((resolve) => peer.ws.on('pong', (data) => data.toString() === 'last' && resolve(data)));
    let pongs = 0;
    peer.ws.on('pong', () => pongs++);
    peer.ws.ping('last');
    await pong;
    // A flood is not answered one by one.
    expect(pongs).toBeLessThan(500);
    clock.advance(2000);
    expect(await read).toMatchObject({
      kind: 'stream_idle',
      message: /^no answer within 2 s of sending WebSocket ws:/,
    });
    expect((await read).message).not.toContain('hunter2');
    await peer.closed;
    expect(clock.pending).toBe(0);
  });

  test('silence after the first message is stream_idle, after what came was delivered', async () => {
    const { exchange, peer } = await asked();
    peer.ws.send('a');
    expect(await exchange.read()).toEqual(['a']);
    const read = exchange.read();
    clock.advance(999);
    peer.ws.send('b');
    expect(await read).toEqual(['b']);
    const silent = drain(exchange);
    clock.advance(999);
    peer.ws.ping();
    await once(peer.ws, 'pong');
    clock.advance(1);
    expect(await silent).toMatchObject({ frames: [], error: { kind: 'stream_idle', message: /^idle timeout/ } });
  });

  test('messages without progress end in stream_idle', async () => {
    const { exchange, peer } = await asked({ timers: { ...timers, idleMs: 0, firstByteMs: 0 } });
    peer.ws.send('a');
    await exchange.read();
    exchange.progress();
    const read = failureOf(exchange.read());
    clock.advance(5000);
    expect(await read).toMatchObject({ kind: 'stream_idle', message: /^no progress/ });
  });

  test('the total time is bounded when it is set', async () => {
    const { exchange } = await asked({ timers: { ...timers, idleMs: 0, firstByteMs: 0, totalMs: 3000 } });
    const read = failureOf(exchange.read());
    clock.advance(3000);
    expect((await read).kind).toBe('timeout');
  });

  test('a server that takes nothing of a request ends in stream_idle', async () => {
    const { client, peer } = await opened();
    peer.raw.pause();
    const exchange = client.exchange('x'.repeat(64 * 1024 * 1024), { timers });
    const read = failureOf(exchange.read());
    await turn();
    clock.advance(1000);
    expect(await read).toMatchObject({ kind: 'stream_idle', message: /took nothing of the request/ });
    expect(clock.pending).toBe(0);
    peer.raw.destroy();
  });

  test('an abort closes the socket, drops what waits, and leaves no listener', async () => {
    const controller = new AbortController();
    const { exchange, peer, client } = await asked({ signal: controller.signal });
    const read = failureOf(exchange.read());
    controller.abort('enough');
    expect(await read).toMatchObject({ kind: 'aborted', cause: 'enough' });
    await peer.closed;
    expect(client.free).toBe(false);
    expect(clock.pending).toBe(0);
  });

  test('a signal that has fired sends nothing', async () => {
    const { client, peer } = await opened();
    const exchange = client.exchange('never', { timers, signal: AbortSignal.abort() });
    expect((await failureOf(exchange.read())).kind).toBe('aborted');
    await peer.closed;
    const first = await Promise.race([peer.message(), Promise.resolve('nothing')]);
    expect(first).toBe('nothing');
  });

  test('cancel closes the socket at once, and twice is once', async () => {
    const { exchange, peer, client } = await asked();
    const read = exchange.read();
    exchange.cancel();
    exchange.cancel();
    expect(await read).toBeUndefined();
    await peer.closed;
    expect(client.free).toBe(false);
  });

  test('a slow reader holds the server back: the queue is bounded', async () => {
    const { exchange, peer } = await asked();
    const frame = 'x'.repeat(16 * 1024);
    let sent = 0;
    const total = 4000;
    const pump = (): void => {
      while (sent < total && peer.ws.bufferedAmount < 1024 * 1024) {
        sent++;
        peer.ws.send(frame);
      }
      if (sent < total && peer.ws.readyState === peer.ws.OPEN) setTimeout(pump, 5);
    };
    pump();
    const first = await exchange.read();
    expect(first).toBeDefined();
    // Nobody reads: the sending comes to a halt.
    let halted = -1;
    while (halted !== sent) {
      halted = sent;
      for (let times = 0; times < 4; times++) await socketsAreQuiet();
    }
    expect(halted).toBeLessThan(total);
    let got = first?.length ?? 0;
    while (got < total) got += (await exchange.read())?.length ?? 0;
    expect(sent).toBe(total);
    exchange.cancel();
  });

  test('the silence of a server that is held back is not its own', async () => {
    const { exchange, peer } = await asked();
    for (let count = 0; count < 100; count++) peer.ws.send('x'.repeat(16 * 1024));
    peer.ws.ping();
    const first = await exchange.read();
    expect(first).toBeDefined();
    // More than the bound has arrived and nobody asks for it.
    await socketsAreQuiet();
    clock.advance(10_000);
    let got = first?.length ?? 0;
    while (got < 100) got += (await exchange.read())?.length ?? 0;
    expect(got).toBe(100);
    exchange.cancel();
  });
});

describe('the end of a socket', () => {
  test.each([
    ['1000', (peer: ServerSocket) => peer.ws.close(1000)],
    ['1001', (peer: ServerSocket) => peer.ws.close(1001)],
    ['no code', (peer: ServerSocket) => peer.ws.close()],
  ])('a close with %s is the end, after what came before', async (_name, close) => {
    const { exchange, peer } = await asked();
    peer.ws.send('a');
    close(peer);
    expect(await drain(exchange)).toEqual({ frames: ['a'] });
    expect(clock.pending).toBe(0);
  });

  test('a close with another code says it, and the reason', async () => {
    const { exchange, peer } = await asked();
    peer.ws.send('a');
    peer.ws.close(1011, 'out of memory');
    const { frames, error } = await drain(exchange);
    expect(frames).toEqual(['a']);
    expect(error).toMatchObject({ kind: 'stream_truncated', message: /was closed with code 1011: out of memory$/ });
  });

  test('a reset is stream_truncated', async () => {
    const { exchange, peer } = await asked();
    peer.ws.send('a');
    expect(await exchange.read()).toEqual(['a']);
    peer.raw.resetAndDestroy();
    expect((await failureOf(exchange.read())).kind).toBe('stream_truncated');
  });

  test('a connection that ends at any byte of a message is stream_truncated', async () => {
    const frame = Buffer.concat([Buffer.from([0x81, 0x05]), Buffer.from('hello')]);
    for (let bytes = 0; bytes < frame.length; bytes++) {
      const { exchange, peer } = await asked();
      peer.raw.write(frame.subarray(0, bytes), () => peer.raw.destroy());
      const { frames, error } = await drain(exchange);
      expect(frames).toEqual([]);
      expect(error?.kind).toBe('stream_truncated');
    }
  });

  test('a binary message is a protocol error', async () => {
    const { exchange, peer } = await asked();
    peer.ws.send('a');
    peer.ws.send(Buffer.from([1, 2, 3]));
    const { frames, error } = await drain(exchange);
    expect(frames).toEqual(['a']);
    expect(error).toMatchObject({ kind: 'protocol', message: /binary message/, retry: { class: 'never' } });
    await peer.closed;
  });

  test.each([
    ['a reserved bit', [0xf1, 0x01, 0x61]],
    ['a masked message', [0x81, 0x81, 1, 2, 3, 4, 5]],
    ['text that is not UTF-8', [0x81, 0x01, 0xff]],
  ])('%s is a protocol error', async (_name, bytes) => {
    const { exchange, peer } = await asked();
    peer.raw.write(Buffer.from(bytes));
    expect((await failureOf(exchange.read())).kind).toBe('protocol');
  });

  test('a message over the bound is a protocol error', async () => {
    const { client, peer } = await opened({ maxMessageBytes: 1000 });
    const exchange = client.exchange('hello', { timers });
    peer.ws.send('x'.repeat(1001));
    expect((await failureOf(exchange.read())).kind).toBe('protocol');
  });

  test('a socket that was closed while it idled is not free', async () => {
    const { exchange, client, peer } = await asked();
    exchange.release();
    peer.ws.close();
    await peer.closed;
    expect(client.free).toBe(false);
  });

  test('close is polite; a server that does not answer it is left after a second', async () => {
    const polite = await opened();
    polite.client.close();
    expect(await polite.peer.closed).toBe(1000);

    const rude = await opened();
    rude.peer.raw.pause();
    rude.client.close();
    clock.advance(1000);
    rude.peer.raw.resume();
    await rude.peer.closed;
  });
});
