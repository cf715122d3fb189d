import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { decodeText, responsesBody } from './helpers.ts';
import { added, completed, created, done, input, readOpen, text } from './rules.ts';

type Fields = Record<string, unknown>;
type WireEvent = { type: string } & Fields;

const begin: WireEvent = { type: 'response.created', response: { id: 'resp_1' } };
const itemAdded = (item: Fields, more: Fields = {}): WireEvent => ({
  type: 'response.output_item.added',
  item,
  ...more,
});
const itemDone = (item: Fields, more: Fields = {}): WireEvent => ({ type: 'response.output_item.done', item, ...more });
const delta = (said: string, more: Fields = {}): WireEvent => ({
  type: 'response.output_text.delta',
  delta: said,
  ...more,
});
const args = (said: string, more: Fields = {}): WireEvent => ({
  type: 'response.function_call_arguments.delta',
  delta: said,
  ...more,
});
const finish = (output?: unknown, more: Fields = {}): WireEvent => ({
  type: 'response.completed',
  response: { id: 'resp_1', ...(output === undefined ? {} : { output }), ...more },
});

const said = (id: string | undefined, words: string, status = 'completed'): Fields => ({
  type: 'message',
  ...(id === undefined ? {} : { id }),
  role: 'assistant',
  status,
  content: words === '' ? [] : [{ type: 'output_text', text: words, annotations: [] }],
});
const call = (id: string | undefined, call_id: string, argumentsText: string, status = 'completed'): Fields => ({
  type: 'function_call',
  ...(id === undefined ? {} : { id }),
  call_id,
  name: 'f',
  arguments: argumentsText,
  status,
});
const custom = (id: string, call_id: string, words: string): Fields => ({
  type: 'custom_tool_call',
  id,
  call_id,
  name: 'patch',
  input: words,
});

const end = completed({ response_id: 'resp_1', ended_by: 'response.completed' });
const anonymousText = (delta: string): ModelEvent => ({ type: 'output_text.delta', delta });

/** The events between `created` and the end, socket open. */
function between(...events: WireEvent[]): ModelEvent[] {
  const outcome = readOpen('responses', responsesBody(begin, ...events));
  expect(outcome).toMatchObject({ phase: 'ended', skipped: 0 });
  expect(outcome.error).toBeUndefined();
  expect([outcome.events[0], outcome.events.at(-1)?.type]).toEqual([created('resp_1'), 'completed']);
  return outcome.events.slice(1);
}

