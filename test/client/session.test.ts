import { afterEach, describe, expect, test } from 'vitest';
import {
  createModelSession,
  type ModelSession,
  type ModelSessionOptions,
} from '../../packages/client/src/session/session.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';
import { createHttpTransport } from '../../packages/client/src/transport/http.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import {
  chatAnswer,
  chatDelta,
  countedIds,
  cut,
  hello,
  messageEvents,
  modelServer,
  outcomeOf,
  providerFor,
  responsesAnswer,
  sse,
  status,
  stream,
  textOf,
  typesOf,
} from './support.ts';

const sessions: ModelSession[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});

/** Every wait is over at once, and noted. */
function impatientClock() {
  const asked: number[] = [];
  return {
    asked,
    now: () => 0,
    after(ms: number, callback: () => void, options?: { keepAlive?: boolean }) {
      if (options?.keepAlive !== true) return { cancel: () => undefined };
      asked.push(ms);
      const timer = setTimeout(callback, 0);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

function sessionFor(
  url: string,
  wire: 'chat' | 'responses' = 'chat',
  options: Partial<ModelSessionOptions> = {},
  provider: Partial<Parameters<typeof providerFor>[2]> = {},
): ModelSession {
  const session = createModelSession({
    provider: providerFor(url, wire, provider),
    mintId: countedIds(),
    random: () => 0.5,
    clock: impatientClock(),
    ...options,
  });
  sessions.push(session);
  return session;
}

function retries(events: readonly ModelEvent[]) {
  return events.filter((event) => event.type === 'retrying');
}

describe('request level', () => {
  test('two 503, then an answer: two retries are told before the waits', async () => {
    const clock = impatientClock();
    const failing = status(503, { error: { message: 'full', code: 'server_is_overloaded' } }, { 'x-request-id': 'r1' });
    await using server = await modelServer(failing, failing, stream(chatAnswer()));
    const { events, error } = await outcomeOf(sessionFor(server.url, 'chat', { clock }).turn().stream(hello));
    expect(error).toBeUndefined();
    const expected = {
      kind: 'server_overloaded',
      message: 'full',
      status: 503,
      code: 'server_is_overloaded',
      request_id: 'r1',
      retry: { class: 'backoff', replay_safe: true },
    };
    expect(events.slice(0, 2)).toEqual([
      { type: 'retrying', attempt: 1, max: 4, delay_ms: 200, error: expected, discarded_item_ids: [] },
      { type: 'retrying', attempt: 2, max: 4, delay_ms: 400, error: expected, discarded_item_ids: [] },
    ]);
    expect(typesOf(events.slice(2))).toEqual([
      'created',
      'output_item.added',
      'output_text.delta',
      'output_item.done',
      'completed',
    ]);
    expect(clock.asked).toEqual([200, 400]);
    expect(server.requests.map((request) => request.body)).toEqual(Array(3).fill(server.requests[0]?.body));
  });

  test('a 502 for ever is 5 POSTs: the levels do not multiply', async () => {
    const clock = impatientClock();
    await using server = await modelServer(status(502, 'bad gateway'));
    const { events, error } = await outcomeOf(sessionFor(server.url, 'chat', { clock }).turn().stream(hello));
    expect(error).toMatchObject({ kind: 'server_error', status: 502 });
    expect(server.requests.length).toBe(5);
    expect(retries(events).length).toBe(4);
    expect(clock.asked).toEqual([200, 400, 800, 1600]);
  });

  test.each(['invalid_prompt', 'bio_policy', 'context_length_exceeded', 'insufficient_quota', 'usage_not_included'])(
    '%s: one request, and the message of the server',
    async (code) => {
      await using server = await modelServer(status(400, { error: { message: 'not like this', code } }));
      const { events, error } = await outcomeOf(sessionFor(server.url).turn().stream(hello));
      expect(events).toEqual([]);
      expect(error).toMatchObject({ message: 'not like this', code });
      expect(server.requests.length).toBe(1);
    },
  );

  test('nobody listens: 5 attempts, then connection_failed', async () => {
    let url: string;
    {
      await using server = await modelServer(status(200));
      url = server.url;
    }
    const { events, error } = await outcomeOf(sessionFor(url).turn().stream(hello));
    expect(error?.kind).toBe('connection_failed');
    expect(retries(events).map((event) => event.attempt)).toEqual([1, 2, 3, 4]);
  });

  test("the server's delay is honoured, a long one handed to the caller", async () => {
    const clock = impatientClock();
    await using server = await modelServer(
      status(429, {}, { 'retry-after': '7' }),
      status(429, { error: { message: 'Rate limit reached. Please try again in 6m0s.' } }),
    );
    const { events, error } = await outcomeOf(sessionFor(server.url, 'chat', { clock }).turn().stream(hello));
    expect(clock.asked).toEqual([7000]);
    expect(retries(events)).toMatchObject([{ delay_ms: 7000, error: { retry: { class: 'after', after_ms: 7000 } } }]);
    expect(error).toMatchObject({ kind: 'rate_limited', retry: { class: 'after', afterMs: 360_000 } });
    expect(server.requests.length).toBe(2);
  });

  test('the budgets are the provider’s', async () => {
    await using server = await modelServer(status(500));
    await outcomeOf(sessionFor(server.url, 'chat', {}, { requestMaxRetries: 1 }).turn().stream(hello));
    expect(server.requests.length).toBe(2);
  });

  test('policy codex: a full server is final', async () => {
    await using server = await modelServer(status(503, { error: { code: 'server_is_overloaded' } }));
    const { error } = await outcomeOf(sessionFor(server.url, 'chat', { policy: 'codex' }).turn().stream(hello));
    expect(error?.kind).toBe('server_overloaded');
    expect(server.requests.length).toBe(1);
  });

  test('policy none: no retry', async () => {
    await using server = await modelServer(status(500));
    await outcomeOf(sessionFor(server.url, 'chat', { policy: 'none' }).turn().stream(hello));
    expect(server.requests.length).toBe(1);
  });
});

describe('stream level', () => {
  test('a cut after visible text: retrying names the void item, then the whole answer', async () => {
    await using server = await modelServer(cut(sse(chatDelta('hel'))), stream(chatAnswer('hello')));
    const { events, error } = await outcomeOf(sessionFor(server.url).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(typesOf(events)).toEqual([
      'created',
      'output_item.added',
      'output_text.delta',
      'output_item.done',
      'retrying',
      'created',
      'output_item.added',
      'output_text.delta',
      'output_item.done',
      'completed',
    ]);
    const [retry] = retries(events);
    expect(retry).toMatchObject({
      attempt: 1,
      max: 5,
      delay_ms: 200,
      error: { kind: 'stream_truncated', retry: { replay_safe: false } },
      discarded_item_ids: ['msg_0'],
    });
    const text = textOf(events.slice(events.indexOf(retry!)));
    expect(text).toBe('hello');
  });

  test('a stream that always breaks: 6 attempts, and the text of the last is not lost', async () => {
    await using server = await modelServer(cut(sse(chatDelta('part'))));
    const { events, error } = await outcomeOf(sessionFor(server.url).turn().stream(hello));
    expect(error?.kind).toBe('stream_truncated');
    expect(server.requests.length).toBe(6);
    expect(retries(events).map((event) => event.attempt)).toEqual([1, 2, 3, 4, 5]);
    expect(events.filter((event) => event.type === 'completed')).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'output_item.done', item: { status: 'incomplete' } });
  });

  test('both levels together stay within the sum of their budgets', async () => {
    const server = await modelServer((response) => {
      if (server.requests.length % 2 === 1) cut(sse(chatDelta('x')))(response);
      else status(502)(response);
    });
    await using disposing = server;
    const { events } = await outcomeOf(sessionFor(disposing.url).turn().stream(hello));
    expect(server.requests.length).toBeLessThanOrEqual(10);
    expect(retries(events).length).toBe(server.requests.length - 1);
  });

  test('an item that was done is not redone: the prompt of the retry holds it', async () => {
    const begun = sse(
      { type: 'response.created', response: { id: 'r1' } },
      ...messageEvents('first part', 'msg_a'),
      {
        type: 'response.output_item.added',
        output_index: 1,
        item: { type: 'message', id: 'msg_b', role: 'assistant', content: [] },
      },
      { type: 'response.output_text.delta', item_id: 'msg_b', delta: 'lost' },
    );
    await using server = await modelServer(cut(begun), stream(responsesAnswer('second part', 'r2')));
    const { events, error } = await outcomeOf(sessionFor(server.url, 'responses').turn().stream(hello));
    expect(error).toBeUndefined();
    expect(retries(events)).toMatchObject([{ discarded_item_ids: ['msg_b'] }]);
    expect(server.requests[1]?.body.input).toEqual([
      ...hello.input,
      {
        type: 'message',
        id: 'msg_a',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'first part', annotations: [] }],
      },
    ]);
  });

  const callItem = {
    type: 'function_call',
    id: 'fc_1',
    call_id: 'call_1',
    name: 'ls',
    arguments: '{}',
    status: 'completed',
  };
  const withCall = sse(
    { type: 'response.created', response: { id: 'r1' } },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...callItem, arguments: '', status: 'in_progress' },
    },
    { type: 'response.output_item.done', output_index: 0, item: callItem },
  );

  test('a call whose output nobody has is void', async () => {
    await using server = await modelServer(cut(withCall), stream(responsesAnswer('ok')));
    const { events } = await outcomeOf(sessionFor(server.url, 'responses').turn().stream(hello));
    expect(retries(events)).toMatchObject([{ discarded_item_ids: ['fc_1'] }]);
    expect(server.requests[1]?.body.input).toEqual(hello.input);
  });

  test('a caller that ran the tool rebuilds the input: neither call nor tool is redone', async () => {
    await using server = await modelServer(cut(withCall), stream(responsesAnswer('ok')));
    const rebuilt: Item[] = [
      ...hello.input,
      callItem,
      { type: 'function_call_output', call_id: 'call_1', output: 'a.txt' },
    ];
    const rebuildInput = () => Promise.resolve(rebuilt);
    const { events } = await outcomeOf(sessionFor(server.url, 'responses').turn().stream(hello, { rebuildInput }));
    expect(retries(events)).toMatchObject([{ discarded_item_ids: [] }]);
    expect(server.requests[1]?.body.input).toEqual(rebuilt);
  });

  test('rate_limit_exceeded in the stream: waits as the message says', async () => {
    const clock = impatientClock();
    const failed = sse({
      type: 'response.failed',
      response: { id: 'r', error: { code: 'rate_limit_exceeded', message: 'Please try again in 1.3s' } },
    });
    await using server = await modelServer(stream(failed, { hold: true }), stream(responsesAnswer()));
    const { error } = await outcomeOf(sessionFor(server.url, 'responses', { clock }).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(clock.asked).toEqual([1300]);
  });

  test('response.failed with invalid_prompt: one request', async () => {
    const failed = sse({
      type: 'response.failed',
      response: { id: 'r', error: { code: 'invalid_prompt', message: 'no' } },
    });
    await using server = await modelServer(stream(failed, { hold: true }));
    const { error } = await outcomeOf(sessionFor(server.url, 'responses').turn().stream(hello));
    expect(error).toMatchObject({ kind: 'invalid_request', message: 'no' });
    expect(server.requests.length).toBe(1);
  });
});

