import { inspect } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { createModelSession, type ModelSession } from '../../packages/client/src/session/session.ts';
import type { ModelObserver } from '../../packages/client/src/observer.ts';
import type { ProviderOptions } from '../../packages/client/src/provider/provider.ts';
import { httpServer } from '../transport/support/server.ts';
import {
  chatAnswer,
  chatDelta,
  cut,
  hello,
  modelServer,
  outcomeOf,
  providerFor,
  sse,
  status,
  stream,
} from './support.ts';

let session: ModelSession | undefined;

afterEach(async () => {
  await session?.close();
});

const secrets = { KEY: 'sk-one-5f2a', TENANT: 'tenant-77b1', QUERY: 'query-90cc', STATE: 'state-41de' } as const;

function open(
  url: string,
  env: Record<string, string | undefined>,
  options: Partial<ProviderOptions> = {},
  observer: ModelObserver = {},
): ModelSession {
  session = createModelSession({
    provider: providerFor(url, 'chat', {
      envKey: 'KEY',
      httpHeaders: { 'X-Static': 'always' },
      envHttpHeaders: { 'X-Tenant': 'TENANT', 'X-Absent': 'NOPE' },
      queryParams: { 'api-key': secrets.QUERY },
      requestMaxRetries: 1,
      streamMaxRetries: 1,
      ...options,
    }),
    getEnv: (name) => env[name],
    random: () => 0,
    observer,
  });
  return session;
}

test('key, headers and query come from the configuration; the key is read anew for every request', async () => {
  const env: Record<string, string> = { ...secrets };
  await using server = await modelServer(stream(chatAnswer()));
  const turn = open(server.url, env).turn();
  await outcomeOf(turn.stream(hello));
  env.KEY = 'sk-two';
  await outcomeOf(turn.stream(hello));
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-one-5f2a', 'Bearer sk-two']);
  expect(server.requests[0]?.headers).toMatchObject({ 'x-static': 'always', 'x-tenant': secrets.TENANT });
  expect(server.requests[0]?.headers).not.toHaveProperty('x-absent');
  expect(server.requests[0]?.url).toBe(`/v1/chat/completions?api-key=${secrets.QUERY}`);
});

test('an unset key is unauthorized before anything is sent, and names the variable', async () => {
  await using server = await modelServer(stream(chatAnswer()));
  const { error } = await outcomeOf(open(server.url, {}).turn().stream(hello));
  expect(error?.kind).toBe('unauthorized');
  expect(error?.message).toContain('KEY');
  expect(server.accepted).toBe(0);
});

test('a redirect to another origin carries neither key nor configured headers nor turn state', async () => {
  const seen: Record<string, unknown>[] = [];
  await using other = await httpServer((request, response) => {
    seen.push({ ...request.headers, url: request.url });
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatAnswer());
  });
  await using server = await modelServer(
    stream(chatAnswer(), { headers: { 'x-codex-turn-state': secrets.STATE } }),
    status(307, {}, { location: `${other.url}/elsewhere` }),
  );
  const turn = open(server.url, { ...secrets }).turn();
  await outcomeOf(turn.stream(hello));
  const { error } = await outcomeOf(turn.stream(hello));
  expect(error).toBeUndefined();
  expect(server.requests[1]?.headers['x-codex-turn-state']).toBe(secrets.STATE);
  const there = JSON.stringify(seen);
  for (const secret of Object.values(secrets)) expect(there).not.toContain(secret);
  expect(seen[0]).not.toHaveProperty('authorization');
  expect(seen[0]).not.toHaveProperty('x-static');
});

test('nothing secret in events, errors, or what an observer sees, however a request fails', async () => {
  const shown: string[] = [];
  const show = (...values: unknown[]): void => {
    shown.push(inspect(values, { depth: 20, showHidden: true }), JSON.stringify(values));
  };
  const observer: ModelObserver = {
    onSsePoll: show,
    onTurn: () => ({
      onRequest: (model) => {
        show(model);
        return { onAttempt: show, onEvents: show, onAttemptFailed: show, onEnd: show };
      },
    }),
  };
  const state = { 'x-codex-turn-state': secrets.STATE };
  await using server = await modelServer(
    status(401, { error: { message: 'who are you' } }, state),
    status(500, 'broken', state),
    cut(sse(chatDelta('a')), state),
    (response) => response.destroy(),
    (response) => response.writeHead(200, { 'content-type': 'text/html', ...state }).end('<html>'),
    (response) => response.writeHead(200, { 'content-encoding': 'gzip', ...state }).end('not gzip'),
    status(302, {}, { location: '/elsewhere', ...state }),
    (response) => response.writeHead(200, { 'content-type': 'text/event-stream', ...state }).write(': held\n\n'),
  );
  const env = { ...secrets };
  const one = open(
    server.url,
    env,
    { streamIdleTimeoutMs: 300, firstByteTimeoutMs: 5000, requestMaxRetries: 0, streamMaxRetries: 0 },
    observer,
  );
  const turn = one.turn();
  const kinds: (string | undefined)[] = [];
  for (let n = 0; n < 8; n++) {
    const { events, error } = await outcomeOf(turn.stream(hello));
    show(events, error, error?.stack, error?.cause);
    kinds.push(error?.kind);
  }
  expect(kinds).toEqual([
    'unauthorized',
    'server_error',
    'stream_truncated',
    'connection_failed',
    'protocol',
    'protocol',
    'protocol',
    'stream_idle',
  ]);
  const dead = open('http://127.0.0.1:9', env, {}, observer);
  const { events, error } = await outcomeOf(dead.turn().stream(hello));
  show(events, error);
  expect(server.requests.every(({ headers }) => headers.authorization === `Bearer ${secrets.KEY}`)).toBe(true);
  const all = shown.join('\n');
  for (const [name, secret] of Object.entries(secrets)) {
    expect(all.includes(secret), `${name} is shown`).toBe(false);
  }
});
