import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PollResult } from '../../packages/client/src/observer.ts';
import {
  createWebSocketConnection,
  type WebSocketConnection,
  type WebSocketConnectionOptions,
} from '../../packages/client/src/websocket/connection.ts';
import { toResponsesBody } from '../../packages/wire/src/responses/request.ts';
import { manualClock, type ManualClock } from '../transport/support/manual-clock.ts';
import { refusal, startWebSocketServer, type TestServer } from '../transport/support/websocket-server.ts';
import { providerFor } from './support.ts';
import {
  all,
  answer,
  asking,
  call,
  callAnswer,
  output,
  received,
  saidBy,
  send,
  turnState,
  typesOf,
  user,
} from './websocket-support.ts';

let server: TestServer;
let clock: ManualClock;
let connection: WebSocketConnection;

beforeEach(async () => {
  server = await startWebSocketServer();
  clock = manualClock();
  connection = connectTo();
});

afterEach(async () => {
  connection.close();
  await server.close();
});

function connectTo(
  options: Partial<WebSocketConnectionOptions> = {},
  provider: Parameters<typeof providerFor>[2] = {},
): WebSocketConnection {
  return createWebSocketConnection({ provider: providerFor(server.url, 'responses', provider), clock, ...options });
}

const hi = asking(user('hi'));

const events = ['created', 'output_item.added', 'output_text.delta', 'output_item.done', 'completed'];

describe('one request', () => {
  test('is a response.create with the fields of an HTTP body, over a handshake with the headers of a request', async () => {
    connection = connectTo(
      { getEnv: (name) => (name === 'KEY' ? 'secret' : undefined) },
      { envKey: 'KEY', httpHeaders: { 'X-Own': '1' }, queryParams: { v: '2' }, maxOutputTokens: 7 },
    );
    const outcome = all(connection.stream(hi));
    const peer = await server.socket();
    expect(peer.request.url).toBe('/v1/responses?v=2');
    expect(peer.request.headers).toMatchObject({
      'openai-beta': 'responses_websockets=2026-02-06',
      authorization: 'Bearer secret',
      'x-own': '1',
    });
    expect(await received(peer)).toEqual({
      type: 'response.create',
      ...toResponsesBody(hi, { maxOutputTokens: 7 }),
    });
    send(peer, ...answer('resp_1'));
    const { events: got, error } = await outcome;
    expect(error).toBeUndefined();
    expect(typesOf(got)).toEqual(events);
    expect(got.at(-1)).toMatchObject({ type: 'completed', response_id: 'resp_1', ended_by: 'response.completed' });
    expect(clock.pending).toBe(0);
  });

  test('nothing is sent before the first event is asked for', async () => {
    const stream = connection.stream(hi);
    stream.cancel();
    expect(await all(stream)).toEqual({ events: [], error: undefined });
    expect(server.handshakes).toHaveLength(0);
  });

  test('junk between the events is passed over', async () => {
    const outcome = all(connection.stream(hi));
    const peer = await server.socket();
    send(peer, 'junk', '[1]', '{"no":"type"}', ...answer('resp_1'));
    expect(typesOf((await outcome).events)).toEqual(events);
  });

  test('headers of the 101 are told first: limits once, the model for every request', async () => {
    server.headers = ['openai-model: tiny-2', 'x-codex-primary-used-percent: 50', 'x-models-etag: e1'];
    const first = all(connection.stream(hi));
    const peer = await server.socket();
    send(peer, ...answer('resp_1'));
    expect(typesOf((await first).events)).toEqual(['server_model', 'rate_limits', 'models_etag', ...events]);
    const second = all(connection.stream(hi));
    await received(peer);
    await received(peer);
    send(peer, ...answer('resp_2'));
    expect(typesOf((await second).events)).toEqual(['server_model', 'models_etag', ...events]);
  });

  test('the observer sees every wait', async () => {
    const polls: PollResult['type'][] = [];
    connection = connectTo({ observer: { onWsPoll: (result) => polls.push(result.type) } });
    const outcome = all(connection.stream(hi));
    const peer = await server.socket();
    send(peer, { type: 'response.created', response: { id: 'r' } });
    peer.ws.close();
    expect((await outcome).error?.kind).toBe('stream_truncated');
    expect(polls.at(-1)).toBe('end');
    expect(polls.length).toBeGreaterThan(1);
  });
});

