import { afterEach, describe, expect, test } from 'vitest';
import { createModelSession, type ModelSession } from '../../packages/client/src/session/session.ts';
import {
  chatAnswer,
  chatDelta,
  cut,
  hello,
  modelServer,
  outcomeOf,
  providerFor,
  responsesAnswer,
  sse,
  status,
  stream,
  type ModelServer,
} from './support.ts';

let session: ModelSession | undefined;

afterEach(async () => {
  await session?.close();
});

function sessionFor(url: string, wire: 'chat' | 'responses'): ModelSession {
  session = createModelSession({ provider: providerFor(url, wire), random: () => 0 });
  return session;
}

const ts = (value: string) => ({ 'x-codex-turn-state': value });
const sent = (server: ModelServer) => server.requests.map((request) => request.headers['x-codex-turn-state']);

describe.each(['responses', 'chat'] as const)('%s over HTTP', (wire) => {
  const answer = wire === 'chat' ? chatAnswer() : responsesAnswer();
  const cutStart = wire === 'chat' ? sse(chatDelta('x')) : sse({ type: 'response.created', response: { id: 'r' } });

  test('(a) received on the first request, echoed on the follow-up, gone in the next turn', async () => {
    await using server = await modelServer(stream(answer, { headers: ts('ts-1') }), stream(answer));
    const one = sessionFor(server.url, wire);
    const turn = one.turn();
    await outcomeOf(turn.stream(hello));
    await outcomeOf(turn.stream(hello));
    await outcomeOf(one.turn().stream(hello));
    expect(sent(server)).toEqual([undefined, 'ts-1', undefined]);
  });

  test('the first value stays, whatever comes later', async () => {
    await using server = await modelServer(
      stream(answer, { headers: ts('ts-1') }),
      stream(answer, { headers: ts('ts-2') }),
    );
    const turn = sessionFor(server.url, wire).turn();
    for (let n = 0; n < 3; n++) await outcomeOf(turn.stream(hello));
    expect(sent(server)).toEqual([undefined, 'ts-1', 'ts-1']);
  });

  test('of two in one answer the first is taken', async () => {
    const two = { 'x-codex-turn-state': ['ts-1', 'ts-2'] } as unknown as Record<string, string>;
    await using server = await modelServer(stream(answer, { headers: two }));
    const turn = sessionFor(server.url, wire).turn();
    for (let n = 0; n < 2; n++) await outcomeOf(turn.stream(hello));
    expect(sent(server)).toEqual([undefined, 'ts-1']);
  });

  test('a stream that fails later has told it all the same: the retry carries it', async () => {
    await using server = await modelServer(cut(cutStart, ts('ts-1')), stream(answer));
    const { error } = await outcomeOf(sessionFor(server.url, wire).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(sent(server)).toEqual([undefined, 'ts-1']);
  });

  test('so has an answer with an error status', async () => {
    await using server = await modelServer(status(503, {}, ts('ts-1')), stream(answer));
    await outcomeOf(sessionFor(server.url, wire).turn().stream(hello));
    expect(sent(server)).toEqual([undefined, 'ts-1']);
  });

  test('two turns at once keep their own', async () => {
    const server = await modelServer((response, received) => {
      const own = JSON.stringify(received.body).includes('one') ? 'ts-one' : 'ts-two';
      stream(answer, { headers: ts(own) })(response);
    });
    await using disposing = server;
    const both = sessionFor(disposing.url, wire);
    const ask = (content: string) => ({ model: 'm', input: [{ type: 'message', role: 'user', content }] as const });
    const [one, two] = [both.turn(), both.turn()];
    for (let n = 0; n < 2; n++) {
      await Promise.all([outcomeOf(one.stream(ask('one'))), outcomeOf(two.stream(ask('two')))]);
    }
    for (const request of server.requests) {
      const own = JSON.stringify(request.body).includes('one') ? 'ts-one' : 'ts-two';
      expect([undefined, own]).toContain(request.headers['x-codex-turn-state']);
    }
    expect(sent(server).filter((value) => value === undefined).length).toBe(2);
  });

  test('a value that is not visible ASCII is not taken', async () => {
    await using server = await modelServer(stream(answer, { headers: ts('tä') }), stream(answer));
    const turn = sessionFor(server.url, wire).turn();
    await outcomeOf(turn.stream(hello));
    await outcomeOf(turn.stream(hello));
    expect(sent(server)).toEqual([undefined, undefined]);
  });
});

test('an SSE response.metadata event sets nothing over HTTP', async () => {
  const metadata = { type: 'response.metadata', headers: ts('ts-event') };
  const answer = sse(metadata) + responsesAnswer();
  await using server = await modelServer(stream(answer));
  const turn = sessionFor(server.url, 'responses').turn();
  await outcomeOf(turn.stream(hello));
  await outcomeOf(turn.stream(hello));
  expect(sent(server)).toEqual([undefined, undefined]);
});