describe('4 exactly once: done on the wire', () => {
  test('4 a streamed item with its own done is done once, whatever the final output says', () => {
    const whole = said('m', 'hi');
    const streamed = [itemAdded(said('m', '', 'in_progress')), delta('hi', { item_id: 'm' }), itemDone(whole)];
    const expected = [added(said('m', '', 'in_progress')), text('hi', 'm'), done(whole), end];
    for (const output of [undefined, [], [whole], [said('m', 'something else')]]) {
      expect(between(...streamed, finish(output))).toEqual(expected);
    }
  });

  test('4 a done payload fills in only what did not come: no delta is made from it', () => {
    expect(between(itemAdded(said('m', '')), itemDone(said('m', 'hi')), finish())).toEqual([
      added(said('m', '')),
      done(said('m', 'hi')),
      end,
    ]);
  });

  test('4 the text of done is the authoritative one', () => {
    expect(
      between(itemAdded(said('m', '')), delta('h', { item_id: 'm' }), itemDone(said('m', 'hello')), finish()),
    ).toEqual([added(said('m', '')), text('h', 'm'), done(said('m', 'hello')), end]);
  });

  test('4 a second done of the same id is dropped', () => {
    const twice = [
      itemDone(said('m', 'hi')),
      itemDone(said('m', 'hi')),
      itemDone(said('m', 'other'), { output_index: 3 }),
    ];
    expect(between(...twice, finish())).toEqual([done(said('m', 'hi')), end]);
  });

  test('4 a second done of the same call_id is dropped', () => {
    expect(between(itemDone(call(undefined, 'c', '{}')), itemDone(call(undefined, 'c', '{}')), finish())).toEqual([
      done(call(undefined, 'c', '{}')),
      end,
    ]);
  });

  test('4 a second added of the same id is dropped', () => {
    expect(between(itemAdded(said('m', '')), itemAdded(said('m', '')), itemDone(said('m', 'a')), finish())).toEqual([
      added(said('m', '')),
      done(said('m', 'a')),
      end,
    ]);
  });

  test('4 two messages without ids and places are two', () => {
    expect(between(itemDone(said(undefined, 'a')), itemDone(said(undefined, 'b')), finish())).toEqual([
      done(said(undefined, 'a')),
      done(said(undefined, 'b')),
      end,
    ]);
  });

  test('4 a done at another place is not that of the item whose deltas came', () => {
    const wire = [delta('a', { output_index: 0 }), itemDone(said(undefined, 'b'), { output_index: 1 })];
    const events = between(...wire, finish());
    expect(events.filter(({ type }) => type === 'output_item.done')).toEqual([
      done(said(undefined, 'b')),
      done(said(undefined, 'a')),
    ]);
  });

  test('4 a call and its output share a call_id and are two items', () => {
    const output = { type: 'function_call_output', call_id: 'c', output: 'x' };
    const both = [done(call('f1', 'c', '{}')), done(output), end];
    expect(between(itemDone(call('f1', 'c', '{}')), itemDone(output), finish())).toEqual(both);
    expect(between(itemDone(call('f1', 'c', '{}')), finish([call('f1', 'c', '{}'), output]))).toEqual(both);
  });

  test('4 two ids at one place are two items: some servers call every place 0', () => {
    const wire = [itemDone(said('a', 'A'), { output_index: 0 }), itemDone(said('b', 'B'), { output_index: 0 })];
    expect(between(...wire, finish())).toEqual([done(said('a', 'A')), done(said('b', 'B')), end]);
  });
});

