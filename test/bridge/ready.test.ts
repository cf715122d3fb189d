import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startCommand } from './bridge-process.ts';
import { deadUrl } from '../free-port.ts';
import type { Json } from './harness.ts';
import { startModelServer } from './model-server.ts';
import { startBridge } from './raw-upstream.ts';

const refused = (url: string): string =>
  `GET ${url}/models failed: connection refused; is the server running, and is this its port? (ECONNREFUSED)`;

async function ask(url: string, headers: Record<string, string> = {}): Promise<readonly [number, Json]> {
  const response = await fetch(`${url}/ready`, { headers });
  return [response.status, (await response.json()) as Json];
}

/** A server that answers whatever it is asked with one status. */
async function answering(status: string): Promise<Server & AsyncDisposable & { readonly url: string }> {
  const server = createServer((socket) => socket.once('data', () => socket.end(`HTTP/1.1 ${status}\r\n\r\n`)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
}

describe('GET /ready', () => {
  it('tells each upstream, and is 200 while one of them can be asked', async () => {
    await using up = await startModelServer();
    const dead = await deadUrl();
    await using bridge = await startBridge([up, { url: dead }]);
    expect(await ask(bridge.url)).toEqual([
      200,
      {
        ready: true,
        upstreams: [
          { upstream: up.url, state: 'up' },
          { upstream: dead, state: 'down', error: refused(dead) },
        ],
      },
    ]);
    expect(await bridge.reach()).toEqual((await ask(bridge.url))[1].upstreams);
  });

  it('is 503 while none can be, and /health is 200 all the same', async () => {
    const dead = await deadUrl();
    await using bridge = await startBridge([{ url: dead }]);
    expect(await ask(bridge.url)).toEqual([
      503,
      { ready: false, upstreams: [{ upstream: dead, state: 'down', error: refused(dead) }] },
    ]);
    const health = await fetch(`${bridge.url}/health`);
    expect([health.status, await health.json()]).toEqual([200, { ok: true }]);
  });

  it.each([
    ['404 Not Found', 'up'],
    ['500 Internal Server Error', 'up'],
    ['403 Forbidden', 'up'],
    ['503 Service Unavailable', 'down'],
    ['401 Unauthorized', 'refuses_key'],
  ])('takes an answer of %s for %s', async (status, state) => {
    await using server = await answering(status);
    await using bridge = await startBridge([server]);
    const [code, { upstreams }] = await ask(bridge.url);
    expect([code, upstreams]).toEqual([
      state === 'up' ? 200 : 503,
      [expect.objectContaining({ upstream: server.url, state }) as Json],
    ]);
  });

  it('wants the token where callers need one, since it names servers', async () => {
    await using bridge = await startBridge([{ url: await deadUrl() }], { authToken: 'sesame' });
    expect((await ask(bridge.url))[0]).toBe(401);
    expect((await ask(bridge.url, { authorization: 'Bearer sesame' }))[0]).toBe(503);
  });
});

describe('turnwire bridge, started', () => {
  it('warns of an upstream that is not running, and listens', async () => {
    const dead = await deadUrl();
    const command = await startCommand(['--upstream', dead, '--wire', 'chat']);
    while (!command.stderr().includes('\n')) await once(command.child.stderr ?? command.child, 'data');
    expect(JSON.parse(command.stderr())).toMatchObject({
      level: 40,
      upstream: dead,
      state: 'down',
      error: refused(dead),
      msg: 'the upstream does not answer yet: start it, or name its address with --upstream; until then requests fail',
    });
    expect((await fetch(`${command.url}/health`)).status).toBe(200);
    expect(await command.end()).toBe(0);
  });

  it('says that an upstream wants a key', async () => {
    await using server = await answering('401 Unauthorized');
    const command = await startCommand(['--upstream', server.url, '--wire', 'chat']);
    while (!command.stderr().includes('\n')) await once(command.child.stderr ?? command.child, 'data');
    expect(JSON.parse(command.stderr())).toMatchObject({ level: 40, upstream: server.url, state: 'refuses_key' });
    expect(command.stderr()).toContain('--env-key');
    expect(await command.end()).toBe(0);
  });

  it('says nothing of one that answers', async () => {
    await using up = await startModelServer({ list: ['m'] });
    const command = await startCommand(['--upstream', up.url, '--wire', 'chat']);
    expect((await ask(command.url))[0]).toBe(200);
    expect(await command.end()).toBe(0);
    expect(command.stderr()).toBe('');
  });
});
