import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createBridge, type BridgeOptions } from '../../packages/bridge/src/index.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

const KEY = 'sk-live-0123456789';
const QUOTE = `{"error":{"message":"Incorrect API key provided: ${KEY}. \u00fc","code":"wrong_key"}}`;

/** What a caller gets of an answer that is passed through. */
async function passed(
  listener: RequestListener,
  options: Partial<BridgeOptions> = { apiKey: () => KEY },
): Promise<{ status: number; length: string | null; body: Buffer }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const bridge = createBridge({
    upstreams: [upstream],
    mode: 'passthrough',
    port: 0,
    requestMaxRetries: 0,
    drainTimeoutMs: 0,
    ...options,
  });
  await bridge.listen();
  try {
    const response = await fetch(`${bridge.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const { status, headers } = response;
    return { status, length: headers.get('content-length'), body: Buffer.from(await response.arrayBuffer()) };
  } finally {
    await bridge.close();
    server.closeAllConnections();
    server.close();
  }
}

describe('an error that quotes the key of the bridge', () => {
  const shown = QUOTE.replace(KEY, '[redacted]');
  const whole = { status: 418, length: String(Buffer.byteLength(shown)), body: Buffer.from(shown) };

  it('is passed on without it, its length right', async () => {
    const length = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(QUOTE)) };
    expect(await passed((_req, res) => res.writeHead(418, length).end(QUOTE))).toEqual(whole);
  });

  it('is passed on without it when it came in pieces, or compressed', async () => {
    const pieces: RequestListener = (_req, res) => {
      res.writeHead(418).write(QUOTE.slice(0, 50));
      setImmediate(() => res.end(QUOTE.slice(50)));
    };
    const zipped: RequestListener = (_req, res) =>
      res.writeHead(418, { 'content-encoding': 'gzip' }).end(gzipSync(QUOTE));
    expect(await passed(pieces)).toEqual(whole);
    expect(await passed(zipped)).toEqual({ ...whole, length: null }); // its length was that of other bytes
  });

  it('is passed on without what a configured header holds', async () => {
    const options = { upstreamHeaders: { 'x-api-key': KEY } };
    expect(await passed((_req, res) => res.writeHead(418).end(QUOTE), options)).toEqual(whole);
  });

  it.each([418, 200])('is passed on without it as an event stream with status %i', async (status) => {
    const body = `data: ${QUOTE}\n\n`;
    const stream: RequestListener = (_req, res) =>
      res.writeHead(status, { 'content-type': 'text/event-stream' }).end(body);
    expect((await passed(stream)).body.toString()).toBe(body.replace(KEY, '[redacted]'));
  });

  it('is passed on without it as JSON with status 200', async () => {
    const json: RequestListener = (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(QUOTE);
    expect(await passed(json)).toEqual({ ...whole, status: 200 });
  });

  it('ends where it is when its server does not end it, within a character too', async () => {
    const clock = manualClock();
    const ticking = setInterval(() => clock.advance(500), 5);
    const start = Buffer.from(`the key ${KEY} is wrong `);
    const open: RequestListener = (_req, res) =>
      res.writeHead(418).write(Buffer.concat([start, Buffer.from('\u00fc').subarray(0, 1)]));
    const told = await passed(open, { apiKey: () => KEY, clock }).finally(() => clearInterval(ticking));
    expect([told.status, told.body.toString()]).toEqual([418, 'the key [redacted] is wrong ']);
  });

  it('stays cut off when it was cut off', async () => {
    const cut: RequestListener = (_req, res) => {
      res.writeHead(418, { 'content-length': '1000' });
      res.write(QUOTE, () => res.destroy());
    };
    await expect(passed(cut)).rejects.toThrow();
  });
});

describe('passed byte for byte', () => {
  it.each([
    ['an error without the key', 400, Buffer.from('{"error":{"message":"sk-live is no key"}}')],
    ['an error that is no text', 400, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(KEY)])],
    ['an error that begins with a byte order mark', 400, Buffer.from('\ufeff{"error":{}}')],
    ['an error over 64 KiB', 500, Buffer.from(`${KEY}${'x'.repeat(80_000)}`)],
    ['an empty error', 503, Buffer.alloc(0)],
    ['a good answer with the key', 200, Buffer.from(`{"said":"${KEY}"}`)],
  ])('%s', async (_name, status, body) => {
    const got = await passed((_req, res) => res.writeHead(status, { 'content-length': String(body.length) }).end(body));
    expect(got).toEqual({ status, length: String(body.length), body });
  });

  it('an error of a bridge without a key', async () => {
    const got = await passed((_req, res) => res.writeHead(418).end(QUOTE), {});
    expect(got.body.toString()).toBe(QUOTE);
  });
});
