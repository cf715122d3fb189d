import { describe, expect, test } from 'vitest';
import type { DroppedToolCall, ModelEvent } from '../../packages/wire/src/model/events.ts';
import { chatBody, chunk } from './helpers.ts';
import {
  added,
  call,
  completed,
  created,
  done,
  input,
  message,
  openCall,
  openMessage,
  read,
  readOpen,
  text,
} from './rules.ts';

interface Fragment {
  index?: unknown;
  id?: unknown;
  type?: unknown;
  name?: unknown;
  arguments?: unknown;
}

/** Each list of fragments is one chunk. */
function streamed(...chunks: Fragment[][]): string {
  return chatBody(
    ...chunks.map((fragments) =>
      chunk({
        tool_calls: fragments.map(({ name, arguments: args, ...rest }) => ({
          ...rest,
          function: { name, arguments: args },
        })),
      }),
    ),
  );
}

const finish = (reason = 'tool_calls'): string => chatBody(chunk({}, reason));

/** The calls that went out, in order. */
function callsIn(events: readonly ModelEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== 'output_item.done') return [];
    const item = event.item as Record<string, unknown>;
    return [`${String(item.call_id)}:${String(item.name)}(${String(item.arguments)})`];
  });
}

function droppedIn(events: readonly ModelEvent[]): readonly DroppedToolCall[] {
  const last = events.at(-1);
  return last?.type === 'completed' ? (last.dropped_tool_calls ?? []) : [];
}

function calls(...chunks: Fragment[][]): string[] {
  return callsIn(readOpen('chat', streamed(...chunks) + finish()).events);
}

describe('3.4 to which call a fragment belongs', () => {
  test('3.4 a known id goes to its slot', () => {
    expect(
      calls(
        [{ id: 'a', name: 'f', arguments: '{"x"' }],
        [{ id: 'b', name: 'g', arguments: '{}' }],
        [{ id: 'a', arguments: ':1}' }],
      ),
    ).toEqual(['a:f({"x":1})', 'b:g({})']);
  });

  test('3.4 a known id goes to its slot even under another index', () => {
    expect(
      calls(
        [{ index: 0, id: 'a', name: 'f', arguments: '[' }],
        [{ index: 1, id: 'b', name: 'g', arguments: '{}' }],
        [{ index: 1, id: 'a', arguments: ']' }],
      ),
    ).toEqual(['a:f([])', 'b:g({})']);
  });

  test('3.4 a known id does not claim the other index', () => {
    expect(
      calls(
        [{ index: 0, id: 'a', name: 'f', arguments: '[1' }],
        [{ index: 7, id: 'a', arguments: ']' }],
        [{ index: 7, name: 'g', arguments: '{}' }],
      ),
    ).toEqual(['a:f([1])', 'tool-call-1:g({})']);
  });

  test('3.4 a new id without an index opens a new call', () => {
    expect(calls([{ id: 'a', name: 'f', arguments: '{}' }], [{ id: 'b', name: 'g', arguments: '{}' }])).toEqual([
      'a:f({})',
      'b:g({})',
    ]);
  });

  test('3.4 a new id on an index that has another id opens a new call', () => {
    expect(
      calls(
        [{ index: 0, id: 'a', name: 'f', arguments: '{}' }],
        [{ index: 0, id: 'b', name: 'g', arguments: '[' }],
        [{ index: 0, arguments: ']' }],
      ),
    ).toEqual(['a:f({})', 'b:g([])']);
  });

  test("3.4 a new id on an index whose call has none yet is that call's id (id late)", () => {
    expect(calls([{ index: 0, name: 'f', arguments: '{' }], [{ index: 0, id: 'a', arguments: '}' }])).toEqual([
      'a:f({})',
    ]);
  });

  test('3.4 without an id, a fragment belongs to the latest call of its index', () => {
    expect(
      calls(
        [{ index: 0, id: 'a', name: 'f', arguments: '[' }],
        [{ index: 1, id: 'b', name: 'g', arguments: '{' }],
        [{ index: 0, arguments: ']' }],
        [{ index: 1, arguments: '}' }],
      ),
    ).toEqual(['a:f([])', 'b:g({})']);
  });

  test('3.4 without an id, an index not seen before opens a call', () => {
    expect(calls([{ index: 0, name: 'f', arguments: '{}' }], [{ index: 1, name: 'g', arguments: '{}' }])).toEqual([
      'tool-call-0:f({})',
      'tool-call-1:g({})',
    ]);
  });

  test('3.4 with neither, a fragment belongs to the last call', () => {
    expect(
      calls(
        [{ id: 'a', name: 'f', arguments: '{' }],
        [{ arguments: '}' }],
        [{ id: 'b', name: 'g', arguments: '[' }],
        [{ arguments: ']' }],
      ),
    ).toEqual(['a:f({})', 'b:g([])']);
  });

  test('3.4 the last call is the one that the last fragment went to, not the newest', () => {
    expect(
      calls(
        [{ index: 0, id: 'a', name: 'f', arguments: '[' }],
        [{ index: 1, id: 'b', name: 'g', arguments: '{}' }],
        [{ index: 0, arguments: '1' }],
        [{ arguments: ']' }],
      ),
    ).toEqual(['a:f([1])', 'b:g({})']);
  });

  test('3.4 with neither and no call yet, it opens one', () => {
    expect(calls([{ name: 'f', arguments: '{}' }])).toEqual(['tool-call-0:f({})']);
  });

  test.each(['', 7, null, {}, false])('3.4 an id of %j counts as absent', (id) => {
    expect(calls([{ index: 0, id: 'a', name: 'f', arguments: '{' }], [{ index: 0, id, arguments: '}' }])).toEqual([
      'a:f({})',
    ]);
    expect(calls([{ index: 0, id, name: 'f', arguments: '{}' }])).toEqual(['tool-call-0:f({})']);
  });

  test.each([-1, 0.5, null, '0', {}])('3.4 an index of %j counts as absent', (index) => {
    expect(
      calls(
        [{ index: 0, id: 'a', name: 'f', arguments: '[' }],
        [{ index: 1, id: 'b', name: 'g', arguments: '{' }],
        [{ index, arguments: '}' }],
        [{ index, id: 'a', arguments: ']' }],
        [{ index, id: 'c', name: 'h', arguments: '{}' }],
      ),
    ).toEqual(['a:f([])', 'b:g({})', 'c:h({})']);
  });

  test('3.4 fragments of several calls may stand in one chunk', () => {
    expect(
      calls(
        [
          { index: 0, id: 'a', name: 'f', arguments: '[' },
          { index: 1, id: 'b', name: 'g', arguments: '{' },
        ],
        [
          { index: 1, arguments: '}' },
          { index: 0, arguments: ']' },
        ],
      ),
    ).toEqual(['a:f([])', 'b:g({})']);
  });

  test('3.4 three calls on one index, each with its own id, stay three', () => {
    const one = (id: string): Fragment[] => [{ index: 0, id, name: 'f', arguments: `{"${id}":1}` }];
    expect(calls(one('a'), one('b'), one('c'))).toEqual(['a:f({"a":1})', 'b:f({"b":1})', 'c:f({"c":1})']);
  });
});

