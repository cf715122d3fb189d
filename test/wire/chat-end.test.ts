import { describe, expect, test } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import { createDecoder, type DecoderOptions } from '../../packages/wire/src/index.ts';
import { chatBody, chunk } from './helpers.ts';
import {
  call,
  completed,
  created,
  done,
  failure,
  input,
  message,
  openCall,
  openMessage,
  openThought,
  read,
  readOpen,
  reasoning,
  text,
  thought,
  usage,
} from './rules.ts';

const asked: DecoderOptions = { usageAsked: true };
const said = [created(), openMessage(), text('hi'), done(message('hi'))];
const hello = chunk({ content: 'hi' });
const stop = chunk({}, 'stop');
const counted = { choices: [], usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } };
const zeros = { choices: [], usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } };
const fragment = (more: object): object => chunk({ tool_calls: [more] });
const ready = fragment({ index: 0, id: 'c1', function: { name: 'f', arguments: '{"a":1}' } });
const announced = [created(), openCall('c1', 'f', 'fc_1'), input('{"a":1}', 'c1', 'f', 'fc_1')];

function bytes(...events: (object | string)[]): Uint8Array {
  return new TextEncoder().encode(chatBody(...events));
}

describe('3.1 finish_reason is authoritative', () => {
  test('3.1 without usage asked for, the finish completes at once, socket open, no sentinel', () => {
    expect(readOpen('chat', chatBody(hello, stop))).toEqual({
      events: [...said, completed({ finish_reason: 'stop' })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.1 the finish may come with the last delta', () => {
    expect(readOpen('chat', chatBody(chunk({ content: 'hi' }, 'stop'))).events).toEqual([
      ...said,
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('3.1 items go out in the order reasoning, calls as first seen, message, however they were streamed', () => {
    const body = chatBody(
      hello,
      fragment({ index: 1, id: 'b', function: { name: 'g', arguments: '{}' } }),
      fragment({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }),
      chunk({ reasoning: 'late thought' }),
      chunk({}, 'tool_calls'),
    );
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openMessage(),
      text('hi'),
      openCall('b', 'g', 'fc_1'),
      input('{}', 'b', 'g', 'fc_1'),
      openCall('a', 'f', 'fc_2'),
      input('{}', 'a', 'f', 'fc_2'),
      openThought(),
      reasoning('late thought'),
      done(thought('late thought')),
      done(call('b', 'g', '{}', 'fc_1')),
      done(call('a', 'f', '{}', 'fc_2')),
      done(message('hi')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('3.1 a finish without anything said completes', () => {
    expect(readOpen('chat', chatBody(stop)).events).toEqual([created(), completed({ finish_reason: 'stop' })]);
  });

  test('3.1 with usage asked for, the items go out at the finish and completed waits', () => {
    expect(readOpen('chat', chatBody(hello, stop), asked)).toEqual({
      events: said,
      skipped: 0,
      phase: 'awaiting_usage',
    });
  });

  test('3.1 a usage with a non-zero number that came before the finish completes at once', () => {
    const early = chunk({ content: 'hi' }, null, { usage: counted.usage });
    expect(readOpen('chat', chatBody(early, stop), asked)).toEqual({
      events: [...said, completed({ finish_reason: 'stop', usage: usage(5, 2) })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.1 unless the one behind it is asked for', () => {
    const early = chunk({ content: 'hi' }, null, { usage: { prompt_tokens: 5, completion_tokens: 1 } });
    const options = { ...asked, usageBehind: true };
    expect(readOpen('chat', chatBody(early, stop), options).phase).toBe('awaiting_usage');
    const done = (tokens: number) => completed({ finish_reason: 'stop', usage: usage(5, tokens) });
    expect(readOpen('chat', chatBody(early, stop, counted), options).events.at(-1)).toEqual(done(2));
    expect(readOpen('chat', chatBody(early, stop, '[DONE]'), options).events.at(-1)).toEqual(done(1));
    const onFinish = chunk({}, 'stop', { usage: counted.usage });
    expect(readOpen('chat', chatBody(early, onFinish), options).events.at(-1)).toEqual(done(2));
  });

  test('3.1 a usage on the finish chunk itself completes at once', () => {
    const body = chatBody(hello, chunk({}, 'stop', { usage: counted.usage }));
    expect(readOpen('chat', body, asked)).toMatchObject({ phase: 'ended' });
    expect(readOpen('chat', body, asked).events.at(-1)).toEqual(
      completed({ finish_reason: 'stop', usage: usage(5, 2) }),
    );
  });

  test('3.1 the wait ends at the first usage', () => {
    expect(readOpen('chat', chatBody(hello, stop, counted), asked)).toEqual({
      events: [...said, completed({ finish_reason: 'stop', usage: usage(5, 2) })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.1 the wait ends at a sentinel, and the finish is still what ended the stream', () => {
    expect(readOpen('chat', chatBody(hello, stop, '[DONE]'), asked)).toEqual({
      events: [...said, completed({ finish_reason: 'stop' })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.1 the wait ends at the close', () => {
    expect(read('chat', chatBody(hello, stop), asked)).toEqual({
      events: [...said, completed({ finish_reason: 'stop' })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.1 the wait ends when the grace runs out, once', () => {
    const decoder = createDecoder('chat', asked);
    decoder.push(bytes(hello, stop));
    expect(decoder.end({ type: 'grace' })).toEqual([completed({ finish_reason: 'stop' })]);
    expect([decoder.phase, decoder.failure]).toEqual(['ended', undefined]);
    expect(decoder.end({ type: 'grace' })).toEqual([]);
    expect(decoder.end({ type: 'close' })).toEqual([]);
    expect(decoder.push(bytes(counted))).toEqual([]);
  });

  test('3.1 a grace that runs out before the finish is nobody: the stream goes on', () => {
    const decoder = createDecoder('chat', asked);
    decoder.push(bytes(hello));
    expect(decoder.end({ type: 'grace' })).toEqual([]);
    expect(decoder.phase).toBe('streaming');
  });

  test('3.1 after the finish only usage is read: deltas, finishes, calls, errors are ignored', () => {
    const late = [
      chunk({ content: ' more', reasoning: 'x', tool_calls: [{ index: 0, id: 'c', function: { name: 'f' } }] }),
      chunk({}, 'length'),
      chunk({}, 'content_filter'),
      { choices: [{ index: 1, delta: { content: 'another choice' } }] },
      { error: { message: 'late', code: 500 } },
      { error: 'late' },
      'no json at all',
    ];
    expect(readOpen('chat', chatBody(hello, stop, ...late), asked)).toMatchObject({
      events: said,
      phase: 'awaiting_usage',
    });
    expect(readOpen('chat', chatBody(hello, stop, ...late, counted), asked)).toMatchObject({
      events: [...said, completed({ finish_reason: 'stop', usage: usage(5, 2) })],
      phase: 'ended',
    });
  });

  test('3.1 an error that carries the usage after the finish is read for its usage alone', () => {
    const { events, error } = readOpen('chat', chatBody(hello, stop, { error: 'late', ...counted }), asked);
    expect([events.at(-1), error]).toEqual([completed({ finish_reason: 'stop', usage: usage(5, 2) }), undefined]);
  });

  test.each(['connection_failed', 'stream_truncated', 'stream_idle', 'timeout'] as const)(
    '3.1 nothing turns success into an error: %s after the finish completes',
    (kind) => {
      const decoder = createDecoder('chat', asked);
      decoder.push(bytes(hello, stop));
      const end = decoder.end({ type: 'failed', error: new ModelError({ kind, message: 'reset' }) });
      expect(end).toEqual([completed({ finish_reason: 'stop' })]);
      expect([decoder.phase, decoder.failure]).toEqual(['ended', undefined]);
    },
  );

  test('3.1 an overflow after the finish completes', () => {
    const body = chatBody(hello, stop) + `data: ${'x'.repeat(5000)}`;
    const options = { ...asked, maxEventBytes: 1000 };
    expect(readOpen('chat', body, options)).toEqual({
      events: [...said, completed({ finish_reason: 'stop' })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.1 zeros after the finish do not end the wait, a later usage does (3.10)', () => {
    expect(readOpen('chat', chatBody(hello, stop, zeros, zeros), asked)).toMatchObject({ phase: 'awaiting_usage' });
    expect(readOpen('chat', chatBody(hello, stop, zeros, counted), asked).events).toEqual([
      ...said,
      completed({ finish_reason: 'stop', usage: usage(5, 2) }),
    ]);
  });

  test('3.1 a choice that shows up after every choice seen had finished is late', () => {
    const body = chatBody(hello, stop, { choices: [{ index: 1, delta: { content: 'late' } }] }, '[DONE]');
    expect(read('chat', body).events).toEqual([...said, completed({ finish_reason: 'stop' })]);
  });

  test('3.1 no choice seen is no finish: usage alone completes nothing', () => {
    expect(readOpen('chat', chatBody(counted), asked)).toEqual({ events: [created()], skipped: 0, phase: 'streaming' });
  });
});

describe('3.2 sentinels', () => {
  const data = ['[DONE]', 'DONE', '  [DONE]  ', '\tDONE ', `[DONE]${' '.repeat(200)}`];

  test.each(data)('3.2 %j flushes and completes once, socket open', (sentinel) => {
    const body = chatBody(chunk({ reasoning: 'r' }), hello, sentinel, sentinel);
    expect(readOpen('chat', body)).toEqual({
      events: [
        created(),
        openThought(),
        reasoning('r'),
        openMessage(),
        text('hi'),
        done(thought('r')),
        done(message('hi')),
        completed({ ended_by: 'sentinel' }),
      ],
      skipped: 0,
      phase: 'ended',
    });
  });

  test.each(['[done]', 'Done', '"DONE"', '[DONE', '[ DONE ]'])('3.2 %j is no sentinel', (almost) => {
    expect(readOpen('chat', chatBody(hello, almost)).phase).toBe('streaming');
  });

  test('3.2 a sentinel does not wait for usage, and gives the usage that came', () => {
    expect(readOpen('chat', chatBody(hello, '[DONE]', counted), asked).events).toEqual([
      ...said,
      completed({ ended_by: 'sentinel' }),
    ]);
    expect(readOpen('chat', chatBody(hello, counted, '[DONE]'), asked).events).toEqual([
      ...said,
      completed({ ended_by: 'sentinel', usage: usage(5, 2) }),
    ]);
  });

  test('3.2 a sentinel after the completing finish changes nothing', () => {
    expect(read('chat', chatBody(hello, stop, '[DONE]')).events).toEqual([
      ...said,
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('3.2 a pending call with a name and complete arguments is emitted', () => {
    expect(readOpen('chat', chatBody(ready, 'DONE')).events).toEqual([
      ...announced,
      done(call('c1', 'f', '{"a":1}', 'fc_1')),
      completed({ ended_by: 'sentinel' }),
    ]);
  });

  test.each(['', '  '])('3.2 empty arguments (%j) are complete', (args) => {
    const { events } = readOpen(
      'chat',
      chatBody(fragment({ index: 0, id: 'c1', function: { name: 'f', arguments: args } }), '[DONE]'),
    );
    expect(events.slice(-2)).toEqual([done(call('c1', 'f', args, 'fc_1')), completed({ ended_by: 'sentinel' })]);
  });

  test('3.2 the others are listed: cut arguments as incomplete, a missing name as no_name', () => {
    const body = chatBody(
      fragment({ index: 0, id: 'c1', function: { name: 'f', arguments: '{"a":' } }),
      fragment({ index: 1, id: 'c2', function: { arguments: '{}' } }),
      fragment({ index: 2, id: 'c3', function: { name: 'h', arguments: '{}' } }),
      '[DONE]',
    );
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openCall('c1', 'f', 'fc_1'),
      input('{"a":', 'c1', 'f', 'fc_1'),
      openCall('c3', 'h', 'fc_2'),
      input('{}', 'c3', 'h', 'fc_2'),
      done(call('c3', 'h', '{}', 'fc_2')),
      completed({
        ended_by: 'sentinel',
        dropped_tool_calls: [
          { call_id: 'c1', name: 'f', arguments: '{"a":', reason: 'incomplete' },
          { call_id: 'c2', arguments: '{}', reason: 'no_name' },
        ],
      }),
    ]);
  });
});

describe('3.7 close', () => {
  test('3.7 a close without any finish_reason is stream_truncated, what came is flushed', () => {
    expect(read('chat', chatBody(hello))).toEqual({
      events: [created(), openMessage(), text('hi'), done(message('hi', 'incomplete'))],
      error: failure('stream_truncated', 'backoff'),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.7 so is an empty body, and there a replay is safe', () => {
    expect(read('chat', '')).toEqual({
      events: [],
      error: failure('stream_truncated', 'backoff', { replay_safe: true }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.7 a stream of which nothing but created came may be replayed', () => {
    expect(read('chat', chatBody(chunk({ role: 'assistant', content: '' }))).error).toEqual(
      failure('stream_truncated', 'backoff', { replay_safe: true }),
    );
  });

  test('3.7 one of two choices unfinished is truncated too, and no call is emitted', () => {
    const body = chatBody(
      {
        choices: [
          { index: 0, delta: { tool_calls: [{ id: 'c1', function: { name: 'f', arguments: '{"a":1}' } }] } },
          { index: 1, delta: { content: 'hi' } },
        ],
      },
      { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    );
    expect(read('chat', body)).toEqual({
      events: [...announced, openMessage(), text('hi'), done(message('hi', 'incomplete'))],
      error: failure('stream_truncated', 'backoff'),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.7 with onClose complete, a close completes', () => {
    expect(read('chat', chatBody(hello), { onClose: 'complete' })).toEqual({
      events: [...said, completed({ ended_by: 'close' })],
      skipped: 0,
      phase: 'ended',
    });
    expect(read('chat', '', { onClose: 'complete' }).events).toEqual([completed({ ended_by: 'close' })]);
  });

  test('3.7 with onClose complete, rule 2 decides the calls', () => {
    const body = chatBody(
      ready,
      fragment({ index: 1, id: 'c2', function: { name: 'g', arguments: '{' } }),
      fragment({ index: 2, id: 'c3', function: {} }),
    );
    expect(read('chat', body, { onClose: 'complete' }).events).toEqual([
      ...announced,
      openCall('c2', 'g', 'fc_2'),
      input('{', 'c2', 'g', 'fc_2'),
      done(call('c1', 'f', '{"a":1}', 'fc_1')),
      completed({
        ended_by: 'close',
        dropped_tool_calls: [
          { call_id: 'c2', name: 'g', arguments: '{', reason: 'incomplete' },
          { call_id: 'c3', arguments: '', reason: 'no_name' },
        ],
      }),
    ]);
  });

  test('3.7 with onClose complete, a failure of the transport is still one', () => {
    const decoder = createDecoder('chat', { onClose: 'complete' });
    decoder.push(bytes(hello));
    const reset = new ModelError({ kind: 'stream_truncated', message: 'reset' });
    const events = decoder.end({ type: 'failed', error: reset });
    expect(events.map(({ type }) => type)).toEqual(['output_item.done']);
    expect(decoder.failure?.toJSON()).toEqual(failure('stream_truncated', 'backoff', { message: 'reset' }));
  });
});
