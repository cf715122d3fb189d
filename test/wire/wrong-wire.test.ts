import { describe, expect, test } from 'vitest';
import { createResponsesFrameDecoder, protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { wireSigns } from '../../packages/wire/src/dialects/wire-signs.ts';
import { wireIn } from '../../packages/wire/src/wrong-wire.ts';
import { chatBody, chunk, responsesBody } from './helpers.ts';
import { failure, read, readOpen } from './rules.ts';

const lines = (...values: object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

const ollama = { model: 'm', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: 'hi' } };
const response = { id: 'resp_1', object: 'response', status: 'completed', output: [] };
const completion = { id: 'c', object: 'chat.completion', choices: [{ index: 0, message: { content: 'hi' } }] };
const message = { id: 'm', type: 'message', role: 'assistant', content: [{ type: 'text', text: 'hi' }] };

/** Each wire's stream and whole body, and the words for it. */
const answers = {
  responses: {
    bodies: [
      responsesBody({ type: 'response.created', response: { id: 'resp_1' } }, { type: 'response.completed' }),
      responsesBody({ type: 'response.completed', response: { id: 'resp_1' } }),
      JSON.stringify(response),
      JSON.stringify(response, null, 2),
    ],
    told: 'this is a Responses stream: use --wire responses',
  },
  chat: {
    bodies: [
      chatBody(chunk({ role: 'assistant' }), chunk({ content: 'hi' }), chunk({}, 'stop'), '[DONE]'),
      chatBody({ object: 'chat.completion.chunk', choices: [] }),
      JSON.stringify(completion),
      lines({ ...completion, object: 'chat.completion.chunk' }, completion),
    ],
    told: 'this is a Chat Completions stream: use --wire chat',
  },
  ollama: {
    bodies: [
      lines({ ...ollama, done: false }, { ...ollama, done: true }),
      lines({ ...ollama, done: true }),
      lines({ model: 'm', response: 'h', done: false }, { model: 'm', response: 'i', done: true }),
    ],
    told: "this is a stream of Ollama's own API (/api/chat): end the base URL in /v1, where Ollama speaks Chat Completions",
  },
  messages: {
    bodies: [
      responsesBody({ type: 'message_start', message }, { type: 'message_stop' }),
      responsesBody({ type: 'ping' }, { type: 'content_block_delta', delta: { type: 'text_delta', text: 'hi' } }),
      JSON.stringify(message),
    ],
    told: 'this is an Anthropic Messages stream: use --wire messages',
  },
};

test.each([
  ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop'],
  ...['message_delta', 'message_stop'],
])('6 %s alone tells the Messages wire', (type) => {
  expect(wireIn(JSON.stringify({ type }))).toBe('messages');
});

describe('6 an answer of another wire is told as that, at once', () => {
  const pairs = protocolIds.flatMap((asked: ProtocolId) =>
    Object.entries(answers).flatMap(([sent, { bodies, told }]) =>
      sent === asked ? [] : bodies.map((body) => [asked, sent, told, body] as const),
    ),
  );

  test.each(pairs)('6 asked for %s, sent %s: %s', (asked, _sent, told, body) => {
    const { events, error } = read(asked, body);
    expect(error).toEqual(failure('protocol', 'never', { message: told, replay_safe: true }));
    expect(events.filter(({ type }) => type !== 'unknown')).toEqual([]);
  });

  test('6 the first event is enough, with the socket open', () => {
    const [stream = ''] = answers.responses.bodies;
    expect(readOpen('chat', stream).phase).toBe('ended');
  });

  test('6 so over a WebSocket', () => {
    const decoder = createResponsesFrameDecoder();
    decoder.pushText(JSON.stringify({ type: 'message_start', message }));
    expect(decoder.failure?.message).toBe(answers.messages.told);
  });

  test('6 once the right wire was heard, nothing is taken for another', () => {
    const stream = chatBody(chunk({ content: 'hi' }), { type: 'response.created' }, chunk({}, 'stop'));
    expect(readOpen('chat', stream)).toMatchObject({ skipped: 1, phase: 'ended' });
    expect(readOpen('chat', stream).error).toBeUndefined();
  });

  test('6 the right wire is never another, and an error is an error', () => {
    for (const wire of protocolIds) {
      for (const body of answers[wire].bodies) expect(read(wire, body).error?.kind).not.toBe('protocol');
      const error = chatBody({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
      expect(read(wire, error).error).toMatchObject({ kind: 'server_overloaded', message: 'Overloaded' });
    }
  });
});

describe('6 the wire that the beginning of an answer is of', () => {
  test.each(Object.entries(answers).flatMap(([sent, { bodies }]) => bodies.map((body) => [sent, body] as const)))(
    '6 %s',
    (sent, body) => {
      expect(wireIn(body)).toBe(wireSigns.some(({ wire }) => wire === sent) ? sent : undefined);
    },
  );

  test.each(['', '{}', 'data: [DONE]\n\n', '{"error":{"message":"no"}}', '<html>', '[]'])('6 none in %j', (body) => {
    expect(wireIn(body)).toBeUndefined();
  });
});
