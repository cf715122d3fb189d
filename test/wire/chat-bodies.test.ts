import { describe, expect, test } from 'vitest';
import { chatBody, chunk, cut, decodeChunks } from './helpers.ts';
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

const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        reasoning_content: 'why',
        content: 'hi',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
      finish_reason: 'tool_calls',
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};
const events = [
  created('chatcmpl-1'),
  openThought(),
  reasoning('why'),
  openMessage(),
  text('hi'),
  openCall('c1', 'f', 'fc_1'),
  input('{"a":1}', 'c1', 'f', 'fc_1'),
  done(thought('why')),
  done(call('c1', 'f', '{"a":1}', 'fc_1')),
  done(message('hi')),
  completed({ response_id: 'chatcmpl-1', finish_reason: 'tool_calls', usage: usage(3, 2) }),
];
const html = failure('protocol', 'never', { replay_safe: true });

describe('6 a JSON body where a stream was due is decoded', () => {
  test.each([
    ['compact', JSON.stringify(answer)],
    ['pretty', JSON.stringify(answer, null, 2)],
    ['pretty with CRLF', JSON.stringify(answer, null, 2).replaceAll('\n', '\r\n')],
    ['after blank lines', `\n\n  ${JSON.stringify(answer)}\n`],
    ['after a BOM', `\uFEFF${JSON.stringify(answer)}`],
  ])('6 %s', (_name, body) => {
    expect(read('chat', body)).toEqual({ events, skipped: 0, phase: 'ended' });
    expect(read('chat', body, { usageAsked: true })).toEqual({ events, skipped: 0, phase: 'ended' });
  });

  test('6 one without usage does not wait for it', () => {
    const bare = { ...answer, usage: undefined };
    const outcome = read('chat', JSON.stringify(bare), { usageAsked: true });
    expect(outcome.events.at(-1)).toEqual(completed({ response_id: 'chatcmpl-1', finish_reason: 'tool_calls' }));
  });

  test('6 one with several choices has the items of all', () => {
    const choices = ['a', 'b'].map((content, index) => ({ index, message: { content }, finish_reason: 'stop' }));
    expect(read('chat', JSON.stringify({ choices })).events).toEqual([
      created(),
      openMessage('msg_1'),
      text('a', 'msg_1'),
      openMessage('msg_2'),
      text('b', 'msg_2'),
      done(message('a', 'completed', 'msg_1')),
      done(message('b', 'completed', 'msg_2')),
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('6 an error in it is that error', () => {
    expect(read('chat', JSON.stringify({ error: { message: 'no such model', code: 404 } }))).toEqual({
      events: [],
      error: failure('invalid_request', 'never', { message: 'no such model', status: 404, replay_safe: true }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('6 one without a finish_reason, or cut off, is no finished answer', () => {
    const unfinished = { choices: [{ index: 0, message: { content: 'hi' } }] };
    expect(read('chat', JSON.stringify(unfinished))).toMatchObject({
      events: [created(), openMessage(), text('hi'), done(message('hi', 'incomplete'))],
      error: failure('stream_truncated', 'backoff'),
    });
    expect(read('chat', JSON.stringify(answer).slice(0, -5))).toMatchObject({
      events: [],
      error: failure('stream_truncated', 'backoff', { replay_safe: true }),
    });
  });

  test('6 it is not mistaken for one where a stream came after all', () => {
    expect(readOpen('chat', `{"ignored":"line"}\n\n${chatBody(chunk({ content: 'hi' }, 'stop'))}`)).toEqual({
      events: [created(), openMessage(), text('hi'), done(message('hi')), completed({ finish_reason: 'stop' })],
      skipped: 0,
      phase: 'ended',
    });
  });
});

describe('6 an HTML page is protocol', () => {
  test.each([
    '<!doctype html><html><body>502</body></html>',
    '  \n<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">\n<p>x',
    '<html lang="en">',
    '<head><title>x</title>',
    '<!-- proxy --><html>',
    '\uFEFF<!doctype html>',
    `<html>${'<p>long</p>\n'.repeat(5000)}</html>`,
  ])('6 %.30j', (page) => {
    for (const wire of ['chat', 'responses'] as const) {
      expect(read(wire, page)).toEqual({ events: [], error: html, skipped: 0, phase: 'ended' });
    }
  });

  test('6 a page that begins with a long comment is taken the same however it is cut', () => {
    const page = new TextEncoder().encode(`<!-- ${'x'.repeat(2000)} --><html>`);
    expect(decodeChunks('chat', [page])).toEqual(decodeChunks('chat', cut(page, 100)));
  });

  test('6 not even onClose complete makes a page an answer', () => {
    expect(read('chat', '<!doctype html>', { onClose: 'complete' }).error).toEqual(html);
  });

  test.each(['plain words', '<xml/>', 'htm', '[1,2]', '"DONE"'])(
    '6 %j is only a stream that ended too early',
    (body) => {
      for (const wire of ['chat', 'responses'] as const) {
        expect(read(wire, body).error?.kind).toBe('stream_truncated');
      }
    },
  );
});
