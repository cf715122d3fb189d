import { describe, expect, test } from 'vitest';
import { chatBody, chunk } from './helpers.ts';
import {
  completed,
  created,
  done,
  failure,
  input,
  message,
  openCall,
  openMessage,
  openThought,
  readOpen,
  reasoning,
  text,
  thought,
  type Expected,
} from './rules.ts';
import type { ErrorKind, RetryClass } from '../../packages/wire/src/model/errors.ts';

const streamed = chatBody(
  chunk({ reasoning_content: 'r' }),
  chunk({ content: 'half' }),
  chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }),
);
const flushed = [
  created(),
  openThought(),
  reasoning('r'),
  openMessage(),
  text('half'),
  openCall('a', 'f', 'fc_1'),
  input('{}', 'a', 'f', 'fc_1'),
  done(thought('r', 'incomplete')),
  done(message('half', 'incomplete')),
];

describe('3.6 reasons that are errors', () => {
  test.each([
    ['length', undefined, 'context_window_exceeded', 'never', {}],
    ['length', true, 'incomplete', 'never', { code: 'max_output_tokens' }],
    ['content_filter', undefined, 'content_filter', 'never', { code: 'content_filter' }],
    ['content_filter', true, 'content_filter', 'never', { code: 'content_filter' }],
    ['error', undefined, 'server_error', 'backoff', { code: 'error' }],
  ] as const)(
    '3.6 %s (token limit: %s) flushes text and reasoning, emits no call, and is %s',
    (reason, tokenLimit, kind, retry, more) => {
      const options = tokenLimit === undefined ? {} : { tokenLimit };
      const expected = { events: flushed, error: failure(kind, retry, more), skipped: 0, phase: 'ended' };
      expect(readOpen('chat', streamed + chatBody(chunk({}, reason)), options)).toEqual(expected);
      expect(
        readOpen('chat', streamed + chatBody(chunk({}, reason)), { ...options, toolCallsOnStop: 'promote' }),
      ).toEqual(expected);
    },
  );

  test('3.6 an error reason does not wait for usage', () => {
    for (const [reason, asked] of [
      ['length', { usageAsked: true, tokenLimit: true }],
      ['content_filter', { usageAsked: true }],
    ] as const) {
      expect(readOpen('chat', streamed + chatBody(chunk({}, reason)), asked)).toMatchObject({ phase: 'ended' });
    }
    const options = { usageAsked: true, usageOfCut: true };
    expect(readOpen('chat', streamed + chatBody(chunk({}, 'error')), options)).toMatchObject({ phase: 'ended' });
  });

  test('3.6 a limit whose usage is wanted waits for it as a finish does; a sentinel ends the wait', () => {
    const options = { usageAsked: true, usageOfCut: true };
    const body = streamed + chatBody(chunk({}, 'length'));
    expect(readOpen('chat', body, options)).toMatchObject({ phase: 'awaiting_usage' });
    for (const [end, kind] of [
      [chatBody('[DONE]'), 'context_window_exceeded'],
      [chatBody({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } }), 'incomplete'],
    ] as const) {
      const { phase, error } = readOpen('chat', body + end, options);
      expect([phase, error?.kind]).toEqual(['ended', kind]);
    }
    const two = chatBody(
      chunk({ content: 'a' }),
      { choices: [{ index: 1, delta: {}, finish_reason: 'length' }] },
      '[DONE]',
    );
    expect(readOpen('chat', two, options)).toMatchObject({
      phase: 'ended',
      error: { kind: 'context_window_exceeded' },
    });
  });

  test('3.6 length before anything was said may be replayed', () => {
    expect(readOpen('chat', chatBody(chunk({}, 'length')))).toEqual({
      events: [created()],
      error: failure('context_window_exceeded', 'never', { replay_safe: true }),
      skipped: 0,
      phase: 'ended',
    });
  });
});

describe('3.6 other reasons', () => {
  test.each(['eos', 'STOP', 'end_turn', 'weird', ' '])('3.6 %j completes like stop', (reason) => {
    const body = chatBody(
      chunk({ content: 'hi' }),
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }),
      chunk({}, reason),
    );
    expect(readOpen('chat', body).events.slice(-2)).toEqual([
      done(message('hi')),
      completed({
        finish_reason: reason,
        dropped_tool_calls: [{ call_id: 'a', name: 'f', arguments: '{}', reason: 'stop' }],
      }),
    ]);
  });

  test.each(['', null, undefined, 0, 1, true, {}])('3.6 %j is no finish', (reason) => {
    const body = chatBody({ choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: reason }] });
    expect(readOpen('chat', body)).toEqual({
      events: [created(), openMessage(), text('hi')],
      skipped: 0,
      phase: 'streaming',
    });
  });
});