describe('4 exactly once: output items without a done', () => {
  test('4 final-only: every kind of item, in the order of the output, untouched', () => {
    const output = [
      { type: 'reasoning', id: 'r', summary: [], encrypted_content: 'x' },
      said('m', 'hi'),
      call('f1', 'c1', '{"a":'),
      custom('ct', 'c2', 'free'),
      { type: 'web_search_call', id: 'ws', status: 'completed', action: { type: 'search' } },
      { type: 'brand_new_item', payload: [1, null] },
      { no_type: true },
    ];
    expect(between(finish(output))).toEqual([...output.map(done), end]);
  });

  test('4 matched by id', () => {
    expect(between(itemAdded(said('m', '')), delta('hi', { item_id: 'm' }), finish([said('m', 'hi')]))).toEqual([
      added(said('m', '')),
      text('hi', 'm'),
      done(said('m', 'hi')),
      end,
    ]);
  });

  test('4 matched by id before the place: the order of the output does not matter', () => {
    const streamed = [
      itemAdded(said('a', ''), { output_index: 0 }),
      itemAdded(said('b', ''), { output_index: 1 }),
      itemDone(said('a', 'A'), { output_index: 0 }),
    ];
    expect(between(...streamed, finish([said('b', 'B'), said('a', 'A')]))).toEqual([
      added(said('a', '')),
      added(said('b', '')),
      done(said('a', 'A')),
      done(said('b', 'B')),
      end,
    ]);
  });

  test('4 matched by call_id when the id changed or is missing', () => {
    for (const id of ['other', undefined]) {
      const streamed = [itemAdded(call('f1', 'c1', '')), itemDone(call('f1', 'c1', '{}'))];
      expect(between(...streamed, finish([call(id, 'c1', '{}')]))).toEqual([
        added(call('f1', 'c1', '')),
        done(call('f1', 'c1', '{}')),
        end,
      ]);
    }
  });

  test('4 matched by output_index when the server gives every event another id', () => {
    const streamed = [
      itemAdded(said('x1', ''), { output_index: 0 }),
      delta('a', { item_id: 'x2', output_index: 0 }),
      delta('b', { item_id: 'x3', output_index: 0 }),
    ];
    expect(between(...streamed, finish([said('x5', 'ab')]))).toEqual([
      added(said('x1', '')),
      text('a', 'x1'),
      text('b', 'x1'),
      done(said('x1', 'ab')),
      end,
    ]);
    expect(between(...streamed, itemDone(said('x4', 'ab'), { output_index: 0 }), finish([said('x5', 'ab')]))).toEqual([
      added(said('x1', '')),
      text('a', 'x1'),
      text('b', 'x1'),
      done(said('x1', 'ab')),
      end,
    ]);
  });

  test('4 an item that is done without an id keeps the one that it was announced with', () => {
    const nameless = { ...said('m', 'ab'), id: null };
    expect(between(itemAdded(said('m', '')), delta('ab', { item_id: 'm' }), itemDone(nameless), finish([]))).toEqual([
      added(said('m', '')),
      text('ab', 'm'),
      done(said('m', 'ab')),
      end,
    ]);
  });

  test('4 the place comes before the n-th of the type', () => {
    const wire = [itemAdded(said('x1', ''), { output_index: 1 }), itemAdded(said('x0', ''), { output_index: 0 })];
    const doneLater = itemDone(said('x1', 'B'), { output_index: 1 });
    expect(between(...wire, doneLater, finish([said('y0', 'A'), said('y1', 'B')]))).toEqual([
      added(said('x1', '')),
      added(said('x0', '')),
      done(said('x1', 'B')),
      done(said('x0', 'A')),
      end,
    ]);
  });

  test('4 a place is not a match for an item of another type', () => {
    const thinking = { type: 'reasoning', id: 'r', summary: [] };
    const wire = [itemDone(said('m', 'hi'), { output_index: 0 })];
    expect(between(...wire, finish([thinking, said('other', 'hi')]))).toEqual([
      done(said('m', 'hi')),
      done(thinking),
      end,
    ]);
  });

  test('4 an item that only its deltas close keeps its place before a later one of the output', () => {
    const wire = [itemAdded(call('f1', 'c1', '{}', 'in_progress')), itemAdded(said('m', ''))];
    expect(between(...wire, finish([said('m', 'hi')]))).toEqual([
      added(call('f1', 'c1', '{}', 'in_progress')),
      added(said('m', '')),
      done(call('f1', 'c1', '{}')),
      done(said('m', 'hi')),
      end,
    ]);
  });

  test('4 matched as the n-th of its type, without ids and places', () => {
    const streamed = [
      itemAdded(said(undefined, '')),
      delta('a'),
      itemDone(said(undefined, 'a')),
      itemDone({ type: 'reasoning', summary: [] }),
      itemAdded(said(undefined, '')),
      delta('b'),
      itemDone(said(undefined, 'b')),
    ];
    const output = [
      { type: 'reasoning', summary: [] },
      said(undefined, 'a'),
      said(undefined, 'b'),
      said(undefined, 'c'),
    ];
    expect(between(...streamed, finish(output))).toEqual([
      added(said(undefined, '')),
      anonymousText('a'),
      done(said(undefined, 'a')),
      done({ type: 'reasoning', summary: [] }),
      added(said(undefined, '')),
      anonymousText('b'),
      done(said(undefined, 'b')),
      done(said(undefined, 'c')),
      end,
    ]);
  });

  test('4 matched as the n-th of its type when final ids are new and no place was told', () => {
    const streamed = [itemDone(said('x1', 'a')), itemDone(said('x2', 'b'))];
    expect(between(...streamed, finish([said('y1', 'a'), said('y2', 'b')]))).toEqual([
      done(said('x1', 'a')),
      done(said('x2', 'b')),
      end,
    ]);
  });

  test('4 the gaps between streamed items are filled where they stand', () => {
    const streamed = [itemAdded(said('a', ''), { output_index: 0 }), itemAdded(said('c', ''), { output_index: 2 })];
    expect(between(...streamed, finish([said('a', 'A'), said('b', 'B'), said('c', 'C')]))).toEqual([
      added(said('a', '')),
      added(said('c', '')),
      done(said('a', 'A')),
      done(said('b', 'B')),
      done(said('c', 'C')),
      end,
    ]);
  });

  test('4 a call of the final output that was never announced is done, deltas held are told first', () => {
    const streamed = [
      args('{"a"', { item_id: 'f1', output_index: 0 }),
      args(':1}', { item_id: 'f1', output_index: 0 }),
    ];
    expect(between(...streamed, finish([call('f1', 'c1', '{"a":1}')]))).toEqual([
      added(call('f1', 'c1', '', 'in_progress')),
      input('{"a":1}', 'c1', 'f', 'f1'),
      done(call('f1', 'c1', '{"a":1}')),
      end,
    ]);
  });

  test.each([[null], ['x'], [{ 0: said('m', 'a') }], [[null, 'x', 3, [said('m', 'a')]]]])(
    '4 an output of %j is none',
    (output) => {
      expect(between(finish(output))).toEqual([end]);
    },
  );
});

