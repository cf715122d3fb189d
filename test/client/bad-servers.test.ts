import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { createModelClient, type ModelClient } from '../../packages/client/src/session/model-client.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import { manualClock, type ManualClock } from '../transport/support/manual-clock.ts';
import { socketsAreQuiet } from '../transport/support/quiet-sockets.ts';
import {
  chatAnswer,
  chatDelta,
  hello,
  messageEvents,
  modelServer,
  outcomeOf,
  providerFor,
  sse,
  stream,
  textOf,
  type ModelServer,
  type Outcome,
} from './support.ts';

const MINUTE = 60_000;

let client: ModelClient | undefined;

afterEach(async () => {
  await client?.close();
  client = undefined;
});

interface Slow {
  readonly server: ModelServer;
  readonly clock: ManualClock;
  readonly outcome: Promise<Outcome>;
  readonly response: ServerResponse;
  /** Settles when the client has taken what was written so far, or is over. */
  readonly taken: () => Promise<void>;
}

/** A client on a clock of the test, and the response that it reads. */
async function slowly(wire: ProtocolId, begin: string): Promise<Slow> {
  const clock = manualClock();
  const arrived = Promise.withResolvers<ServerResponse>();
  const server = await modelServer((response) => {
    stream(begin, { hold: true })(response);
    arrived.resolve(response);
  });
  let polls = 0;
  let seen = 0;
  let over = false;
  const observer = {
    onSsePoll: () => {
      polls++;
    },
  };
  client = createModelClient({ provider: providerFor(server.url, wire), clock, observer });
  const outcome = outcomeOf(client.stream(hello)).finally(() => (over = true));
  const taken = async (): Promise<void> => {
    while (polls === seen && !over) await new Promise((resolve) => setImmediate(resolve));
    seen = polls;
  };
  return { server, clock, outcome, response: await arrived.promise, taken };
}

describe.each(['chat', 'responses'] as const)('%s: servers that keep one waiting', (wire) => {
  const begin = wire === 'chat' ? sse(chatDelta('begun')) : sse(...messageEvents('begun').slice(0, 2));

  test('one byte a minute: the progress timer ends it', async () => {
    const { server, clock, outcome, response, taken } = await slowly(wire, begin);
    await using disposing = server;
    await taken();
    const never = 'data: ' + 'x'.repeat(100);
    let minutes = 0;
    for (; minutes < 30 && !response.destroyed; minutes++) {
      clock.advance(MINUTE);
      if (clock.pending === 0) break;
      response.write(never.charAt(minutes));
      await taken();
    }
    const { events, error } = await outcome;
    expect(minutes).toBe(19);
    expect(error?.kind).toBe('stream_idle');
    expect(textOf(events)).toBe('begun');
    await disposing.idle();
  });

  test('a thousand pings and no event: idle is kept off, progress is not', async () => {
    const { server, clock, outcome, response, taken } = await slowly(wire, begin);
    await using disposing = server;
    await taken();
    for (let pings = 0; pings < 1000; pings++) {
      clock.advance(1000);
      response.write(': ping\n\n');
      await taken();
    }
    clock.advance(200_000);
    const { error } = await outcome.then((result) => result);
    expect(error?.kind).toBe('stream_idle');
    expect(error?.message).toContain('only keep-alives');
    await disposing.idle();
  });

  test('an event a minute for an hour is fine', async () => {
    const { server, clock, outcome, response, taken } = await slowly(wire, begin);
    await using disposing = server;
    await taken();
    const more =
      wire === 'chat' ? chatDelta('x') : { type: 'response.output_text.delta', item_id: 'msg_1', delta: 'x' };
    for (let minutes = 0; minutes < 60; minutes++) {
      clock.advance(MINUTE);
      response.write(sse(more));
      await taken();
    }
    response.end();
    const { events, error } = await outcome;
    expect(error?.kind).toBe('stream_truncated');
    expect(textOf(events)).toBe(`begun${'x'.repeat(60)}`);
    await client?.close();
    await disposing.idle();
  });

  test('headers and nothing', async () => {
    const { server, clock, outcome } = await slowly(wire, ': \n\n');
    await using disposing = server;
    await socketsAreQuiet();
    clock.advance(300_000);
    expect((await outcome).error?.kind).toBe('stream_idle');
    await disposing.idle();
  });
});

