import { describe, expect, test } from 'vitest';
import { errorShapes } from '../../packages/wire/src/dialects/error-shapes.ts';
import type { ErrorKind } from '../../packages/wire/src/model/errors.ts';
import { createResponsesFrameDecoder } from '../../packages/wire/src/index.ts';
import { chatBody, chunk } from './helpers.ts';
import { completed, created, done, failure, message, openMessage, read, readOpen, text } from './rules.ts';

/** A stream that breaks off behind a delta, and what was told of it. */
const halves = {
  chat: {
    body: chatBody(chunk({ content: 'half' })),
    flushed: [created(), openMessage(), text('half'), done(message('half', 'incomplete'))],
  },
  responses: {
    body: chatBody(
      { type: 'response.created', response: { id: 'r' } },
      { type: 'response.output_text.delta', item_id: 'msg_1', delta: 'half' },
    ),
    flushed: [created('r'), openMessage(), text('half'), done(message('half', 'incomplete'))],
  },
} as const;

const NO_ERRORS = [
  { message: 'warming up' },
  { status: 'processing', message: 'in the queue' },
  { code: 0, message: 'ok' },
  { code: 200, msg: 'success' },
  { success: true, message: 'ok' },
  { error: null, detail: 'warming up' },
  { error: false },
  { errors: [] },
  { base_resp: { status_code: 0, status_msg: 'success' } },
];

/** By the row that reads it: an event, and what it is told as. */
const seen: readonly [string, object, ErrorKind, object][] = [
  [
    'anthropic',
    { type: 'error', error: { type: 'timeout_error', message: 'boom' } },
    'timeout',
    { message: 'boom', code: 'timeout_error', type: 'timeout_error' },
  ],
  ['error', { error: { message: 'boom', code: 502 } }, 'server_error', { message: 'boom', status: 502 }],
  ['error', { error: 'boom', choices: null }, 'server_error', { message: 'boom' }],
  ['error', { error: true, message: 'boom' }, 'server_error', { message: 'boom' }],
  ['error', { error: 500, message: 'boom' }, 'server_error', { message: 'boom', status: 500 }],
  ['error', { error: { msg: 'boom', error_code: 429 } }, 'rate_limited', { message: 'boom', status: 429 }],
  [
    'base_resp',
    { id: 'x', choices: null, base_resp: { status_code: 2013, status_msg: 'invalid params' } },
    'server_error',
    { message: 'invalid params', code: '2013' },
  ],
  [
    'errors',
    { errors: [{ message: 'boom', code: 7009 }], success: false, result: null },
    'server_error',
    { message: 'boom', code: '7009' },
  ],
  ['errors', { errors: ['boom'] }, 'server_error', { message: 'boom' }],
  ['success', { success: false, code: 500, msg: 'boom' }, 'server_error', { message: 'boom', status: 500 }],
  ['success', { success: false, message: 'boom' }, 'server_error', { message: 'boom' }],
  ['flat', { code: '1301', message: 'unsafe' }, 'server_error', { message: 'unsafe', code: '1301' }],
  [
    'flat',
    { code: 'InvalidParameter', message: 'no such model', request_id: 'r' },
    'server_error',
    { message: 'no such model', code: 'InvalidParameter' },
  ],
  ['flat', { status: 400, detail: 'no such model' }, 'invalid_request', { message: 'no such model', status: 400 }],
  ['flat', { status_code: 503, error_msg: 'busy' }, 'server_overloaded', { message: 'busy', status: 503 }],
  ['object', { object: 'error', message: 'boom' }, 'server_error', { message: 'boom' }],
  [
    'flat',
    { code: 'InvalidParameter', message: 'no such model', status_code: 400 },
    'invalid_request',
    { message: 'no such model', code: 'InvalidParameter', status: 400 },
  ],
  ['flat', { status: 'error', message: 'boom' }, 'server_error', { message: 'boom' }],
  [
    'flat',
    { type: 'invalid_request_error', code: '400', message: 'no such model' },
    'invalid_request',
    { message: 'no such model', status: 400, type: 'invalid_request_error' },
  ],
  ['type', { type: 'error', message: 'boom' }, 'server_error', { message: 'boom' }],
  ['detail', { detail: 'Not Found' }, 'server_error', { message: 'Not Found' }],
  [
    'detail',
    { detail: [{ loc: ['body', 'model'], msg: 'Field required' }] },
    'server_error',
    { message: 'body.model: Field required' },
  ],
];

