import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toEventSse, type WireEvent } from '../../packages/wire/src/encode-event.ts';
import { fromCallId, toCallId } from '../../packages/wire/src/messages/call-id.ts';
import {
  createMessagesEncoder,
  encodeMessagesBody,
  encodeMessagesEvents,
  encodeMessagesSse,
} from '../../packages/wire/src/messages/encode.ts';
import { sealThinking } from '../../packages/wire/src/sealed-thinking.ts';
import { fromSignature, toSignature } from '../../packages/wire/src/messages/signature.ts';
import { ModelError, type ErrorKind } from '../../packages/wire/src/model/errors.ts';
import type { CompletedEvent, ModelEvent } from '../../packages/wire/src/model/events.ts';
import {
  isAssistantMessage,
  messageText,
  type OutputItem,
  type ReasoningItem,
} from '../../packages/wire/src/model/items.ts';
import { capturesOf, decodeAll, essence, objects } from './encode-support.ts';
import { orderProblem } from './messages-order.ts';
import { captureWire } from '../capture-wire.ts';

const usage = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 10, cache_write_tokens: 5 },
  output_tokens: 7,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 37,
};
const created: ModelEvent = { type: 'created', response_id: 'resp_1' };
const end = (more: Partial<CompletedEvent> = {}): ModelEvent => ({
  type: 'completed',
  response_id: 'resp_1',
  ended_by: 'response.completed',
  ...more,
});
const said = (text: string, id = 'm1'): ModelEvent => ({ type: 'output_text.delta', item_id: id, delta: text });
const message = (text: string, id = 'm1'): OutputItem => ({
  type: 'message',
  id,
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const call = (args: string, id = 'call_a', name = 'run'): OutputItem => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: args,
});
const added = (item: OutputItem): ModelEvent => ({ type: 'output_item.added', item });
const done = (item: OutputItem): ModelEvent => ({ type: 'output_item.done', item });
const input = (delta: string, id = 'call_a'): ModelEvent => ({
  type: 'tool_call_input.delta',
  call_id: id,
  item_id: `fc_${id}`,
  delta,
});
const reasoning = (more: Partial<ReasoningItem>): ReasoningItem => ({
  type: 'reasoning',
  id: 'r1',
  summary: [],
  ...more,
});
const failure = (kind: ErrorKind, message = 'm', more = {}): ModelError => new ModelError({ kind, message, ...more });

/** The events behind `message_start` and `ping`, which are looked at once, and the order of all of them. */
function rest(events: ModelEvent[], options = {}, error?: ModelError): Record<string, unknown>[] {
  const all = encodeMessagesEvents(events, options, error);
  expect(orderProblem(all)).toBeUndefined();
  return objects(all).slice(2);
}

const start = (index: number, content_block: object): object => ({ type: 'content_block_start', index, content_block });
const delta = (index: number, fields: object): object => ({ type: 'content_block_delta', index, delta: fields });
const stop = (index: number): object => ({ type: 'content_block_stop', index });
const textBlock = (index: number, ...texts: string[]): object[] => [
  start(index, { type: 'text', text: '' }),
  ...texts.map((text) => delta(index, { type: 'text_delta', text })),
  stop(index),
];
const callBlock = (index: number, id: string, ...json: string[]): object[] => [
  start(index, { type: 'tool_use', id, name: 'run', input: {} }),
  ...json.map((partial_json) => delta(index, { type: 'input_json_delta', partial_json })),
  stop(index),
];
const thinkingBlock = (index: number, texts: string[], signature: string): object[] => [
  start(index, { type: 'thinking', thinking: '', signature: '' }),
  ...texts.map((thinking) => delta(index, { type: 'thinking_delta', thinking })),
  delta(index, { type: 'signature_delta', signature }),
  stop(index),
];
const noUsage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
  output_tokens_details: { thinking_tokens: 0 },
};
const ending = (stop_reason: string, more = {}): object[] => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null, ...more }, usage: noUsage },
  { type: 'message_stop' },
];

