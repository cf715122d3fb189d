import { describe, expect, test } from 'vitest';
import { createDecoder, Repairs } from '../../packages/wire/src/index.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { chatBody, chunk } from './helpers.ts';
import { call, completed, created, done, input, openCall, read, readOpen } from './rules.ts';

/** `[index, id, name, arguments]`; `_` is what the fragment does not have. */
type Fragment = readonly [
  index: number | undefined,
  id: string | undefined,
  name: string | undefined,
  input: string | object | undefined,
];
const _ = undefined;

const toolCalls = (fragments: readonly Fragment[]): object[] =>
  fragments.map(([index, id, name, args]) => ({ index, id, function: { name, arguments: args } }));

/** Each list of fragments is one chunk. */
const streamed = (...chunks: (readonly Fragment[])[]): string =>
  chatBody(...chunks.map((fragments) => chunk({ tool_calls: toolCalls(fragments) })), chunk({}, 'tool_calls'));

/** The calls of an answer: each exactly once, its deltas the whole of its input. */
function callsIn(events: readonly ModelEvent[]): string[] {
  expect(events.at(-1)).toEqual(completed({ finish_reason: 'tool_calls' }));
  return events.flatMap((event) => {
    if (event.type !== 'output_item.done') return [];
    const { id, call_id, name, arguments: args } = event.item as Record<string, unknown>;
    const deltas = events.map((one) => (one.type === 'tool_call_input.delta' && one.item_id === id ? one.delta : ''));
    expect(deltas.join('')).toBe(args);
    return [`${String(call_id)}:${String(name)}(${String(args)})`];
  });
}

function repairsOf(body: string): readonly string[] {
  const repairs = new Repairs();
  createDecoder('chat', { repairs }).push(Buffer.from(body));
  return [...repairs.names];
}

const AB = ['X:f({"p":"a"})', 'X-2:g({"p":"b"})'];
const A = '{"p":"a"}';
const B = '{"p":"b"}';

