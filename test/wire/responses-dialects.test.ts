import { describe, expect, test } from 'vitest';
import { createResponsesFrameDecoder } from '../../packages/wire/src/index.ts';
import type { ModelErrorJson } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { responsesBody } from './helpers.ts';
import { added, completed, created, done, failure, input, read, readOpen, text } from './rules.ts';

type Fields = Record<string, unknown>;
type WireEvent = { type: string } & Fields;

const begin: WireEvent = { type: 'response.created', response: { id: 'resp_1' } };
const finish = (response: Fields = {}): WireEvent => ({
  type: 'response.completed',
  response: { id: 'resp_1', ...response },
});
const end = completed({ response_id: 'resp_1', ended_by: 'response.completed' });
const itemAdded = (item: Fields, more: Fields = {}): WireEvent => ({
  type: 'response.output_item.added',
  item,
  ...more,
});
const itemDone = (item: Fields, more: Fields = {}): WireEvent => ({ type: 'response.output_item.done', item, ...more });
const delta = (words: string): WireEvent => ({ type: 'response.output_text.delta', item_id: 'm', delta: words });
const args = (words: string, item_id = 'f1'): WireEvent => ({
  type: 'response.function_call_arguments.delta',
  item_id,
  delta: words,
});
const argsDone = (whole: unknown, item_id = 'f1'): WireEvent => ({
  type: 'response.function_call_arguments.done',
  item_id,
  arguments: whole,
});
const part = (words: string): Fields => ({ type: 'output_text', text: words, annotations: [] });
const said = (words: string, status = 'completed', id = 'm'): Fields => ({
  type: 'message',
  id,
  role: 'assistant',
  status,
  content: words === '' ? [] : [part(words)],
});
const call = (id: string, call_id: string, words: unknown, status = 'completed'): Fields => ({
  type: 'function_call',
  id,
  call_id,
  name: 'f',
  arguments: words,
  status,
});
const unknown = (raw: Fields): ModelEvent => ({ type: 'unknown', raw });

interface Result {
  readonly events: readonly ModelEvent[];
  readonly error?: ModelErrorJson | undefined;
}

function overSse(...wire: WireEvent[]): Result {
  const { events, error, phase } = readOpen('responses', responsesBody(...wire));
  expect(phase).toBe('ended');
  return { events, error };
}

function overWebSocket(...wire: WireEvent[]): Result {
  const decoder = createResponsesFrameDecoder();
  const events = wire.flatMap((event) => decoder.pushText(JSON.stringify(event)));
  expect(decoder.phase).toBe('ended');
  return { events, error: decoder.failure?.toJSON() };
}

/** What comes of the events, the same over SSE and over a WebSocket, with nobody closing either. */
function outcome(...wire: WireEvent[]): Result {
  const result = overSse(...wire);
  expect(overWebSocket(...wire)).toEqual(result);
  return result;
}

/** The events between `created` and the end. */
function between(...wire: WireEvent[]): readonly ModelEvent[] {
  const { events, error } = outcome(begin, ...wire);
  expect(error).toBeUndefined();
  return events.slice(1);
}