describe('3.8 a top-level error', () => {
  const cases: readonly [unknown, ErrorKind, RetryClass, Expected][] = [
    ['boom', 'server_error', 'backoff', { message: 'boom' }],
    ['', 'server_error', 'backoff', {}],
    [{}, 'server_error', 'backoff', {}],
    [{ message: 'boom' }, 'server_error', 'backoff', { message: 'boom' }],
    [
      { message: 'boom', type: 'server_error', code: null },
      'server_error',
      'backoff',
      { message: 'boom', type: 'server_error' },
    ],
    [{ message: 'slow', code: 429 }, 'rate_limited', 'backoff', { message: 'slow', status: 429 }],
    [{ message: 'Please try again in 28ms', code: 429 }, 'rate_limited', 'after', { status: 429, after_ms: 28 }],
    [{ message: 'bad', status: 400 }, 'invalid_request', 'never', { message: 'bad', status: 400 }],
    [{ message: 'who', code: 401 }, 'unauthorized', 'never', { message: 'who', status: 401 }],
    [{ message: 'down', code: 502 }, 'server_error', 'backoff', { message: 'down', status: 502 }],
    [{ message: 'full', status: 503 }, 'server_overloaded', 'backoff', { message: 'full', status: 503 }],
    [
      { message: 'long', code: 'context_length_exceeded', status: 400 },
      'context_window_exceeded',
      'never',
      { code: 'context_length_exceeded', status: 400 },
    ],
    [
      { message: 'long', type: 'exceed_context_size_error', code: 400 },
      'context_window_exceeded',
      'never',
      { code: 'exceed_context_size_error', type: 'exceed_context_size_error', status: 400 },
    ],
    [
      { message: 'pay', code: 'insufficient_quota', status: 429 },
      'quota_exceeded',
      'never',
      { code: 'insufficient_quota', status: 429 },
    ],
    [{ message: 'odd', code: 17 }, 'server_error', 'backoff', { message: 'odd', code: '17' }],
    [{ message: 'odd', code: 200 }, 'server_error', 'backoff', { message: 'odd' }],
    [{ message: 'odd', code: 'weird' }, 'server_error', 'backoff', { message: 'odd', code: 'weird' }],
  ];

  test.each(cases)('3.8 %j', (error, kind, retry, expected) => {
    expect(readOpen('chat', chatBody({ error }))).toEqual({
      events: [],
      error: failure(kind, retry, { ...expected, replay_safe: true }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test.each([
    [{ error: 'slow', code: 429 }, 'rate_limited', { message: 'slow', status: 429 }],
    [{ error: 'full', status: 503 }, 'server_overloaded', { message: 'full', status: 503 }],
    [{ error: { message: 'down' }, status: 502 }, 'server_error', { message: 'down', status: 502 }],
    [{ error: 'long', code: 'context_length_exceeded' }, 'context_window_exceeded', { message: 'long' }],
    [{ error: { code: 429 }, code: 500 }, 'rate_limited', { status: 429 }],
  ])('3.8 a code or status beside the error is its own: %j', (event, kind, expected) => {
    expect(readOpen('chat', chatBody(event)).error).toMatchObject({ kind, ...expected });
  });

  test('3.8 an error in mid-stream is thrown at once, after what came', () => {
    expect(readOpen('chat', streamed + chatBody({ error: { message: 'boom', code: 500 } }))).toEqual({
      events: flushed,
      error: failure('server_error', 'backoff', { message: 'boom', status: 500 }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.8 an error wins over the choices of its event', () => {
    const last = { ...chunk({ content: 'lost' }, 'stop'), error: { message: 'boom' } };
    expect(readOpen('chat', streamed + chatBody(last))).toMatchObject({
      events: flushed,
      error: failure('server_error', 'backoff', { message: 'boom' }),
    });
  });

  test('3.8 null, and what is neither object nor string, is no error', () => {
    const body = chatBody(
      ...[null, undefined, 0, false, 7].map((error) => ({ ...chunk({ content: 'a' }), error })),
      chunk({}, 'stop'),
    );
    expect(readOpen('chat', body)).toMatchObject({
      events: [
        created(),
        openMessage(),
        ...Array.from('aaaaa', (letter) => text(letter)),
        done(message('aaaaa')),
        completed({ finish_reason: 'stop' }),
      ],
    });
  });

  test('3.8 an error event by its SSE name alone is data like any other', () => {
    const body = `event: error\ndata: {"error":{"message":"boom","code":503}}\n\n`;
    expect(readOpen('chat', body).error).toEqual(
      failure('server_overloaded', 'backoff', { message: 'boom', status: 503, replay_safe: true }),
    );
  });

  test('3.8 the flat error object of older servers is one', () => {
    const body = chatBody({ object: 'error', message: 'too long', type: 'BadRequestError', code: 400 });
    expect(readOpen('chat', body).error).toEqual(
      failure('invalid_request', 'never', {
        message: 'too long',
        status: 400,
        type: 'BadRequestError',
        replay_safe: true,
      }),
    );
  });
});
