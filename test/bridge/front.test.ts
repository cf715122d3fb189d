import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { createBridge } from '@turnwire/bridge';
import { connectionRefusal } from '@turnwire/bridge/internal/front/client-error';
import { post, startRig, type Json } from './harness.ts';
import { dial, errorOf, head, readAll, UPGRADE } from './raw-client.ts';
import { startBridge, startRawUpstream } from './raw-upstream.ts';

const lookup = vi.hoisted(() => vi.fn<() => Promise<{ address: string }[]>>());
vi.mock('node:dns/promises', async (original) => ({ ...(await original<object>()), lookup }));

const JSON_TYPE = 'content-type: application/json';

/** The headers of an answer, by name. */
function headersOf(answer: string): Readonly<Record<string, string>> {
  const lines = (answer.split('\r\n\r\n')[0] ?? '').split('\r\n').slice(1);
  return Object.fromEntries(lines.map((line) => [line.split(': ')[0]!, line.slice(line.indexOf(': ') + 2)]));
}

/** Asks with `Connection: close`, and reads to the end. */
async function ask(port: number, line: string, ...headers: readonly string[]): Promise<string> {
  const socket = await dial(port, head(`${line} HTTP/1.1`, 'connection: close', ...headers));
  const answer = await readAll(socket);
  socket.destroy();
  return answer;
}

describe('the routes of the bridge', () => {
  it.each([
    ['GET /health', 200],
    ['GET /v1/health', 200],
    ['GET /v1/health?at=1', 200],
    ['GET /metrics', 200],
    ['GET /v1/models', 200],
    ['GET /models', 200],
    ['GET /v1/models?limit=2&order=desc', 200],
    ['GET /v1/%6dodels', 200],
    ['GET /v1/models#top', 200],
    ['GET http://127.0.0.1/v1/models?limit=2', 200],
    ['GET /v1/responses', 426],
    ['GET /v1/metrics', 404],
    ['GET /', 200],
    ['HEAD /', 200],
    ['GET /v1/', 404],
    ['GET /V1/MODELS', 404],
    ['GET /v1/models/', 404],
    ['GET //v1/models', 404],
    ['GET /v1//models', 404],
    ['GET /v1/responses/', 404],
    ['GET /v1/responses//input_items', 404],
    ['GET /v1/responses/none', 404],
    ['GET /v1/responses/a%2Fb', 404],
    ['GET /v1/responses/none/other', 404],
    ['PURGE /nowhere', 404],
    ['GET /%', 400],
    ['GET /v1/responses/%C3', 400],
    ['GET /v1/health%zz', 400],
    ['OPTIONS /v1/responses', 204],
    ['OPTIONS /nowhere', 204],
    ['OPTIONS *', 204],
  ])('%s: %i', async (line, status) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const answer = await ask(at.bridge.port, line);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(headersOf(answer)['x-request-id']).toMatch(/^req_/);
    if (status >= 400) expect(errorOf(answer)[1]).toMatchObject({ type: 'invalid_request_error' });
  });

  it('say of a kept response that is not there which it was, decoded', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const [status, error] = errorOf(await ask(at.bridge.port, 'DELETE /v1/responses/r%20%2f%C3%A4'));
    const message = "Response with id 'r /\u00e4' not found.";
    expect([status, error]).toEqual([
      404,
      { message, type: 'invalid_request_error', param: 'response_id', code: 'not_found' },
    ]);
  });

  it.each([
    ['GET /v1/chat/completions', 'POST, OPTIONS'],
    ['PUT /v1/responses', 'GET, POST, HEAD, OPTIONS'],
    ['DELETE /responses', 'GET, POST, HEAD, OPTIONS'],
    ['PATCH /v1/responses/r', 'GET, DELETE, HEAD, OPTIONS'],
    ['DELETE /v1/responses/r/input_items', 'GET, HEAD, OPTIONS'],
    ['TRACE /v1/models', 'GET, HEAD, OPTIONS'],
    ['DELETE /metrics?x=1', 'GET, HEAD, OPTIONS'],
  ])('say which methods a path takes: %s', async (line, allow) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const answer = await ask(at.bridge.port, line);
    const [method, target = ''] = line.split(' ');
    expect(headersOf(answer).allow).toBe(allow);
    const message = `${target.split('?')[0]!} takes no ${method!}, but ${allow}`;
    const error = { message, type: 'invalid_request_error', param: null, code: 'method_not_allowed' };
    expect(errorOf(answer)).toEqual([405, error]);
  });

  it.each(['/health', '/metrics', '/v1/responses/none', '/v1/responses'])(
    'answer HEAD like GET, without the body: %s',
    async (path) => {
      await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
      const [get, only] = [await ask(at.bridge.port, `GET ${path}`), await ask(at.bridge.port, `HEAD ${path}`)];
      expect(only.split('\r\n')[0]).toBe(get.split('\r\n')[0]);
      expect(headersOf(only)['content-type']).toBe(headersOf(get)['content-type']);
      expect(only.endsWith('\r\n\r\n')).toBe(true);
    },
  );

  it('hand a path through as it was meant, with its query', async () => {
    const seen: (string | undefined)[] = [];
    await using upstream = await startRawUpstream(0, (request) => seen.push(`${request.method} ${request.url}`));
    await using bridge = await startBridge([upstream], { mode: 'passthrough' });
    for (const line of [
      'GET /v1/models?limit=2',
      'GET /responses/a%2Fb%20c/input_items?after=x',
      'DELETE /v1/responses/r',
    ]) {
      expect(await ask(bridge.port, line)).toMatch(/^HTTP\/1.1 200 /);
    }
    expect(seen).toEqual([
      'GET /v1/models?limit=2',
      'GET /v1/responses/a%2Fb%20c/input_items?after=x',
      'DELETE /v1/responses/r',
    ]);
  });

  it('leave a body alone that a method has no use for', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const socket = await dial(at.bridge.port, head('DELETE /v1/responses/r HTTP/1.1', 'content-length: 3'));
    socket.write('abc' + head('GET /health HTTP/1.1', 'connection: close'));
    expect((await readAll(socket)).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200']);
    socket.destroy();
  });
});