describe('N2 the order', () => {
  test('N2 is start, ping, blocks, delta, stop, each under its name, and nothing else', () => {
    const events = [created, said('Hel'), said('lo'), done(message('Hello')), end({ usage })];
    const told = {
      id: 'msg_9',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: noUsage,
    };
    expect(encodeMessagesSse(events, { id: 'msg_9', model: 'm' })).toBe(
      [
        `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: told })}`,
        'event: ping\ndata: {"type":"ping"}',
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}',
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}',
        'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}',
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":15,"cache_creation_input_tokens":5,"cache_read_input_tokens":10,"output_tokens":7,"output_tokens_details":{"thinking_tokens":4}}}',
        'event: message_stop\ndata: {"type":"message_stop"}',
        '',
      ].join('\n\n'),
    );
  });

  test('N2 an answer without a word has no block; what this wire has no event for is no event', () => {
    const odd: ModelEvent[] = [
      { type: 'server_model', model: 'x' },
      { type: 'unknown', raw: { type: 'y' } },
      { type: 'models_etag', etag: 'z' },
    ];
    expect(rest([created, ...odd, end()])).toEqual(ending('end_turn'));
  });

  test('N2 nothing follows the end', () => {
    const encoder = createMessagesEncoder();
    encoder.push(end());
    expect(encoder.ended).toBe(true);
    expect([...encoder.push(said('x')), ...encoder.push(end()), ...encoder.fail(failure('server_error'))]).toEqual([]);
  });
});

describe('N3 one block at a time', () => {
  test('N3 the second of two interleaved calls waits for the end of the first', () => {
    const events = [
      created,
      added(call('')),
      input('{"a"'),
      added(call('', 'call_b')),
      input('{"b":', 'call_b'),
      input(':1}'),
      input('2}', 'call_b'),
      done(call('{"a":1}')),
      done(call('{"b":2}', 'call_b')),
      end(),
    ];
    expect(rest(events)).toEqual([
      ...callBlock(0, 'call_a', '{"a"', ':1}'),
      ...callBlock(1, 'call_b', '{"b":', '2}'),
      ...ending('tool_use'),
    ]);
  });
});

describe('N4 blocks start empty', () => {
  test('N4 what came only with the finished item is told in deltas', () => {
    const events = [done(message('all')), done(call('{"x":[1]}')), end()];
    expect(rest(events)).toEqual([
      ...textBlock(0, 'all'),
      ...callBlock(1, 'call_a', '{"x":[1]}'),
      ...ending('tool_use'),
    ]);
  });

  test('N4 a call without arguments has an empty object', () => {
    expect(rest([done(call('')), end()])).toEqual([...callBlock(0, 'call_a', '{}'), ...ending('tool_use')]);
    expect(encodeMessagesBody([done(call('')), end()])).toMatchObject({
      content: [{ type: 'tool_use', id: 'call_a', name: 'run', input: {} }],
    });
  });
});