describe('4 the payload says how a response ended', () => {
  const cut = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
  const limit = failure('incomplete', 'never', { code: 'max_output_tokens' });
  const broken = { status: 'failed', error: { code: 'server_error', message: 'boom' } };
  const boom = failure('server_error', 'backoff', { code: 'server_error', message: 'boom' });
  const cancelled = failure('incomplete', 'never', { code: 'cancelled' });

  test.each([
    ['vLLM up to 0.29: completed with an incomplete response', 'response.completed', cut, limit],
    ['without a status, with a reason', 'response.completed', { ...cut, status: undefined }, limit],
    ['a filter', 'response.completed', { ...cut, incomplete_details: { reason: 'content_filter' } }, 'filter'],
    ['completed with a failed response', 'response.completed', broken, boom],
    ['completed with an error and no status', 'response.completed', { error: broken.error }, boom],
    ['completed with an error and a good status', 'response.completed', { ...broken, status: 'completed' }, boom],
    ['completed with a cancelled response', 'response.completed', { status: 'cancelled' }, cancelled],
    ['done with an incomplete response', 'response.done', cut, limit],
    ['done with a failed response', 'response.done', broken, boom],
    ['incomplete with a failed response', 'response.incomplete', broken, boom],
    ['the event response.cancelled', 'response.cancelled', {}, cancelled],
    ['the event response.error, nested', 'response.error', undefined, boom],
  ])('4 %s', (_name, type, response, expected) => {
    const last: WireEvent =
      response === undefined ? { type, error: broken.error } : { type, response: { id: 'resp_1', ...response } };
    const filtered = failure('content_filter', 'never', { code: 'content_filter' });
    const half = said('par', 'incomplete');
    expect(outcome(begin, itemAdded(said('', 'in_progress')), delta('par'), last)).toEqual({
      events: [created('resp_1'), added(said('', 'in_progress')), text('par', 'm'), done(half)],
      error: expected === 'filter' ? filtered : expected,
    });
  });

  test('4 the text of the payload of an unfinished response.completed is told as incomplete, its calls are not', () => {
    const output = [said('half'), call('f1', 'c1', '{}')];
    expect(outcome(begin, finish({ ...cut, output }))).toEqual({
      events: [created('resp_1'), done(said('half', 'incomplete'))],
      error: limit,
    });
  });

  test.each([null, {}, '', false])('4 a response whose error is %j has none', (error) => {
    expect(between(finish({ status: 'completed', error }))).toEqual([end]);
  });

  test('4 response.done is response.completed by another name', () => {
    expect(between(itemDone(said('hi')), { ...finish({ status: 'completed' }), type: 'response.done' })).toEqual([
      done(said('hi')),
      end,
    ]);
  });

  test('4 a JSON body is judged alike', () => {
    const body = (response: Fields): Result => {
      const { events, error } = read('responses', JSON.stringify({ id: 'resp_1', object: 'response', ...response }));
      return { events, error };
    };
    const output = [said('half')];
    const half = done(said('half', 'incomplete'));
    expect(body({ ...cut, output })).toEqual({ events: [half], error: limit });
    expect(body({ ...broken, status: 'completed', output })).toEqual({ events: [half], error: boom });
    expect(body({ status: 'cancelled', output })).toEqual({ events: [half], error: cancelled });
    expect(body({ type: 'error', code: 'server_error', message: 'boom' })).toEqual({
      events: [],
      error: { ...boom, retry: { class: 'backoff', replay_safe: true } },
    });
  });

  test('4 the usage of a response that was cut is told, also from beside the response', () => {
    const usage = { input_tokens: 5, output_tokens: 2 };
    const decoder = createResponsesFrameDecoder();
    decoder.pushText(JSON.stringify({ ...finish(cut), usage }));
    expect(decoder.failure?.usage).toMatchObject({ ...usage, total_tokens: 7 });
  });

  test('2 the reason that a server gives on this wire is told in its own word', () => {
    expect(between(finish({ finish_reason: 'STOP' }))).toEqual([{ ...end, finish_reason: 'STOP' }]);
  });
});

