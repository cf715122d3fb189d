import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startRig, type Json } from './harness.ts';
import { dial, errorOf, head, post, readAll, readToTheCut, UPGRADE } from './raw-client.ts';
import { chatChunk, startBridge, startRawUpstream } from './raw-upstream.ts';

describe('bridge: what is no request', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['an upgrade on a foreign path', head('GET /elsewhere HTTP/1.1', ...UPGRADE)],
    ['an upgrade from a web page', head('GET /v1/responses HTTP/1.1', 'origin: https://evil.example', ...UPGRADE)],
  ])('%s loses its connection, also when it keeps its own side open', async (_name, text) => {
    const { bridge, mock } = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const socket = await dial(bridge.port, text);
    const [status, error] = errorOf(await readAll(socket));
    expect([status >= 400, error.type]).toEqual([true, expect.any(String)]);
    await bridge.close(); // would wait for the connection
    socket.destroy();
    await mock.close();
  });

  it('behind a stream cuts that stream, says nothing in the middle of it, and ends its upstream', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const socket = await dial(bridge.port, post({ model: 'm', input: 'hi', stream: true }));
    const { res, left } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hello'));
    await once(socket, 'readable');
    socket.write('garbage\r\n\r\n');
    expect(await readAll(socket)).not.toContain('this is no HTTP request');
    await left;
  });
});

describe('bridge: odd requests', () => {
  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
  it.each([
    ['a path that cannot be decoded', 400, head('GET /v1/responses/%ff HTTP/1.1')],
    ['an id without an end', 414, head(`GET /v1/responses/${'r'.repeat(5000)} HTTP/1.1`)],
    ['a long id', 404, head(`GET /v1/responses/${'r'.repeat(4000)} HTTP/1.1`)],
    ['no Host', 400, 'GET /v1/models HTTP/1.1\r\n\r\n'],
    ['a strange expectation', 417, post({ model: 'm', input: 'x' }, 'expect: tea')],
    ['a WebSocket without a key', 400, head('GET /v1/responses HTTP/1.1', ...UPGRADE)],
    ['a WebSocket of version 99', 400, head('GET /v1/responses HTTP/1.1', ...UPGRADE.slice(0, 2), key)],
  ])('%s is refused in the shape of the API', async (_name, wanted, text) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const socket = await dial(at.bridge.port, text);
    const [piece] = (await once(socket, 'data')) as [Buffer];
    const [status, error] = errorOf(String(piece));
    expect([status, error.type, error.message]).toEqual([wanted, 'invalid_request_error', expect.any(String)]);
    socket.destroy();
  });

  it('that offer HTTP/2 are answered as they are', async () => {
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
    const offer = ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMAAABkAAQAAP__'];
    const socket = await dial(at.bridge.port, post({ model: 'm', input: 'x' }, ...offer));
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 200 OK/);
    socket.destroy();
  });

  it('for a step of a path lead no upstream elsewhere', async () => {
    await using upstream = await startRawUpstream(); // says 200 to all that is no POST
    await using bridge = await startBridge([upstream], { mode: 'passthrough' });
    for (const id of ['..', '%2e%2e', '.', '../input_items']) {
      const socket = await dial(bridge.port, head(`GET /v1/responses/${id} HTTP/1.1`));
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 404 /);
      socket.destroy();
    }
  });
});

describe('bridge: who is meant', () => {
  it.each([
    ['two Host headers', 400, head('GET /v1/models HTTP/1.1', 'host: localhost')],
    ['two Host headers of an upgrade', 400, head('GET /v1/responses HTTP/1.1', 'host: localhost', ...UPGRADE)],
    ['a whole URL of another host', 403, head('GET http://evil.example/v1/models HTTP/1.1')],
  ])('is told by one Host: %s', async (_name, status, text) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const socket = await dial(at.bridge.port, text);
    expect(errorOf(String((await once(socket, 'data'))[0]))[0]).toBe(status);
    expect(at.mock.requests).toEqual([]);
    socket.destroy();
  });
});

describe('bridge: a client that goes on sending behind its answer', () => {
  const start = (length: number, ...more: readonly string[]): string =>
    head('POST /v1/responses HTTP/1.1', 'content-type: application/json', `content-length: ${length}`, ...more);

  it('is cut off soon', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', authToken: 'sesame' });
    const socket = await dial(at.bridge.port, start(1_000_000));
    const drip = setInterval(() => socket.write('x'), 50);
    const before = performance.now();
    const [status] = errorOf(await readToTheCut(socket));
    clearInterval(drip);
    expect(status).toBe(401);
    expect(performance.now() - before).toBeLessThan(15_000);
    socket.destroy();
  });

  it('keeps its connection when it comes to its end', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', authToken: 'sesame' });
    const socket = await dial(at.bridge.port, start(3));
    expect(errorOf(String((await once(socket, 'data'))[0]))[0]).toBe(401);
    socket.write('abc' + head('GET /v1/responses/none HTTP/1.1', 'authorization: bearer sesame'));
    expect(errorOf(String((await once(socket, 'data'))[0]))[0]).toBe(404);
    socket.destroy();
  });
});

describe('bridge: a compressed body', () => {
  const text = '{"model":"m","input":"x"}';
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-goog-api-key': 'sk-caller' },
    body: gzipSync(text),
  };
  const posting = (coding: string, body: Uint8Array<ArrayBuffer>): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': coding },
    body,
  });

  it.each<[string, (plain: string) => Uint8Array]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['Deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['identity', (plain) => Buffer.from(plain)],
  ])('is read: %s', async (coding, encode) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const response = await fetch(`${at.bridge.url}/v1/responses`, posting(coding, new Uint8Array(encode(text))));
    expect([response.status, ((await response.json()) as Json).status]).toEqual([200, 'completed']);
  });

  it.each([
    ['of an unknown coding', 'snappy', Buffer.from(text), 415],
    ['of two codings', 'br, gzip', gzipSync(text), 415],
    ['that is something else', 'zstd', Buffer.from(text), 400],
    ['that is cut off', 'gzip', gzipSync(text).subarray(0, -9), 400],
    ['that is too large', 'br', brotliCompressSync('x'.repeat(10_001)), 413],
  ])('is refused with its reason: one %s', async (_name, coding, body, status) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', bodyLimit: 10_000 });
    const response = await fetch(`${at.bridge.url}/v1/responses`, posting(coding, new Uint8Array(body)));
    const { error } = (await response.json()) as { error: Json };
    expect([response.status, error.type]).toEqual([status, 'invalid_request_error']);
  });

  it('passes through under its name, without the key of the caller', async () => {
    const upstream = createServer((req, res) => {
      void buffer(req).then((body) => {
        const { 'content-encoding': encoding, 'x-goog-api-key': key } = req.headers;
        res.end(JSON.stringify({ encoding, key: key ?? null, text: gunzipSync(body).toString() }));
      });
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    await using bridge = await startBridge([{ url: `http://127.0.0.1:${port}/v1` }], { mode: 'passthrough' });
    const response = await fetch(`${bridge.url}/v1/responses`, init);
    expect(await response.json()).toEqual({ encoding: 'gzip', key: null, text: '{"model":"m","input":"x"}' });
    upstream.close();
  });
});
