import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  createModelClient,
  type ModelClient,
  type ModelClientOptions,
} from '../../packages/client/src/session/model-client.ts';
import type { PollResult } from '../../packages/client/src/observer.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import { KnownShapes } from '../../packages/wire/src/sse/known-shapes.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import {
  chatAnswer,
  chatDelta,
  chatFinish,
  chatUsage,
  countedIds,
  cut,
  hello,
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

const clients: ModelClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

function clientFor(
  url: string,
  wire: 'chat' | 'responses' = 'chat',
  options: Partial<Parameters<typeof providerFor>[2]> = {},
  more: Partial<ModelClientOptions> = {},
): ModelClient {
  const client = createModelClient({ provider: providerFor(url, wire, options), mintId: countedIds(), ...more });
  clients.push(client);
  return client;
}

describe('a good answer', () => {
  test('is read like the first by a client that knows what its events look like', async () => {
    await using server = await modelServer(stream(chatAnswer('one')), stream(chatAnswer('two')));
    const client = clientFor(server.url);
    const onUse = vi.spyOn(KnownShapes.prototype, 'onUse');
    const texts = [textOf((await outcomeOf(client.stream(hello))).events), onUse.mock.calls.length];
    texts.push(textOf((await outcomeOf(client.stream(hello))).events), onUse.mock.calls.length);
    onUse.mockRestore();
    expect(texts).toEqual(['one', 0, 'two', 1]);
  });

  test('chat: the whole event list, and the request that was sent', async () => {
    await using server = await modelServer(stream(chatAnswer('hello')));
    const { events, error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(error).toBeUndefined();
    expect(events).toEqual([
      { type: 'created', response_id: 'c1' },
      {
        type: 'output_item.added',
        item: { type: 'message', id: 'msg_0', role: 'assistant', status: 'in_progress', content: [] },
      },
      { type: 'output_text.delta', delta: 'hello', item_id: 'msg_0' },
      {
        type: 'output_item.done',
        item: {
          type: 'message',
          id: 'msg_0',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'hello', annotations: [] }],
        },
      },
      {
        type: 'completed',
        response_id: 'c1',
        usage: {
          input_tokens: 3,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: 2,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: 5,
        },
        finish_reason: 'stop',
        ended_by: 'finish_reason',
      },
    ]);
    const [request] = server.requests;
    expect(request).toMatchObject({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { accept: 'text/event-stream', 'accept-encoding': 'identity', 'content-type': 'application/json' },
      body: {
        model: 'm',
        messages: [{ role: 'user', content: 'hi' }],
        stream: true,
        stream_options: { include_usage: true },
      },
    });
  });

  test('responses: events of headers come first', async () => {
    const headers = {
      'openai-model': 'gpt-x',
      'x-codex-primary-used-percent': '12.5',
      'x-codex-primary-window-minutes': '300',
      'x-models-etag': 'e1',
    };
    await using server = await modelServer(stream(responsesAnswer('hello'), { headers }));
    const { events } = await outcomeOf(clientFor(server.url, 'responses').stream(hello));
    expect(events.slice(0, 4)).toEqual([
      { type: 'server_model', model: 'gpt-x' },
      {
        type: 'rate_limits',
        snapshot: { limit_id: 'codex', primary: { used_percent: 12.5, window_minutes: 300 } },
      },
      { type: 'models_etag', etag: 'e1' },
      { type: 'created', response_id: 'resp_1' },
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'completed', ended_by: 'response.completed' });
    expect(server.requests[0]?.url).toBe('/v1/responses');
  });

  test('no header events for absent headers', async () => {
    await using server = await modelServer(stream(responsesAnswer()));
    const { events } = await outcomeOf(clientFor(server.url, 'responses').stream(hello));
    expect(typesOf(events)[0]).toBe('created');
  });

  test.each(['chat', 'responses'] as const)('%s: a finished JSON body is decoded', async (wire) => {
    const message = { role: 'assistant', content: 'whole' };
    const chat = { id: 'c1', choices: [{ index: 0, message, finish_reason: 'stop' }] };
    const item = {
      type: 'message',
      id: 'msg_9',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'whole', annotations: [] }],
    };
    const responses = { id: 'r1', object: 'response', status: 'completed', output: [item] };
    await using server = await modelServer(status(200, wire === 'chat' ? chat : responses));
    const { events, error } = await outcomeOf(clientFor(server.url, wire).stream(hello));
    expect(error).toBeUndefined();
    const done = events.find((event) => event.type === 'output_item.done');
    expect(done?.item).toMatchObject({ content: [{ text: 'whole' }] });
    expect(events.at(-1)?.type).toBe('completed');
  });

  test('batches hand the events of one network chunk over together, and every event once', async () => {
    await using server = await modelServer(stream(chatAnswer()));
    const answer = clientFor(server.url).stream(hello);
    const batches: (readonly ModelEvent[])[] = [];
    for await (const batch of answer.batches()) batches.push(batch);
    expect(batches.every((batch) => batch.length > 0)).toBe(true);
    expect(typesOf(batches.flat())).toEqual([
      'created',
      'output_item.added',
      'output_text.delta',
      'output_item.done',
      'completed',
    ]);
    expect(batches.length).toBeLessThan(5);
    const again: unknown[] = [];
    for await (const event of answer) again.push(event);
    expect(again).toEqual([]);
    expect(server.requests.length).toBe(1);
  });

  test('calls of next that overlap each get their own event, in order', async () => {
    await using server = await modelServer(stream(chatAnswer()));
    const iterator = clientFor(server.url).stream(hello)[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 8 }, () => iterator.next()));
    expect(results.map((result) => (result.done === true ? 'end' : result.value.type))).toEqual([
      'created',
      'output_item.added',
      'output_text.delta',
      'output_item.done',
      'completed',
      'end',
      'end',
      'end',
    ]);
  });

  test('nothing is sent before the first event is asked for', async () => {
    await using server = await modelServer(stream(chatAnswer()));
    const answer = clientFor(server.url).stream(hello);
    const iterator = answer[Symbol.asyncIterator]();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.accepted).toBe(0);
    await iterator.return?.();
    expect((await iterator.next()).done).toBe(true);
    expect(server.accepted).toBe(0);
  });
});

