import { describe, expect, test } from 'vitest';
import { errorInEvent, errorShapes } from '../../packages/wire/src/dialects/error-shapes.ts';
import { createResponsesFrameDecoder } from '../../packages/wire/src/index.ts';
import { errorExamples } from './error-examples.ts';
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

const seen = errorExamples.map(({ row, event, kind, told }) => [row, event, kind, told] as const);

describe.each(['chat', 'responses'] as const)('3.8 and 4: errors that do not look like one, on the %s wire', (wire) => {
  const half = halves[wire];

  test.each(seen)('3.8 %s: %j', (shape, event, kind, expected) => {
    expect(Object.entries(errorShapes).find(([, read]) => read({ ...event }) !== undefined)?.[0]).toBe(shape);
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

/** Written out, not read from the tables: a word that gets lost there is missed here. */
describe('3.8 the words of the shapes', () => {
  test.each(['message', 'msg', 'detail', 'status_msg', 'error_msg', 'error_message'])(
    '3.8 the message in %s',
    (key) => {
      expect(errorInEvent({ [key]: 'boom', code: 'E1' })).toMatchObject({ message: 'boom', code: 'E1' });
    },
  );

  test.each(['code', 'status', 'status_code', 'error_code'])('3.8 the code in %s', (key) => {
    expect(errorInEvent({ message: 'boom', [key]: 'E1' })).toMatchObject({ message: 'boom', code: 'E1' });
    expect(errorInEvent({ message: 'boom', [key]: 429 })).toMatchObject({ code: 429 });
  });

  test.each(['', '0', 'ok', 'OK', 'success', 'queued', 'pending', 'processing', 'running', 'in_progress'])(
    '3.8 the status %j tells of no error',
    (status) => {
      expect(errorInEvent({ message: 'boom', status })).toBeUndefined();
    },
  );

  test.each(['error', 'fail', 'failed', 'Failure'])('3.8 the status %s is an error, and no code', (status) => {
    expect(errorInEvent({ message: 'boom', status })).toMatchObject({ message: 'boom', code: undefined });
  });

  test.each(['error', 'response.failed'])('3.8 the name of an event is no type of an error: %s', (type) => {
    expect(errorInEvent({ type, message: 'boom', code: 'E1' })).toMatchObject({ message: 'boom', type: undefined });
  });
});

test('3.8 each row is tried', () => {
  expect(new Set(seen.map(([shape]) => shape))).toEqual(new Set(Object.keys(errorShapes)));
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