describe('4 a call that is said to be done with half-written arguments waits for the end', () => {
  const half = call('f1', 'c1', '{"path":"/tm');

  test('4 a good end hands it on, behind what was done before', () => {
    expect(between(itemDone(half), itemDone(said('hi')), finish())).toEqual([done(said('hi')), done(half), end]);
    expect(between(itemDone(half), finish({ output: [half] }))).toEqual([done(half), end]);
  });

  test('4 whole arguments of the final output win', () => {
    expect(between(itemDone(half), finish({ output: [call('f1', 'c1', '{"path":"/tmp"}')] }))).toEqual([
      done(call('f1', 'c1', '{"path":"/tmp"}')),
      end,
    ]);
  });

  test.each([
    ['incomplete', { type: 'response.incomplete', response: { incomplete_details: { reason: 'max_output_tokens' } } }],
    ['failed', { type: 'response.failed', response: { error: { message: 'boom' } } }],
    ['completed', finish({ status: 'incomplete', output: [half] })],
    ['error', { type: 'error', message: 'boom' }],
  ])(
    '4 an end that is not good drops it: %s (vLLM marks the cut call completed, vllm-project/vllm#57998)',
    (_name, last) => {
      const opened = call('f1', 'c1', '', 'in_progress');
      const { events, error } = outcome(begin, itemAdded(opened), args('{"path":"/tm'), itemDone(half), last);
      expect(events).toEqual([created('resp_1'), added(opened), input('{"path":"/tm', 'c1', 'f', 'f1')]);
      expect(error).toBeDefined();
    },
  );

  test('4 so does a close', () => {
    expect(read('responses', responsesBody(begin, itemDone(half)))).toMatchObject({
      events: [created('resp_1')],
      error: { kind: 'stream_truncated' },
    });
  });

  test('4 two such calls without ids are two', () => {
    const bare = (words: string): Fields => ({ type: 'function_call', name: 'f', arguments: words });
    const minted = (n: number, words: string): ModelEvent => done({ ...bare(words), call_id: `call_${n}` });
    const { events } = overSse(begin, itemDone(bare('{"a')), itemDone(bare('{"b')), finish());
    expect(events.slice(1)).toEqual([minted(1, '{"a'), minted(2, '{"b'), end]);
  });
});

