import { describe, expect, test } from 'vitest';
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

interface Choice {
  index?: unknown;
  delta?: object;
  message?: object;
  finish_reason?: unknown;
  usage?: object;
}

const choices = (...list: Choice[]): object => ({ choices: list });
const calling = (id: string, name: string, args: string): object => ({
  tool_calls: [{ index: 0, id, function: { name, arguments: args } }],
});

describe('3.3 several choices', () => {
  test('3.3 all choices of one event are read before it can complete', () => {
    const body = chatBody(
      choices(
        { index: 0, delta: calling('a', 'f', '{}'), finish_reason: 'tool_calls' },
        { index: 1, delta: calling('b', 'g', '{}'), finish_reason: 'tool_calls' },
      ),
    );
    expect(readOpen('chat', body)).toEqual({
      events: [
        created(),
        openCall('a', 'f', 'fc_1'),
        input('{}', 'a', 'f', 'fc_1'),
        openCall('b', 'g', 'fc_2'),
        input('{}', 'b', 'g', 'fc_2'),
        done(call('a', 'f', '{}', 'fc_1')),
        done(call('b', 'g', '{}', 'fc_2')),
        completed({ finish_reason: 'tool_calls' }),
      ],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('3.3 each choice has its own reasoning, calls and message; all reasoning, all calls, all messages', () => {
    const body = chatBody(
      choices(
        { index: 0, delta: { reasoning: 'r0', content: 'm0', ...calling('a', 'f', '{') } },
        { index: 1, delta: { reasoning: 'r1', content: 'm1', ...calling('b', 'g', '[') } },
      ),
      choices({ index: 1, delta: { content: '!', tool_calls: [{ index: 0, function: { arguments: ']' } }] } }),
      choices({ index: 0, delta: { content: '?', tool_calls: [{ function: { arguments: '}' } }] } }),
      choices({ index: 0, finish_reason: 'tool_calls' }),
      choices({ index: 1, finish_reason: 'tool_calls' }),
    );
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openThought('rs_1'),
      reasoning('r0', 'rs_1'),
      openMessage('msg_1'),
      text('m0', 'msg_1'),
      openCall('a', 'f', 'fc_1'),
      input('{', 'a', 'f', 'fc_1'),
      openThought('rs_2'),
      reasoning('r1', 'rs_2'),
      openMessage('msg_2'),
      text('m1', 'msg_2'),
      openCall('b', 'g', 'fc_2'),
      input('[', 'b', 'g', 'fc_2'),
      text('!', 'msg_2'),
      input(']', 'b', 'g', 'fc_2'),
      text('?', 'msg_1'),
      input('}', 'a', 'f', 'fc_1'),
      done(thought('r0', 'completed', 'rs_1')),
      done(thought('r1', 'completed', 'rs_2')),
      done(call('a', 'f', '{}', 'fc_1')),
      done(call('b', 'g', '[]', 'fc_2')),
      done(message('m0?', 'completed', 'msg_1')),
      done(message('m1!', 'completed', 'msg_2')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('3.3 a choice without an integer index is the one at its place in the array', () => {
    const body = chatBody(
      choices({ delta: { content: 'a' } }, { index: '1', delta: { content: 'b' } }),
      choices({ index: 0, delta: { content: 'c' } }, { index: 1, delta: { content: 'd' } }),
      choices({ index: null, finish_reason: 'stop' }, { index: 1.5, finish_reason: 'stop' }),
    );
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openMessage('msg_1'),
      text('a', 'msg_1'),
      openMessage('msg_2'),
      text('b', 'msg_2'),
      text('c', 'msg_1'),
      text('d', 'msg_2'),
      done(message('ac', 'completed', 'msg_1')),
      done(message('bd', 'completed', 'msg_2')),
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('3.3 a second choice that is still open keeps the stream open', () => {
    const first = choices({ index: 0, delta: { content: 'a' } }, { index: 1, delta: { content: 'b' } });
    const body = chatBody(first, choices({ index: 0, finish_reason: 'stop' }));
    expect(readOpen('chat', body)).toMatchObject({ phase: 'streaming' });
    expect(readOpen('chat', body + chatBody(choices({ index: 1, finish_reason: 'stop' })))).toMatchObject({
      phase: 'ended',
      events: [
        created(),
        openMessage('msg_1'),
        text('a', 'msg_1'),
        openMessage('msg_2'),
        text('b', 'msg_2'),
        done(message('a', 'completed', 'msg_1')),
        done(message('b', 'completed', 'msg_2')),
        completed({ finish_reason: 'stop' }),
      ],
    });
  });

  test('3.3 the first finish_reason of a choice is its own, a later one of the same choice counts nothing', () => {
    const body = chatBody(
      choices({ index: 0, delta: calling('a', 'f', '{}'), finish_reason: 'tool_calls' }, { index: 1, delta: {} }),
      choices({ index: 0, finish_reason: 'stop' }),
      choices({ index: 1, finish_reason: 'stop' }),
    );
    const { events } = readOpen('chat', body);
    expect(events.slice(-2)).toEqual([done(call('a', 'f', '{}', 'fc_1')), completed({ finish_reason: 'tool_calls' })]);
  });

  test('3.3 stop drops the calls of its own choice only', () => {
    const body = chatBody(
      choices({ index: 0, delta: calling('a', 'f', '{}') }, { index: 1, delta: calling('b', 'g', '{}') }),
      choices({ index: 0, finish_reason: 'stop' }, { index: 1, finish_reason: 'tool_calls' }),
    );
    expect(readOpen('chat', body).events.slice(-2)).toEqual([
      done(call('b', 'g', '{}', 'fc_2')),
      completed({
        finish_reason: 'tool_calls',
        dropped_tool_calls: [{ call_id: 'a', name: 'f', arguments: '{}', reason: 'stop' }],
      }),
    ]);
  });

  test.each([
    [['stop', 'tool_calls'], 'tool_calls'],
    [['stop', 'function_call'], 'function_call'],
    [['odd', 'stop'], 'odd'],
    [['stop', 'odd'], 'stop'],
  ])('3.3 the finish_reason of %j is %s', (reasons, told) => {
    const finishes = reasons.map((finish_reason, index) => ({ index, finish_reason }));
    expect(readOpen('chat', chatBody(choices(...finishes))).events.at(-1)).toEqual(completed({ finish_reason: told }));
    expect(readOpen('chat', chatBody(choices(...finishes.reverse()))).events.at(-1)).toEqual(
      completed({ finish_reason: told }),
    );
  });

  test.each([
    [['stop', 'length'], 'context_window_exceeded'],
    [['length', 'content_filter'], 'content_filter'],
    [['content_filter', 'tool_calls'], 'content_filter'],
    [['tool_calls', 'length'], 'context_window_exceeded'],
  ] as const)('3.3 reasons rank content_filter > length > the rest: %j is %s', (reasons, kind) => {
    const open = choices({ index: 0, delta: { content: 'a' } }, { index: 1, delta: calling('b', 'g', '{}') });
    for (const order of [reasons, reasons.toReversed()]) {
      const finishes = order.map((finish_reason, index) => ({ index, finish_reason }));
      expect(readOpen('chat', chatBody(open, ...finishes.map((one) => choices(one))))).toEqual({
        events: [
          created(),
          openMessage(),
          text('a'),
          openCall('b', 'g', 'fc_1'),
          input('{}', 'b', 'g', 'fc_1'),
          done(message('a', 'incomplete')),
        ],
        error: failure(kind, 'never', kind === 'content_filter' ? { code: 'content_filter' } : {}),
        skipped: 0,
        phase: 'ended',
      });
    }
  });

  test('3.3 an error reason waits for the other choices too: nothing they said is lost', () => {
    const body = chatBody(
      choices({ index: 0, delta: { content: 'a' }, finish_reason: 'length' }, { index: 1, delta: { content: 'b' } }),
      choices({ index: 1, delta: { content: 'c' } }),
    );
    expect(readOpen('chat', body)).toMatchObject({ phase: 'streaming' });
    const { events, error } = readOpen('chat', body + chatBody(choices({ index: 1, finish_reason: 'stop' })));
    expect(events.slice(-2)).toEqual([
      done(message('a', 'incomplete', 'msg_1')),
      done(message('bc', 'incomplete', 'msg_2')),
    ]);
    expect(error).toEqual(failure('context_window_exceeded', 'never'));
  });

  test('3.3 a sentinel while a choice is unfinished completes, rule 2 deciding its calls', () => {
    const body = chatBody(
      choices(
        { index: 0, delta: calling('a', 'f', '{}') },
        { index: 1, delta: calling('b', 'g', '{}') },
        { index: 2, delta: calling('c', 'h', '{"') },
      ),
      choices({ index: 0, finish_reason: 'stop' }),
      '[DONE]',
    );
    expect(readOpen('chat', body).events.slice(-2)).toEqual([
      done(call('b', 'g', '{}', 'fc_2')),
      completed({
        finish_reason: 'stop',
        ended_by: 'sentinel',
        dropped_tool_calls: [
          { call_id: 'a', name: 'f', arguments: '{}', reason: 'stop' },
          { call_id: 'c', name: 'h', arguments: '{"', reason: 'incomplete' },
        ],
      }),
    ]);
  });

  test('3.3 a sentinel while a choice is unfinished does not make an error reason good', () => {
    const body = chatBody(
      choices({ index: 0, delta: { content: 'a' }, finish_reason: 'length' }, { index: 1, delta: { content: 'b' } }),
      '[DONE]',
    );
    expect(readOpen('chat', body).error).toEqual(failure('context_window_exceeded', 'never'));
  });

  test('3.3 when the lowest choice never finished, a sentinel completes without a finish_reason', () => {
    const body = chatBody(choices({ index: 0, delta: {} }, { index: 1, finish_reason: 'stop' }), '[DONE]');
    expect(readOpen('chat', body).events).toEqual([created(), completed({ ended_by: 'sentinel' })]);
  });

  test('3.3 tool-call-<n> counts through all choices, so that no two calls share an id', () => {
    const nameless = { tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] };
    const body = chatBody(
      choices({ index: 0, delta: nameless }, { index: 1, delta: nameless }),
      choices({ index: 0, finish_reason: 'tool_calls' }, { index: 1, finish_reason: 'tool_calls' }),
    );
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openCall('tool-call-0', 'f', 'fc_1'),
      input('{}', 'tool-call-0', 'f', 'fc_1'),
      done(call('tool-call-0', 'f', '{}', 'fc_1')),
      openCall('tool-call-1', 'f', 'fc_2'),
      input('{}', 'tool-call-1', 'f', 'fc_2'),
      done(call('tool-call-1', 'f', '{}', 'fc_2')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('3.3 n=2 interleaved with usage asked for ends once, with the usage of the last chunk', () => {
    const body = chatBody(
      chunk({ role: 'assistant', content: '' }),
      choices({ index: 1, delta: { role: 'assistant', content: '' } }),
      choices({ index: 1, delta: { content: 'b' } }),
      choices({ index: 0, delta: { content: 'a' } }),
      choices({ index: 1, delta: {}, finish_reason: 'stop' }),
      choices({ index: 0, delta: {}, finish_reason: 'stop' }),
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } },
      '[DONE]',
    );
    const { events } = read('chat', body, { usageAsked: true });
    expect(events.filter(({ type }) => type === 'completed')).toEqual([
      completed({ finish_reason: 'stop', usage: usage(3, 4) }),
    ]);
    expect(
      events.filter(({ type }) => type === 'output_item.done').map((event) => 'item' in event && event.item),
    ).toEqual(expect.arrayContaining([message('b', 'completed', 'msg_1'), message('a', 'completed', 'msg_2')]));
  });
});
