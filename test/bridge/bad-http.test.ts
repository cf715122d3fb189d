import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createBridge, type Bridge, type BridgeOptions } from '../../src/bridge/index.ts';
import { startRig, type Json } from './harness.ts';
import { chatChunk, startRawUpstream, type RawUpstream } from './raw-upstream.ts';

/** A connection that stays open on our side whatever the bridge does. */
async function dial(port: number, text: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** All that the bridge says until it closes. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
}

function head(line: string, ...headers: readonly string[]): string {
  return [line, 'host: 127.0.0.1', ...headers, '', ''].join('\r\n');
}

function post(body: Json, ...headers: readonly string[]): string {
  const text = JSON.stringify(body);
  const length = `content-length: ${Buffer.byteLength(text)}`;
  return head('POST /v1/responses HTTP/1.1', 'content-type: application/json', length, ...headers) + text;
}

/** Status and error of an answer. */
function errorOf(answer: string): readonly [number, Json] {
  const [top = '', body = ''] = answer.split('\r\n\r\n');
  return [Number(top.split(' ')[1]), (JSON.parse(body) as { error: Json }).error];
}

async function inFront(upstream: RawUpstream, options: Partial<BridgeOptions> = {}): Promise<Bridge> {
  const bridge = createBridge({
    upstreams: [upstream.url],
    wire: 'chat',
    port: 0,
    requestMaxRetries: 0,
    drainTimeoutMs: 0,
    ...options,
  });
  await bridge.listen();
  return bridge;
}

const UPGRADE = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'];

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
    await using bridge = await inFront(upstream);
    const socket = await dial(bridge.port, post({ model: 'm', input: 'hi', stream: true }));
    const { res, left } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hello'));
    await once(socket, 'readable');
    socket.write('garbage\r\n\r\n');
    expect(await readAll(socket)).not.toContain('this is no HTTP request');
    await left;
  });
});
