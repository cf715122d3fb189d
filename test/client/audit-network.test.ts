import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  createModelSession,
  type ModelSession,
  type ModelSessionOptions,
} from '../../packages/client/src/session/session.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import { resultOf, spawnCli } from '../cli/harness.ts';
import { untrusted } from '../transport/support/certificate.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { httpServer, rawServer } from '../transport/support/server.ts';
import { refusal, startWebSocketServer } from '../transport/support/websocket-server.ts';
import {
  chatAnswer,
  chatDelta,
  hello,
  modelServer,
  outcomeOf,
  providerFor,
  responsesAnswer,
  sse,
  status,
  stream,
  textOf,
  typesOf,
} from './support.ts';

vi.setConfig({ testTimeout: 60_000 });

let session: ModelSession | undefined;

afterEach(async () => {
  await session?.close();
  session = undefined;
});

function open(url: string, wire: ProtocolId = 'chat', options: Partial<ModelSessionOptions> = {}): ModelSession {
  const provider = providerFor(url, wire, { requestMaxRetries: 0, streamMaxRetries: 0, envKey: 'KEY' });
  session = createModelSession({ provider, getEnv: () => 'sk-0123456789', random: () => 0, ...options });
  return session;
}

describe('redirects', () => {
  test('a way back to the first origin does not bring the key back', async () => {
    const seen: Record<string, unknown>[] = [];
    let home = '';
    await using other = await httpServer((request, response) => {
      seen.push(request.headers);
      response.writeHead(307, { location: `${home}/v1/back` }).end();
    });
    await using server = await modelServer((response, { url }) => {
      if (url === '/v1/back') stream(chatAnswer())(response);
      else status(307, {}, { location: `${other.url}/there` })(response);
    });
    home = server.url;
    const { error } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-0123456789', undefined]);
    expect(seen[0]).not.toHaveProperty('authorization');
  });

  test('another name for the same host is another origin', async () => {
    const server = await modelServer((response, { headers }) => {
      const here = headers.host?.startsWith('127.0.0.1') === true;
      if (here) status(307, {}, { location: `${server.url.replace('127.0.0.1', 'localhost')}/v1` })(response);
      else stream(chatAnswer())(response);
    });
    await using disposing = server;
    await outcomeOf(open(disposing.url).turn().stream(hello));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-0123456789', undefined]);
  });

  test('a redirected WebSocket handshake is not followed: HTTP is the way, and nothing goes to the other origin', async () => {
    await using other = await httpServer((_request, response) => response.end());
    const server = await startWebSocketServer();
    server.refuse = refusal(307, { location: `${other.url}/ws` });
    server.onRequest = (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(responsesAnswer());
    };
    const provider = providerFor(server.url, 'responses', { supportsWebsockets: true, envKey: 'KEY' });
    const { error } = await outcomeOf(open(server.url, 'responses', { provider }).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(other.accepted).toBe(0);
    await session?.close();
    await server.close();
  });
});

describe('the proxy variables, as the commands read them', () => {
  /** A forward proxy that tunnels, and counts. */
  async function proxy() {
    let used = 0;
    const heads: string[] = [];
    const server = createServer((socket) => {
      used++;
      socket.on('error', () => undefined);
      socket.once('data', (head) => {
        heads.push(head.toString('latin1'));
        const [method, target = ''] = head.toString('latin1').split(' ');
        const url = method === 'CONNECT' ? new URL(`http://${target}`) : new URL(target);
        const up = connect(Number(url.port), url.hostname, () => {
          if (method === 'CONNECT') socket.write('HTTP/1.1 200 OK\r\n\r\n');
          else up.write(head);
          socket.pipe(up).pipe(socket);
        });
        up.on('error', () => socket.destroy());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${port}`,
      used: () => used,
      heads,
      close: () => server.close(),
    };
  }

  async function exec(url: string, env: Record<string, string>) {
    const args = ['exec', '--base-url', `${url}/v1`, '--wire', 'chat', '--model', 'm', '--env-key', 'KEY', 'hi'];
    const child = spawnCli(args, { KEY: 'sk-0123456789', ...env });
    child.stdin.end();
    return await resultOf(child);
  }

  test.each(['HTTP_PROXY', 'http_proxy'])('%s is used, except for what NO_PROXY names', async (name) => {
    await using server = await modelServer(stream(chatAnswer('through')));
    const through = await proxy();
    expect(await exec(server.url, { [name]: through.url })).toMatchObject({ code: 0, stdout: 'through\n' });
    expect(through.used()).toBe(1);
    const direct = await exec(server.url, { [name]: through.url, NO_PROXY: 'example.com,127.0.0.1' });
    expect(direct).toMatchObject({ code: 0, stdout: 'through\n' });
    expect(through.used()).toBe(1);
    expect(server.requests.length).toBe(2);
    through.close();
  });

  test('a proxy that is not there: the failure says so, without its password', async () => {
    await using server = await modelServer(stream(chatAnswer()));
    const { code, stdout, stderr } = await exec(server.url, { HTTP_PROXY: 'http://me:sesame-123@127.0.0.1:9' });
    expect(code).toBe(1);
    expect(stderr).toContain('connection_failed');
    expect(stdout + stderr).not.toContain('sesame');
    expect(server.requests.length).toBe(0);
  });
});

describe('servers that cannot be understood', () => {
  test('an untrusted certificate: connection_failed before anything is sent, and the key stays here', async () => {
    let heads = 0;
    const server = createHttpsServer(untrusted, (_request, response) => {
      heads++;
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { error } = await outcomeOf(open(url).turn().stream(hello));
    expect(error?.kind).toBe('connection_failed');
    expect(error?.message).toContain('certificate not accepted');
    const provider = providerFor(url, 'responses', { supportsWebsockets: true, requestMaxRetries: 0, envKey: 'KEY' });
    const overSocket = await outcomeOf(open(url, 'responses', { provider }).turn().stream(hello));
    expect(overSocket.error?.kind).toBe('connection_failed');
    expect(overSocket.error?.message).toContain('certificate not accepted');
    expect(heads).toBe(0);
    server.close();
  });

  test.each(['chat', 'responses'] as const)('%s: a body that ends within a character', async (wire) => {
    const object =
      wire === 'chat' ? chatDelta('before') : { type: 'response.output_text.delta', item_id: 'msg_1', delta: 'before' };
    const bytes = Buffer.from(sse(object, object).slice(0, -20) + 'é');
    await using server = await modelServer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': bytes.length - 1 });
      response.end(bytes.subarray(0, -1));
    });
    const { events, error } = await outcomeOf(open(server.url, wire).turn().stream(hello));
    expect(textOf(events)).toBe('before');
    expect(error).toMatchObject({ kind: 'stream_truncated', retry: { replaySafe: false } });
    expect(events.at(-1)).toMatchObject({ type: 'output_item.done', item: { status: 'incomplete' } });
  });

  test('a head that comes at one byte a minute ends with the first-byte timer', async () => {
    const clock = manualClock();
    const arrived = Promise.withResolvers<(byte: string) => void>();
    await using server = await rawServer((socket) => arrived.resolve((byte) => socket.write(byte)));
    const outcome = outcomeOf(open(server.url, 'chat', { clock }).turn().stream(hello));
    const write = await arrived.promise;
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';
    for (let minute = 0; minute < 5; minute++) {
      write(head.charAt(minute));
      clock.advance(60_000);
    }
    expect((await outcome).error).toMatchObject({ kind: 'stream_idle', retry: { replaySafe: true } });
    await server.idle();
    expect(clock.pending).toBe(0);
  });
});

describe('one request, and the reason', () => {
  const said = { code: 'invalid_prompt', message: 'That prompt is not allowed.' };

  test.each(['chat', 'responses'] as const)('%s: invalid_prompt as a 400 and in the stream', async (wire) => {
    const inStream =
      wire === 'chat' ? sse({ error: said }) : sse({ type: 'response.failed', response: { id: 'r', error: said } });
    for (const handler of [status(400, { error: said }), stream(inStream)]) {
      await using server = await modelServer(handler);
      const provider = providerFor(server.url, wire);
      const { events, error } = await outcomeOf(open(server.url, wire, { provider }).turn().stream(hello));
      expect(error).toMatchObject({ kind: 'invalid_request', ...said, retry: { class: 'never' } });
      expect(typesOf(events)).not.toContain('retrying');
      expect(server.requests.length).toBe(1);
      await session?.close();
    }
  });

  test.each([
    ['retry-after', status(429, {}, { 'retry-after': '61' }), 61_000],
    ['retry-after-ms', status(429, {}, { 'retry-after-ms': '60001' }), 60_001],
    ['the message', status(429, { error: { message: 'Please try again in 2 minutes.' } }), 120_000],
    [
      'the stream',
      stream(sse({ error: { code: 'rate_limit_exceeded', message: 'Please try again in 6m0s.' } })),
      360_000,
    ],
  ])('more than a minute in %s is not waited for', async (_, handler, afterMs) => {
    await using server = await modelServer(handler);
    const provider = providerFor(server.url, 'chat');
    const clock = manualClock();
    const { events, error } = await outcomeOf(open(server.url, 'chat', { provider, clock }).turn().stream(hello));
    expect(error).toMatchObject({ kind: 'rate_limited', retry: { class: 'after', afterMs } });
    expect(typesOf(events)).not.toContain('retrying');
    expect(server.requests.length).toBe(1);
  });
});

test('fallback to HTTP is said once by turnwire exec', async () => {
  const server = await startWebSocketServer();
  server.refuse = refusal(426);
  server.onRequest = (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(responsesAnswer('over http'));
  };
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-audit-'));
  mkdirSync(join(folder, 'turnwire'));
  writeFileSync(
    join(folder, 'turnwire', 'config.toml'),
    `[model_providers.x]\nbase_url = "${server.url}/v1"\nwire_api = "responses"\nsupports_websockets = true\n`,
  );
  const child = spawnCli(['exec', '--provider', 'x', '--model', 'm', 'hi'], { XDG_CONFIG_HOME: folder });
  child.stdin.end();
  const { code, stdout, stderr } = await resultOf(child);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'over http\n' });
  expect(stderr.match(/HTTP instead of WebSocket/g)?.length).toBe(1);
  rmSync(folder, { recursive: true });
  await server.close();
});
