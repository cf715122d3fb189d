import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createModelSession, type ModelSession, type Turn } from '../../packages/client/src/session/session.ts';
import { bodyOf } from '../transport/support/server.ts';
import {
  refusal,
  startWebSocketServer,
  type ServerSocket,
  type TestServer,
} from '../transport/support/websocket-server.ts';
import { modelServer, outcomeOf, providerFor, responsesAnswer, stream, type Outcome } from './support.ts';
import { answer, asking, call, callAnswer, output, received, send, user } from './websocket-support.ts';

const HEADER = 'x-codex-turn-state';
const hi = asking(user('hi'));
const more = asking(user('hi'), call('a'), output('a'));
const metadata = (value: string) => ({ type: 'response.metadata', headers: { [HEADER]: value } });

let server: TestServer;
let session: ModelSession | undefined;
let posts: IncomingMessage['headers'][];

beforeEach(async () => {
  posts = [];
  server = await startWebSocketServer();
  server.onRequest = (request, response) => {
    void bodyOf(request).then(() => {
      posts.push(request.headers);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(responsesAnswer('http', `h${posts.length}`));
    });
  };
});

afterEach(async () => {
  await session?.close();
  await server.close();
});

function open(url: string, supportsWebsockets: boolean): ModelSession {
  session = createModelSession({ provider: providerFor(url, 'responses', { supportsWebsockets }), random: () => 0 });
  return session;
}

/** Asks, answers on the socket, and gives the turn state that the request carried. */
async function exchange(turn: Turn, peer: ServerSocket, request: typeof hi, ...events: unknown[]): Promise<unknown> {
  const outcome = outcomeOf(turn.stream(request));
  const frame = await received(peer);
  send(peer, ...events);
  expect((await outcome).error).toBeUndefined();
  return (frame.client_metadata as Record<string, unknown> | undefined)?.[HEADER] ?? null;
}

describe('the three scenarios of the reference', () => {
  test('(a) HTTP: none with a shell call in the answer, then ts-1, then a new turn without', async () => {
    const shell = {
      type: 'local_shell_call',
      id: 'sh_1',
      call_id: 'a',
      status: 'completed',
      action: { type: 'exec', command: ['ls'] },
    };
    const first = [
      { type: 'response.created', response: { id: 'r1' } },
      { type: 'response.output_item.done', output_index: 0, item: shell },
      { type: 'response.completed', response: { id: 'r1' } },
    ];
    const sse = first.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
    await using http = await modelServer(stream(sse, { headers: { [HEADER]: 'ts-1' } }), stream(responsesAnswer()));
    const one = open(http.url, false);
    const turn = one.turn();
    const { events } = await outcomeOf(turn.stream(hi));
    expect(events.some((event) => event.type === 'output_item.done' && event.item.type === 'local_shell_call')).toBe(
      true,
    );
    await outcomeOf(turn.stream(more));
    await outcomeOf(one.turn().stream(hi));
    expect(http.requests.map(({ headers }) => headers[HEADER])).toEqual([undefined, 'ts-1', undefined]);
  });

  test('(b) WebSocket: one socket, warm-up null, turn 1 null, follow-up ts-1, turn 2 null', async () => {
    const one = open(server.url, true);
    const warm = one.warmUp(hi);
    const peer = await server.socket();
    const warmFrame = await received(peer);
    send(peer, { type: 'response.completed', response: { id: 'warm' } });
    await warm;
    const turn = one.turn();
    const states = [
      warmFrame.client_metadata ?? null,
      await exchange(turn, peer, hi, metadata('ts-1'), ...callAnswer('r1', call('a'))),
      await exchange(turn, peer, more, ...answer('r2')),
      await exchange(one.turn(), peer, hi, ...answer('r3')),
    ];
    expect(states).toEqual([null, null, 'ts-1', null]);
    expect(server.handshakes.length).toBe(1);
    expect(server.handshakes[0]?.headers).not.toHaveProperty(HEADER);
  });

  test('(c) WebSocket: ts-1 and then ts-2 within one turn: null, ts-1, ts-1', async () => {
    const turn = open(server.url, true).turn();
    const first = outcomeOf(turn.stream(hi));
    const peer = await server.socket();
    const frame = await received(peer);
    send(peer, metadata('ts-1'), metadata('ts-2'), ...answer('r1'));
    await first;
    const states = [
      frame.client_metadata ?? null,
      await exchange(turn, peer, more, metadata('ts-2'), ...answer('r2')),
      await exchange(turn, peer, more, ...answer('r3')),
    ];
    expect(states).toEqual([null, 'ts-1', 'ts-1']);
  });
});

describe('from one way to the other', () => {
  test('what WebSocket told, HTTP carries; the next turn begins without', async () => {
    const one = open(server.url, true);
    const turn = one.turn();
    const first = outcomeOf(turn.stream(hi));
    const peer = await server.socket();
    await received(peer);
    send(peer, metadata('ts-1'), ...answer('r1'));
    await first;
    server.refuse = refusal(426);
    peer.ws.close();
    await peer.closed;
    const outcomes: Outcome[] = [await outcomeOf(turn.stream(more)), await outcomeOf(one.turn().stream(hi))];
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(server.handshakes.at(-1)?.headers[HEADER]).toBe('ts-1');
    expect(posts.map((headers) => headers[HEADER])).toEqual(['ts-1', undefined]);
  });

  test('the answer of a refused handshake tells it as well', async () => {
    server.refuse = refusal(426, { 'X-Codex-Turn-State': 'ts-426' });
    const one = open(server.url, true);
    await outcomeOf(one.turn().stream(hi));
    expect(posts.map((headers) => headers[HEADER])).toEqual(['ts-426']);
  });
});