describe('a finished answer over an open socket', () => {
  test('completes when the grace is over, not before', async () => {
    const clock = manualClock();
    await using server = await modelServer(stream(sse(chatDelta('a'), chatFinish('stop')), { hold: true }));
    const answer = clientFor(server.url, 'chat', {}, { clock }).stream(hello);
    const seen: string[] = [];
    const all = (async () => {
      for await (const event of answer) {
        seen.push(event.type);
        if (event.type === 'output_item.done') {
          await Promise.resolve();
          setTimeout(() => {
            expect(seen.at(-1)).toBe('output_item.done');
            clock.advance(249);
            setTimeout(() => {
              expect(seen.at(-1)).toBe('output_item.done');
              clock.advance(1);
            }, 20);
          }, 20);
        }
      }
    })();
    await all;
    expect(seen.at(-1)).toBe('completed');
    clock.advance(100); // the drain
    await server.idle();
    expect(clock.pending).toBe(0);
  });

  test('comments do not extend the grace', async () => {
    await using server = await modelServer((response) => {
      stream(sse(chatDelta('a'), chatFinish('stop')), { hold: true })(response);
      const timer = setInterval(() => response.write(': ping\n\n'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const { events } = await outcomeOf(clientFor(server.url, 'chat', { usageGraceMs: 100 }).stream(hello));
    expect(events.at(-1)).toMatchObject({ type: 'completed', ended_by: 'finish_reason' });
    await server.idle();
  });

  test('usage within the grace ends the wait', async () => {
    await using server = await modelServer((response) => {
      stream(sse(chatDelta('a'), chatFinish('stop')), { hold: true })(response);
      setTimeout(() => response.write(sse(chatUsage)), 30);
    });
    const { events } = await outcomeOf(clientFor(server.url, 'chat', { usageGraceMs: 60_000 }).stream(hello));
    expect(events.at(-1)).toMatchObject({ usage: { total_tokens: 5 } });
  });

  test('usage not asked for: completes at once', async () => {
    const clock = manualClock();
    await using server = await modelServer(stream(sse(chatDelta('a'), chatFinish('stop')), { hold: true }));
    const { events } = await outcomeOf(clientFor(server.url, 'chat', { askUsage: false }, { clock }).stream(hello));
    expect(events.at(-1)?.type).toBe('completed');
    expect(server.requests[0]?.body).not.toHaveProperty('stream_options');
  });

  test('an error, a cut or an abort during the grace is no error', async () => {
    await using broken = await modelServer(cut(sse(chatDelta('a'), chatFinish('stop'))));
    const first = await outcomeOf(clientFor(broken.url, 'chat', { usageGraceMs: 60_000 }).stream(hello));
    expect(first).toMatchObject({ error: undefined });
    expect(first.events.at(-1)?.type).toBe('completed');
    await using held = await modelServer(stream(sse(chatDelta('a'), chatFinish('stop')), { hold: true }));
    const controller = new AbortController();
    const answer = clientFor(held.url, 'chat', { usageGraceMs: 60_000 }).stream(hello, { signal: controller.signal });
    const events: ModelEvent[] = [];
    for await (const event of answer) {
      events.push(event);
      if (event.type === 'output_item.done') controller.abort();
    }
    expect(events.at(-1)?.type).toBe('completed');
    await held.idle();
  });

  test('responses: completed ends the stream at once', async () => {
    await using server = await modelServer(stream(responsesAnswer(), { hold: true }));
    const { events } = await outcomeOf(clientFor(server.url, 'responses').stream(hello));
    expect(events.at(-1)?.type).toBe('completed');
    await server.idle();
  });
});

describe('errors', () => {
  test.each([
    [400, { error: { message: 'bad field', code: 'invalid_prompt' } }, 'invalid_request', 'bad field'],
    [401, { error: { message: 'no such key' } }, 'unauthorized', 'no such key'],
    [402, {}, 'quota_exceeded', undefined],
    [404, { detail: 'no model' }, 'invalid_request', 'no model'],
    [429, { error: { message: 'slow', type: 'requests' } }, 'rate_limited', 'slow'],
    [429, { error: { message: 'pay', code: 'insufficient_quota' } }, 'quota_exceeded', 'pay'],
    [500, { error: 'broken' }, 'server_error', 'broken'],
    [503, 'busy now', 'server_overloaded', undefined],
    [529, {}, 'server_overloaded', undefined],
  ] as const)('status %i: the server says what', async (code, body, kind, message) => {
    await using server = await modelServer(status(code, body, { 'x-request-id': 'req_7' }));
    const { events, error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(events).toEqual([]);
    expect(error).toMatchObject({ kind, status: code, requestId: 'req_7', retry: { replaySafe: true } });
    if (message !== undefined) expect(error?.message).toBe(message);
    expect(server.requests.length).toBe(1);
  });

  test('a body without a message: the status, the target and the text', async () => {
    await using server = await modelServer(status(503, 'busy  now\n'));
    const { error } = await outcomeOf(clientFor(server.url, 'chat', { queryParams: { key: 'secret' } }).stream(hello));
    expect(error?.message).toBe(`POST ${server.url}/v1/chat/completions answered 503: busy now`);
  });

  test.each([
    ['retry-after', '2', 2000],
    ['retry-after', '0.0015', 2],
    ['retry-after-ms', '1234.2', 1235],
  ])('%s: %s', async (name, value, afterMs) => {
    await using server = await modelServer(status(429, {}, { [name]: value }));
    const { error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(error?.retry).toEqual({ class: 'after', afterMs, replaySafe: true });
  });

  test('retry-after as a date', async () => {
    const at = new Date(Date.now() + 30_000).toUTCString();
    await using server = await modelServer(status(429, {}, { 'retry-after': at }));
    const { error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(error?.retry.class).toBe('after');
    expect(error?.retry.afterMs).toBeGreaterThan(27_000);
    expect(error?.retry.afterMs).toBeLessThanOrEqual(30_000);
  });

  test('a huge error body is read to 64 KiB only', async () => {
    await using server = await modelServer((response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    const { error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(error?.kind).toBe('server_error');
    await server.idle();
  });

  test('an error body that is whole is told, though the connection stays open', async () => {
    await using server = await modelServer((response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.write('{"error":{"message":"who');
      setTimeout(() => response.write(' are you?"}}'), 5);
    });
    const { error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(error).toMatchObject({ kind: 'unauthorized', message: 'who are you?' });
    await server.idle();
  });

  test('an HTML page with status 200 is protocol', async () => {
    await using server = await modelServer((response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).write('<html>');
    });
    const { error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(error).toMatchObject({ kind: 'protocol' });
    expect(error?.message).toContain('HTML page');
    await server.idle();
  });

  test('a cut: text so far, the open item incomplete, then stream_truncated, not safe to replay', async () => {
    await using server = await modelServer(cut(sse(chatDelta('par'), chatDelta('tial')), { 'x-request-id': 'r9' }));
    const { events, error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(textOf(events)).toBe('partial');
    expect(events.at(-1)).toMatchObject({
      type: 'output_item.done',
      item: { status: 'incomplete', content: [{ text: 'partial' }] },
    });
    expect(error).toMatchObject({ kind: 'stream_truncated', requestId: 'r9', retry: { replaySafe: false } });
  });

  test('a body that ends without a finish is stream_truncated, or complete when so asked', async () => {
    await using server = await modelServer(stream(sse(chatDelta('partial'))));
    const strict = await outcomeOf(clientFor(server.url).stream(hello));
    expect(strict.error?.kind).toBe('stream_truncated');
    const lenient = await outcomeOf(clientFor(server.url, 'chat', { onClose: 'complete' }).stream(hello));
    expect(lenient.events.at(-1)).toMatchObject({ type: 'completed', ended_by: 'close' });
  });

  test('silence is stream_idle with what came before', async () => {
    await using server = await modelServer(stream(sse(chatDelta('a')), { hold: true }));
    const client = clientFor(server.url, 'chat', { streamIdleTimeoutMs: 100, firstByteTimeoutMs: 5000 });
    const { events, error } = await outcomeOf(client.stream(hello));
    expect(textOf(events)).toBe('a');
    expect(error?.kind).toBe('stream_idle');
    await server.idle();
  });

  test('comments alone: the progress timer', async () => {
    await using server = await modelServer((response) => {
      stream(sse(chatDelta('a')), { hold: true })(response);
      const timer = setInterval(() => response.write(': ping\n\n'), 10);
      response.on('close', () => clearInterval(timer));
    });
    const client = clientFor(server.url, 'chat', { streamIdleTimeoutMs: 5000, progressTimeoutMs: 300 });
    const { error } = await outcomeOf(client.stream(hello));
    expect(error?.kind).toBe('stream_idle');
    expect(error?.message).toContain('keep-alives');
  });

  test('length with a limit is incomplete, without one the context window', async () => {
    await using server = await modelServer(stream(sse(chatDelta('a'), chatFinish('length'))));
    const limited: ModelRequest = { ...hello, maxOutputTokens: 1 };
    const { error } = await outcomeOf(clientFor(server.url).stream(limited));
    expect(error).toMatchObject({ kind: 'incomplete', code: 'max_output_tokens' });
    expect((await outcomeOf(clientFor(server.url).stream(hello))).error?.kind).toBe('context_window_exceeded');
  });

  test('length without a limit is a full context where the window is known, and full', async () => {
    const usage = (total: number) => ({
      choices: [],
      usage: { prompt_tokens: total - 1, completion_tokens: 1, total_tokens: total },
    });
    for (const [total, kind] of [
      [949, 'incomplete'],
      [950, 'context_window_exceeded'],
    ] as const) {
      await using server = await modelServer(stream(sse(chatDelta('a'), chatFinish('length'), usage(total))));
      const client = clientFor(server.url, 'chat', { contextWindow: 1000 });
      expect((await outcomeOf(client.stream(hello))).error?.kind).toBe(kind);
    }
  });
});

describe('think tags', () => {
  test('are reasoning where the provider says so, and text where it does not', async () => {
    await using server = await modelServer(
      stream(sse(chatDelta('<think>Why'), chatDelta('</think>So'), chatFinish('stop'))),
    );
    const asked = await outcomeOf(clientFor(server.url, 'chat', { thinkTags: true, askUsage: false }).stream(hello));
    const done = asked.events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
    expect(done).toMatchObject([
      { type: 'reasoning', content: [{ text: 'Why' }] },
      { type: 'message', content: [{ text: 'So' }] },
    ]);
    expect(textOf((await outcomeOf(clientFor(server.url).stream(hello))).events)).toBe('<think>Why</think>So');
  });
});

describe('asking for usage', () => {
  const refusal = { error: { message: 'Unrecognized request argument supplied: stream_options', code: null } };

  test('is switched off by itself, once, for a server whose 400 names it', async () => {
    await using server = await modelServer(status(400, refusal), stream(sse(chatDelta('a'), chatFinish('stop'))));
    const client = clientFor(server.url);
    expect((await outcomeOf(client.stream(hello))).error).toBeUndefined();
    expect((await outcomeOf(client.stream(hello))).error).toBeUndefined();
    expect(server.requests.map((request) => 'stream_options' in request.body)).toEqual([true, false, false]);
  });

  test('a second 400 is the error', async () => {
    await using server = await modelServer(status(400, refusal));
    const { error } = await outcomeOf(clientFor(server.url).stream(hello));
    expect(error?.kind).toBe('invalid_request');
    expect(server.requests.length).toBe(2);
  });

  test('another 400 is not taken for it', async () => {
    await using server = await modelServer(status(400, { error: { message: 'no tools here' } }));
    await outcomeOf(clientFor(server.url).stream(hello));
    expect(server.requests.length).toBe(1);
  });
});

test('the observer sees every wait and what it brought', async () => {
  await using server = await modelServer(stream(sse(chatDelta('a'))));
  const polls: PollResult['type'][] = [];
  const observer = {
    onSsePoll: (result: PollResult, waitedMs: number) => {
      expect(waitedMs).toBeGreaterThanOrEqual(0);
      polls.push(result.type);
    },
  };
  await outcomeOf(clientFor(server.url, 'chat', {}, { observer }).stream(hello));
  expect([...new Set(polls)]).toEqual(['events', 'end']);
});