describe('4 exactly once: items with neither', () => {
  test('4 a message is closed from its deltas', () => {
    expect(
      between(
        itemAdded(said('m', '', 'in_progress')),
        delta('h', { item_id: 'm' }),
        delta('i', { item_id: 'm' }),
        finish([]),
      ),
    ).toEqual([added(said('m', '', 'in_progress')), text('h', 'm'), text('i', 'm'), done(said('m', 'hi')), end]);
  });

  test('4 with the whole text of a part, where that was told', () => {
    const part = { type: 'response.output_text.done', item_id: 'm', content_index: 0, text: 'hi there' };
    expect(between(itemAdded(said('m', '', 'in_progress')), delta('hi', { item_id: 'm' }), part, finish())).toEqual([
      added(said('m', '', 'in_progress')),
      text('hi', 'm'),
      { type: 'unknown', raw: part },
      done(said('m', 'hi there')),
      end,
    ]);
  });

  test('4 a message keeps its parts apart, in the order of their indexes', () => {
    const streamed = [
      itemAdded(said('m', '', 'in_progress')),
      delta('b', { item_id: 'm', content_index: 1 }),
      delta('a', { item_id: 'm', content_index: 0 }),
      { type: 'response.refusal.delta', delta: 'no', item_id: 'm', content_index: 2 },
    ];
    expect(between(...streamed, finish()).at(-2)).toEqual(
      done({
        ...said('m', ''),
        content: [
          { type: 'output_text', text: 'a', annotations: [] },
          { type: 'output_text', text: 'b', annotations: [] },
          { type: 'refusal', refusal: 'no' },
        ],
      }),
    );
  });

  test('4 reasoning is closed from its deltas, summary and content, what else it had kept', () => {
    const streamed = [
      itemAdded({ type: 'reasoning', id: 'r', summary: [], encrypted_content: 'x' }),
      { type: 'response.reasoning_text.delta', delta: 'why', item_id: 'r', content_index: 0 },
      { type: 'response.reasoning_summary_text.delta', delta: 'sum', item_id: 'r', summary_index: 0 },
    ];
    expect(between(...streamed, finish()).at(-2)).toEqual(
      done({
        type: 'reasoning',
        id: 'r',
        status: 'completed',
        encrypted_content: 'x',
        summary: [{ type: 'summary_text', text: 'sum' }],
        content: [{ type: 'reasoning_text', text: 'why' }],
      }),
    );
  });

  test('4 a call is closed if its arguments are complete JSON', () => {
    const streamed = [
      itemAdded(call('f1', 'c1', '', 'in_progress')),
      args('{"a":', { item_id: 'f1' }),
      args('1}', { item_id: 'f1' }),
    ];
    expect(between(...streamed, finish())).toEqual([
      added(call('f1', 'c1', '', 'in_progress')),
      input('{"a":', 'c1', 'f', 'f1'),
      input('1}', 'c1', 'f', 'f1'),
      done(call('f1', 'c1', '{"a":1}')),
      end,
    ]);
  });

  test('4 a call whose arguments are cut has no done and is listed', () => {
    const streamed = [itemAdded(call('f1', 'c1', '', 'in_progress')), args('{"a":', { item_id: 'f1' })];
    expect(between(...streamed, finish())).toEqual([
      added(call('f1', 'c1', '', 'in_progress')),
      input('{"a":', 'c1', 'f', 'f1'),
      { ...end, dropped_tool_calls: [{ call_id: 'c1', name: 'f', arguments: '{"a":', reason: 'incomplete' }] },
    ]);
  });

  test('4 arguments that only their own done event told count', () => {
    const whole = { type: 'response.function_call_arguments.done', item_id: 'f1', arguments: '{"a":1}' };
    expect(between(itemAdded(call('f1', 'c1', '', 'in_progress')), whole, finish())).toEqual([
      added(call('f1', 'c1', '', 'in_progress')),
      { type: 'unknown', raw: whole },
      done(call('f1', 'c1', '{"a":1}')),
      end,
    ]);
  });

  test.each([
    ['that nobody said to be done', []],
    ['with an empty done event', ['']],
    ['of blanks', ['  ']],
  ])('4 empty arguments are complete, as in 3.2: %s', (_name, texts) => {
    const dones = texts.map((text) => ({
      type: 'response.function_call_arguments.done',
      item_id: 'f1',
      arguments: text,
    }));
    expect(between(itemAdded(call('f1', 'c1', '', 'in_progress')), ...dones, finish([]))).toEqual([
      added(call('f1', 'c1', '', 'in_progress')),
      ...dones.map((raw) => ({ type: 'unknown', raw })),
      done(call('f1', 'c1', texts[0] ?? '')),
      end,
    ]);
  });

  test.each([
    ['whole', '{"a":1}', [done(call('f1', 'c1', '{"a":1}')), end]],
    [
      'cut',
      '{"a":',
      [{ ...end, dropped_tool_calls: [{ call_id: 'c1', name: 'f', arguments: '{"a":', reason: 'incomplete' }] }],
    ],
  ])('4 an empty done event takes back no streamed arguments: %s ones', (_name, streamed, last) => {
    const whole = { type: 'response.function_call_arguments.done', item_id: 'f1', arguments: '' };
    const opened = itemAdded(call('f1', 'c1', '', 'in_progress'));
    expect(between(opened, args(streamed, { item_id: 'f1' }), whole, finish([]))).toEqual([
      added(call('f1', 'c1', '', 'in_progress')),
      input(streamed, 'c1', 'f', 'f1'),
      { type: 'unknown', raw: whole },
      ...last,
    ]);
  });

  test('4 a call of which only deltas came cannot run: it is listed, never announced', () => {
    expect(between(args('{}', { item_id: 'f1' }), finish())).toEqual([
      { ...end, dropped_tool_calls: [{ call_id: 'f1', arguments: '{}', reason: 'no_name' }] },
    ]);
  });

  test('4 a call that is done without a name waits for an end that tells it, and else cannot run', () => {
    const nameless = { ...call('f1', 'c1', '{}'), name: undefined };
    const dropped = { ...end, dropped_tool_calls: [{ call_id: 'c1', arguments: '{}', reason: 'no_name' }] };
    expect(between(itemDone(nameless), finish())).toEqual([dropped]);
    expect(between(itemDone(nameless), finish([nameless]))).toEqual([dropped]);
    expect(between(finish([nameless]))).toEqual([dropped]);
    expect(between(itemDone(nameless), finish([call('f1', 'c1', '{}')]))).toEqual([done(call('f1', 'c1', '{}')), end]);
  });

  test('4 a custom call is closed from its input', () => {
    const streamed = [
      itemAdded(custom('ct', 'c1', '')),
      { type: 'response.custom_tool_call_input.delta', delta: 'free {', item_id: 'ct' },
    ];
    expect(between(...streamed, finish())).toEqual([
      added(custom('ct', 'c1', '')),
      input('free {', 'c1', 'patch', 'ct'),
      done({ ...custom('ct', 'c1', 'free {'), status: 'completed' }),
      end,
    ]);
  });

  test('4 an item of another type is closed as it was announced', () => {
    const search = { type: 'web_search_call', id: 'ws', status: 'in_progress' };
    expect(between(itemAdded(search), finish())).toEqual([added(search), done(search), end]);
  });
});