describe('the body of a request', () => {
  it.each([
    ['announced', 'content-length: 10001', 'x', 413],
    ['sent in chunks', 'transfer-encoding: chunked', `2711\r\n${'x'.repeat(10_001)}\r\n`, 413],
    ['just large enough', 'content-length: 10000', 'x'.repeat(10_000), 400],
    ['in chunks that are none', 'transfer-encoding: chunked', 'zz\r\n', 400],
    ['of two lengths', 'content-length: 2\r\ncontent-length: 3', '{}', 400],
    ['of a length and in chunks', 'content-length: 2\r\ntransfer-encoding: chunked', '0\r\n\r\n', 400],
  ])('is refused in the shape of the API: %s', async (_name, framing, body, status) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', bodyLimit: 10_000 });
    const socket = await dial(at.bridge.port, head('POST /v1/responses HTTP/1.1', JSON_TYPE, framing) + body);
    const [piece] = (await once(socket, 'data')) as [Buffer];
    const [answered, error] = errorOf(String(piece));
    expect([answered, error.type]).toEqual([status, 'invalid_request_error']);
    if (status === 413) {
      expect(error).toMatchObject({
        message: 'the body is over 10000 bytes (--body-limit of the bridge)',
        code: 'request_too_large',
      });
    }
    expect(at.mock.requests).toEqual([]);
    socket.destroy();
  });

  it('may come in pieces, and whole requests one after another', async () => {
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
    const text = JSON.stringify({ model: 'm', input: 'x' });
    const request = head('POST /v1/responses HTTP/1.1', JSON_TYPE, `content-length: ${text.length}`);
    const socket = await dial(at.bridge.port, request + text.slice(0, 5));
    await new Promise((resolve) => setImmediate(resolve));
    socket.write(text.slice(5) + request + text + head('GET /health HTTP/1.1', 'connection: close'));
    expect((await readAll(socket)).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 200']);
    socket.destroy();
  });

  it('that its client does not finish asks nobody, and closes with the bridge', async () => {
    const at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const socket = await dial(
      at.bridge.port,
      head('POST /v1/responses HTTP/1.1', JSON_TYPE, 'content-length: 9') + '{',
    );
    socket.destroy();
    const other = await dial(at.bridge.port, head('POST /v1/responses HTTP/1.1', JSON_TYPE, 'content-length: 9') + '{');
    const cut = new Promise((resolve) => other.once('close', resolve)); // with an error or without
    await at.bridge.close();
    await cut;
    expect(at.mock.requests).toEqual([]);
    await at.mock.close();
  });
});

