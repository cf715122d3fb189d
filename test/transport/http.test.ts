import { once } from 'node:events';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import {
  createHttpTransport,
  type HttpResponse,
  type HttpTransport,
} from '../../packages/client/src/transport/http.ts';
import { manualClock } from './support/manual-clock.ts';
import { socketsAreQuiet } from './support/quiet-sockets.ts';
import { bodyOf, httpServer, rawServer } from './support/server.ts';

let http: HttpTransport | undefined;

function transport(): HttpTransport {
  return (http ??= createHttpTransport());
}

afterEach(async () => {
  await http?.close();
  http = undefined;
});

async function textOf(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ModelError);
  return error as ModelError;
}

test('sends method, path, query, headers and body, and gives status, headers and body back', async () => {
  await using server = await httpServer((request, response) => {
    void bodyOf(request).then((body) => {
      response.writeHead(201, { 'x-one': '1', 'x-many': ['a', 'b'] });
      response.end(`${request.method} ${request.url} ${String(request.headers['x-mine'])} ${body}`);
    });
  });
  const response = await transport().send({
    method: 'POST',
    url: `${server.url}/v1/x?a=b`,
    headers: { 'x-mine': 'yes' },
    body: 'héllo',
  });
  expect(response.status).toBe(201);
  expect(response.header('X-One')).toBe('1');
  expect(response.header('x-many')).toBe('a, b');
  expect(response.header('x-none')).toBeUndefined();
  expect(await textOf(response)).toBe('POST /v1/x?a=b yes héllo');
  expect(await response.read()).toBeUndefined();
});

test('hands the chunks of one network read over together', async () => {
  await using server = await rawServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n' + '6\r\ndata\n\n\r\n'.repeat(50));
  });
  const response = await transport().send({ method: 'GET', url: server.url });
  const first = await response.read();
  expect(first?.length).toBe(50);
  response.cancel();
});

test('keeps the connection after the whole body was read', async () => {
  await using server = await httpServer((_request, response) => response.end('ok'));
  for (let n = 0; n < 3; n++)
    expect(await textOf(await transport().send({ method: 'GET', url: server.url }))).toBe('ok');
  expect(server.accepted).toBe(1);
});

test('release drains a short rest and keeps the connection', async () => {
  const patient = createHttpTransport({ clock: manualClock() }); // the time for the drain is never over
  const finished: Promise<unknown>[] = [];
  await using server = await httpServer((_request, response) => {
    finished.push(once(response, 'finish'));
    response.write('answer');
    setTimeout(() => response.end('data: [DONE]\n\n'), 20);
  });
  for (let n = 0; n < 3; n++) {
    const response = await patient.send({ method: 'GET', url: server.url });
    expect(Buffer.concat((await response.read()) as Uint8Array[]).toString()).toBe('answer');
    response.release();
    await finished[n];
    await socketsAreQuiet();
  }
  expect(server.accepted).toBe(1);
  await patient.close();
});

test('release closes a connection whose body does not end', async () => {
  await using server = await httpServer((_request, response) => void response.write('answer'));
  const response = await transport().send({ method: 'GET', url: server.url });
  await response.read();
  response.release();
  await server.idle();
  expect(server.accepted).toBe(1);
});

test('release closes a connection whose rest is long', async () => {
  let closed: Promise<unknown> | undefined;
  await using server = await httpServer((_request, response) => {
    closed = once(response, 'close');
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(4096)));
    };
    response.on('drain', more);
    more();
  });
  const response = await transport().send({ method: 'GET', url: server.url });
  await response.read();
  response.release();
  await closed;
  await server.idle();
});

test('cancel closes the connection exactly once and ends the pending read', async () => {
  let closes = 0;
  await using server = await httpServer((request, response) => {
    request.socket.on('close', () => closes++);
    response.write('x');
  });
  const response = await transport().send({ method: 'GET', url: server.url });
  await response.read();
  const pending = response.read();
  response.cancel();
  response.cancel();
  response.release();
  expect(await pending).toBeUndefined();
  await server.idle();
  expect(closes).toBe(1);
});

test('leaving the chunk loop early cancels', async () => {
  await using server = await httpServer((_request, response) => void response.write('x'));
  const response = await transport().send({ method: 'GET', url: server.url });
  for await (const chunk of response.chunks) {
    expect(chunk.byteLength).toBe(1);
    break;
  }
  await server.idle();
});

test('wake ends a waiting read without bytes', async () => {
  await using server = await httpServer((_request, response) => void response.write('x'));
  const response = await transport().send({ method: 'GET', url: server.url });
  await response.read();
  const pending = response.read();
  response.wake();
  expect(await pending).toEqual([]);
  response.cancel();
});

test('abort before the call sends nothing', async () => {
  await using server = await httpServer((_request, response) => response.end());
  const error = await failureOf(transport().send({ method: 'GET', url: server.url, signal: AbortSignal.abort('why') }));
  expect(error).toMatchObject({ kind: 'aborted', cause: 'why' });
  expect(server.accepted).toBe(0);
});