describe('N5 reasoning', () => {
  const thought = (text: string, index = 0): ModelEvent => ({
    type: 'reasoning_summary_text.delta',
    item_id: 'r1',
    summary_index: index,
    delta: text,
  });

  test('N5 is a thinking block that is signed with the item it was', () => {
    const item = reasoning({ summary: [{ type: 'summary_text', text: 'one' }], encrypted_content: 'gAAA' });
    const signature = toSignature({ id: 'r1', encrypted: 'gAAA' });
    expect(rest([added(reasoning({})), thought('o'), thought('ne'), done(item), end()])).toEqual([
      ...thinkingBlock(0, ['o', 'ne'], signature),
      ...ending('end_turn'),
    ]);
    expect(fromSignature(signature)).toEqual({ id: 'r1', encrypted: 'gAAA', raw: false });
  });

  test('N5 parts of a summary are paragraphs; the reasoning itself is told where there is no summary', () => {
    expect(rest([thought('one'), thought('two', 1), end()])).toEqual([
      ...thinkingBlock(0, ['one', '\n\ntwo'], toSignature({})),
      ...ending('end_turn'),
    ]);
    const raw = reasoning({ content: [{ type: 'reasoning_text', text: 'hm' }] });
    expect(rest([done(raw), end()])).toEqual([
      ...thinkingBlock(0, ['hm'], toSignature({ id: 'r1', raw: true })),
      ...ending('end_turn'),
    ]);
  });

  test('N5 is signed before the text begins, also when the server ends it late', () => {
    const item = reasoning({ summary: [{ type: 'summary_text', text: 'one' }] });
    expect(rest([thought('one'), said('Hi'), done(item), done(message('Hi')), end()])).toEqual([
      ...thinkingBlock(0, ['one'], toSignature({})),
      ...textBlock(1, 'Hi'),
      ...ending('end_turn'),
    ]);
  });

  test('N5 a second item is a second block; one without a word and without a seal is none', () => {
    const events = [
      done(reasoning({})),
      done(reasoning({ id: 'r2', encrypted_content: 'a' })),
      done(reasoning({ id: 'r3', summary: [{ type: 'summary_text', text: 't' }] })),
      end(),
    ];
    expect(rest(events)).toEqual([
      ...thinkingBlock(0, [], toSignature({ id: 'r2', encrypted: 'a' })),
      ...thinkingBlock(1, ['t'], toSignature({ id: 'r3' })),
      ...ending('end_turn'),
    ]);
  });

  test("N5 Anthropic's own blocks come out as they went in", () => {
    const signed = { type: 'thinking', thinking: 'I think', signature: 'EqQB+/=' };
    const bare = { type: 'thinking', thinking: '', signature: 'only' };
    const redacted = { type: 'redacted_thinking', data: 'zz' };
    const events = [
      done(
        reasoning({ content: [{ type: 'reasoning_text', text: 'I think' }], encrypted_content: sealThinking(signed) }),
      ),
      done(reasoning({ id: 'r2', encrypted_content: sealThinking(bare) })),
      done(reasoning({ id: 'r3', encrypted_content: sealThinking(redacted) })),
      end(),
    ];
    expect(rest(events)).toEqual([
      ...thinkingBlock(0, ['I think'], 'EqQB+/='),
      ...thinkingBlock(1, [], 'only'),
      start(2, redacted),
      stop(2),
      ...ending('end_turn'),
    ]);
    expect(encodeMessagesBody(events)['content']).toEqual([signed, bare, redacted]);
  });

  test('N5 a client that wants no thinking gets the seal alone', () => {
    const item = reasoning({ summary: [{ type: 'summary_text', text: 'one' }], encrypted_content: 'gA' });
    const signature = toSignature({ id: 'r1', encrypted: 'gA' });
    const events = [thought('one'), done(item), end()];
    expect(rest(events, { omitThinking: true })).toEqual([...thinkingBlock(0, [], signature), ...ending('end_turn')]);
    expect(encodeMessagesBody(events, { omitThinking: true })['content']).toEqual([
      { type: 'thinking', thinking: '', signature },
    ]);
  });
});