describe('incremental input', () => {
  test('an extension of what was sent and came back is sent as its difference, on the same socket', async () => {
    const first = all(connection.stream(hi));
    const peer = await server.socket();
    expect((await received(peer)).input).toEqual([user('hi')]);
    send(peer, ...callAnswer('resp_1', call('a')));
    await first;

    const second = all(connection.stream(asking(user('hi'), call('a'), output('a'))));
    expect(await received(peer)).toMatchObject({ previous_response_id: 'resp_1', input: [output('a')] });
    send(peer, ...answer('resp_2'));
    await second;

    const third = all(connection.stream(asking(user('hi'), call('a'), output('a'), saidBy('resp_2'), user('more'))));
    expect(await received(peer)).toMatchObject({ previous_response_id: 'resp_2', input: [user('more')] });
    send(peer, ...answer('resp_3'));
    expect(typesOf((await third).events)).toEqual(events);
    expect(server.handshakes).toHaveLength(1);
  });

  test('the difference may be empty', async () => {
    const first = all(connection.stream(hi));
    const peer = await server.socket();
    await received(peer);
    send(peer, ...answer('resp_1'));
    await first;
    void all(connection.stream(asking(user('hi'), saidBy('resp_1'))));
    expect(await received(peer)).toMatchObject({ previous_response_id: 'resp_1', input: [] });
  });

  test.each([
    ['another beginning', asking(user('ho'), saidBy('resp_1'), user('more'))],
    ['an item that came back is missing', asking(user('hi'), user('more'))],
    ['an item that came back was changed', asking(user('hi'), saidBy('resp_1', 'hullo'), user('more'))],
    ['the same input again', asking(user('hi'))],
    ['other instructions', { ...asking(user('hi'), saidBy('resp_1')), instructions: 'be long' }],
    ['another model', { ...asking(user('hi'), saidBy('resp_1')), model: 'n' }],
    ['a tool more', { ...asking(user('hi'), saidBy('resp_1')), tools: [{ type: 'function' as const, name: 'x' }] }],
  ])('%s: the whole input, no previous response', async (_name, request) => {
    const first = all(connection.stream(hi));
    const peer = await server.socket();
    await received(peer);
    send(peer, ...answer('resp_1'));
    await first;
    void all(connection.stream(request));
    const frame = await received(peer);
    expect(frame.previous_response_id).toBeUndefined();
    expect(frame.input).toEqual(request.input);
    expect(server.handshakes).toHaveLength(1);
  });

  test('metadata may differ', async () => {
    const first = all(connection.stream({ ...hi, extra: { client_metadata: { a: '1' } } }));
    const peer = await server.socket();
    await received(peer);
    send(peer, ...answer('resp_1'));
    await first;
    void all(connection.stream({ ...asking(user('hi'), saidBy('resp_1')), extra: { client_metadata: { a: '2' } } }));
    expect(await received(peer)).toMatchObject({ previous_response_id: 'resp_1', client_metadata: { a: '2' } });
  });

  test('an answer without an id cannot be built upon', async () => {
    const first = all(connection.stream(hi));
    const peer = await server.socket();
    await received(peer);
    send(peer, { type: 'response.completed', response: {} });
    await first;
    void all(connection.stream(asking(user('hi'), user('more'))));
    expect((await received(peer)).previous_response_id).toBeUndefined();
  });

  test("the caller's own previous response is left alone", async () => {
    const first = all(connection.stream(hi));
    const peer = await server.socket();
    await received(peer);
    send(peer, ...answer('resp_1'));
    await first;
    void all(connection.stream({ ...asking(user('x')), extra: { previous_response_id: 'resp_0' } }));
    expect(await received(peer)).toMatchObject({ previous_response_id: 'resp_0', input: [user('x')] });
  });

  test.each(['previous_response_not_found', 'websocket_connection_limit_reached'])(
    '%s: the whole input once more, on a new socket, and nobody notices',
    async (code) => {
      const first = all(connection.stream(hi));
      const peer = await server.socket();
      await received(peer);
      send(peer, ...answer('resp_1'));
      await first;

      const request = asking(user('hi'), saidBy('resp_1'), user('more'));
      const second = all(connection.stream(request));
      expect(await received(peer)).toMatchObject({ previous_response_id: 'resp_1' });
      send(peer, { type: 'error', status: 400, error: { type: 'invalid_request_error', code, message: 'gone' } });
      const next = await server.socket();
      const frame = await received(next);
      expect(frame.previous_response_id).toBeUndefined();
      expect(frame.input).toEqual(request.input);
      send(next, ...answer('resp_2'));
      expect(await second).toMatchObject({ error: undefined });
      expect(typesOf((await second).events)).toEqual(events);
      await peer.closed;
    },
  );

  test('a server that wants the whole input twice is an error', async () => {
    const outcome = all(connection.stream(hi));
    const error = { type: 'error', error: { code: 'websocket_connection_limit_reached', message: 'limit' } };
    send(await server.socket(), error);
    send(await server.socket(), error);
    expect((await outcome).error).toMatchObject({ code: 'websocket_connection_limit_reached', message: 'limit' });
    expect(server.handshakes).toHaveLength(2);
  });
});

