import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import { createModelSession, type ModelSession } from '../../packages/client/src/session/session.ts';
import { startWebSocketServer, type ServerSocket, type TestServer } from '../transport/support/websocket-server.ts';
import { outcomeOf, providerFor } from './support.ts';
import { answer, asking, received, send, user, type Frame } from './websocket-support.ts';

let server: TestServer;
let session: ModelSession;

beforeEach(async () => {
  server = await startWebSocketServer();
  session = createModelSession({
    provider: providerFor(server.url, 'responses', { supportsWebsockets: true }),
    random: () => 0,
  });
});

afterEach(async () => {
  await session.close();
  await server.close();
});

const warm: ModelRequest = { ...asking(user('hi')), temperature: 1, topP: 0.5 };

/** How a server refuses a field, in either shape of an error frame. */
const refusals = {
  nested: (name: string) => ({
    type: 'error',
    status: 400,
    error: { type: 'invalid_request_error', message: `Unsupported parameter: '${name}'`, param: name },
  }),
  flat: (name: string) => ({ type: 'error', status: 400, message: `Unsupported parameter: '${name}'`, param: name }),
};

async function answered(peer: ServerSocket, ...events: unknown[]): Promise<Frame> {
  const frame = await received(peer);
  send(peer, ...events);
  return frame;
}

const fieldsOf = ({ temperature, top_p }: Frame): unknown => ({ temperature, top_p });

describe('a refusal over WebSocket that names a field', () => {
  test.each(['nested', 'flat'] as const)('is healed, and remembered for the model (%s)', async (shape) => {
    const turn = session.turn();
    const first = outcomeOf(turn.stream(warm));
    expect(fieldsOf(await answered(await server.socket(), refusals[shape]('temperature')))).toEqual({
      temperature: 1,
      top_p: 0.5,
    });
    expect(fieldsOf(await answered(await server.socket(), refusals[shape]('top_p')))).toEqual({ top_p: 0.5 });
    const peer = await server.socket();
    expect(fieldsOf(await answered(peer, ...answer('resp_1')))).toEqual({});
    const { events, error } = await first;
    expect([error, events.filter(({ type }) => type === 'retrying')]).toEqual([undefined, []]);
    const second = outcomeOf(session.turn().stream(warm));
    expect(fieldsOf(await answered(peer, ...answer('resp_2')))).toEqual({});
    expect((await second).error).toBeUndefined();
    expect(server.handshakes).toHaveLength(3);
  });

  test('is told where nothing helps, after one more request at most', async () => {
    const outcome = outcomeOf(session.turn().stream(warm));
    await answered(await server.socket(), refusals.nested('temperature'));
    await answered(await server.socket(), refusals.nested('temperature'));
    const { error } = await outcome;
    expect(error).toMatchObject({ kind: 'invalid_request', status: 400, param: 'temperature' });
    expect(server.handshakes).toHaveLength(2);
  });

  test('is remembered only once the server answers', async () => {
    const outcome = outcomeOf(session.turn().stream(warm));
    await answered(await server.socket(), refusals.nested('temperature'));
    await answered(await server.socket(), refusals.nested('instructions'));
    expect((await outcome).error).toMatchObject({ param: 'instructions' });
    const next = outcomeOf(session.turn().stream(warm));
    expect(fieldsOf(await answered(await server.socket(), ...answer('resp_1')))).toEqual({
      temperature: 1,
      top_p: 0.5,
    });
    expect((await next).error).toBeUndefined();
  });
});

test('a file that the wire has no form for is sent over no transport', async () => {
  const part = { type: 'reference', carried: { wire: 'chat', members: {} } };
  const { error } = await outcomeOf(session.turn().stream(asking({ type: 'message', role: 'user', content: [part] })));
  expect(error).toMatchObject({ kind: 'invalid_request', code: 'unsupported_content', param: 'input[0].content[0]' });
});