describe('4 what is empty never erases what was streamed', () => {
  const opened = said('', 'in_progress');
  const streamed = [itemAdded(opened), delta('hel'), delta('lo')];
  const told = [added(opened), text('hel', 'm'), text('lo', 'm')];

  test.each([
    ['[]', []],
    ['null', null],
    ['missing', undefined],
    ['a part with no text', [{ type: 'output_text', text: '', annotations: [] }]],
  ])('4 a message that is done with the content %s (can1357/oh-my-pi#5146)', (_name, content) => {
    const bare = { ...said(''), content };
    expect(between(...streamed, itemDone(bare), finish())).toEqual([...told, done(said('hello')), end]);
    expect(between(...streamed, finish({ output: [bare] }))).toEqual([...told, done(said('hello')), end]);
  });

  test('4 a message that is done with nothing waits for the final output', () => {
    expect(between(itemDone(said('')), itemDone(call('f1', 'c1', '{}')), finish({ output: [said('hi')] }))).toEqual([
      done(call('f1', 'c1', '{}')),
      done(said('hi')),
      end,
    ]);
    expect(between(itemDone(said('')), finish())).toEqual([done(said('')), end]);
  });

  test('4 an empty reasoning_summary_text.done takes nothing back', () => {
    const at = { item_id: 'r', summary_index: 0 };
    const wire = [
      { type: 'response.reasoning_summary_text.delta', ...at, delta: 'sum' },
      { type: 'response.reasoning_summary_text.done', ...at, text: '' },
    ];
    expect(between(...wire, finish())).toContainEqual({ type: 'reasoning_summary_text.done', ...at, text: 'sum' });
  });

  test('4 what else an empty part has stays', () => {
    const annotations = [{ type: 'url_citation', url: 'https://x' }];
    const bare = { ...said(''), content: [{ type: 'output_text', text: '', annotations }] };
    const whole = { ...said(''), content: [{ type: 'output_text', text: 'hello', annotations }] };
    expect(between(...streamed, itemDone(bare), finish())).toEqual([...told, done(whole), end]);
  });

  test('4 an empty output_text.done takes nothing back, a whole one fills an empty item', () => {
    const textDone = (words: string): WireEvent => ({ type: 'response.output_text.done', item_id: 'm', text: words });
    expect(between(...streamed, textDone(''), finish())).toEqual([
      ...told,
      unknown(textDone('')),
      done(said('hello')),
      end,
    ]);
    expect(between(itemAdded(opened), textDone('hi'), itemDone(said('')), finish())).toEqual([
      added(opened),
      unknown(textDone('hi')),
      done(said('hi')),
      end,
    ]);
  });

  test('4 an unfinished end leaves the streamed text, whatever its output says', () => {
    const { events } = outcome(begin, ...streamed, {
      type: 'response.incomplete',
      response: { output: [said('')] },
    });
    expect(events).toEqual([created('resp_1'), ...told, done(said('hello', 'incomplete'))]);
  });

  test('4 reasoning: summary and content alike (can1357/oh-my-pi#4918)', () => {
    const thinking = { type: 'reasoning', id: 'r', summary: [], encrypted_content: 'x' };
    const wire = [
      itemAdded(thinking),
      { type: 'response.reasoning_summary_text.delta', item_id: 'r', summary_index: 0, delta: 'sum' },
      { type: 'response.reasoning_text.delta', item_id: 'r', content_index: 0, delta: 'why' },
    ];
    const whole = {
      ...thinking,
      summary: [{ type: 'summary_text', text: 'sum' }],
      content: [{ type: 'reasoning_text', text: 'why' }],
    };
    for (const empty of [{ summary: [] }, { summary: null, content: null }, { summary: '', content: [] }]) {
      expect(between(...wire, itemDone({ ...thinking, ...empty }), finish()).at(-2)).toEqual(done(whole));
    }
  });

  test.each(['', null, undefined])('4 a call that is done with the arguments %j', (empty) => {
    const open = call('f1', 'c1', '', 'in_progress');
    const wire = [itemAdded(open), args('{"a":1}')];
    const expected = [added(open), input('{"a":1}', 'c1', 'f', 'f1'), done(call('f1', 'c1', '{"a":1}')), end];
    expect(between(...wire, itemDone(call('f1', 'c1', empty)), finish())).toEqual(expected);
    expect(between(...wire, finish({ output: [call('f1', 'c1', empty)] }))).toEqual(expected);
  });

  test('4 an empty done of arguments takes nothing back (farion1231/cc-switch#6481)', () => {
    const open = call('f1', 'c1', '', 'in_progress');
    expect(between(itemAdded(open), args('{"a":1}'), argsDone(''), itemDone(call('f1', 'c1', '')), finish())).toEqual([
      added(open),
      input('{"a":1}', 'c1', 'f', 'f1'),
      unknown(argsDone('')),
      done(call('f1', 'c1', '{"a":1}')),
      end,
    ]);
  });

  test('4 whole arguments that only their own done tells beat an empty item, announced or not', () => {
    const expected = [unknown(argsDone('{"a":1}')), done(call('f1', 'c1', '{"a":1}')), end];
    expect(between(argsDone('{"a":1}'), itemDone(call('f1', 'c1', '')), finish())).toEqual(expected);
    const open = call('f1', 'c1', '', 'in_progress');
    expect(between(itemAdded(open), argsDone('{"a":1}'), itemDone(call('f1', 'c1', '')), finish())).toEqual([
      added(open),
      ...expected,
    ]);
  });

  test('4 a call done with nothing waits for the final output (OpenRouterTeam/ai-sdk-provider#336)', () => {
    const output = [call('f1', 'c1', '{"a":1}')];
    expect(between(itemDone(call('f1', 'c1', '')), finish({ output }))).toEqual([
      done(call('f1', 'c1', '{"a":1}')),
      end,
    ]);
    expect(between(itemDone(call('f1', 'c1', '')), finish())).toEqual([done(call('f1', 'c1', '')), end]);
  });

  test('4 a custom call that is done with no input', () => {
    const patch = (words: string): Fields => ({
      type: 'custom_tool_call',
      id: 'ct',
      call_id: 'c1',
      name: 'patch',
      input: words,
    });
    const streamedInput = { type: 'response.custom_tool_call_input.delta', item_id: 'ct', delta: 'free {' };
    expect(between(itemAdded(patch('')), streamedInput, itemDone(patch('')), finish())).toEqual([
      added(patch('')),
      input('free {', 'c1', 'patch', 'ct'),
      done(patch('free {')),
      end,
    ]);
  });
});