test('abort before the headers closes the connection', async () => {
  const controller = new AbortController();
  await using server = await httpServer(() => {
    controller.abort();
  });
  const error = await failureOf(transport().send({ method: 'GET', url: server.url, signal: controller.signal }));
  expect(error.kind).toBe('aborted');
  await server.idle();
});

test('abort after the headers rejects the read, drops what is queued and closes the connection', async () => {
  const controller = new AbortController();
  await using server = await httpServer((_request, response) => void response.write('x'));
  const response = await transport().send({ method: 'GET', url: server.url, signal: controller.signal });
  await response.read();
  const pending = response.read();
  controller.abort();
  expect((await failureOf(pending)).kind).toBe('aborted');
  expect((await failureOf(response.read())).kind).toBe('aborted');
  await server.idle();
});

test('an abort after the end changes nothing, and no listener stays behind', async () => {
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  await using server = await httpServer((_request, response) => response.end('ok'));
  const response = await transport().send({ method: 'GET', url: server.url, signal });
  expect(await textOf(response)).toBe('ok');
  expect(listeners).toBe(0);
  controller.abort();
  expect(await response.read()).toBeUndefined();
});

test('a body cut in the middle: what arrived comes first, then stream_truncated', async () => {
  await using server = await rawServer((socket) => {
    socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n');
  });
  const response = await transport().send({ method: 'GET', url: `${server.url}/v1/x?key=secret` });
  expect(Buffer.concat((await response.read()) as Uint8Array[]).toString()).toBe('hello');
  const error = await failureOf(response.read());
  expect(error.kind).toBe('stream_truncated');
  expect(error.message).toContain(`GET ${server.url}/v1/x`);
  expect(error.message).not.toContain('secret');
});

test('a reset in the middle is stream_truncated, a reset before the headers connection_failed', async () => {
  await using cut = await rawServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', () => {
      socket.resetAndDestroy();
    });
  });
  const response = await transport().send({ method: 'GET', url: cut.url });
  const error = await failureOf(textOf(response));
  expect(error.kind).toBe('stream_truncated');
  await using dead = await rawServer((socket) => {
    socket.destroy();
  });
  expect((await failureOf(transport().send({ method: 'GET', url: dead.url }))).kind).toBe('connection_failed');
});

test('nobody listens: connection_failed that says so', async () => {
  let url: string;
  {
    await using server = await httpServer((_request, response) => response.end());
    url = server.url;
  }
  const error = await failureOf(transport().send({ method: 'POST', url: `${url}/v1?k=secret` }));
  expect(error.kind).toBe('connection_failed');
  expect(error.message).toBe(
    `POST ${url}/v1 failed: connection refused; is the server running, and is this its port? (ECONNREFUSED)`,
  );
  expect(error.retry).toEqual({ class: 'backoff', replaySafe: true });
});

test('a header that cannot be sent is invalid_request and does not show its value', async () => {
  const headers = { authorization: 'Bearer sec\nxyzzy' };
  const error = await failureOf(transport().send({ method: 'GET', url: 'http://127.0.0.1:9', headers }));
  expect(error.kind).toBe('invalid_request');
  expect(JSON.stringify(error) + String(error.cause)).not.toContain('xyzzy');
});

test.each([
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
] as const)('a body that is %s all the same is decoded', async (encoding, compress) => {
  const text = 'data: {"n":1}\n\n'.repeat(5000);
  await using server = await httpServer((request, response) => {
    expect(request.headers['accept-encoding']).toBeUndefined();
    response.writeHead(200, { 'content-encoding': encoding });
    const bytes = compress(text);
    for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
    response.end();
  });
  expect(await textOf(await transport().send({ method: 'GET', url: server.url }))).toBe(text);
});

test('a body that claims gzip and is not: protocol', async () => {
  await using server = await httpServer((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.write('not compressed');
  });
  const response = await transport().send({ method: 'GET', url: server.url });
  expect((await failureOf(response.read())).kind).toBe('protocol');
  await server.idle();
});

test('a slow reader holds the server back, in bytes that the server could write', async () => {
  let written = 0;
  await using server = await httpServer((_request, response) => {
    const piece = Buffer.alloc(64 * 1024, 'x');
    const more = () => {
      for (let room = true; room && written < 256 * 1024 * 1024 && !response.destroyed; written += piece.length) {
        room = response.write(piece);
      }
    };
    response.on('drain', more);
    more();
  });
  const response = await transport().send({ method: 'GET', url: server.url });
  await response.read();
  const before = process.memoryUsage().rss;
  let stable = -1;
  while (stable !== written) {
    stable = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // Kernel buffers on loopback hold a few MB; 256 MB were on offer.
  expect(written).toBeLessThan(24 * 1024 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(48 * 1024 * 1024);
  let read = 0;
  for (let chunks = await response.read(); chunks !== undefined; chunks = await response.read()) {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    expect(bytes).toBeLessThanOrEqual(192 * 1024);
    read += bytes;
    if (read > 64 * 1024 * 1024) break;
  }
  expect(written).toBeGreaterThan(stable);
  response.cancel();
  await server.idle();
});