test.each([1, 2, 3])(
  'a body that ends %i bytes into a character: the text before it, then stream_truncated',
  async (bytes) => {
    const whole = Buffer.from(sse(chatDelta('before')) + 'data: {"choices":[{"delta":{"content":"😀');
    const end = whole.length - 4 + bytes;
    await using server = await modelServer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(whole.subarray(0, end));
    });
    client = createModelClient({ provider: providerFor(server.url, 'chat') });
    const { events, error } = await outcomeOf(client.stream(hello));
    expect(textOf(events)).toBe('before');
    expect(error?.kind).toBe('stream_truncated');
  },
);

test('an event over the limit is protocol, and closes the connection', async () => {
  await using server = await modelServer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sse(chatDelta('before')) + 'data: ');
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  client = createModelClient({ provider: providerFor(server.url, 'chat', { maxEventBytes: 1024 * 1024 }) });
  const { events, error } = await outcomeOf(client.stream(hello));
  expect(textOf(events)).toBe('before');
  expect(error?.kind).toBe('protocol');
  await server.idle();
});

test('junk between good events is passed over', async () => {
  const junk = ['not json', '[]', '"text"', 'null', '{"choices":"no"}', '{"choices":[null,3]}', '{'];
  const body = sse(chatDelta('a'), ...junk, chatDelta('b'), {
    choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
  });
  await using server = await modelServer(stream(`garbage\n\nretry: 5\nid: x\n\n${body}`));
  client = createModelClient({ provider: providerFor(server.url, 'chat') });
  const { events, error } = await outcomeOf(client.stream(hello));
  expect(error).toBeUndefined();
  expect(textOf(events)).toBe('ab');
  const last: ModelEvent | undefined = events.at(-1);
  expect(last?.type).toBe('completed');
});

describe('an error whose body does not end', () => {
  const refusing = (body: string) =>
    modelServer((response) => {
      response.writeHead(400, { 'content-type': 'application/json' }).write(body);
    });

  test('is told at once when its JSON is whole, line end or not', async () => {
    await using server = await refusing('{"error":{"message":"bad thing"}}\n');
    client = createModelClient({ provider: providerFor(server.url, 'chat'), clock: manualClock() });
    const { error } = await outcomeOf(client.stream(hello));
    expect(error).toMatchObject({ kind: 'invalid_request', message: 'bad thing' });
  });

  test('is told after five seconds, with what came of it', async () => {
    await using server = await refusing('not like');
    const clock = manualClock();
    client = createModelClient({ provider: providerFor(server.url, 'chat'), clock });
    const outcome = outcomeOf(client.stream(hello));
    await expect.poll(() => clock.asked).toContain(5000);
    clock.advance(5000);
    const { error } = await outcome;
    expect(error).toMatchObject({ kind: 'invalid_request', status: 400 });
    expect(clock.pending).toBeLessThanOrEqual(1); // the drain of what may still come
  });
});

test.each([
  ['whole', (text: string) => [text]],
  ['byte by byte', (text: string) => text.split('')],
])('one JSON body over a connection that stays open is the answer: %s', async (_name, cut) => {
  const message = { role: 'assistant', content: 'Hey }"{ \\ [' };
  const body = JSON.stringify({ id: 'q', choices: [{ index: 0, message, finish_reason: 'stop' }] });
  await using server = await modelServer((response) => {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    for (const piece of cut(body)) response.write(piece);
  });
  client = createModelClient({ provider: providerFor(server.url, 'chat'), clock: manualClock() });
  const { events, error } = await outcomeOf(client.stream(hello));
  expect(error).toBeUndefined();
  expect(textOf(events)).toBe(message.content);
  expect(events.at(-1)?.type).toBe('completed');
});

test('a stream that calls itself JSON is read to its end', async () => {
  await using server = await modelServer((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(chatAnswer('still a stream'));
  });
  client = createModelClient({ provider: providerFor(server.url, 'chat'), clock: manualClock() });
  const { events, error } = await outcomeOf(client.stream(hello));
  expect([textOf(events), error]).toEqual(['still a stream', undefined]);
});