describe('4 two items of different ids or places are two', () => {
  const first = call('fc_1', 'X', '{"p":"a"}');
  const second = call('fc_2', 'X', '{"p":"b"}');
  const expected = [done(first), done({ ...second, call_id: 'X-2' }), end];

  test('4 one call_id on two calls: the second gets one of its own (can1357/oh-my-pi#2055)', () => {
    const at = (place: number): Fields => ({ output_index: place });
    expect(between(itemDone(first, at(0)), itemDone(second, at(1)), finish())).toEqual(expected);
    expect(between(itemDone(first, at(0)), itemDone(second, at(1)), finish({ output: [first, second] }))).toEqual(
      expected,
    );
    expect(between(itemDone(first), itemDone(second), finish())).toEqual(expected);
    expect(between(finish({ output: [first, second] }))).toEqual(expected);
    expect(between(itemDone(first, at(0)), finish({ output: [first, second] }))).toEqual(expected);
  });

  test('4 without ids, two places are two', () => {
    const bare = (words: string): Fields => ({ type: 'function_call', call_id: 'X', name: 'f', arguments: words });
    expect(
      between(itemDone(bare('{}'), { output_index: 0 }), itemDone(bare('{}'), { output_index: 1 }), finish()),
    ).toEqual([done(bare('{}')), done({ ...bare('{}'), call_id: 'X-2' }), end]);
  });

  test('4 streamed: deltas go by id, under the call_id that was told', () => {
    const open = (item: Fields): Fields => ({ ...item, arguments: '', status: 'in_progress' });
    expect(
      between(
        itemAdded(open(first), { output_index: 0 }),
        itemAdded(open(second), { output_index: 1 }),
        args('{"p":"a"}', 'fc_1'),
        args('{"p":"b"}', 'fc_2'),
        itemDone(first, { output_index: 0 }),
        itemDone(second, { output_index: 1 }),
        finish({ output: [first, second] }),
      ),
    ).toEqual([
      added(open(first)),
      added({ ...open(second), call_id: 'X-2' }),
      input('{"p":"a"}', 'X', 'f', 'fc_1'),
      input('{"p":"b"}', 'X-2', 'f', 'fc_2'),
      ...expected,
    ]);
  });

  test('4 an item of another type under the same id is another', () => {
    const thinking = { type: 'reasoning', id: 'x', summary: [] };
    expect(between(itemDone(thinking), itemDone(said('hi', 'completed', 'x')), finish())).toEqual([
      done(thinking),
      done(said('hi', 'completed', 'x')),
      end,
    ]);
  });

  test('4 an id that changes between added and done is one item, at its place or by its call_id', () => {
    const open = call('fc_1', 'X', '', 'in_progress');
    for (const more of [{ output_index: 0 }, {}]) {
      expect(
        between(itemAdded(open, more), itemDone(second, more), finish({ output: [call('fc_3', 'X', '{}')] })),
      ).toEqual([added(open), done({ ...second, id: 'fc_1' }), end]);
    }
  });
});

