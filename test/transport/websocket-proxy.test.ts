import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createModelSession } from '../../packages/client/src/session/session.ts';
import { createHttpTransport } from '../../packages/client/src/transport/http.ts';
import { proxyFor } from '../../packages/client/src/transport/proxy-choice.ts';
import { openWebSocket } from '../../packages/client/src/transport/websocket.ts';
import { hello, outcomeOf, providerFor, textOf } from '../client/support.ts';
import { answer, send } from '../client/websocket-support.ts';
import { untrusted } from './support/certificate.ts';
import { manualClock } from './support/manual-clock.ts';
import { startWebSocketServer, type TestServer } from './support/websocket-server.ts';

interface Proxy {
  readonly url: string;
  readonly heads: readonly string[];
  readonly sockets: ReadonlySet<Socket>;
  close(): void;
}

/** A proxy that tunnels, unless it answers with something of its own (`''`: with nothing). */
async function startProxy(refusal?: string): Promise<Proxy> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      heads.push(data.toString('latin1'));
      if (refusal !== undefined) {
        if (refusal !== '') socket.end(refusal);
        return;
      }
      const target = new URL(`http://${data.toString('latin1').split(' ')[1] ?? ''}`);
      const up = connect(Number(target.port), target.hostname, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(up).pipe(socket);
      });
      up.on('error', () => socket.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `http://me:sesame@127.0.0.1:${(server.address() as AddressInfo).port}`, heads, sockets, close };
}

let server: TestServer;
let proxy: Proxy | undefined;

beforeEach(async () => {
  server = await startWebSocketServer();
});

afterEach(async () => {
  proxy?.close();
  proxy = undefined;
  await server.close();
});

const wsUrl = (): string => server.url.replace('http', 'ws');

describe('a WebSocket behind a proxy', () => {
  test('a session goes through the proxy of its transport, with the proxy’s own password', async () => {
    proxy = await startProxy();
    const transport = createHttpTransport({ proxy: { httpProxy: proxy.url } });
    const provider = providerFor(server.url, 'responses', { supportsWebsockets: true, envKey: 'KEY' });
    const session = createModelSession({ provider, transport, getEnv: () => 'sk-0123456789' });
    const outcome = outcomeOf(session.turn().stream(hello));
    send(await server.socket(), ...answer('r1', 'through'));
    expect(textOf((await outcome).events)).toBe('through');
    expect(proxy.heads.length).toBe(1);
    const { host } = new URL(server.url);
    expect(proxy.heads[0]).toMatch(new RegExp(`^CONNECT ${host} HTTP/1.1\r\n`));
    expect(proxy.heads[0]).toContain(`Basic ${Buffer.from('me:sesame').toString('base64')}`);
    expect(proxy.heads[0]).not.toContain('sk-0123456789');
    expect(server.handshakes[0]?.headers).not.toHaveProperty('proxy-authorization');
    await session.close();
    await transport.close();
  });

  test('what noProxy names is reached directly', async () => {
    proxy = await startProxy();
    const reached = openWebSocket({ url: wsUrl(), proxy: { httpProxy: proxy.url, noProxy: 'x.test, 127.0.0.1' } });
    expect((await reached).type).toBe('open');
    expect(proxy.heads).toEqual([]);
  });

  test.each([
    ['refuses', 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', /the proxy 127\.0\.0\.1:\d+ answered 407/],
    ['speaks something else', 'SSH-2.0-OpenSSH_9.9\r\n', /failed/],
  ])('one that %s: connection_failed without its password', async (_, refusal, message) => {
    proxy = await startProxy(refusal);
    const failure = openWebSocket({ url: wsUrl(), proxy: { httpProxy: proxy.url } });
    await expect(failure).rejects.toMatchObject({
      kind: 'connection_failed',
      message: expect.stringMatching(message) as unknown,
    });
    await expect(failure).rejects.not.toThrow(/sesame/);
    expect(server.handshakes).toEqual([]);
  });

  test('one that is not there: connection_failed', async () => {
    const failure = openWebSocket({ url: wsUrl(), proxy: { httpProxy: 'http://127.0.0.1:9' } });
    await expect(failure).rejects.toMatchObject({ kind: 'connection_failed' });
  });

  test.each(['timer', 'signal'])('one that says nothing is left by the %s, with its socket', async (by) => {
    proxy = await startProxy('');
    const clock = manualClock();
    const controller = new AbortController();
    const options = { url: wsUrl(), clock, signal: controller.signal, proxy: { httpProxy: proxy.url } };
    const failure = openWebSocket(options).catch((error: unknown) => error);
    while (proxy.heads.length === 0) await new Promise((resolve) => setImmediate(resolve));
    if (by === 'timer') clock.advance(15_000);
    else controller.abort();
    expect(await failure).toMatchObject({ kind: by === 'timer' ? 'timeout' : 'aborted' });
    while (proxy.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(clock.pending).toBe(0);
  });

  test('wss: the certificate is the server’s, and is looked at', async () => {
    proxy = await startProxy();
    const secure = createHttpsServer(untrusted);
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const url = `wss://127.0.0.1:${(secure.address() as AddressInfo).port}/v1`;
    const failure = openWebSocket({ url, proxy: { httpsProxy: proxy.url } });
    await expect(failure).rejects.toMatchObject({
      kind: 'connection_failed',
      message: expect.stringContaining('certificate not accepted') as unknown,
    });
    expect(proxy.heads.length).toBe(1);
    secure.close();
  });
});

describe('proxyFor', () => {
  const both = { httpProxy: 'http://one.test:1', httpsProxy: 'http://two.test:2' };

  test.each([
    ['ws://h/', both, 'http://one.test:1/'],
    ['wss://h/', both, 'http://two.test:2/'],
    ['wss://h/', { httpProxy: 'http://one.test:1', httpsProxy: '' }, 'http://one.test:1/'],
    ['ws://h/', { httpsProxy: 'http://two.test:2' }, undefined],
    ['ws://h/', {}, undefined],
  ])('%s with %j', (url, options, expected) => {
    expect(proxyFor(new URL(url), options)?.href).toBe(expected);
  });

  test.each([
    ['*', 'ws://h.test', true],
    ['*:81', 'ws://h.test', false],
    ['h.test', 'ws://h.test', true],
    ['H.TEST', 'ws://h.test', true],
    ['h.test', 'ws://a.h.test', true],
    ['h.test', 'ws://ah.test', false],
    ['.h.test', 'ws://h.test', true],
    ['*.h.test', 'ws://h.test', false],
    ['*.h.test', 'ws://a.h.test', true],
    ['h.test:80', 'ws://h.test', true],
    ['h.test:443', 'ws://h.test', false],
    ['h.test:443', 'wss://h.test', true],
    ['a.test,  h.test', 'ws://h.test', true],
    ['::1', 'ws://[::1]:8080', true],
    ['[::1]:8080', 'ws://[::1]:8080', true],
    ['[::1]:8081', 'ws://[::1]:8080', false],
    ['', 'ws://h.test', false],
  ])('noProxy %j and %s: direct is %s', (noProxy, url, direct) => {
    expect(proxyFor(new URL(url), { ...both, noProxy }) === undefined).toBe(direct);
  });
});
