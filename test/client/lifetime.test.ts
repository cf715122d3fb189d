import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { createModelClient, type ModelClient } from '../../packages/client/src/session/model-client.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { socketsAreQuiet } from '../transport/support/quiet-sockets.ts';
import {
  chatAnswer,
  chatDelta,
  chatFinish,
  chatUsage,
  hello,
  modelServer,
  outcomeOf,
  providerFor,
  sse,
  stream,
} from './support.ts';

let client: ModelClient | undefined;

afterEach(async () => {
  await client?.close();
  client = undefined;
});

function clientFor(url: string, options = {}): ModelClient {
  client = createModelClient({ provider: providerFor(url, 'chat', options) });
  return client;
}

const endless = (response: Parameters<ReturnType<typeof stream>>[0]): void => {
  stream(sse(chatDelta('first')), { hold: true })(response);
};

test('break after one event cancels the upstream exactly once', async () => {
  let closes = 0;
  await using server = await modelServer((response) => {
    response.on('close', () => closes++);
    endless(response);
  });
  for await (const event of clientFor(server.url).stream(hello)) {
    expect(event.type).toBe('created');
    break;
  }
  await server.idle();
  expect(closes).toBe(1);
});

test('return() while next() waits ends both at once', async () => {
  await using server = await modelServer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
  const iterator = clientFor(server.url).stream(hello)[Symbol.asyncIterator]();
  const pending = iterator.next();
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await iterator.return?.();
  expect((await pending).done).toBe(true);
  await server.idle();
});

test('return() before the headers closes the connection', async () => {
  await using server = await modelServer(() => undefined);
  const iterator = clientFor(server.url).stream(hello)[Symbol.asyncIterator]();
  const pending = iterator.next();
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await iterator.return?.();
  expect((await pending).done).toBe(true);
  await server.idle();
});

describe('abort', () => {
  test('before anything was asked for: aborted, nothing is sent', async () => {
    await using server = await modelServer(endless);
    const { error } = await outcomeOf(clientFor(server.url).stream(hello, { signal: AbortSignal.abort() }));
    expect(error?.kind).toBe('aborted');
    expect(server.accepted).toBe(0);
  });

  test('before the headers', async () => {
    const controller = new AbortController();
    await using server = await modelServer(() => controller.abort());
    const { events, error } = await outcomeOf(clientFor(server.url).stream(hello, { signal: controller.signal }));
    expect(events).toEqual([]);
    expect(error).toMatchObject({ kind: 'aborted', retry: { class: 'never' } });
    await server.idle();
  });

  test('after the headers: the open item is closed as incomplete, then aborted', async () => {
    const controller = new AbortController();
    await using server = await modelServer(endless);
    const events: ModelEvent[] = [];
    const read = async (): Promise<void> => {
      for await (const event of clientFor(server.url).stream(hello, { signal: controller.signal })) {
        events.push(event);
        if (event.type === 'output_text.delta') controller.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ kind: 'aborted' });
    expect(events.at(-1)).toMatchObject({ type: 'output_item.done', item: { status: 'incomplete' } });
    await server.idle();
  });

  test('while an error body is read', async () => {
    const controller = new AbortController();
    await using server = await modelServer((response) => {
      response.writeHead(500).write('{', () => controller.abort());
    });
    const { error } = await outcomeOf(clientFor(server.url).stream(hello, { signal: controller.signal }));
    expect(error?.kind).toBe('aborted');
    await server.idle();
  });

  test('after the end changes nothing; no listener stays on the signal', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await using server = await modelServer(stream(chatAnswer()));
    const { error } = await outcomeOf(clientFor(server.url).stream(hello, { signal }));
    expect(error).toBeUndefined();
    expect(listeners).toBeLessThanOrEqual(0);
    controller.abort();
  });
});

test('a late error after the end changes nothing', async () => {
  await using server = await modelServer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chatAnswer(), () => response.write(sse({ error: { message: 'late' } }), () => response.destroy()));
  });
  const { events, error } = await outcomeOf(clientFor(server.url).stream(hello));
  expect(error).toBeUndefined();
  expect(events.at(-1)?.type).toBe('completed');
  await server.idle();
});