describe('4 items in other shapes', () => {
  test('4 arguments that are an object are written as JSON', () => {
    expect(between(itemDone(call('f1', 'c1', { a: 1 })), finish())).toEqual([done(call('f1', 'c1', '{"a":1}')), end]);
    expect(between(argsDone({ a: 1 }), itemDone(call('f1', 'c1', '')), finish()).at(-2)).toEqual(
      done(call('f1', 'c1', '{"a":1}')),
    );
  });

  test('4 a call without a call_id gets one, and is told of once it is done', () => {
    const bare = (words: string): Fields => ({ type: 'function_call', id: 'f1', name: 'f', arguments: words });
    const whole = { ...bare('{}'), call_id: 'call_1' };
    const events = (...wire: WireEvent[]): readonly ModelEvent[] => overSse(begin, ...wire).events.slice(1);
    expect(events(itemDone(bare('{}')), finish())).toEqual([done(whole), end]);
    expect(events(finish({ output: [bare('{}')] }))).toEqual([done(whole), end]);
    for (const closing of [[itemDone(bare('{}')), finish()], [finish()]]) {
      expect(events(itemAdded(bare('')), args('{}'), ...closing)).toEqual([
        added({ ...whole, arguments: '', status: 'in_progress' }),
        input('{}', 'call_1', 'f', 'f1'),
        done({ ...whole, ...(closing.length === 1 ? { status: 'completed' } : {}) }),
        end,
      ]);
    }
  });

  test('4 the name that only added told is kept', () => {
    const open = call('f1', 'c1', '', 'in_progress');
    const nameless = { ...call('f1', 'c1', '{}'), name: undefined };
    expect(between(itemAdded(open), itemDone(nameless), finish())).toEqual([
      added(open),
      done(call('f1', 'c1', '{}')),
      end,
    ]);
  });

  test('4 reasoning whose summary or content is a text is read as one part', () => {
    expect(between(itemDone({ type: 'reasoning', id: 'r', summary: 'sum', content: 'why' }), finish())).toEqual([
      done({
        type: 'reasoning',
        id: 'r',
        summary: [{ type: 'summary_text', text: 'sum' }],
        content: [{ type: 'reasoning_text', text: 'why' }],
      }),
      end,
    ]);
  });

  test('4 response.reasoning.delta is text of reasoning', () => {
    const wire = ['w', 'h', 'y'].map((words) => ({ type: 'response.reasoning.delta', item_id: 'r', delta: words }));
    const thinking = { type: 'reasoning', id: 'r', summary: [], content: [], status: 'in_progress' };
    const deltas = ['w', 'h', 'y'].map((words): ModelEvent => ({
      type: 'reasoning_text.delta',
      delta: words,
      content_index: 0,
      item_id: 'r',
    }));
    expect(between(...wire, finish())).toEqual([
      added(thinking),
      ...deltas,
      done({ ...thinking, status: 'completed', content: [{ type: 'reasoning_text', text: 'why' }] }),
      end,
    ]);
  });
});

describe('4 the type of a payload without one is that of its event line', () => {
  const named = (name: string, data: Fields): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

  test('4 a whole stream of them (cursor2api#116)', () => {
    const body = [
      named('response.created', { response: { id: 'resp_1' } }),
      ...['a', 'b', 'c', 'd'].map((words) => named('response.output_text.delta', { item_id: 'm', delta: words })),
      named('response.completed', { response: { id: 'resp_1', status: 'completed' } }),
    ].join('');
    expect(readOpen('responses', body)).toEqual({
      events: [
        created('resp_1'),
        added(said('', 'in_progress')),
        ...['a', 'b', 'c', 'd'].map((words) => text(words, 'm')),
        done(said('abcd')),
        end,
      ],
      skipped: 0,
      phase: 'ended',
    });
    expect(readOpen('responses', body.replaceAll('event: ', 'event:')).events).toHaveLength(8);
    expect(readOpen('responses', body.replaceAll('\n', '\r\n')).events).toHaveLength(8);
  });

  test('4 an error, and no other name than those of this wire', () => {
    expect(readOpen('responses', named('error', { code: 'slow_down', message: 'slow' })).error).toEqual(
      failure('server_overloaded', 'backoff', { code: 'slow_down', message: 'slow', replay_safe: true }),
    );
    expect(readOpen('responses', named('ping', {}) + named('response.completed', {}))).toMatchObject({ skipped: 1 });
  });

  test('4 an event line means nothing for the next event', () => {
    const body = named('response.created', {}) + 'data: {"response":{}}\n\n' + named('response.completed', {});
    expect(readOpen('responses', body)).toMatchObject({ events: [created(), { type: 'completed' }], skipped: 1 });
  });
});