describe.each(['chat', 'responses'] as const)('3.8 and 4: errors that do not look like one, on the %s wire', (wire) => {
  const half = halves[wire];

  test.each(seen)('3.8 %s: %j', (shape, event, kind, expected) => {
    expect(errorShapes.find((row) => row.read({ ...event }) !== undefined)?.name).toBe(shape);
    const told = readOpen(wire, half.body + chatBody(event));
    expect(told).toMatchObject({ events: half.flushed, skipped: 0, phase: 'ended', error: { kind, ...expected } });
  });

  test.each(seen)('3.8 the same as a whole body: %s %j', (_, event, kind, expected) => {
    expect(read(wire, JSON.stringify(event))).toMatchObject({ events: [], skipped: 0, error: { kind, ...expected } });
  });

  test.each(NO_ERRORS)('3.8 %j is passed over', (event) => {
    const told = readOpen(wire, half.body + chatBody(event));
    expect(told).toEqual({ events: half.flushed.slice(0, -1), skipped: 1, phase: 'streaming' });
  });
});

test('3.8 an event of no wire is passed over, and the answer ends well', () => {
  expect(readOpen('chat', halves.chat.body + chatBody({ type: 'ping' }, chunk({}, 'stop')))).toEqual({
    events: [...halves.chat.flushed.slice(0, -1), done(message('half')), completed({ finish_reason: 'stop' })],
    skipped: 1,
    phase: 'ended',
  });
});

describe('4 errors over a WebSocket', () => {
  const frames = (...events: object[]) => {
    const decoder = createResponsesFrameDecoder();
    const told = events.flatMap((event) => decoder.pushText(JSON.stringify(event)));
    return { events: told, error: decoder.failure?.toJSON(), phase: decoder.phase };
  };

  test.each(seen)('4 %s: %j', (_, event, kind, expected) => {
    expect(frames(event)).toMatchObject({ events: [], phase: 'ended', error: { kind, ...expected } });
  });

  test('4 an event of the wire is no error, whatever it has besides', () => {
    const event = { type: 'response.mcp_call.failed', code: 'x', message: 'boom', success: false, error: 'boom' };
    expect(frames(event)).toMatchObject({ events: [{ type: 'unknown', raw: event }], phase: 'streaming' });
  });

  test.each([
    ['the error of the response', { response: { status: 'failed', error: { message: 'boom', code: '503' } } }],
    ['its code as a number', { response: { status: 'failed', error: { message: 'boom', code: 503 } } }],
    ['the error of the event', { response: { status: 'failed', error: null }, error: { message: 'boom', code: 503 } }],
    ['fields of the event', { message: 'boom', code: '503' }],
    ['fields of the response', { response: { status: 'failed', message: 'boom', code: 503 } }],
  ])('4 response.failed: %s', (_, fields) => {
    const { error } = frames({ type: 'response.failed', ...fields });
    expect(error).toEqual(failure('server_overloaded', 'backoff', { message: 'boom', status: 503, replay_safe: true }));
  });

  test('4 how a response ended is no code of its error', () => {
    for (const status of ['failed', 'completed']) {
      const { error } = frames({ type: 'response.completed', response: { status, error: { message: 'boom' } } });
      expect(error).toEqual(failure('server_error', 'backoff', { message: 'boom', replay_safe: true }));
    }
  });
});

test('3.8 each row is tried', () => {
  expect(new Set(seen.map(([shape]) => shape))).toEqual(new Set(errorShapes.map(({ name }) => name)));
});

describe('3.8 an error in a choice', () => {
  const error = { code: 429, message: 'slow down' };
  const limited = { kind: 'rate_limited', message: 'slow down', status: 429 };

  test.each([
    ['without a finish', { choices: [{ index: 0, delta: {}, error }] }],
    ['with finish_reason error', { choices: [{ index: 0, delta: {}, finish_reason: 'error', error }] }],
    ['with finish_reason stop', { choices: [{ index: 0, delta: {}, finish_reason: 'stop', error }] }],
    [
      'in the second choice',
      {
        choices: [
          { index: 0, delta: {} },
          { index: 1, delta: {}, error },
        ],
      },
    ],
    ['beside the choices', { choices: [{ index: 0, delta: {} }], error }],
  ])('3.8 %s has its own message, code and status (genkit#6079, jp#978)', (_, event) => {
    const told = readOpen('chat', halves.chat.body + chatBody(event, '[DONE]'));
    expect(told).toMatchObject({ events: halves.chat.flushed, phase: 'ended', error: limited });
    expect(read('chat', JSON.stringify(event)).error).toMatchObject(limited);
  });

  test('3.8 a text is one, and a code beside it is its own', () => {
    const event = { choices: [{ index: 0, delta: {}, error: 'down', code: 503 }] };
    expect(readOpen('chat', chatBody(event)).error).toMatchObject({ kind: 'server_overloaded', message: 'down' });
  });

  test.each([null, '', false, 0])('3.8 %j in a choice is none', (none) => {
    const event = { choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: 'stop', error: none }] };
    expect(readOpen('chat', chatBody(event)).error).toBeUndefined();
  });
});
