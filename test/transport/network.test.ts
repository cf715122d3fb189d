import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import {
  createHttpTransport,
  type HttpTransport,
  type HttpTransportOptions,
} from '../../packages/client/src/transport/http.ts';
import { untrusted } from './support/certificate.ts';
import { startProxy } from './support/proxy.ts';
import { httpServer, rawServer } from './support/server.ts';

const open: HttpTransport[] = [];

afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
});

function transport(options: HttpTransportOptions = {}): HttpTransport {
  const http = createHttpTransport(options);
  open.push(http);
  return http;
}

async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ModelError);
  return error as ModelError;
}

async function textFrom(http: HttpTransport, url: string): Promise<string> {
  const response = await http.send({ method: 'GET', url });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('certificates', () => {
  test('one that is not trusted: connection_failed with the reason and what to do', async () => {
    const server = createHttpsServer(untrusted, (_request, response) => response.end('never'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const error = await failureOf(transport().send({ method: 'POST', url: `https://127.0.0.1:${port}/v1?key=s` }));
    expect(error.kind).toBe('connection_failed');
    expect(error.message).toContain(`POST https://127.0.0.1:${port}/v1 failed: certificate not accepted`);
    expect(error.message).toContain('NODE_EXTRA_CA_CERTS');
    expect(error.message).not.toContain('key=s');
    server.close();
  });

  test('TLS to a server without it: connection_failed', async () => {
    await using server = await rawServer(() => undefined);
    for (const socket of server.sockets) socket.end();
    const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as AddressInfo;
    const error = await failureOf(transport().send({ method: 'GET', url: `https://127.0.0.1:${port}` }));
    expect(error.kind).toBe('connection_failed');
    plain.close();
  });
});

describe('bytes that are no HTTP', () => {
  test('an answer of another protocol', async () => {
    await using server = await rawServer((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
    const error = await failureOf(transport().send({ method: 'GET', url: server.url }));
    expect(error.kind).toBe('connection_failed');
    await server.idle();
  });

  test('garbage in the chunked framing', async () => {
    await using server = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n');
    });
    expect((await failureOf(textFrom(transport(), server.url))).kind).toBe('stream_truncated');
    await server.idle();
  });

  test('fewer bytes than promised', async () => {
    await using server = await rawServer((socket) => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello');
    });
    expect((await failureOf(textFrom(transport(), server.url))).kind).toBe('stream_truncated');
  });

  test('a body without a length, ended by the close, is whole', async () => {
    await using server = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'));
    expect(await textFrom(transport(), server.url)).toBe('hello');
  });

  test('a reset at any byte of the answer is a typed error, and what came before it is delivered', async () => {
    const answer = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    let bytes = 0;
    await using server = await rawServer((socket) => {
      socket.write(answer.slice(0, bytes), () => setTimeout(() => socket.destroy(), 2));
    });
    const http = transport();
    for (bytes = 0; bytes < answer.length; bytes++) {
      const error = await failureOf(textFrom(http, server.url));
      expect(['connection_failed', 'stream_truncated']).toContain(error.kind);
    }
  });
});

describe('proxies', () => {
  test('requests go through it, except for noProxy', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'));
    const through = await startProxy();
    const proxied = transport({ proxy: { httpProxy: through.url } });
    expect(await textFrom(proxied, server.url)).toBe('ok');
    expect(through.targets.length).toBe(1);
    expect(through.targets[0]).toContain(new URL(server.url).host);
    const direct = transport({ proxy: { httpProxy: through.url, noProxy: '127.0.0.1' } });
    expect(await textFrom(direct, server.url)).toBe('ok');
    expect(through.targets.length).toBe(1);
    through.close();
  });

  test('one that is not there: connection_failed without its password', async () => {
    const error = await failureOf(
      transport({ proxy: { httpProxy: 'http://user:sesame@127.0.0.1:9' } }).send({
        method: 'GET',
        url: 'http://127.0.0.1:8',
      }),
    );
    expect(error.kind).toBe('connection_failed');
    expect(error.message + String(error.cause)).not.toContain('sesame');
  });

  test('the environment is not read here', async () => {
    const before = process.env.http_proxy;
    process.env.http_proxy = 'http://127.0.0.1:9';
    try {
      await using server = await httpServer((_request, response) => response.end('ok'));
      expect(await textFrom(transport(), server.url)).toBe('ok');
      expect(await textFrom(transport({ proxy: { httpsProxy: 'http://127.0.0.1:9' } }), server.url)).toBe('ok');
    } finally {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    }
  });
});