describe('N6 calls', () => {
  test('N6 free text is the input of a function of one string', () => {
    const custom = (text: string): OutputItem => ({
      type: 'custom_tool_call',
      id: 'fc_call_a',
      call_id: 'call_a',
      name: 'run',
      input: text,
    });
    const events = [
      added(custom('')),
      input('a "b"\n'),
      input('\ud83d'),
      input('\ude00'),
      done(custom('a "b"\n😀')),
      end(),
    ];
    const json = ['{"input":"', 'a \\"b\\"\\n', '\\ud83d', '\\ude00', '"}'];
    expect(rest(events)).toEqual([...callBlock(0, 'call_a', ...json), ...ending('tool_use')]);
    expect(JSON.parse(json.join(''))).toEqual({ input: 'a "b"\n😀' });
    expect(encodeMessagesBody(events)['content']).toEqual([
      { type: 'tool_use', id: 'call_a', name: 'run', input: { input: 'a "b"\n😀' } },
    ]);
    expect(rest([done(custom('x')), end()]).slice(0, 4)).toEqual(
      callBlock(0, 'call_a', '{"input":"', 'x', '"}').slice(0, 4),
    );
  });

  test('N6 an id that the wire does not take comes back from its replacement', () => {
    expect(rest([done(call('{}', 'a.b:c')), end()])[0]).toMatchObject({ content_block: { id: toCallId('a.b:c') } });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `tw1_${text}`),
        ),
        (id) => {
          expect(toCallId(id)).toMatch(/^[a-zA-Z0-9_-]+$/);
          expect(fromCallId(toCallId(id))).toBe(id.toWellFormed());
        },
      ),
    );
    expect(toCallId('toolu_01-a')).toBe('toolu_01-a');
    expect(fromCallId('tw1_!')).toBe('tw1_!');
  });

  test('N6 arguments that are no JSON are never closed: the answer fails', () => {
    expect(rest([created, said('a'), input('{"x"'), done(call('{"x"')), end()])).toEqual([
      ...textBlock(0, 'a'),
      // The call was announced by its first delta alone, so its name came with the end.
      start(1, { type: 'tool_use', id: 'call_a', name: 'run', input: {} }),
      delta(1, { type: 'input_json_delta', partial_json: '{"x"' }),
      { type: 'error', error: { type: 'api_error', message: 'the arguments of run are not JSON' }, request_id: null },
    ]);
  });

  test('N6 a call that was never done is never closed', () => {
    const cut = {
      type: 'error',
      error: { type: 'api_error', message: 'the model server ended its answer inside the arguments of a tool call' },
      request_id: null,
    };
    const begun = [added(call('')), input('{"x"')];
    const block = callBlock(0, 'call_a', '{"x"').slice(0, 2);
    expect(rest([...begun, end()])).toEqual([...block, cut]);
    expect(rest([...begun, said('later'), end()])).toEqual([...block, cut]);
    const limit = failure('incomplete', 'the answer reached its limit', { code: 'max_output_tokens' });
    expect(rest(begun, {}, limit)).toEqual([
      ...block,
      {
        type: 'error',
        error: {
          type: 'api_error',
          message: 'the answer reached its limit',
          details: { error_code: 'max_output_tokens' },
        },
        request_id: null,
      },
    ]);
    // Nothing of it has gone out: it is no part of the answer.
    expect(rest([added(call('')), said('x'), end()])).toEqual([...textBlock(0, 'x'), ...ending('end_turn')]);
    // In one body it is left out, and the text stands.
    const body = encodeMessagesBody([said('a'), ...begun], {}, failure('incomplete'));
    expect(body).toMatchObject({ content: [{ type: 'text', text: 'a' }], stop_reason: 'max_tokens' });
  });
});

describe('N7 other items', () => {
  const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' } };
  const result = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] };
  const events = [added(search), done(search), added(result), done(result), said('x'), end()];

  test('N7 a refusal is text', () => {
    const refused = { ...message(''), content: [{ type: 'refusal', refusal: 'No.' }] } as OutputItem;
    expect(rest([{ type: 'refusal.delta', item_id: 'm1', delta: 'No' }, done(refused), end()])).toEqual([
      ...textBlock(0, 'No', '.'),
      ...ending('end_turn'),
    ]);
  });

  test("N7 blocks of Anthropic's tools go to clients that offered one", () => {
    expect(rest(events)).toEqual([...textBlock(0, 'x'), ...ending('end_turn')]);
    expect(rest(events, { serverBlocks: true })).toEqual([
      start(0, { ...search, input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '{"query":"q"}' }),
      stop(0),
      start(1, result),
      stop(1),
      ...textBlock(2, 'x'),
      ...ending('end_turn'),
    ]);
    expect(encodeMessagesBody(events, { serverBlocks: true })['content']).toEqual([
      search,
      result,
      { type: 'text', text: 'x', citations: null },
    ]);
  });

  test('N7 items of other wires have no form here', () => {
    const item = { type: 'web_search_call', id: 'ws_1', status: 'completed' };
    expect(rest([added(item), done(item), end()], { serverBlocks: true })).toEqual(ending('end_turn'));
  });
});