describe('3.4 what a call is made of', () => {
  test('3.4 the first non-empty name wins, names are not joined', () => {
    expect(
      calls([{ index: 0, id: 'a', name: '' }], [{ index: 0, name: 'f' }], [{ index: 0, name: 'g', arguments: '{}' }]),
    ).toEqual(['a:f({})']);
  });

  test('3.4 the name may come last (name late)', () => {
    expect(
      calls([{ index: 0, id: 'a', arguments: '{' }], [{ index: 0, arguments: '}' }], [{ index: 0, name: 'f' }]),
    ).toEqual(['a:f({})']);
  });

  test('3.4 arguments are concatenated, whatever they are', () => {
    expect(calls([{ index: 0, id: 'a', name: 'f', arguments: 'not ' }], [{ index: 0, arguments: 'json' }])).toEqual([
      'a:f(not json)',
    ]);
  });

  test('3.4 arguments that come as an object are stringified', () => {
    const events = readOpen(
      'chat',
      streamed([{ index: 0, id: 'a', name: 'f', arguments: { x: [1, 'ü'] } }]) + finish(),
    ).events;
    expect(events).toEqual([
      created(),
      openCall('a', 'f', 'fc_1'),
      input('{"x":[1,"ü"]}', 'a', 'f', 'fc_1'),
      done(call('a', 'f', '{"x":[1,"ü"]}', 'fc_1')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test.each([null, 4, true])('3.4 arguments of %j are none', (args) => {
    expect(calls([{ index: 0, id: 'a', name: 'f', arguments: args }])).toEqual(['a:f()']);
  });

  test('3.4 a missing id becomes tool-call-<n>, n the order of first sight; it opens when that is certain', () => {
    const body = streamed(
      [{ index: 5, id: 'a', name: 'f', arguments: '{}' }],
      [{ index: 9, name: 'g', arguments: '{"x":' }],
      [{ index: 9, arguments: '1}' }],
    );
    expect(readOpen('chat', body + finish()).events).toEqual([
      created(),
      openCall('a', 'f', 'fc_1'),
      input('{}', 'a', 'f', 'fc_1'),
      done(call('a', 'f', '{}', 'fc_1')),
      openCall('tool-call-1', 'g', 'fc_2'),
      input('{"x":1}', 'tool-call-1', 'g', 'fc_2'),
      done(call('tool-call-1', 'g', '{"x":1}', 'fc_2')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('3.4 a call without a name goes to dropped_tool_calls, the others run', () => {
    const body = streamed(
      [{ index: 0, id: 'a', arguments: '{}' }],
      [{ index: 1, id: 'b', name: 'g', arguments: '{}' }],
      [{ index: 2, arguments: '[]' }],
    );
    const { events } = readOpen('chat', body + finish());
    expect(events).toEqual([
      created(),
      openCall('b', 'g', 'fc_1'),
      input('{}', 'b', 'g', 'fc_1'),
      done(call('b', 'g', '{}', 'fc_1')),
      completed({
        finish_reason: 'tool_calls',
        dropped_tool_calls: [
          { call_id: 'a', arguments: '{}', reason: 'no_name' },
          { call_id: 'tool-call-2', arguments: '[]', reason: 'no_name' },
        ],
      }),
    ]);
  });

  test('3.4 a finish for tools emits a named call whatever its arguments: the model said so', () => {
    expect(calls([{ index: 0, id: 'a', name: 'f', arguments: '{"cut' }])).toEqual(['a:f({"cut)']);
  });
});

describe('3.4 custom calls', () => {
  const opened = added({
    type: 'custom_tool_call',
    id: 'ctc_1',
    call_id: 'a',
    name: 'patch',
    input: '',
    status: 'in_progress',
  });
  const whole = done({
    type: 'custom_tool_call',
    id: 'ctc_1',
    call_id: 'a',
    name: 'patch',
    input: '*** Begin {',
    status: 'completed',
  });
  const body = chatBody(
    chunk({ tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: { name: 'patch', input: '' } }] }),
    chunk({ tool_calls: [{ index: 0, custom: { input: '*** Begin' } }] }),
    chunk({ tool_calls: [{ index: 0, custom: { input: ' {' } }] }),
  );
  const streamedCustom = [
    created(),
    opened,
    input('*** Begin', 'a', 'patch', 'ctc_1'),
    input(' {', 'a', 'patch', 'ctc_1'),
  ];

  test('3.4 type custom becomes a custom_tool_call', () => {
    expect(readOpen('chat', body + finish()).events).toEqual([
      ...streamedCustom,
      whole,
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('3.4 a fragment that repeats every field as null goes on with the custom call', () => {
    const nulls = { index: 0, id: null, type: null, function: null };
    const more = chatBody(chunk({ tool_calls: [{ ...nulls, custom: { name: null, input: '}' } }] }));
    expect(readOpen('chat', body + more + finish()).events).toEqual([
      ...streamedCustom,
      input('}', 'a', 'patch', 'ctc_1'),
      done({
        type: 'custom_tool_call',
        id: 'ctc_1',
        call_id: 'a',
        name: 'patch',
        input: '*** Begin {}',
        status: 'completed',
      }),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('3.4 a call may say late that it is custom, until it is opened', () => {
    const late = chatBody(
      chunk({ tool_calls: [{ index: 0, id: 'a' }] }),
      chunk({ tool_calls: [{ index: 0, type: 'custom', custom: { name: 'patch', input: 'p', status: 'completed' } }] }),
    );
    expect(readOpen('chat', late + finish()).events).toContainEqual(
      done({
        type: 'custom_tool_call',
        id: expect.any(String) as string,
        call_id: 'a',
        name: 'patch',
        input: 'p',
        status: 'completed',
      }),
    );
  });

  test('3.4 a custom call is complete when named: a sentinel and promote emit it, though its input is no JSON', () => {
    expect(readOpen('chat', body + chatBody('[DONE]')).events).toEqual([
      ...streamedCustom,
      whole,
      completed({ ended_by: 'sentinel' }),
    ]);
    expect(readOpen('chat', body + finish('stop'), { toolCallsOnStop: 'promote' }).events).toEqual([
      ...streamedCustom,
      whole,
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('3.4 a custom call without a name is dropped, its input listed', () => {
    const nameless = chatBody(chunk({ tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: { input: 'x' } }] }));
    expect(readOpen('chat', nameless + finish()).events).toEqual([
      created(),
      completed({
        finish_reason: 'tool_calls',
        dropped_tool_calls: [{ call_id: 'a', arguments: 'x', reason: 'no_name' }],
      }),
    ]);
  });

  test('3.4 a custom and a function call side by side', () => {
    const both = chatBody(
      chunk({
        tool_calls: [
          { index: 0, id: 'a', type: 'custom', custom: { name: 'patch', input: 'p', status: 'completed' } },
          { index: 1, id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } },
        ],
      }),
    );
    expect(readOpen('chat', both + finish()).events).toEqual([
      created(),
      opened,
      input('p', 'a', 'patch', 'ctc_1'),
      openCall('b', 'f', 'fc_1'),
      input('{}', 'b', 'f', 'fc_1'),
      done({ type: 'custom_tool_call', id: 'ctc_1', call_id: 'a', name: 'patch', input: 'p', status: 'completed' }),
      done(call('b', 'f', '{}', 'fc_1')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });
});

describe('3.5 stop with pending calls', () => {
  const pending = streamed(
    [{ index: 0, id: 'a', name: 'f', arguments: '{"x":1}' }],
    [{ index: 1, id: 'b', name: 'g', arguments: '{"x":' }],
    [{ index: 2, id: 'c', arguments: '{}' }],
    [{ index: 3, id: 'd', name: 'h' }],
  );
  const opened = [
    created(),
    openCall('a', 'f', 'fc_1'),
    input('{"x":1}', 'a', 'f', 'fc_1'),
    openCall('b', 'g', 'fc_2'),
    input('{"x":', 'b', 'g', 'fc_2'),
    openCall('d', 'h', 'fc_3'),
  ];

  test('3.5 they are dropped and listed, the text is whole', () => {
    const body =
      chatBody(chunk({ content: 'hi' })) + streamed([{ id: 'a', name: 'f', arguments: '{}' }]) + finish('stop');
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openMessage(),
      text('hi'),
      openCall('a', 'f', 'fc_1'),
      input('{}', 'a', 'f', 'fc_1'),
      done(message('hi')),
      completed({
        finish_reason: 'stop',
        dropped_tool_calls: [{ call_id: 'a', name: 'f', arguments: '{}', reason: 'stop' }],
      }),
    ]);
  });

  test('3.5 every pending call is listed with the reason stop, in first-seen order', () => {
    expect(readOpen('chat', pending + finish('stop')).events).toEqual([
      ...opened,
      completed({
        finish_reason: 'stop',
        dropped_tool_calls: [
          { call_id: 'a', name: 'f', arguments: '{"x":1}', reason: 'stop' },
          { call_id: 'b', name: 'g', arguments: '{"x":', reason: 'stop' },
          { call_id: 'c', arguments: '{}', reason: 'stop' },
          { call_id: 'd', name: 'h', arguments: '', reason: 'stop' },
        ],
      }),
    ]);
  });

  test('3.5 promote emits those with a name and complete JSON arguments', () => {
    const { events } = readOpen('chat', pending + finish('stop'), { toolCallsOnStop: 'promote' });
    expect(events.slice(0, opened.length + 1)).toEqual([...opened, done(call('a', 'f', '{"x":1}', 'fc_1'))]);
    expect(droppedIn(events).filter(({ call_id }) => call_id !== 'd')).toEqual([
      { call_id: 'b', name: 'g', arguments: '{"x":', reason: 'incomplete' },
      { call_id: 'c', arguments: '{}', reason: 'no_name' },
    ]);
  });

  test('3.5 promote gives a call without an id one, like any other', () => {
    const body = streamed([{ index: 0, name: 'f', arguments: '{}' }]) + finish('stop');
    expect(readOpen('chat', body, { toolCallsOnStop: 'promote' }).events).toEqual([
      created(),
      openCall('tool-call-0', 'f', 'fc_1'),
      input('{}', 'tool-call-0', 'f', 'fc_1'),
      done(call('tool-call-0', 'f', '{}', 'fc_1')),
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test.each(['tool_calls', 'function_call', 'tool_use', 'tool_call'])('3.5 %s is the same finish', (reason) => {
    const { events } = readOpen('chat', streamed([{ index: 0, id: 'a', name: 'f', arguments: '{}' }]) + finish(reason));
    expect(events.slice(-2)).toEqual([done(call('a', 'f', '{}', 'fc_1')), completed({ finish_reason: reason })]);
  });

  test('3.5 a finish for tools without any call completes', () => {
    expect(readOpen('chat', finish()).events).toEqual([created(), completed({ finish_reason: 'tool_calls' })]);
  });

  test('3.5 the old single function_call is a call too', () => {
    const body = chatBody(
      chunk({ function_call: { name: 'f', arguments: '' } }),
      chunk({ function_call: { arguments: '{"x"' } }),
      chunk({ function_call: { arguments: ':1}' } }),
      chunk({}, 'function_call'),
    );
    expect(callsIn(read('chat', body).events)).toEqual(['tool-call-0:f({"x":1})']);
  });

  test('3.5 so it is beside an empty tool_calls', () => {
    const body = chatBody(chunk({ tool_calls: [], function_call: { name: 'f', arguments: '{}' } }, 'function_call'));
    expect(callsIn(read('chat', body).events)).toEqual(['tool-call-0:f({})']);
  });
});