describe('ending early', () => {
  test('an abort during the wait ends it at once: aborted, no further request', async () => {
    const clock = manualClock();
    const controller = new AbortController();
    await using server = await modelServer(status(503));
    const session = sessionFor(server.url, 'chat', { clock });
    const events: ModelEvent[] = [];
    const read = async (): Promise<void> => {
      for await (const event of session.turn().stream(hello, { signal: controller.signal })) {
        events.push(event);
        setTimeout(() => controller.abort(), 20);
      }
    };
    await expect(read()).rejects.toMatchObject({ kind: 'aborted' });
    expect(typesOf(events)).toEqual(['retrying']);
    expect(server.requests.length).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('leaving the loop at `retrying` sends nothing more', async () => {
    await using server = await modelServer(status(503));
    for await (const event of sessionFor(server.url).turn().stream(hello)) {
      expect(event.type).toBe('retrying');
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.requests.length).toBe(1);
  });

  test('return() during the wait', async () => {
    const clock = manualClock();
    await using server = await modelServer(status(503));
    const iterator = sessionFor(server.url, 'chat', { clock }).turn().stream(hello)[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toMatchObject({ type: 'retrying' });
    const pending = iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await iterator.return?.();
    expect((await pending).done).toBe(true);
    expect(clock.pending).toBe(0);
    expect(server.requests.length).toBe(1);
  });

  test('an abort that is slow to be noticed by rebuildInput does not hang', async () => {
    const controller = new AbortController();
    const call = { type: 'function_call', id: 'f', call_id: 'c', name: 'n', arguments: '{}', status: 'completed' };
    const begun = sse({ type: 'response.output_item.done', output_index: 0, item: call });
    await using server = await modelServer(cut(begun));
    const answer = sessionFor(server.url, 'responses')
      .turn()
      .stream(hello, {
        signal: controller.signal,
        rebuildInput: () => {
          setTimeout(() => controller.abort(), 10);
          return new Promise(() => undefined);
        },
      });
    expect((await outcomeOf(answer)).error?.kind).toBe('aborted');
  });
});

describe('close() is an abort of all that runs', () => {
  const closed = { kind: 'aborted', message: 'aborted by the caller' };

  test('a request without an answer ends at once, and is not tried again', async () => {
    await using server = await modelServer(() => void session.close());
    const session = sessionFor(server.url);
    const { events, error } = await outcomeOf(session.turn().stream(hello));
    expect(events).toEqual([]);
    expect(error).toMatchObject(closed);
    expect(error?.cause).toEqual(new Error('the session was closed'));
    expect(server.requests).toHaveLength(1);
  });

  test('so do a wait before a retry, and what is begun afterwards', async () => {
    await using server = await modelServer(status(503));
    const session = sessionFor(server.url, 'chat', { clock: manualClock() });
    const turn = session.turn();
    const events: ModelEvent[] = [];
    const reading = (async () => {
      for await (const event of turn.stream(hello)) {
        events.push(event);
        void Promise.resolve().then(() => session.close());
      }
    })();
    await expect(reading).rejects.toMatchObject(closed);
    expect(typesOf(events)).toEqual(['retrying']);
    expect((await outcomeOf(turn.stream(hello))).error).toMatchObject(closed);
    expect(server.requests).toHaveLength(1);
  });

  test('a transport of the caller stays open', async () => {
    await using server = await modelServer(stream(chatAnswer()));
    const transport = createHttpTransport();
    await sessionFor(server.url, 'chat', { transport }).close();
    const other = sessionFor(server.url, 'chat', { transport });
    expect((await outcomeOf(other.turn().stream(hello))).error).toBeUndefined();
    await transport.close();
  });
});