describe('N8 stop reasons', () => {
  test.each([
    [end({ finish_reason: 'stop' }), ending('end_turn')],
    [end({ end_turn: false }), ending('pause_turn')],
    [end({ finish_reason: 'stop', stop_sequence: '###' }), ending('stop_sequence', { stop_sequence: '###' })],
    [end({ finish_reason: 'whatever' }), ending('end_turn')],
  ])('N8 %j', (event, expected) => {
    expect(rest([said('x'), event])).toEqual([...textBlock(0, 'x'), ...expected]);
  });

  test('N8 calls that were handed on are to be run, whatever ended the answer', () => {
    expect(rest([done(call('{}')), end({ finish_reason: 'stop', end_turn: false })])).toEqual([
      ...callBlock(0, 'call_a', '{}'),
      ...ending('tool_use'),
    ]);
  });

  const refused = { stop_details: { type: 'refusal', category: null, explanation: 'm' } };
  test.each([
    ['incomplete', ending('max_tokens')],
    ['context_window_exceeded', ending('model_context_window_exceeded')],
    ['content_filter', ending('refusal', refused)],
    ['policy', ending('refusal', refused)],
  ] as const)('N8 after text %s is an end', (kind, expected) => {
    expect(rest([said('x')], {}, failure(kind))).toEqual([...textBlock(0, 'x'), ...expected]);
  });

  test('N8 before any text a full context and a policy are errors', () => {
    expect(rest([created], {}, failure('context_window_exceeded', 'too much'))).toEqual([
      {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'prompt is too long: too much' },
        request_id: null,
      },
    ]);
    expect(rest([created], {}, failure('policy'))).toEqual([
      { type: 'error', error: { type: 'invalid_request_error', message: 'm' }, request_id: null },
    ]);
    expect(rest([], {}, failure('incomplete'))).toEqual(ending('max_tokens'));
  });
});

test('N9 usage leaves out of the input what the cache read and wrote, never below zero', () => {
  const [told] = rest([end({ usage: { ...usage, input_tokens: 3 } })]);
  expect(told?.['usage']).toEqual({
    input_tokens: 0,
    cache_creation_input_tokens: 5,
    cache_read_input_tokens: 10,
    output_tokens: 7,
    output_tokens_details: { thinking_tokens: 4 },
  });
  const cut = rest([said('x')], {}, failure('incomplete', 'm', { usage }));
  expect(cut.at(-2)).toMatchObject({ usage: { input_tokens: 15, output_tokens: 7 } });
});

