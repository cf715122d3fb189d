import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelError } from '../../packages/wire/src/model/errors.ts';
import {
  createModelSession,
  type ModelSession,
  type ModelSessionOptions,
} from '../../packages/client/src/session/session.ts';
import { bodyOf } from '../transport/support/server.ts';
import {
  refusal,
  startWebSocketServer,
  type ServerSocket,
  type TestServer,
} from '../transport/support/websocket-server.ts';
import { outcomeOf, providerFor, responsesAnswer, typesOf } from './support.ts';
import {
  answer,
  asking,
  call,
  callAnswer,
  output,
  received,
  saidBy,
  send,
  user,
  type Frame,
} from './websocket-support.ts';

interface Post {
  readonly headers: IncomingMessage['headers'];
  readonly body: Frame;
}

let server: TestServer;
let session: ModelSession;
let posts: Post[];
let fallbacks: ModelError[];

beforeEach(async () => {
  server = await startWebSocketServer();
  posts = [];
  fallbacks = [];
  server.onRequest = (request, response: ServerResponse) => {
    void bodyOf(request).then((text) => {
      posts.push({ headers: request.headers, body: JSON.parse(text) as Frame });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(responsesAnswer('over http', `http_${posts.length}`));
    });
  };
  session = open();
});

afterEach(async () => {
  await session.close();
  await server.close();
});

function open(options: Partial<ModelSessionOptions> = {}): ModelSession {
  const provider = providerFor(server.url, 'responses', { supportsWebsockets: true });
  return createModelSession({
    provider,
    random: () => 0,
    observer: { onFallback: (error) => fallbacks.push(error) },
    ...options,
  });
}

const hi = asking(user('hi'));
const states = (frame: Frame): unknown => (frame.client_metadata as Frame | undefined)?.['x-codex-turn-state'];

/** Answers the next request on a socket. */
async function answers(peer: ServerSocket, ...events: unknown[]): Promise<Frame> {
  const frame = await received(peer);
  send(peer, ...events);
  return frame;
}