describe('2 deltas without an added item', () => {
  test('2 a text delta opens its item first', () => {
    expect(between(delta('hi', { item_id: 'm' }), finish([said('m', 'hi')]))).toEqual([
      added(said('m', '', 'in_progress')),
      text('hi', 'm'),
      done(said('m', 'hi')),
      end,
    ]);
  });

  test('2 without any id there is no item_id, and none is made up', () => {
    expect(between(delta('h'), delta('i'), finish())).toEqual([
      added(said(undefined, '', 'in_progress')),
      anonymousText('h'),
      anonymousText('i'),
      done(said(undefined, 'hi')),
      end,
    ]);
  });

  test('2 reasoning deltas open a reasoning item', () => {
    const events = between(
      { type: 'response.reasoning_text.delta', delta: 'why', item_id: 'r' },
      { type: 'response.reasoning_summary_text.delta', delta: 'sum', item_id: 'r' },
      finish(),
    );
    expect(events).toEqual([
      added({ type: 'reasoning', id: 'r', summary: [], content: [], status: 'in_progress' }),
      { type: 'reasoning_text.delta', delta: 'why', content_index: 0, item_id: 'r' },
      { type: 'reasoning_summary_text.delta', delta: 'sum', summary_index: 0, item_id: 'r' },
      done({
        type: 'reasoning',
        id: 'r',
        status: 'completed',
        summary: [{ type: 'summary_text', text: 'sum' }],
        content: [{ type: 'reasoning_text', text: 'why' }],
      }),
      end,
    ]);
  });

  test('2 an added that comes after its deltas is not a second one', () => {
    expect(
      between(
        delta('h', { item_id: 'm' }),
        itemAdded(said('m', '')),
        delta('i', { item_id: 'm' }),
        itemDone(said('m', 'hi')),
        finish(),
      ),
    ).toEqual([added(said('m', '', 'in_progress')), text('h', 'm'), text('i', 'm'), done(said('m', 'hi')), end]);
  });

  test('2 call deltas are held until added tells the call, by id or by place', () => {
    for (const reference of [
      { item_id: 'f1' },
      { output_index: 0 },
      { item_id: 'f1', output_index: 0 },
      { call_id: 'c1' },
    ]) {
      const events = between(
        args('{"a"', reference),
        args(':', reference),
        itemAdded(call('f1', 'c1', '', 'in_progress'), { output_index: 0 }),
        args('1}', reference),
        itemDone(call('f1', 'c1', '{"a":1}'), { output_index: 0 }),
        finish(),
      );
      expect(events).toEqual([
        added(call('f1', 'c1', '', 'in_progress')),
        input('{"a":', 'c1', 'f', 'f1'),
        input('1}', 'c1', 'f', 'f1'),
        done(call('f1', 'c1', '{"a":1}')),
        end,
      ]);
    }
  });

  test('2 call deltas whose item only its done tells are opened by it', () => {
    const streamed = [
      { type: 'response.custom_tool_call_input.delta', delta: 'free', item_id: 'ct' },
      itemDone(custom('ct', 'c1', 'free')),
    ];
    expect(between(...streamed, finish())).toEqual([
      added(custom('ct', 'c1', '')),
      input('free', 'c1', 'patch', 'ct'),
      done(custom('ct', 'c1', 'free')),
      end,
    ]);
  });

  test('2 interleaved calls keep their arguments apart', () => {
    const events = between(
      itemAdded(call('f1', 'c1', '', 'in_progress'), { output_index: 0 }),
      itemAdded(call('f2', 'c2', '', 'in_progress'), { output_index: 1 }),
      args('[1', { item_id: 'f1', output_index: 0 }),
      args('[2', { item_id: 'f2', output_index: 1 }),
      args(']', { output_index: 0 }),
      args(']', { output_index: 1 }),
      finish(),
    );
    expect(events.slice(2)).toEqual([
      input('[1', 'c1', 'f', 'f1'),
      input('[2', 'c2', 'f', 'f2'),
      input(']', 'c1', 'f', 'f1'),
      input(']', 'c2', 'f', 'f2'),
      done(call('f1', 'c1', '[1]')),
      done(call('f2', 'c2', '[2]')),
      end,
    ]);
  });

  test('2 empty deltas open nothing and say nothing', () => {
    expect(
      between(
        delta('', { item_id: 'm' }),
        args('', { item_id: 'f' }),
        { type: 'response.refusal.delta', delta: '' },
        finish(),
      ),
    ).toEqual([end]);
  });
});