test('N11 a body says the same as the stream', () => {
  const item = reasoning({ summary: [{ type: 'summary_text', text: 't' }] });
  const events = [created, done(item), said('Hi'), done(message('Hi')), done(call('{"a":1}')), end({ usage })];
  expect(encodeMessagesBody(events, { id: 'msg_1', model: 'm' })).toEqual({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [
      { type: 'thinking', thinking: 't', signature: toSignature({ id: 'r1' }) },
      { type: 'text', text: 'Hi', citations: null },
      { type: 'tool_use', id: 'call_a', name: 'run', input: { a: 1 } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: {
      input_tokens: 15,
      cache_creation_input_tokens: 5,
      cache_read_input_tokens: 10,
      output_tokens: 7,
      output_tokens_details: { thinking_tokens: 4 },
    },
  });
});

describe('N12 a failure', () => {
  test('N12 is an error event and nothing else: no stop of the block, no delta, no stop of the message', () => {
    const error = failure('server_overloaded', 'busy', { requestId: 'req_1', code: 'slow_down' });
    expect(rest([said('x')], {}, error)).toEqual([
      ...textBlock(0, 'x').slice(0, 2),
      {
        type: 'error',
        error: { type: 'overloaded_error', message: 'busy', details: { error_code: 'slow_down' } },
        request_id: 'req_1',
      },
    ]);
  });
});

test.each(['overloaded_error', 'api_error', 'invalid_request_error'])(
  '6 the type of an error, which is its code on this wire, is no code of its own: %s',
  (code) => {
    const event = rest([said('x')], {}, failure('server_overloaded', 'busy', { code })).at(-1);
    expect(event).toEqual({
      type: 'error',
      error: { type: 'overloaded_error', message: 'busy' },
      request_id: null,
    });
  },
);

test('N13 a second attempt begins only before the first block', () => {
  const retrying: ModelEvent = {
    type: 'retrying',
    attempt: 1,
    max: 3,
    delay_ms: 1,
    error: failure('server_error').toJSON(),
    discarded_item_ids: ['m1'],
  };
  expect(rest([created, added(message('')), retrying, said('y', 'm2'), end()])).toEqual([
    ...textBlock(0, 'y'),
    ...ending('end_turn'),
  ]);
  expect(rest([created, said('x'), retrying]).at(-1)).toMatchObject({ type: 'error', error: { type: 'api_error' } });
});

describe('any answer', () => {
  const streams = [...capturesOf('chat-'), ...capturesOf('responses-')];

  test.each(streams)('N2 $name in a legal order, with its text and calls', ({ name, text }) => {
    const { events, failure: error } = decodeAll(captureWire(name), text);
    const out = encodeMessagesEvents(events, {}, error);
    expect(orderProblem(out)).toBeUndefined();
    const items = events.flatMap((one) => (one.type === 'output_item.done' ? [one.item] : []));
    expect(wholeText(out)).toBe(items.map((item) => (isAssistantMessage(item) ? messageText(item) : '')).join(''));
  });

  test.each(capturesOf('messages-'))('$name says the same when it is encoded and read again', ({ text }) => {
    const { events, failure: error } = decodeAll('messages', text);
    const out = encodeMessagesEvents(events, {}, error);
    expect(orderProblem(out)).toBeUndefined();
    const again = decodeAll('messages', toEventSse(out));
    expect(essence(again.events)).toEqual(essence(events));
    expect(again.failure?.kind).toBe(kindAfter(out, error));
  });

  test.each(streams)('$name says the same to a client of this wire', ({ name, text }) => {
    const { events, failure: error } = decodeAll(captureWire(name), text);
    const out = encodeMessagesEvents(events, {}, error);
    const again = decodeAll('messages', toEventSse(out));
    expect(essence(again.events)).toEqual(essence(events));
    expect(again.failure?.kind).toBe(kindAfter(out, error));
  });

  test('N2 N3 N6 events in any order lead to a legal one', () => {
    const ids = fc.constantFrom('a', 'b');
    const piece = fc.constantFrom('', '{"x"', ':1}', '{}', 'text');
    const event: fc.Arbitrary<ModelEvent> = fc.oneof(
      fc.record({ type: fc.constant('output_text.delta' as const), item_id: ids, delta: piece }),
      fc.record({
        type: fc.constant('reasoning_text.delta' as const),
        item_id: ids.map((id) => `r${id}`),
        content_index: fc.constant(0),
        delta: piece,
      }),
      fc.record({ type: fc.constant('tool_call_input.delta' as const), call_id: ids, delta: piece }),
      fc.tuple(ids, piece).map(([id, args]) => done(call(args, id))),
      fc.tuple(ids, piece).map(([id]) => added(call('', id))),
      fc.tuple(ids, piece).map(([id, text]) => done(message(text, id))),
      fc
        .tuple(ids, piece)
        .map(([id, text]) => done(reasoning({ id: `r${id}`, content: [{ type: 'reasoning_text', text }] }))),
    );
    const kinds = fc.constantFrom<ErrorKind | 'completed'>('completed', 'incomplete', 'content_filter', 'server_error');
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), kinds, (events, how) => {
        const out =
          how === 'completed'
            ? encodeMessagesEvents([created, ...events, end()])
            : encodeMessagesEvents([created, ...events], {}, failure(how));
        expect(orderProblem(out)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});

/** A limit that cuts a call is an error on this wire: no client may take the call for whole. */
function kindAfter(out: readonly WireEvent[], error: ModelError | undefined): ErrorKind | undefined {
  return error?.kind === 'incomplete' && out.at(-1)?.type === 'error' ? 'server_error' : error?.kind;
}

function wholeText(events: readonly WireEvent[]): string {
  return objects(events)
    .map((event) => (event['delta'] as { text?: string } | undefined)?.text ?? '')
    .join('');
}

test('the heartbeat and the SSE form', () => {
  expect(toEventSse([{ type: 'ping', data: '{"type":"ping"}' }])).toBe('event: ping\ndata: {"type":"ping"}\n\n');
});
