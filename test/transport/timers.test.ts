import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import {
  createHttpTransport,
  type HttpResponse,
  type HttpTransport,
} from '../../packages/client/src/transport/http.ts';
import { manualClock, type ManualClock } from './support/manual-clock.ts';
import { socketsAreQuiet } from './support/quiet-sockets.ts';
import { httpServer } from './support/server.ts';

let clock: ManualClock;
let http: HttpTransport;

beforeEach(() => {
  clock = manualClock();
  http = createHttpTransport({ clock });
});

afterEach(async () => {
  await http.close();
  expect(clock.pending).toBe(0);
});

async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ModelError);
  return error as ModelError;
}

async function textOf(response: HttpResponse): Promise<string> {
  return Buffer.concat((await response.read()) as Uint8Array[]).toString();
}

/** A server that hands its responses to the test. */
async function server() {
  const responses: ServerResponse[] = [];
  let arrived = (): void => undefined;
  const http = await httpServer((_request, response) => {
    responses.push(response);
    arrived();
  });
  const next = async (): Promise<ServerResponse> => {
    while (responses.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
    return responses.shift()!;
  };
  return Object.assign(http, { next });
}

test('no headers within the first-byte time: stream_idle, and the connection is closed', async () => {
  await using held = await server();
  const sent = failureOf(http.send({ method: 'POST', url: `${held.url}/v1?k=secret`, timers: { firstByteMs: 5000 } }));
  await held.next();
  clock.advance(4999);
  clock.advance(1);
  const error = await sent;
  expect(error.kind).toBe('stream_idle');
  expect(error.message).toBe(
    `no answer within 5 s of sending POST ${held.url}/v1: the server may be overloaded, or still loading the model`,
  );
  await held.idle();
});

test('headers without a byte of body: the first-byte time runs on', async () => {
  await using held = await server();
  const sending = http.send({ method: 'POST', url: held.url, timers: { firstByteMs: 5000 } });
  const answer = await held.next();
  clock.advance(3000);
  answer.flushHeaders();
  const response = await sending;
  const failed = failureOf(response.read());
  clock.advance(2000);
  expect((await failed).kind).toBe('stream_idle');
});

test('idle: any byte starts it over, silence ends it', async () => {
  await using held = await server();
  const sending = http.send({ method: 'POST', url: held.url, timers: { idleMs: 1000 } });
  const answer = await held.next();
  answer.write('a');
  const response = await sending;
  expect(await textOf(response)).toBe('a');
  for (let n = 0; n < 5; n++) {
    clock.advance(900);
    answer.write(': ping\n\n');
    expect(await textOf(response)).toBe(': ping\n\n');
  }
  const failed = failureOf(response.read());
  clock.advance(999);
  clock.advance(1);
  const error = await failed;
  expect(error.kind).toBe('stream_idle');
  expect(error.message).toContain('sent nothing for 1 s');
  await held.idle();
});

test('progress: comments alone do not save it, events do', async () => {
  await using held = await server();
  const sending = http.send({ method: 'POST', url: held.url, timers: { idleMs: 1000, progressMs: 3000 } });
  const answer = await held.next();
  answer.write('a');
  const response = await sending;
  await textOf(response);
  response.progress();
  const ping = async (): Promise<void> => {
    const pending = response.read();
    clock.advance(800);
    answer.write(': ping\n\n');
    await pending;
  };
  for (let n = 0; n < 3; n++) await ping();
  response.progress();
  for (let n = 0; n < 3; n++) await ping();
  const failed = failureOf(response.read());
  clock.advance(600);
  const error = await failed;
  expect(error.kind).toBe('stream_idle');
  expect(error.message).toContain('only keep-alives');
});

test('progress: the time that the consumer takes does not count', async () => {
  await using held = await server();
  const sending = http.send({ method: 'POST', url: held.url, timers: { idleMs: 0, firstByteMs: 0, progressMs: 1000 } });
  const answer = await held.next();
  answer.write('a');
  const response = await sending;
  await textOf(response);
  response.progress();
  clock.advance(900);
  const pending = response.read();
  clock.advance(900);
  answer.write('b');
  await pending;
  response.cancel();
});

test('idle rests while the consumer holds the server back', async () => {
  await using held = await server();
  const sending = http.send({ method: 'POST', url: held.url, timers: { idleMs: 1000 } });
  const answer = await held.next();
  answer.write(Buffer.alloc(512 * 1024));
  const response = await sending;
  let read = ((await response.read()) ?? []).reduce((sum, chunk) => sum + chunk.byteLength, 0);
  while (read < 256 * 1024) read += ((await response.read()) ?? []).reduce((sum, chunk) => sum + chunk.byteLength, 0);
  await socketsAreQuiet();
  clock.advance(60_000);
  while (read < 512 * 1024) read += ((await response.read()) ?? []).reduce((sum, chunk) => sum + chunk.byteLength, 0);
  expect(read).toBe(512 * 1024);
  response.cancel();
});

test('total: ends an answer that goes on, as timeout', async () => {
  await using held = await server();
  const sending = http.send({ method: 'POST', url: held.url, timers: { totalMs: 1000 } });
  const answer = await held.next();
  answer.write('a');
  const response = await sending;
  await textOf(response);
  const failed = failureOf(response.read());
  clock.advance(1000);
  expect((await failed).kind).toBe('timeout');
});

test('connect: a server that does not accept is a timeout, and the attempt is given up', async () => {
  // A listening socket with a full backlog does not complete handshakes on Linux.
  const full = createServer();
  full.listen({ port: 0, host: '127.0.0.1', backlog: 1 });
  await once(full, 'listening');
  const port = (full.address() as AddressInfo).port;
  let connections = 0;
  full.on('connection', () => connections++);
  // The first request of a transport begins some turns of the event loop later.
  await failureOf(http.send({ method: 'POST', url: 'http://127.0.0.1', signal: AbortSignal.abort() }));
  const sent = failureOf(http.send({ method: 'POST', url: `http://127.0.0.1:${port}`, timers: { connectMs: 1000 } }));
  clock.advance(1000); // before the connection can stand
  const error = await sent;
  expect(error).toMatchObject({ kind: 'timeout', retry: { class: 'backoff', replaySafe: true } });
  expect(error.message).toContain('no connection within 1 s');
  await socketsAreQuiet();
  expect(connections).toBe(0);
  await new Promise((resolve) => full.close(resolve));
});

test('timers of 0 are off', async () => {
  await using held = await server();
  const timers = { connectMs: 0, firstByteMs: 0, idleMs: 0, progressMs: 0, totalMs: 0 };
  const sending = http.send({ method: 'POST', url: held.url, timers });
  const answer = await held.next();
  clock.advance(10 ** 9);
  answer.end('ok');
  expect(await textOf(await sending)).toBe('ok');
  expect(clock.asked).toEqual([]);
});

test('re-arming on every byte makes no timers', async () => {
  await using held = await server();
  const sending = http.send({ method: 'POST', url: held.url, timers: { idleMs: 1000, progressMs: 5000 } });
  const answer = await held.next();
  answer.write('0');
  const response = await sending;
  await textOf(response);
  const before = clock.asked.length;
  for (let n = 0; n < 100; n++) {
    answer.write('x');
    await response.read();
    response.progress();
  }
  expect(clock.asked.length).toBe(before);
  response.cancel();
});

test('a long rest after a good end closes the connection before the time for the drain is over', async () => {
  await using held = await server();
  const sending = http.send({ method: 'POST', url: held.url });
  const answer = await held.next();
  answer.write('answer');
  const response = await sending;
  await textOf(response);
  response.release();
  answer.write('x'.repeat(64 * 1024));
  await held.idle();
});
