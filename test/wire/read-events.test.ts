import { once } from 'node:events';
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextTurn } from '../../packages/client/src/platform/wait.ts';
import {
  ModelError,
  readEvents,
  type ByteBody,
  type ModelStream,
  type ReadEventsOptions,
} from '../../packages/wire/src/index.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { chatBody, chunk } from './helpers.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const usage = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } };
const hello = chunk({ content: 'Hello' });
const stop = chunk({}, 'stop');

/** A body that gives these chunks and then stays open; it counts how often it is asked and cancelled. */
function held(...texts: readonly string[]) {
  const seen = { cancelled: 0 };
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const text = texts[at++];
      if (text === undefined) return new Promise(() => undefined);
      controller.enqueue(bytes(text));
      return undefined;
    },
    cancel() {
      seen.cancelled++;
    },
  });
  return { body, seen };
}

async function all(stream: ModelStream): Promise<{ events: ModelEvent[]; error?: ModelError }> {
  const events: ModelEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { events, error };
  }
  return { events };
}

async function firstDelta(events: AsyncIterator<ModelEvent>): Promise<void> {
  for (;;) {
    const result = await events.next();
    if (result.done === true || result.value.type === 'output_text.delta') return;
  }
}

const text = ({ events }: { events: readonly ModelEvent[] }): string =>
  events.map((event) => (event.type === 'output_text.delta' ? event.delta : '')).join('');

async function* iterate(...chunks: readonly (Uint8Array | string)[]) {
  for (const each of chunks) {
    await Promise.resolve();
    yield each;
  }
}

describe('any body of bytes', () => {
  const answer = chatBody(hello, stop, usage, '[DONE]');
  const bodies: readonly (readonly [string, () => ByteBody])[] = [
    ['a ReadableStream', () => new Blob([answer]).stream()],
    ['a Response', () => new Response(answer).body!],
    ['a stream of Node', () => Readable.from([Buffer.from(answer)])],
    ['a stream of Node with an encoding', () => Readable.from([Buffer.from(answer)]).setEncoding('utf8')],
    ['an async iterable', () => iterate(bytes(answer.slice(0, 40)), bytes(answer.slice(40)))],
    ['an iterable of text', () => [answer]],
  ];
  it.each(bodies)('%s', async (_name, make) => {
    const outcome = await all(readEvents(make(), { wire: 'chat', usageAsked: true }));
    expect(outcome.error).toBeUndefined();
    expect(text(outcome)).toBe('Hello');
    expect(outcome.events.at(-1)).toMatchObject({
      type: 'completed',
      finish_reason: 'stop',
      usage: { total_tokens: 5 },
    });
  });

  it('hands the events of one chunk over together', async () => {
    const batches: (readonly ModelEvent[])[] = [];
    for await (const batch of readEvents([answer], { wire: 'chat' }).batches()) batches.push(batch);
    expect(batches.map((batch) => batch.map(({ type }) => type))).toEqual([
      ['created', 'output_item.added', 'output_text.delta', 'output_item.done', 'completed'],
    ]);
  });

  it('refuses a stream that somebody reads', () => {
    const { body } = held();
    body.getReader();
    expect(() => readEvents(body, { wire: 'chat' })).toThrow(TypeError);
  });
});

describe('a body that stays open behind a finished answer', () => {
  it('is let go when the model is done', async () => {
    const { body, seen } = held(chatBody(hello), chatBody(stop));
    const clock = manualClock();
    const outcome = await all(readEvents(body, { wire: 'chat', clock }));
    expect(outcome.events.at(-1)).toMatchObject({ type: 'completed', ended_by: 'finish_reason' });
    clock.advance(100);
    await Promise.resolve();
    await Promise.resolve();
    expect(seen.cancelled).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('is read to its end where that comes at once, so that its connection can be used again', async () => {
    let cancelled = 0;
    let ended = false;
    const parts = [chatBody(hello, stop), chatBody('[DONE]')];
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const part = parts.shift();
          if (part !== undefined) controller.enqueue(bytes(part));
          else {
            ended = true;
            controller.close();
          }
        },
        cancel() {
          cancelled++;
        },
      },
      { highWaterMark: 0 },
    );
    const clock = manualClock();
    await all(readEvents(body, { wire: 'chat', clock }));
    while (!ended) await nextTurn();
    clock.advance(1000);
    expect({ cancelled, pending: clock.pending }).toEqual({ cancelled: 0, pending: 0 });
  });

  it('is waited for usage that was asked for, and no longer', async () => {
    const { body } = held(chatBody(hello, stop));
    const clock = manualClock();
    const reading = all(readEvents(body, { wire: 'chat', usageAsked: true, usageGraceMs: 70, clock }));
    while (!clock.asked.includes(70)) await nextTurn();
    clock.advance(70);
    expect((await reading).events.at(-1)).toMatchObject({ type: 'completed', ended_by: 'finish_reason' });
  });

  it('ends with the object of a body that is JSON', async () => {
    const whole = {
      id: 'c',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    };
    const { body } = held(JSON.stringify(whole));
    const outcome = await all(readEvents(body, { wire: 'chat', isJson: true, clock: manualClock() }));
    expect(text(outcome)).toBe('Hello');
    expect(outcome.events.at(-1)?.type).toBe('completed');
  });
});