const rows: readonly [string, (readonly Fragment[])[], string[], string[]][] = [
  // A known id
  ['one id, an index for each call (oh-my-pi#2055)', [[[0, 'X', 'f', A]], [[1, 'X', 'g', B]]], AB, ['shared_call_id']],
  [
    'the same in one chunk',
    [
      [
        [0, 'X', 'f', A],
        [1, 'X', 'g', B],
      ],
    ],
    AB,
    ['shared_call_id'],
  ],
  [
    'the same at one index',
    [
      [
        [0, 'X', 'f', A],
        [0, 'X', 'g', B],
      ],
    ],
    AB,
    ['shared_call_id'],
  ],
  [
    'the same tool twice',
    [
      [
        [0, 'X', 'f', A],
        [1, 'X', 'f', B],
      ],
    ],
    ['X:f({"p":"a"})', 'X-2:f({"p":"b"})'],
    ['shared_call_id'],
  ],
  [
    'the same tool twice, without an index',
    [
      [
        [_, 'X', 'f', A],
        [_, 'X', 'f', A],
      ],
    ],
    ['X:f({"p":"a"})', 'X-2:f({"p":"a"})'],
    ['no_tool_index', 'shared_call_id'],
  ],
  [
    'calls without arguments',
    [
      [
        [0, 'X', 'f', ''],
        [1, 'X', 'g', ''],
      ],
    ],
    ['X:f()', 'X-2:g()'],
    ['shared_call_id'],
  ],
  [
    "later pieces with that id at the second index are the second one's",
    [[[0, 'X', 'f', A]], [[1, 'X', 'g', '{"p"']], [[1, 'X', _, ':']], [[1, _, _, '"b"}']]],
    AB,
    ['shared_call_id'],
  ],
  [
    'three calls with one id',
    [[[0, 'X', 'f', A]], [[1, 'X', 'g', B]], [[2, 'X', 'h', '{}']]],
    [...AB, 'X-3:h({})'],
    ['shared_call_id'],
  ],
  [
    'an id that the server has itself is not minted',
    [[[0, 'X-2', 'e', '{}']], [[1, 'X', 'f', A]], [[2, 'X', 'g', B]]],
    ['X-2:e({})', 'X:f({"p":"a"})', 'X-3:g({"p":"b"})'],
    ['shared_call_id'],
  ],
  [
    'unfinished arguments go on at another index',
    [[[0, 'X', 'f', '{"p"']], [[1, 'X', 'f', ':"a"}']]],
    ['X:f({"p":"a"})'],
    [],
  ],
  // A new id
  [
    'an id for each fragment (litellm#28223, vllm)',
    [[[0, 't1', 'f', '']], [[0, 't2', _, '{"p":']], [[0, 't3', _, '"a"}']]],
    ['t1:f({"p":"a"})'],
    ['changing_call_id'],
  ],
  [
    'the same without an index',
    [[[_, 't1', 'f', '']], [[_, 't2', _, A]]],
    ['t1:f({"p":"a"})'],
    ['no_tool_index', 'changing_call_id'],
  ],
  [
    'an id and the name for each fragment',
    [[[0, 't1', 'f', '{"p"']], [[0, 't2', 'f', ':"a"']], [[0, 't3', 'f', '}']]],
    ['t1:f({"p":"a"})'],
    ['changing_call_id'],
  ],
  [
    'one index for all calls (Ollama)',
    [[[0, 'a', 'f', A]], [[0, 'b', 'f', B]]],
    ['a:f({"p":"a"})', 'b:f({"p":"b"})'],
    ['reused_tool_index'],
  ],
  [
    'one index, arguments that come later',
    [[[0, 'a', 'f', A]], [[0, 'b', 'g', '']], [[0, _, _, B]]],
    ['a:f({"p":"a"})', 'b:g({"p":"b"})'],
    ['reused_tool_index'],
  ],
  [
    'an id after whole arguments is a new call',
    [[[0, 'a', 'f', A]], [[0, 'b', _, '{"p"']], [[0, 'b', 'g', ':"b"}']]],
    ['a:f({"p":"a"})', 'b:g({"p":"b"})'],
    ['reused_tool_index'],
  ],
  // No id
  [
    'stray indexes (dirac#215)',
    [[[0, 'a', 'f', '']], [[1, _, _, '{"p":']], [[2, _, _, '"a"}']]],
    ['a:f({"p":"a"})'],
    ['stray_tool_index'],
  ],
  ['a late index (term-llm#314)', [[[_, 'a', 'f', _]], [[0, _, _, A]]], ['a:f({"p":"a"})'], ['no_tool_index']],
  [
    'late indexes of two calls',
    [[[_, 'a', 'f', _]], [[_, 'b', 'g', _]], [[0, _, _, A]], [[1, _, _, B]]],
    ['a:f({"p":"a"})', 'b:g({"p":"b"})'],
    ['no_tool_index'],
  ],
  [
    "an index that was free is another call's own",
    [[[_, 'a', 'f', A]], [[0, _, 'g', B]]],
    ['a:f({"p":"a"})', 'tool-call-1:g({"p":"b"})'],
    ['no_tool_index', 'no_call_id'],
  ],
  [
    'two whole calls without id or index',
    [
      [
        [_, _, 'f', A],
        [_, _, 'f', B],
      ],
      [[_, _, 'g', '{}']],
    ],
    ['tool-call-0:f({"p":"a"})', 'tool-call-1:f({"p":"b"})', 'tool-call-2:g({})'],
    ['no_tool_index', 'no_call_id'],
  ],
  // Arguments
  ['arguments twice (opencodex#361)', [[[0, 'a', 'f', `${A}${A}`]]], ['a:f({"p":"a"})'], ['doubled_arguments']],
  [
    'the whole call twice',
    [[[0, 'a', 'f', '{"p"']], [[0, 'a', _, ':"a"}']], [[0, 'a', 'f', A]]],
    ['a:f({"p":"a"})'],
    ['doubled_arguments'],
  ],
  [
    'arguments three times',
    [[[0, 'a', 'f', A]], [[0, _, _, A]], [[0, _, _, A]]],
    ['a:f({"p":"a"})'],
    ['doubled_arguments'],
  ],
  ["other arguments behind are the model's own", [[[0, 'a', 'f', `${A}${B}`]]], [`a:f(${A}${B})`], []],
  ['half of them again is no repetition', [[[0, 'a', 'f', `${A}{"p"`]]], [`a:f(${A}{"p")`], []],
  ['a line end behind is kept', [[[0, 'a', 'f', `${A}\n`]]], [`a:f(${A}\n)`], []],
  [
    'objects in one list are two calls',
    [
      [
        [0, 'X', 'f', { p: 'a' }],
        [0, 'X', 'f', { p: 'b' }],
      ],
    ],
    ['X:f({"p":"a"})', 'X-2:f({"p":"b"})'],
    ['arguments_object', 'shared_call_id'],
  ],
];

describe('3.4 one call or two', () => {
  test.each(rows)('3.4 %s', (_name, chunks, calls, repairs) => {
    const body = streamed(...chunks);
    expect(callsIn(readOpen('chat', body).events)).toEqual(calls);
    expect(repairsOf(body)).toEqual(repairs);
  });

  test('3.4 two whole calls of one body with one id are two', () => {
    const message = {
      role: 'assistant',
      content: null,
      tool_calls: toolCalls([
        [_, 'X', 'f', A],
        [_, 'X', 'g', B],
      ]),
    };
    const body = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
    expect(callsIn(read('chat', body).events)).toEqual(AB);
  });

  test('3.4 what comes behind whole arguments is held until the end, then told', () => {
    const body = streamed([[0, 'a', 'f', A]], [[0, _, _, B]]);
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openCall('a', 'f', 'fc_1'),
      input(A, 'a', 'f', 'fc_1'),
      input(B, 'a', 'f', 'fc_1'),
      done(call('a', 'f', A + B, 'fc_1')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });
});
