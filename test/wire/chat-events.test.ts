import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../packages/wire/src/index.ts';
import { chatBody, chunk } from './helpers.ts';
import {
  added,
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
  refusal,
  text,
  thought,
} from './rules.ts';

describe('1. items made from the chat wire', () => {
  test('1 an item has one minted id on added, deltas and done, and ends completed', () => {
    const body = chatBody(
      chunk({ reasoning_content: 'hm' }),
      chunk({ content: 'a' }),
      chunk({ content: 'b' }),
      chunk({ tool_calls: [{ index: 0, id: 'c1', function: { name: 'f', arguments: '{}' } }] }),
      chunk({}, 'tool_calls'),
    );
    expect(read('chat', body)).toEqual({
      events: [
        created(),
        openThought(),
        reasoning('hm'),
        openMessage(),
        text('a'),
        text('b'),
        openCall('c1', 'f', 'fc_1'),
        input('{}', 'c1', 'f', 'fc_1'),
        done(thought('hm')),
        done(call('c1', 'f', '{}', 'fc_1')),
        done(message('ab')),
        completed({ finish_reason: 'tool_calls' }),
      ],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('1 without a mint of its own a decoder still never gives two items one id', () => {
    const body = chatBody(chunk({ reasoning: 'r', content: 'c' }), chunk({}, 'stop'));
    const { events } = read('chat', body, { mintId: undefined as never });
    const ids = events.flatMap((event) => (event.type === 'output_item.added' ? [String(event.item.id)] : []));
    expect(ids.map((id) => id.replace(/_.+/, ''))).toEqual(['rs', 'msg']);
    expect(new Set(ids).size).toBe(2);
  });

  test('1 a message with text and a refusal is one item with both parts, in that order', () => {
    const body = chatBody(
      chunk({ refusal: 'no' }),
      chunk({ content: 'yes' }),
      chunk({ refusal: '!' }),
      chunk({}, 'stop'),
    );
    const item = {
      ...message('yes'),
      content: [
        { type: 'output_text', text: 'yes', annotations: [] },
        { type: 'refusal', refusal: 'no!' },
      ],
    };
    expect(read('chat', body).events).toEqual([
      created(),
      openMessage(),
      refusal('no'),
      text('yes'),
      refusal('!'),
      done(item),
      completed({ finish_reason: 'stop' }),
    ]);
  });
});

describe('2. created', () => {
  const id = { id: 'chatcmpl-1' };

  test('2 created comes once, at the first object with a choices array, with its id', () => {
    const body = chatBody(
      chunk({ role: 'assistant', content: '' }, null, id),
      chunk({ content: 'a' }, null, { id: 'other' }),
      chunk({}, 'stop', id),
    );
    expect(read('chat', body).events).toEqual([
      created('chatcmpl-1'),
      openMessage(),
      text('a'),
      done(message('a')),
      completed({ response_id: 'chatcmpl-1', finish_reason: 'stop' }),
    ]);
  });

  test('2 an empty choices array is enough for created', () => {
    expect(read('chat', chatBody({ ...id, choices: [] }, '[DONE]')).events).toEqual([
      created('chatcmpl-1'),
      completed({ response_id: 'chatcmpl-1', ended_by: 'sentinel' }),
    ]);
  });

  test('2 a usage-only object without choices makes no created, but its id counts', () => {
    const body = chatBody(
      { ...id, usage: { prompt_tokens: 1, completion_tokens: 0 } },
      chunk({ content: 'a' }),
      chunk({}, 'stop'),
    );
    const { events, skipped } = read('chat', body);
    expect([events[0], skipped]).toEqual([created('chatcmpl-1'), 0]);
  });

  test('2 an id that is no string is passed over for the first that is', () => {
    const body = chatBody(chunk({ content: 'a' }, null, { id: 7 }), chunk({}, 'stop', id));
    expect(read('chat', body).events).toEqual([
      created(),
      openMessage(),
      text('a'),
      done(message('a')),
      completed({ response_id: 'chatcmpl-1', finish_reason: 'stop' }),
    ]);
  });

  test('2 a bare sentinel makes none', () => {
    expect(read('chat', chatBody('[DONE]')).events).toEqual([completed({ ended_by: 'sentinel' })]);
  });

  test('2 a lone error makes none', () => {
    expect(read('chat', chatBody({ error: { message: 'boom' } }))).toEqual({
      events: [],
      error: failure('server_error', 'backoff', { message: 'boom', replay_safe: true }),
      skipped: 0,
      phase: 'ended',
    });
  });
});

describe('2. output_item.added and deltas', () => {
  test('2 empty text opens no item and makes no delta', () => {
    const body = chatBody(
      chunk({ role: 'assistant', content: '', reasoning_content: '', refusal: '' }),
      chunk({ content: null, reasoning: null, refusal: null, tool_calls: null }),
      chunk({ content: [], reasoning: {}, reasoning_details: [], tool_calls: [] }),
      chunk({ content: [{ type: 'text', text: '' }, {}, 'x', null], reasoning: '' }),
      chunk({}, 'stop'),
    );
    expect(read('chat', body).events).toEqual([created(), completed({ finish_reason: 'stop' })]);
  });

  test('2 content as an array: every text of it is a delta', () => {
    const body = chatBody(chunk({ content: [{ type: 'text', text: 'a' }, { text: 'b' }] }), chunk({}, 'stop'));
    expect(read('chat', body).events).toEqual([
      created(),
      openMessage(),
      text('a'),
      text('b'),
      done(message('ab')),
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('2 a call opens once its id and name are known, and what was held goes out as one delta', () => {
    const body = chatBody(
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
      chunk({ tool_calls: [{ index: 0, id: 'c1', function: { arguments: ':' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '1' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '}' } }] }),
      chunk({}, 'tool_calls'),
    );
    expect(read('chat', body).events).toEqual([
      created(),
      openCall('c1', 'f', 'fc_1'),
      input('{"a":1', 'c1', 'f', 'fc_1'),
      input('}', 'c1', 'f', 'fc_1'),
      done(call('c1', 'f', '{"a":1}', 'fc_1')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('2 empty fragments make no tool_call_input.delta', () => {
    const body = chatBody(
      chunk({ tool_calls: [{ index: 0, id: 'c1', function: { name: 'f', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0 }] }),
      chunk({}, 'tool_calls'),
    );
    expect(read('chat', body).events).toEqual([
      created(),
      openCall('c1', 'f', 'fc_1'),
      done(call('c1', 'f', '', 'fc_1')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('2 the decoder never invents a delta: deltas add up to what the wire sent, cut as the wire cut it', () => {
    const pieces = ['Grüß', ' ', '\u{1F600}', '\n', '"\\', '\u0000'];
    const body = chatBody(...pieces.map((content) => chunk({ content })), chunk({}, 'stop'));
    expect(read('chat', body).events).toEqual([
      created(),
      openMessage(),
      ...pieces.map((piece) => text(piece)),
      done(message(pieces.join(''))),
      completed({ finish_reason: 'stop' }),
    ]);
  });
});

describe('2. failures', () => {
  test('2 what arrived before a failure is delivered, open texts are closed incomplete, open calls are not', () => {
    const body = chatBody(
      chunk({ reasoning: 'r' }),
      chunk({ content: 'half' }),
      chunk({ tool_calls: [{ index: 0, id: 'c1', function: { name: 'f', arguments: '{}' } }] }),
    );
    expect(read('chat', body)).toEqual({
      events: [
        created(),
        openThought(),
        reasoning('r'),
        openMessage(),
        text('half'),
        openCall('c1', 'f', 'fc_1'),
        input('{}', 'c1', 'f', 'fc_1'),
        done(thought('r', 'incomplete')),
        done(message('half', 'incomplete')),
      ],
      error: failure('stream_truncated', 'backoff'),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('2 nothing follows the end: neither events nor a second end', () => {
    const rest = [chunk({ content: 'late' }), { error: 'late' }, 'no json', '[DONE]', chunk({}, 'length')];
    const good = chatBody(chunk({ content: 'a' }), chunk({}, 'stop'));
    expect(read('chat', good + chatBody(...rest))).toEqual(read('chat', good));
    const bad = chatBody(chunk({ content: 'a' }), { error: 'boom' });
    expect(read('chat', bad + chatBody(...rest))).toEqual(read('chat', bad));
  });
});

describe('2. data that is not the wire', () => {
  test('2 data that is not JSON, or no object of the expected shape, is skipped and counted', () => {
    const body =
      chatBody(
        'no json',
        '',
        '[]',
        '"text"',
        '17',
        'null',
        '{}',
        { object: 'ping' },
        { choices: 'x' },
        { choices: null },
      ) + chatBody(chunk({ content: 'a' }), '{"choices":[', chunk({}, 'stop'));
    expect(read('chat', body)).toEqual({
      events: [created(), openMessage(), text('a'), done(message('a')), completed({ finish_reason: 'stop' })],
      skipped: 11,
      phase: 'ended',
    });
  });

  test('2 choices, deltas and fragments that are no objects are passed over', () => {
    const body = chatBody(
      { choices: [null, 'x', 3, []] },
      { choices: [{ index: 0, delta: 'x', message: 4 }] },
      chunk({ tool_calls: [null, 'x', []], content: 12, reasoning: 3, refusal: {} }),
      chunk({ content: 'a' }),
      chunk({}, 'stop'),
    );
    expect(read('chat', body).events).toEqual([
      created(),
      openMessage(),
      text('a'),
      done(message('a')),
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('2 a message that is whole at once is one added, one delta, one done', () => {
    const body = chatBody({ choices: [{ index: 0, message: { content: 'hi' }, finish_reason: 'stop' }] });
    expect(readOpen('chat', body)).toEqual({
      events: [
        created(),
        added(message('', 'in_progress')),
        text('hi'),
        done(message('hi')),
        completed({ finish_reason: 'stop' }),
      ],
      skipped: 0,
      phase: 'ended',
    });
  });
});

test('2 an array of events is the caller’s to keep, empty or not', () => {
  const decoder = createDecoder('chat');
  const first = decoder.push(new TextEncoder().encode(': nothing yet\n'));
  decoder.push(new TextEncoder().encode(chatBody(chunk({ content: 'hi' }))));
  expect(first).toEqual([]);
});