describe('timers', () => {
  const cases: readonly (readonly [string, readonly string[], Partial<ReadEventsOptions>, number, string])[] = [
    ['idle', [chatBody(hello)], { idleTimeoutMs: 500 }, 500, 'idle timeout: the server sent nothing for 500 ms'],
    [
      'firstEvent',
      [': ping\n\n'],
      { firstEventTimeoutMs: 2000 },
      2000,
      'no event within 2 s of sending the request: the server may be overloaded, or still loading the model',
    ],
    [
      'progress',
      [chatBody(hello), ': ping\n\n'],
      { progressTimeoutMs: 3000 },
      3000,
      'no progress: only keep-alives and no event for 3 s',
    ],
  ];
  it.each(cases)('%s', async (_name, texts, options, ms, message) => {
    const { body, seen } = held(...texts);
    const clock = manualClock();
    const reading = all(readEvents(body, { wire: 'chat', clock, ...options }));
    await nextTurn(); // all that was given is read, and more is waited for
    clock.advance(ms);
    const { error } = await reading;
    expect(error?.toJSON()).toMatchObject({ kind: 'stream_idle', message });
    expect({ cancelled: seen.cancelled, pending: clock.pending }).toEqual({ cancelled: 1, pending: 0 });
  });

  it('rest while nobody reads', async () => {
    const { body } = held(chatBody(hello), chatBody(hello));
    const clock = manualClock();
    const events = readEvents(body, { wire: 'chat', clock, idleTimeoutMs: 500, progressTimeoutMs: 600 })[
      Symbol.asyncIterator
    ]();
    await firstDelta(events);
    clock.advance(10_000);
    expect(clock.pending).toBe(0);
    expect((await events.next()).value).toMatchObject({ type: 'output_text.delta', delta: 'Hello' });
  });
});

describe('leaving', () => {
  it('cancels the body once', async () => {
    const { body, seen } = held(chatBody(hello));
    const clock = manualClock();
    for await (const event of readEvents(body, { wire: 'chat', clock })) if (event.type === 'output_text.delta') break;
    expect({ cancelled: seen.cancelled, pending: clock.pending }).toEqual({ cancelled: 1, pending: 0 });
  });

  it('by the signal ends with the reason', async () => {
    const { body, seen } = held(chatBody(hello));
    const stopper = new AbortController();
    const clock = manualClock();
    const reading = all(readEvents(body, { wire: 'chat', clock, signal: stopper.signal }));
    await nextTurn(); // all that was given is read, and more is waited for
    stopper.abort(new Error('enough'));
    const { events, error } = await reading;
    expect(events.map(({ type }) => type)).toEqual([
      'created',
      'output_item.added',
      'output_text.delta',
      'output_item.done',
    ]);
    expect(error).toMatchObject({ kind: 'aborted', cause: new Error('enough') });
    expect({ cancelled: seen.cancelled, pending: clock.pending }).toEqual({ cancelled: 1, pending: 0 });
  });

  it('a signal that fired before reads nothing', async () => {
    const { body, seen } = held(chatBody(hello));
    const { events, error } = await all(readEvents(body, { wire: 'chat', signal: AbortSignal.abort() }));
    expect({ events, kind: error?.kind, cancelled: seen.cancelled }).toEqual({
      events: [],
      kind: 'aborted',
      cancelled: 1,
    });
  });
});

describe('over a real socket', () => {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chatBody(hello));
    if (request.url === '/reset') setImmediate(() => request.socket.destroy());
    else if (request.url === '/finish') response.write(chatBody(stop));
  });
  let url = '';
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('a finished answer over a held connection ends, and the connection with it', async () => {
    const response = await fetch(`${url}/finish`);
    const { events } = await all(readEvents(response.body!, { wire: 'chat' }));
    expect(events.at(-1)?.type).toBe('completed');
    await Promise.all([...open].map((each) => once(each, 'close')));
    expect(open.size).toBe(0);
  });

  it('a connection that breaks is stream_truncated', async () => {
    const response = await fetch(`${url}/reset`);
    const outcome = await all(readEvents(response.body!, { wire: 'chat' }));
    expect(text(outcome)).toBe('Hello');
    expect(outcome.error).toMatchObject({ kind: 'stream_truncated', retry: { class: 'backoff', replaySafe: false } });
    expect(outcome.error?.message).toContain('the connection broke in the middle of the answer');
  });

  it("leaving an answer of Node's http closes its connection though a read is pending", async () => {
    const [message] = (await once(get(`${url}/held`), 'response')) as [Readable];
    const events = readEvents(message, { wire: 'chat' })[Symbol.asyncIterator]();
    await firstDelta(events);
    const pending = events.next();
    await events.return?.();
    expect(await pending).toEqual({ value: undefined, done: true });
    await once(message, 'close');
    expect(message.destroyed).toBe(true);
  });
});

it('tells what each wait brought', async () => {
  const polls: string[] = [];
  const onPoll = ({ type }: { readonly type: string }): void => void polls.push(type);
  const outcome = await all(readEvents([chatBody(hello), ''], { wire: 'chat', onPoll }));
  expect(outcome.error?.kind).toBe('stream_truncated');
  expect(polls).toEqual(['events', 'events', 'end']);
});
