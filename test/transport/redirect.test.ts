import { afterAll, expect, test } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import { createHttpTransport } from '../../packages/client/src/transport/http.ts';
import { bodyOf, httpServer } from './support/server.ts';

const http = createHttpTransport();
afterAll(() => http.close());

async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ModelError);
  return error as ModelError;
}

const headers = {
  authorization: 'Bearer k',
  'x-configured': 'v',
  'x-codex-turn-state': 'ts',
  'content-type': 'application/json',
  accept: 'text/event-stream',
};

test('307 to the same origin: the same request again, headers and all', async () => {
  const seen: string[] = [];
  await using server = await httpServer((request, response) => {
    void bodyOf(request).then((body) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`);
      if (request.url === '/a') response.writeHead(307, { location: '/b' }).end();
      else response.end('ok');
    });
  });
  const response = await http.send({ method: 'POST', url: `${server.url}/a`, headers, body: '{}' });
  expect(response.status).toBe(200);
  await response.read();
  expect(seen).toEqual(['POST /a Bearer k {}', 'POST /b Bearer k {}']);
});

test('308 to another origin: neither the key nor any configured header goes along', async () => {
  const seen: Record<string, unknown>[] = [];
  await using other = await httpServer((request, response) => {
    seen.push(request.headers);
    response.end('ok');
  });
  await using server = await httpServer((_request, response) =>
    response.writeHead(308, { location: `${other.url}/v1` }).end(),
  );
  const response = await http.send({ method: 'POST', url: `${server.url}/a?key=1`, headers, body: '{}' });
  await response.read();
  expect(Object.keys(seen[0] ?? {}).sort()).toEqual(['accept', 'connection', 'content-length', 'content-type', 'host']);
});

test('a POST that would become a GET is not followed: protocol, with the place to set', async () => {
  await using server = await httpServer((_request, response) =>
    response.writeHead(302, { location: '/login?token=secret' }).end(),
  );
  const error = await failureOf(http.send({ method: 'POST', url: `${server.url}/a`, headers }));
  expect(error).toMatchObject({ kind: 'protocol', status: 302 });
  expect(error.message).toBe(
    `POST ${server.url}/a answered 302 and points to ${server.url}/login: set the base URL to that place`,
  );
});

test('a loop ends after 5 redirects: protocol', async () => {
  let requests = 0;
  await using server = await httpServer((_request, response) => {
    requests++;
    response.writeHead(307, { location: '/again' }).end();
  });
  const error = await failureOf(http.send({ method: 'POST', url: server.url, headers }));
  expect(error.kind).toBe('protocol');
  expect(requests).toBe(6);
});

test('a redirect without a usable location is protocol', async () => {
  await using server = await httpServer((_request, response) =>
    response.writeHead(307, { location: 'file:///x' }).end(),
  );
  expect((await failureOf(http.send({ method: 'POST', url: server.url }))).kind).toBe('protocol');
});

test('manual: the redirect itself', async () => {
  await using server = await httpServer((_request, response) => response.writeHead(302, { location: '/x' }).end());
  const response = await http.send({ method: 'POST', url: server.url, redirect: 'manual' });
  expect([response.status, response.header('location')]).toEqual([302, '/x']);
});