describe('a session over WebSocket', () => {
  test('a turn with a tool, and the next turn, on one socket: only what is new is sent', async () => {
    const turn = session.turn();
    const first = outcomeOf(turn.stream(hi));
    const peer = await server.socket();
    await answers(peer, ...callAnswer('resp_1', call('a')));
    await first;
    const second = outcomeOf(turn.stream(asking(user('hi'), call('a'), output('a'))));
    expect(await answers(peer, ...answer('resp_2'))).toMatchObject({
      previous_response_id: 'resp_1',
      input: [output('a')],
    });
    await second;
    const third = outcomeOf(
      session.turn().stream(asking(user('hi'), call('a'), output('a'), saidBy('resp_2'), user('more'))),
    );
    expect(await answers(peer, ...answer('resp_3'))).toMatchObject({
      previous_response_id: 'resp_2',
      input: [user('more')],
    });
    expect((await third).error).toBeUndefined();
    expect(server.handshakes).toHaveLength(1);
    expect(posts).toEqual([]);
  });

  test('a warm-up opens the socket that the first turn uses', async () => {
    const warm = session.warmUp(hi);
    const peer = await server.socket();
    expect(await answers(peer, { type: 'response.completed', response: { id: 'warm' } })).toMatchObject({
      generate: false,
    });
    await warm;
    const first = outcomeOf(session.turn().stream(hi));
    expect(await answers(peer, ...answer('resp_1'))).toMatchObject({ previous_response_id: 'warm' });
    expect((await first).error).toBeUndefined();
  });

  test('a stream that breaks is asked for again, with the turn state in the handshake and in the request', async () => {
    const turn = session.turn();
    const outcome = outcomeOf(turn.stream(hi));
    const peer = await server.socket();
    await answers(peer, { type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts-1' } });
    peer.ws.close();
    const next = await server.socket();
    expect(next.request.headers['x-codex-turn-state']).toBe('ts-1');
    expect(states(await answers(next, ...answer('resp_1')))).toBe('ts-1');
    const { events, error } = await outcome;
    expect(error).toBeUndefined();
    expect(typesOf(events).filter((type) => type === 'retrying')).toHaveLength(1);
    expect(fallbacks).toEqual([]);
  });

  test('a cancelled turn never blocks the next', async () => {
    const controller = new AbortController();
    const cancelled = outcomeOf(session.turn().stream(hi, { signal: controller.signal }));
    const peer = await server.socket();
    await answers(peer, ...answer('resp_1').slice(0, 3));
    controller.abort();
    expect((await cancelled).error?.kind).toBe('aborted');
    await peer.closed;
    const next = outcomeOf(session.turn().stream(hi));
    await answers(await server.socket(), ...answer('resp_2'));
    expect((await next).error).toBeUndefined();
  });
});

describe('from WebSocket to HTTP', () => {
  test.each([426, 404, 400, 403])('a %i: HTTP at once and for the rest of the session, said once', async (status) => {
    server.refuse = refusal(status);
    const first = await outcomeOf(session.turn().stream(hi));
    expect(first.error).toBeUndefined();
    expect(typesOf(first.events)).toContain('completed');
    const second = await outcomeOf(session.turn().stream(hi));
    expect(second.error).toBeUndefined();
    expect(typesOf(second.events)).not.toContain('retrying');
    expect(server.handshakes).toHaveLength(1);
    expect(posts).toHaveLength(2);
    expect(fallbacks).toMatchObject([{ status }]);
  });

  test('a gateway that answers every upgrade with a 502: HTTP after the second, said once', async () => {
    server.refuse = refusal(502);
    const { error, events } = await outcomeOf(session.turn().stream(hi));
    expect(error).toBeUndefined();
    expect(typesOf(events).filter((type) => type === 'retrying')).toHaveLength(2);
    expect(server.handshakes).toHaveLength(2);
    expect(posts).toHaveLength(1);
    expect(fallbacks).toMatchObject([{ status: 502 }]);
  });

  test('repeated failure: HTTP with the turn state, and said once', async () => {
    const turn = session.turn();
    const outcome = outcomeOf(turn.stream(hi));
    const first = await server.socket();
    await answers(first, { type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts-1' } });
    first.ws.close();
    const second = await server.socket();
    await received(second);
    second.raw.resetAndDestroy();
    const { error, events } = await outcome;
    expect(error).toBeUndefined();
    expect(typesOf(events).filter((type) => type === 'retrying')).toHaveLength(2);
    expect(posts.map((post) => post.headers['x-codex-turn-state'])).toEqual(['ts-1']);
    expect(posts[0]?.body).not.toHaveProperty('previous_response_id');
    expect(fallbacks).toHaveLength(1);

    await outcomeOf(session.turn().stream(hi));
    expect(posts[1]?.headers['x-codex-turn-state']).toBeUndefined();
    expect(server.handshakes).toHaveLength(2);
    expect(fallbacks).toHaveLength(1);
  });

  test("what the server says of the request itself is no reason to leave: the user sees the server's message", async () => {
    const outcome = outcomeOf(session.turn().stream(hi));
    await answers(await server.socket(), { type: 'error', error: { code: 'invalid_prompt', message: 'not that' } });
    expect((await outcome).error).toMatchObject({ kind: 'invalid_request', message: 'not that' });
    expect(posts).toEqual([]);
    expect(fallbacks).toEqual([]);
    expect(server.handshakes).toHaveLength(1);
  });

  test('a refused key is no reason to leave', async () => {
    server.refuse = refusal(401, {}, '{"error":{"message":"no key"}}');
    const { error } = await outcomeOf(session.turn().stream(hi));
    expect(error).toMatchObject({ kind: 'unauthorized', message: 'no key' });
    expect(posts).toEqual([]);
  });
});

test('close() ends an answer over WebSocket, and opens no socket any more', async () => {
  const turn = session.turn();
  const outcome = outcomeOf(turn.stream(hi));
  const peer = await server.socket();
  await received(peer);
  await session.close();
  expect((await outcome).error).toMatchObject({ kind: 'aborted' });
  await peer.closed;
  expect((await outcomeOf(turn.stream(hi))).error).toMatchObject({ kind: 'aborted' });
  expect(server.handshakes).toHaveLength(1);
  expect(posts).toEqual([]);
});