/** A client whose drain never runs out of time. */
function patientClient(url: string): ModelClient {
  client = createModelClient({ provider: providerFor(url, 'chat'), clock: manualClock() });
  return client;
}

test('a consumer that stops at `completed` gives the connection back', async () => {
  const finished: Promise<unknown>[] = [];
  await using server = await modelServer((response) => {
    finished.push(once(response, 'finish'));
    stream(chatAnswer())(response);
  });
  const one = patientClient(server.url);
  for (let turn = 0; turn < 5; turn++) {
    for await (const event of one.stream(hello)) if (event.type === 'completed') break;
    await finished[turn];
    await socketsAreQuiet();
  }
  expect(server.requests.length).toBe(5);
  expect(server.accepted).toBe(1);
});

test('the rest after the usage is drained, so that the connection is kept', async () => {
  const finished: Promise<unknown>[] = [];
  await using server = await modelServer((response) => {
    finished.push(once(response, 'finish'));
    stream(sse(chatDelta('a'), chatFinish('stop'), chatUsage), { hold: true })(response);
    setTimeout(() => response.end(sse('[DONE]')), 30);
  });
  const one = patientClient(server.url);
  for (let turn = 0; turn < 3; turn++) {
    await outcomeOf(one.stream(hello));
    await finished[turn];
    await socketsAreQuiet();
  }
  expect(server.accepted).toBe(1);
});

test('a slow consumer holds the server back: bytes and memory stay bounded', async () => {
  let written = 0;
  const offered = 200 * 1024 * 1024;
  const piece = sse(...Array.from({ length: 200 }, () => chatDelta('x'.repeat(250))));
  await using server = await modelServer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const more = (): void => {
      for (let room = true; room && written < offered && !response.destroyed; written += piece.length) {
        room = response.write(piece);
      }
    };
    response.on('drain', more);
    more();
  });
  const before = process.memoryUsage().rss;
  let count = 0;
  for await (const event of clientFor(server.url).stream(hello)) {
    if (event.type !== 'output_text.delta') continue;
    count++;
    if (count % 100 === 0 && count <= 500) await new Promise((resolve) => setTimeout(resolve, 100));
    if (count === 500) {
      expect(written).toBeLessThan(24 * 1024 * 1024);
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    }
    if (count === 20_000) break;
  }
  await server.idle();
});

test('nothing is left: no sockets, no timers, no listeners', async () => {
  const resources = (): string[] =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'TCPSocketWrap');
  await using server = await modelServer(stream(chatAnswer()), endless, stream(sse(chatDelta('a'))));
  const before = resources().length;
  const one = clientFor(server.url);
  await outcomeOf(one.stream(hello));
  for await (const event of one.stream(hello)) if (event.type === 'output_text.delta') break;
  expect((await outcomeOf(one.stream(hello))).error?.kind).toBe('stream_truncated');
  await one.close();
  await server.idle();
  for (let n = 0; n < 50 && resources().length > before; n++) await new Promise((resolve) => setTimeout(resolve, 50));
  // The timer of this very wait has fired by now, so it is not among them.
  expect(resources().length).toBeLessThanOrEqual(before);
});

test('a consumer that goes away mid-answer does not disturb the next request', async () => {
  await using server = await modelServer(endless, stream(chatAnswer('second')));
  const one = clientFor(server.url);
  for await (const event of one.stream(hello)) if (event.type === 'output_text.delta') break;
  const { events, error } = await outcomeOf(one.stream(hello));
  expect(error).toBeUndefined();
  expect(events.some((event) => event.type === 'output_text.delta' && event.delta === 'second')).toBe(true);
});

test('many answers at once, each to its own', async () => {
  await using server = await modelServer((response, received) => {
    const { input } = { input: JSON.stringify(received.body.messages) };
    stream(chatAnswer(input))(response);
  });
  const one = clientFor(server.url);
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const { events } = await outcomeOf(
        one.stream({ model: 'm', input: [{ type: 'message', role: 'user', content: `n${n}.` }] }),
      );
      return events.some((event) => event.type === 'output_text.delta' && event.delta.includes(`n${n}.`));
    }),
  );
  expect(answers.every(Boolean)).toBe(true);
});