test('4 text that only its part’s done tells of becomes an item', () => {
  const whole = { type: 'response.output_text.done', item_id: 'msg_1', output_index: 0, content_index: 0, text: 'hi' };
  const end = { type: 'response.completed', response: { id: 'resp_1', output: [] } };
  const { events } = decodeText('responses', responsesBody(whole, end));
  const item = { type: 'message', id: 'msg_1', role: 'assistant' };
  expect(events).toEqual([
    { type: 'unknown', raw: whole },
    { type: 'output_item.added', item: { ...item, status: 'in_progress', content: [] } },
    {
      type: 'output_item.done',
      item: { ...item, status: 'completed', content: [{ type: 'output_text', text: 'hi', annotations: [] }] },
    },
    { type: 'completed', response_id: 'resp_1', ended_by: 'response.completed' },
  ]);
});

test('4 an item of the final output is known by its id, whatever its type says', () => {
  const item = { type: 'message', id: 'msg_1', role: 'assistant', content: [] };
  const first = { type: 'response.output_item.done', item };
  const end = { type: 'response.completed', response: { output: [{ ...item, type: 'massage' }] } };
  const { events } = decodeText('responses', responsesBody(first, end));
  expect(events).toEqual([
    { type: 'output_item.done', item },
    { type: 'completed', response_id: '', ended_by: 'response.completed' },
  ]);
});

test('4 of two messages without ids that are open at once, the second gets one', () => {
  const end = finish([said(undefined, 'a'), said(undefined, 'b')]);
  const { events } = decodeText(
    'responses',
    responsesBody(begin, delta('a', { output_index: 0 }), delta('b', { output_index: 1 }), end),
  );
  const open = { type: 'message', role: 'assistant', status: 'in_progress', content: [] };
  expect(events).toEqual([
    created('resp_1'),
    { type: 'output_item.added', item: open },
    { type: 'output_text.delta', delta: 'a' },
    { type: 'output_item.added', item: { ...open, id: 'msg_0' } },
    { type: 'output_text.delta', delta: 'b', item_id: 'msg_0' },
    { type: 'output_item.done', item: said(undefined, 'a') },
    { type: 'output_item.done', item: { ...said(undefined, 'b'), id: 'msg_0' } },
    completed({ response_id: 'resp_1', ended_by: 'response.completed' }),
  ]);
});
