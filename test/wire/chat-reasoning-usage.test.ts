import { describe, expect, test } from 'vitest';
import { chatBody, chunk } from './helpers.ts';
import {
  call,
  completed,
  created,
  done,
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
  usage,
} from './rules.ts';

const stop = chunk({}, 'stop');
const end = completed({ finish_reason: 'stop' });

describe('3.9 reasoning', () => {
  test.each([
    [{ reasoning: 'r' }],
    [{ reasoning: { text: 'r' } }],
    [{ reasoning: { content: 'r' } }],
    [{ reasoning: { text: 'r', content: 'no' } }],
    [{ reasoning: { text: '', content: 'r' } }],
    [{ reasoning_content: 'r' }],
    [{ reasoning_details: [{ type: 'reasoning.text', text: 'r' }] }],
    [{ reasoning_details: [{ type: 'reasoning.other' }, { text: 'r' }] }],
    [{ reasoning: 'r', reasoning_content: 'no', reasoning_details: [{ text: 'no' }] }],
    [{ reasoning: '', reasoning_content: 'r' }],
    [{ reasoning: null, reasoning_content: 'r' }],
    [{ reasoning: {}, reasoning_content: 'r' }],
    [{ reasoning: 5, reasoning_content: 'r' }],
    [{ reasoning: 'r', reasoning_details: [{ text: 'r' }] }],
    [{ reasoning_content: '', reasoning_details: [{ text: 'r' }] }],
    [{ reasoning_content: 'r', reasoning_details: [{ text: 'no' }] }],
  ])('3.9 per delta one source, the first non-empty: %j', (delta) => {
    expect(readOpen('chat', chatBody(chunk(delta), stop)).events).toEqual([
      created(),
      openThought(),
      reasoning('r'),
      done(thought('r')),
      end,
    ]);
  });

  test('3.9 the source is chosen anew for each delta', () => {
    const body = chatBody(
      chunk({ reasoning: 'a' }),
      chunk({ reasoning_content: 'b' }),
      chunk({ reasoning_details: [{ text: 'c' }] }),
      stop,
    );
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openThought(),
      reasoning('a'),
      reasoning('b'),
      reasoning('c'),
      done(thought('abc')),
      end,
    ]);
  });

  test('3.9 in one delta, reasoning comes before the text', () => {
    expect(readOpen('chat', chatBody(chunk({ content: 'c', reasoning_content: 'r' }), stop)).events).toEqual([
      created(),
      openThought(),
      reasoning('r'),
      openMessage(),
      text('c'),
      done(thought('r')),
      done(message('c')),
      end,
    ]);
  });
});

describe('3.9 a message in a chunk', () => {
  const whole = {
    reasoning: 'r',
    content: 'c',
    refusal: 'no',
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
  };
  const withMessage = (more: object = {}): object => ({
    choices: [{ index: 0, message: whole, finish_reason: 'tool_calls', ...more }],
  });
  const ended = completed({ finish_reason: 'tool_calls' });
  const both = {
    ...message('c'),
    content: [
      { type: 'output_text', text: 'c', annotations: [] },
      { type: 'refusal', refusal: 'no' },
    ],
  };
  const calling = [openCall('a', 'f', 'fc_1'), input('{}', 'a', 'f', 'fc_1')];
  const called = done(call('a', 'f', '{}', 'fc_1'));

  test('3.9 is read like a delta where nothing was streamed', () => {
    expect(readOpen('chat', chatBody(withMessage())).events).toEqual([
      created(),
      openThought(),
      reasoning('r'),
      openMessage(),
      text('c'),
      refusal('no'),
      ...calling,
      done(thought('r')),
      called,
      done(both),
      ended,
    ]);
  });

  test('3.9 counts only for the kinds that were not streamed: text was', () => {
    expect(readOpen('chat', chatBody(chunk({ content: 'c' }), withMessage())).events).toEqual([
      created(),
      openMessage(),
      text('c'),
      openThought(),
      reasoning('r'),
      refusal('no'),
      ...calling,
      done(thought('r')),
      called,
      done(both),
      ended,
    ]);
  });

  test('3.9 counts only for the kinds that were not streamed: reasoning and calls were', () => {
    const body = chatBody(chunk({ reasoning: 'r' }), chunk({ tool_calls: whole.tool_calls }), withMessage());
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openThought(),
      reasoning('r'),
      ...calling,
      openMessage(),
      text('c'),
      refusal('no'),
      done(thought('r')),
      called,
      done(both),
      ended,
    ]);
  });

  test('3.9 repeats nothing when all of it was streamed', () => {
    const streamed = chatBody(chunk({ reasoning: 'r', content: 'c', refusal: 'no', tool_calls: whole.tool_calls }));
    expect(readOpen('chat', streamed + chatBody(withMessage()))).toEqual(
      readOpen('chat', streamed + chatBody(chunk({}, 'tool_calls'))),
    );
  });

  test('3.9 of one chunk with a delta and a message, the delta is what streamed', () => {
    const body = chatBody(
      withMessage({ delta: { reasoning: 'r', content: 'c', refusal: 'no', tool_calls: whole.tool_calls } }),
    );
    const streamed = chatBody({ choices: [{ index: 0, delta: whole, finish_reason: 'tool_calls' }] });
    expect(readOpen('chat', body)).toEqual(readOpen('chat', streamed));
  });

  test('3.9 what another choice streamed does not count', () => {
    const body = chatBody({
      choices: [
        { index: 1, delta: { content: 'x' }, finish_reason: 'stop' },
        { index: 0, message: { content: 'c' }, finish_reason: 'stop' },
      ],
    });
    expect(readOpen('chat', body).events.slice(0, 5)).toEqual([
      created(),
      openMessage('msg_1'),
      text('x', 'msg_1'),
      openMessage('msg_2'),
      text('c', 'msg_2'),
    ]);
  });

  test('3.9 its kinds of reasoning are those of a delta', () => {
    for (const one of [
      { reasoning: { text: 'r' } },
      { reasoning_content: 'r' },
      { reasoning_details: [{ text: 'r' }] },
    ]) {
      expect(
        readOpen('chat', chatBody({ choices: [{ index: 0, message: one, finish_reason: 'stop' }] })).events,
      ).toEqual([created(), openThought(), reasoning('r'), done(thought('r')), end]);
    }
  });
});