describe('what is no request', () => {
  it.each([
    ['a line that is none', 'GET\r\n\r\n', 400, 'this is no HTTP request'],
    ['a version that is none', 'GET / HTTP/9.9\r\n\r\n', 400, 'this is no HTTP request'],
    ['a method that is none', head('FETCH /v1/models HTTP/1.1'), 400, 'this is no HTTP request'],
    ['a header without a name', head('GET /v1/models HTTP/1.1', ': x'), 400, 'this is no HTTP request'],
    ['a path with a space', head('GET /v1/responses/a b HTTP/1.1'), 400, 'this is no HTTP request'],
    ['too many headers', head('GET / HTTP/1.1', `x: ${'y'.repeat(70_000)}`), 431, 'the headers are over 65536 bytes'],
    ['too long a path', head(`GET /${'y'.repeat(70_000)} HTTP/1.1`), 431, 'the headers are over 65536 bytes'],
  ])('is answered, and ends its connection alone: %s', async (_name, text, status, message) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const other = await dial(at.bridge.port, '');
    const socket = await dial(at.bridge.port, text);
    const answer = await readAll(socket);
    expect(errorOf(answer)).toEqual([status, { message, type: 'invalid_request_error', param: null, code: null }]);
    expect(headersOf(answer).connection).toBe('close');
    other.write(head('GET /health HTTP/1.1', 'connection: close'));
    expect(await readAll(other)).toContain('{"ok":true}');
  });

  it.each([
    ['ERR_HTTP_REQUEST_TIMEOUT', 408],
    ['HPE_HEADER_OVERFLOW', 431],
    ['HPE_INVALID_METHOD', 400],
    ['ECONNRESET', undefined],
  ])('is told by the error of the connection: %s', (code, status) => {
    const refusal = connectionRefusal(Object.assign(new Error('x'), { code }), new PassThrough(), undefined);
    expect(refusal?.status).toBe(status);
  });

  it('is cut off where it asks for a tunnel', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    expect(await readAll(await dial(at.bridge.port, head('CONNECT 127.0.0.1:80 HTTP/1.1')))).toBe('');
  });
});

describe('a web page', () => {
  const page = 'origin: http://page.example';

  it('of an allowed origin may ask, and read what it is told', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', allowedOrigins: ['http://page.example'] });
    const preflight = headersOf(
      await ask(at.bridge.port, 'OPTIONS /v1/responses', page, 'access-control-request-headers: content-type, x-a'),
    );
    expect(preflight).toMatchObject({
      'access-control-allow-origin': 'http://page.example',
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': 'content-type, x-a',
      'access-control-max-age': '600',
      vary: 'origin',
    });
    for (const line of ['GET /v1/models', 'GET /nowhere', 'PUT /v1/models']) {
      const headers = headersOf(await ask(at.bridge.port, line, page));
      expect([line, headers['access-control-allow-origin']]).toEqual([line, 'http://page.example']);
    }
  });

  it('of another is refused, also where the path is open to all', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    for (const line of ['GET /health', 'OPTIONS /v1/responses', 'GET /nowhere']) {
      expect([line, errorOf(await ask(at.bridge.port, line, page))[0]]).toEqual([line, 403]);
    }
  });

  it('and everybody else needs the token for all but the health', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', authToken: 'sesame' });
    for (const [line, status] of [
      ['GET /health', 200],
      ['GET /v1/health', 200],
      ['GET /health?x=1', 401],
      ['HEAD /health', 401],
      ['GET /metrics', 401],
      ['GET /v1/models', 401],
      ['PUT /v1/models', 401],
      ['GET /nowhere', 401],
      ['GET /%', 401],
    ] as const) {
      expect([line, (await ask(at.bridge.port, line)).slice(0, 12)]).toEqual([line, `HTTP/1.1 ${status}`]);
    }
  });
});

describe('an upgrade', () => {
  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';

  it.each([
    ['/v1/responses', {}, 101],
    ['/responses?x=1', {}, 101],
    ['/v1/responses/', {}, 404],
    ['/v1/chat/completions', {}, 404],
    ['/v1/responses', { websocket: false }, 426],
    ['/v1/responses', { mode: 'passthrough' }, 426],
    ['/v1/responses', { maxStreams: 0 }, 429],
    ['/v1/responses', { authToken: 'sesame' }, 401],
  ] as const)('on %s of a bridge with %j: %i', async (path, options, status) => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', ...options });
    const socket = await dial(at.bridge.port, head(`GET ${path} HTTP/1.1`, ...UPGRADE, key));
    expect(String((await once(socket, 'data'))[0])).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    socket.destroy();
  });
});

describe('a bridge', () => {
  it('that has as many streams as it may refuses the next when all of its request is here', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', maxStreams: 0 });
    const response = await post(at.bridge, '/v1/responses', { model: 'm', input: 'x' });
    const { error } = (await response.json()) as { error: Json };
    expect([response.status, response.headers.get('retry-after'), error.type]).toEqual([429, '1', 'rate_limit_error']);
  });

  it('whose port is taken says so, and can be closed', async () => {
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat' });
    const second = createBridge({ upstreams: [at.mock.baseUrl], port: at.bridge.port });
    await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await second.close();
  });

  it('on localhost listens on each address of that name, and stops there too', async () => {
    lookup.mockResolvedValue([{ address: '127.0.0.1' }, { address: '127.0.0.2' }, { address: '192.0.2.1' }]);
    await using upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { host: 'localhost', allowedHosts: ['127.0.0.2'] });
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const response = await fetch(`http://${host}:${bridge.port}/health`);
      expect([host, await response.json()]).toEqual([host, { ok: true }]);
    }
    await bridge.close();
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const [error] = (await once(connect(bridge.port, host), 'error').catch((reason: unknown) => [reason])) as [Error];
      expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    }
  });
});