describe('warm-up', () => {
  test('sends instructions and tools without input; the first request builds upon it', async () => {
    const warm = connection.warmUp(hi);
    const peer = await server.socket();
    expect(await received(peer)).toMatchObject({ generate: false, input: [], instructions: 'be brief' });
    send(peer, { type: 'response.created', response: { id: 'warm' } });
    send(peer, { type: 'response.completed', response: { id: 'warm', output: [] } });
    await warm;
    void all(connection.stream(hi));
    const frame = await received(peer);
    expect(frame).toMatchObject({ previous_response_id: 'warm', input: [user('hi')] });
    expect(frame.generate).toBeUndefined();
    expect(server.handshakes).toHaveLength(1);
  });

  test('a warm-up that is refused says so', async () => {
    server.refuse = refusal(426);
    await expect(connection.warmUp(hi)).rejects.toMatchObject({ status: 426 });
  });
});

describe('turn state', () => {
  test('one socket: warm-up none, turn 1 none, follow-up ts-1, turn 2 none', async () => {
    const warm = connection.warmUp(hi);
    const peer = await server.socket();
    const states: unknown[] = [];
    const note = async (): Promise<void> => {
      const { client_metadata: metadata } = await received(peer);
      states.push((metadata as Record<string, unknown> | undefined)?.['x-codex-turn-state'] ?? null);
    };
    await note();
    send(peer, ...answer('warm'));
    await warm;

    const turn1 = turnState();
    const first = all(connection.stream(hi, { turnState: turn1 }));
    await note();
    send(peer, { type: 'response.metadata', headers: { 'X-Codex-Turn-State': ['ts-1'] } }, ...answer('resp_1'));
    await first;
    const followUp = all(connection.stream(hi, { turnState: turn1 }));
    await note();
    send(peer, { type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts-2' } }, ...answer('resp_2'));
    await followUp;
    const third = all(connection.stream(hi, { turnState: turn1 }));
    await note();
    send(peer, ...answer('resp_3'));
    await third;

    const turn2 = turnState();
    void all(connection.stream(hi, { turnState: turn2 }));
    await note();
    expect(states).toEqual([null, null, 'ts-1', 'ts-1', null]);
    expect(turn1.value).toBe('ts-1');
    expect(turn2.value).toBeUndefined();
  });

  test('that of the 101 belongs to the turn that opened the socket, and is in its first request', async () => {
    server.headers = ['x-codex-turn-state: ts-h'];
    const turn1 = turnState();
    const first = all(connection.stream(hi, { turnState: turn1 }));
    const peer = await server.socket();
    expect(await received(peer)).toMatchObject({ client_metadata: { 'x-codex-turn-state': 'ts-h' } });
    send(peer, ...answer('resp_1'));
    await first;
    expect(turn1.value).toBe('ts-h');

    const turn2 = turnState();
    void all(connection.stream(hi, { turnState: turn2 }));
    expect((await received(peer)).client_metadata).toBeUndefined();
    expect(turn2.value).toBeUndefined();
  });

  test('a new socket within a turn: the state is in the handshake', async () => {
    const turn = turnState();
    turn.offer('ts-1');
    void all(connection.stream(hi, { turnState: turn }));
    const peer = await server.socket();
    expect(peer.request.headers['x-codex-turn-state']).toBe('ts-1');
  });

  test('it is kept although the answer fails later', async () => {
    const turn = turnState();
    const outcome = all(connection.stream(hi, { turnState: turn }));
    const peer = await server.socket();
    send(peer, { type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts-1' } });
    peer.ws.close();
    expect((await outcome).error?.kind).toBe('stream_truncated');
    expect(turn.value).toBe('ts-1');
  });
});

describe('failures', () => {
  test.each([
    [
      'nested, with a status',
      {
        type: 'error',
        status: 429,
        error: { code: 'rate_limit_exceeded', message: 'slow' },
        headers: { 'Retry-After': 2 },
      },
      { kind: 'rate_limited', status: 429, retry: { class: 'after', afterMs: 2000, replaySafe: true } },
    ],
    [
      'flat, without a status',
      { type: 'error', code: 'invalid_prompt', message: 'no' },
      { kind: 'invalid_request', message: 'no' },
    ],
    [
      'nested, with a good status',
      { type: 'error', status: 200, error: { message: 'odd' } },
      { kind: 'server_error', message: 'odd' },
    ],
    [
      'response.failed',
      { type: 'response.failed', response: { error: { code: 'context_length_exceeded', message: 'long' } } },
      { kind: 'context_window_exceeded' },
    ],
  ])('an error frame, %s, is a typed error and drops the socket', async (_name, frame, expected) => {
    const outcome = all(connection.stream(hi));
    const peer = await server.socket();
    send(peer, frame);
    expect((await outcome).error).toMatchObject(expected);
    await peer.closed;
    void all(connection.stream(hi));
    await received(await server.socket());
    expect(clock.pending).toBeLessThan(4);
  });

  test.each([
    [426, true, 'invalid_request'],
    [404, true, 'invalid_request'],
    [400, true, 'invalid_request'],
    [403, true, 'unauthorized'],
    [501, true, 'server_error'],
    [302, true, 'protocol'],
    [200, true, 'protocol'],
    [401, false, 'unauthorized'],
    [402, false, 'quota_exceeded'],
    [429, false, 'rate_limited'],
    [502, false, 'server_error'],
    [503, false, 'server_overloaded'],
  ])('a handshake refused with %i: no WebSocket here is %s', async (status, noWebSocket, kind) => {
    server.refuse = refusal(status, { 'x-request-id': 'req-1', 'retry-after': '3' }, '{"error":{"message":"because"}}');
    const stream = connection.stream(hi);
    const { error } = await all(stream);
    expect(error).toMatchObject({ kind, status, message: 'because', requestId: 'req-1' });
    expect(stream).toMatchObject({ started: false, refusedWith: status, noWebSocket });
    expect(clock.pending).toBe(0);
  });

  test('a failed stream delivers what came, closes what was open, and is not safe to replay', async () => {
    const stream = connection.stream(hi);
    const outcome = all(stream);
    const peer = await server.socket();
    send(peer, ...answer('resp_1').slice(0, 3));
    peer.ws.close();
    const { events: got, error } = await outcome;
    expect(typesOf(got)).toEqual(['created', 'output_item.added', 'output_text.delta', 'output_item.done']);
    expect(got.at(-1)).toMatchObject({ item: { status: 'incomplete' } });
    expect(error).toMatchObject({
      kind: 'stream_truncated',
      message: 'stream closed before response.completed',
      retry: { class: 'backoff', replaySafe: false },
    });
    expect(stream.started).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('a binary frame is a protocol error', async () => {
    const outcome = all(connection.stream(hi));
    const peer = await server.socket();
    peer.ws.send(Buffer.from('{}'));
    expect((await outcome).error).toMatchObject({ kind: 'protocol' });
  });

  test('a silent server is stream_idle within its timer', async () => {
    connection = connectTo({}, { streamIdleTimeoutMs: 700 });
    const outcome = all(connection.stream(hi));
    const peer = await server.socket();
    await received(peer);
    peer.ws.ping();
    await new Promise((resolve) => peer.ws.once('pong', resolve));
    clock.advance(700);
    expect((await outcome).error).toMatchObject({ kind: 'stream_idle' });
    await peer.closed;
    expect(clock.pending).toBe(0);
  });

  test('a connection that breaks at any byte of an answer gives whole events and one typed error', async () => {
    const frames = answer('resp_1').map((event) => Buffer.from(JSON.stringify(event)));
    const wire = Buffer.concat(frames.flatMap((frame) => [frameHead(frame.length), frame]));
    for (let bytes = 0; bytes < wire.length; bytes += 7) {
      const outcome = all(connection.stream(hi));
      const peer = await server.socket();
      await received(peer);
      peer.raw.write(wire.subarray(0, bytes), () => peer.raw.destroy());
      const { events: got, error } = await outcome;
      expect(error).toMatchObject({ kind: 'stream_truncated' });
      const added = got.filter((event) => event.type === 'output_item.added').length;
      expect(got.filter((event) => event.type === 'output_item.done')).toHaveLength(added);
      expect(typesOf(got)).not.toContain('completed');
    }
    expect(clock.pending).toBe(0);
  });

  test('a missing key is told before anything is sent', async () => {
    connection = connectTo({}, { envKey: 'KEY' });
    expect((await all(connection.stream(hi))).error).toMatchObject({ kind: 'unauthorized' });
    expect(server.handshakes).toHaveLength(0);
  });
});

describe('lifetime', () => {
  test('a cancelled response drops its socket at once, and the next request is not held up', async () => {
    const controller = new AbortController();
    const cancelled = all(connection.stream(hi, { signal: controller.signal }));
    const peer = await server.socket();
    await received(peer);
    send(peer, ...answer('resp_1').slice(0, 3));
    controller.abort();
    expect((await cancelled).error).toMatchObject({ kind: 'aborted' });
    await peer.closed;

    const next = all(connection.stream(hi));
    const other = await server.socket();
    await received(other);
    send(other, ...answer('resp_2'));
    expect(typesOf((await next).events)).toEqual(events);
    expect(clock.pending).toBe(0);
  });

  test('leaving the loop early closes the socket', async () => {
    const stream = connection.stream(hi);
    const first = stream.next();
    const peer = await server.socket();
    send(peer, { type: 'response.created', response: { id: 'r' } });
    expect(typesOf((await first) ?? [])).toEqual(['created']);
    const waiting = stream.next();
    stream.cancel();
    stream.cancel();
    expect(await waiting).toBeUndefined();
    expect(await stream.next()).toBeUndefined();
    await peer.closed;
    expect(clock.pending).toBe(0);
  });

  test('cancel and abort while connecting leave nothing behind', async () => {
    const arrived = Promise.withResolvers<undefined>();
    server.refuse = () => arrived.resolve(undefined);
    const stream = connection.stream(hi);
    const waiting = stream.next();
    await arrived.promise;
    stream.cancel();
    expect(await waiting).toBeUndefined();
    const aborted = await all(connection.stream(hi, { signal: AbortSignal.abort() }));
    expect(aborted.error).toMatchObject({ kind: 'aborted' });
    expect(clock.pending).toBe(0);
  });

  test('a second request at the same time has a socket of its own, which is not kept', async () => {
    const one = all(connection.stream(hi));
    const peer = await server.socket();
    await received(peer);
    const two = all(connection.stream(hi));
    const other = await server.socket();
    await received(other);
    send(peer, ...answer('resp_1'));
    await one;
    send(other, ...answer('resp_2'));
    await two;
    expect(await other.closed).toBe(1000);
    const three = all(connection.stream(hi));
    await received(peer);
    send(peer, ...answer('resp_3'));
    await three;
    expect(server.handshakes).toHaveLength(2);
  });

  test('a socket that the server closed between requests is replaced', async () => {
    const one = all(connection.stream(hi));
    const peer = await server.socket();
    send(peer, ...answer('resp_1'));
    await one;
    peer.ws.close();
    await peer.closed;
    const two = all(connection.stream(asking(user('hi'), saidBy('resp_1'), user('more'))));
    const other = await server.socket();
    expect((await received(other)).previous_response_id).toBeUndefined();
    send(other, ...answer('resp_2'));
    expect((await two).error).toBeUndefined();
  });

  test('events after the end are dropped, and are not those of the next request', async () => {
    const one = all(connection.stream(hi));
    const peer = await server.socket();
    await received(peer);
    send(peer, ...answer('resp_1'), { type: 'response.output_text.delta', item_id: 'x', delta: 'late' });
    await one;
    peer.ws.ping();
    await new Promise((resolve) => peer.ws.once('pong', resolve));
    const two = all(connection.stream(hi));
    await received(peer);
    send(peer, ...answer('resp_2'));
    expect(JSON.stringify((await two).events)).not.toContain('late');
  });

  test('a signal is listened to only while its request runs', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const outcome = all(connection.stream(hi, { signal }));
    const peer = await server.socket();
    await received(peer);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    send(peer, ...answer('resp_1'));
    await outcome;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    controller.abort();
    const next = all(connection.stream(hi));
    await received(peer);
    send(peer, ...answer('resp_2'));
    expect((await next).error).toBeUndefined();
  });

  test('close says goodbye to the kept socket', async () => {
    const one = all(connection.stream(hi));
    const peer = await server.socket();
    send(peer, ...answer('resp_1'));
    await one;
    connection.close();
    expect(await peer.closed).toBe(1000);
  });
});

/** The head of an unmasked text frame. */
function frameHead(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, length]);
  return Buffer.from([0x81, 126, length >> 8, length & 0xff]);
}
