import { describe, expect, test } from 'vitest';
import { completed, done, failure, read, usage } from './rules.ts';

const item = {
  type: 'message',
  id: 'm',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'hi', annotations: [] }],
};
const calling = { type: 'function_call', id: 'f', call_id: 'c', name: 'g', arguments: '{}', status: 'completed' };
const response = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  output: [item, calling],
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
};
const end = completed({ response_id: 'resp_1', ended_by: 'response.completed', usage: usage(3, 2) });

describe('6 a JSON body where a stream was due is decoded', () => {
  test.each([
    ['compact', JSON.stringify(response)],
    ['pretty', JSON.stringify(response, null, '\t')],
    ['after a BOM', `\uFEFF${JSON.stringify(response)}`],
  ])('6 %s', (_name, body) => {
    expect(read('responses', body)).toEqual({ events: [done(item), done(calling), end], skipped: 0, phase: 'ended' });
  });

  test('6 one with an output and no status is finished', () => {
    const bare = { ...response, status: undefined };
    expect(read('responses', JSON.stringify(bare)).events).toEqual([done(item), done(calling), end]);
  });

  test('6 one that failed is its error', () => {
    const failed = {
      ...response,
      status: 'failed',
      output: [],
      error: { code: 'rate_limit_exceeded', message: 'slow' },
    };
    expect(read('responses', JSON.stringify(failed))).toEqual({
      events: [],
      error: failure('rate_limited', 'backoff', { message: 'slow', code: 'rate_limit_exceeded', replay_safe: true }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('6 one that is incomplete is that, with its text as incomplete and without its calls', () => {
    const cut = { ...response, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    expect(read('responses', JSON.stringify(cut))).toEqual({
      events: [done({ ...item, status: 'incomplete' })],
      error: failure('incomplete', 'never', { code: 'max_output_tokens' }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('6 an error body is its error', () => {
    expect(read('responses', JSON.stringify({ error: { message: 'who are you', code: 401 } })).error).toEqual(
      failure('unauthorized', 'never', { message: 'who are you', status: 401, replay_safe: true }),
    );
  });

  test.each([{ ...response, status: 'in_progress' }, { ...response, status: 'queued' }, { hello: 'world' }])(
    '6 what is no finished response is a stream that ended too early: %.60j',
    (body) => {
      expect(read('responses', JSON.stringify(body))).toMatchObject({
        events: [],
        error: failure('stream_truncated', 'backoff', { replay_safe: true }),
      });
    },
  );
});