describe('3.10 usage', () => {
  const counts = (prompt: number, completion: number, total?: number): object => ({
    prompt_tokens: prompt,
    completion_tokens: completion,
    ...(total === undefined ? {} : { total_tokens: total }),
  });
  const told = (...events: object[]): unknown => {
    const last = read('chat', chatBody(...events), { usageAsked: true }).events.at(-1);
    return last?.type === 'completed' ? (last.usage ?? 'absent') : 'not completed';
  };

  test('3.10 has the Responses shape, with the details', () => {
    const own = {
      ...counts(10, 4, 14),
      prompt_tokens_details: { cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 3 },
    };
    expect(told(chunk({}, 'stop', { usage: own }))).toEqual({
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 8 },
      output_tokens: 4,
      output_tokens_details: { reasoning_tokens: 3 },
      total_tokens: 14,
    });
  });

  test('3.10 a missing total is the sum, missing or null details are 0', () => {
    expect(told(chunk({}, 'stop', { usage: counts(10, 4) }))).toEqual(usage(10, 4));
    const nulls = { ...counts(10, 4), prompt_tokens_details: null, completion_tokens_details: {} };
    expect(told(chunk({}, 'stop', { usage: nulls }))).toEqual(usage(10, 4));
    expect(told(chunk({}, 'stop', { usage: { completion_tokens: 4 } }))).toEqual(usage(0, 4));
  });

  test('3.10 the last one with a non-zero number counts', () => {
    expect(told(chunk({}, null, { usage: counts(1, 1) }), chunk({}, null, { usage: counts(9, 2) }), stop)).toEqual(
      usage(9, 2),
    );
    expect(told(chunk({}, null, { usage: counts(9, 2) }), chunk({}, 'stop', { usage: counts(0, 0) }))).toEqual(
      usage(9, 2),
    );
    expect(told(chunk({}, null, { usage: counts(0, 0, 0) }), stop, { choices: [], usage: counts(9, 2) })).toEqual(
      usage(9, 2),
    );
  });

  test('3.10 a choice may carry it', () => {
    expect(told({ choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: counts(5, 6) }] })).toEqual(
      usage(5, 6),
    );
    expect(told(stop, { choices: [{ index: 0, delta: {}, usage: counts(5, 6) }] })).toEqual(usage(5, 6));
  });

  test('3.10 it may ride on a chunk that has a choice, after the finish', () => {
    expect(told(stop, chunk({ role: 'assistant', content: null }, null, { usage: counts(5, 6) }))).toEqual(usage(5, 6));
  });

  test('3.10 if only zeros came, usage is absent: unknown is not 0', () => {
    const zeros = counts(0, 0, 0);
    expect(
      told(chunk({ content: 'a' }, null, { usage: zeros }), chunk({}, 'stop', { usage: zeros }), {
        choices: [],
        usage: zeros,
      }),
    ).toBe('absent');
  });

  test('3.10 null and what is no object is no usage', () => {
    expect(told(chunk({}, 'stop', { usage: null }), { choices: [], usage: 'x' }, { choices: [], usage: [1] })).toBe(
      'absent',
    );
  });

  test('3.10 one side that is zero is still a usage', () => {
    expect(told(chunk({}, 'stop', { usage: counts(0, 3) }))).toEqual(usage(0, 3));
    expect(told(chunk({}, 'stop', { usage: counts(3, 0) }))).toEqual(usage(3, 0));
  });

  test('3.10 usage that was not asked for is told if it came in time', () => {
    expect(readOpen('chat', chatBody(chunk({}, 'stop', { usage: counts(1, 2) }))).events).toEqual([
      created(),
      completed({ finish_reason: 'stop', usage: usage(1, 2) }),
    ]);
    expect(readOpen('chat', chatBody(stop, { choices: [], usage: counts(1, 2) })).events).toEqual([created(), end]);
  });

  test('3.10 n=2: the finish of the last choice still waits for the usage chunk', () => {
    const two = {
      choices: [
        { index: 0, finish_reason: 'stop' },
        { index: 1, finish_reason: 'stop' },
      ],
    };
    expect(readOpen('chat', chatBody(two), { usageAsked: true })).toMatchObject({ phase: 'awaiting_usage' });
    expect(told(two, { choices: [], usage: counts(1, 2) })).toEqual(usage(1, 2));
  });
});

describe('3.11 parts', () => {
  test('3.11 one text part per item, content_index 0, however many fragments', () => {
    const body = chatBody(...Array.from('abc', (letter) => chunk({ reasoning: letter, content: letter })), stop);
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openThought(),
      reasoning('a'),
      openMessage(),
      text('a'),
      reasoning('b'),
      text('b'),
      reasoning('c'),
      text('c'),
      done(thought('abc')),
      done(message('abc')),
      end,
    ]);
  });
});
