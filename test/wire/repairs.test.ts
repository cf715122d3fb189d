import { describe, expect, it } from 'vitest';
import {
  createDecoder,
  Repairs,
  repairs,
  type DecoderOptions,
  type ProtocolId,
} from '../../packages/wire/src/index.ts';

/** What is repaired in a stream of these events, in order. */
function repairsOf(wire: ProtocolId, events: readonly unknown[], options: DecoderOptions = {}): readonly string[] {
  const found = new Repairs();
  const decoder = createDecoder(wire, { ...options, repairs: found });
  const data = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
  decoder.push(Buffer.from(data.map((text) => `data: ${text}\n\n`).join('')));
  decoder.end({ type: 'close' });
  return [...found.names];
}

function chunk(delta: unknown, finish?: string, more = {}): unknown {
  return { id: 'c', choices: [{ index: 0, delta, finish_reason: finish ?? null, ...more }] };
}

function call(fields: unknown): unknown {
  return chunk({ tool_calls: [fields] });
}

const hi = chunk({ content: 'hi' });
const stop = chunk({}, 'stop');
const calls = chunk({}, 'tool_calls');
const fn = { name: 'now', arguments: '{}' };

describe('repairs: chat', () => {
  it('a stream as it should be has none', () => {
    const whole = call({ index: 0, id: 'a', type: 'function', function: fn });
    expect(repairsOf('chat', [hi, stop, '[DONE]'])).toEqual([]);
    expect(repairsOf('chat', [whole, calls, '[DONE]'])).toEqual([]);
  });

  it.each<[string, readonly unknown[], DecoderOptions]>([
    ['skipped_event', ['{bad', hi, stop], {}],
    ['no_finish_reason', [hi, '[DONE]'], {}],
    ['no_end', [hi], { onClose: 'complete' }],
    ['empty_finish_reason', [chunk({ content: 'hi' }, ''), stop], {}],
    ['finish_reason_spelling', [call({ index: 0, id: 'a', function: fn }), chunk({}, 'tool_use')], {}],
    ['finish_reason_spelling', [hi, chunk({}, 'FinishReason.STOP')], {}],
    ['unknown_finish', [hi, chunk({}, 'weird')], {}],
    ['stop_with_tool_calls', [call({ index: 0, id: 'a', function: fn }), stop], { toolCallsOnStop: 'promote' }],
    ['no_tool_index', [call({ id: 'a', function: fn }), calls], {}],
    ['arguments_object', [call({ index: 0, id: 'a', function: { name: 'now', arguments: {} } }), calls], {}],
    ['content_parts', [chunk({ content: [{ type: 'text', text: 'hi' }] }), stop], {}],
    [
      'message_for_delta',
      [{ id: 'c', choices: [{ index: 0, message: { content: 'hi' }, finish_reason: 'stop' }] }],
      {},
    ],
    ['usage_in_choice', [hi, chunk({}, 'stop', { usage: { prompt_tokens: 1, completion_tokens: 1 } })], {}],
  ])('%s', (name, events, options) => {
    expect(repairsOf('chat', events, options)).toEqual([name]);
  });

  it.each<[readonly string[], readonly unknown[]]>([
    [
      ['bare_sentinel', 'no_finish_reason'],
      [hi, 'DONE'],
    ],
    [
      ['reused_tool_index'],
      [call({ index: 0, id: 'a', function: fn }), call({ index: 0, id: 'b', function: fn }), calls],
    ],
    [['late_call_id'], [call({ index: 0, function: fn }), call({ index: 0, id: 'a', function: {} }), calls]],
    [['no_call_id'], [call({ index: 0, function: fn }), calls]],
    [
      ['function_call', 'no_tool_index', 'no_call_id'],
      [chunk({ function_call: fn }), calls],
    ],
  ])('%j', (names, events) => {
    expect(repairsOf('chat', events)).toEqual(names);
  });
});

const created = { type: 'response.created', response: { id: 'r' } };
const done = { type: 'response.completed', response: { id: 'r', output: [] } };
const message = { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'hi' }] };
const added = { type: 'response.output_item.added', output_index: 0, item: { ...message, content: [] } };
const delta = { type: 'response.output_text.delta', item_id: 'm', output_index: 0, content_index: 0, delta: 'hi' };
const itemDone = { type: 'response.output_item.done', output_index: 0, item: message };

function without(event: typeof added, field: 'output_index' | 'id'): unknown {
  return field === 'id'
    ? { ...event, item: { type: 'message', role: 'assistant', content: [] } }
    : { type: event.type, item: event.item };
}

describe('repairs: responses', () => {
  it('a stream as it should be has none', () => {
    expect(repairsOf('responses', [created, added, delta, itemDone, done])).toEqual([]);
  });

  it.each<[readonly string[], readonly unknown[]]>([
    [['skipped_event'], [created, added, delta, itemDone, done].flatMap((event) => ['[DONE]', event])],
    [['no_created'], [added, delta, itemDone, done]],
    [['no_response_id'], [{ type: 'response.created' }, added, delta, itemDone, done]],
    [['no_item_id'], [created, without(added, 'id'), itemDone, done]],
    [['no_output_index'], [created, without(added, 'output_index'), delta, itemDone, done]],
    [['unannounced_item'], [created, delta, itemDone, done]],
    [['unfinished_item'], [created, added, delta, done]],
    [['item_only_at_end'], [created, { ...done, response: { id: 'r', output: [message] } }]],
    [['repeated_item'], [created, added, added, delta, itemDone, done]],
  ])('%j', (names, events) => {
    expect(repairsOf('responses', events)).toEqual(names);
  });
});

describe('repairs: messages', () => {
  const start = { type: 'message_start', message: { id: 'm', usage: { input_tokens: 1 } } };
  const open = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
  const use = (id?: string, input: object = {}): unknown => ({
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id, name: 'now', input },
  });
  const say = (index?: number): unknown => ({
    type: 'content_block_delta',
    index,
    delta: { type: 'text_delta', text: 'hi' },
  });
  const close = { type: 'content_block_stop', index: 0 };
  const end = (stop_reason: string): unknown => ({
    type: 'message_delta',
    delta: { stop_reason },
    usage: { output_tokens: 1 },
  });
  const last = { type: 'message_stop' };

  it('a stream as it should be has none', () => {
    expect(repairsOf('messages', [start, open, say(0), close, end('end_turn'), last])).toEqual([]);
  });

  it.each<[readonly string[], readonly unknown[]]>([
    [['skipped_event'], [start, '{bad', end('end_turn')]],
    [['no_message_start'], [open, say(0), close, end('end_turn')]],
    [['no_response_id'], [{ type: 'message_start', message: {} }, end('end_turn')]],
    [['no_block_start'], [start, say(0), end('end_turn')]],
    [['no_block_index'], [start, open, say(), close, end('end_turn')]],
    [['no_block_stop'], [start, use('a'), end('tool_use')]],
    [['reused_block_index'], [start, open, use('a'), close, end('tool_use')]],
    [['stray_delta'], [start, use('a'), say(0), close, end('tool_use')]],
    [['whole_block'], [start, use('a', { zone: 'utc' }), close, end('tool_use')]],
    [['no_call_id'], [start, use(), close, end('tool_use')]],
    [['shared_call_id'], [start, use('a'), close, use('a'), close, end('tool_use')]],
    [['no_stop_reason'], [start, open, say(0), close, last]],
    [['unknown_finish'], [start, end('weird')]],
    [['finish_reason_spelling'], [start, end('stop')]],
  ])('%j', (names, events) => {
    expect(repairsOf('messages', events)).toEqual(names);
  });
});

describe('repairs: the byte stream', () => {
  function ofBytes(bytes: Uint8Array): readonly string[] {
    const found = new Repairs();
    const decoder = createDecoder('chat', { repairs: found });
    decoder.push(bytes);
    decoder.end({ type: 'close' });
    expect(decoder.failure).toBeUndefined();
    return [...found.names];
  }

  it('an event without its blank line, a body, bytes that are no text', () => {
    const text = `data: ${JSON.stringify(hi)}\n\ndata: ${JSON.stringify(stop)}\n\n`;
    expect(ofBytes(Buffer.from(text.trimEnd()))).toEqual(['no_last_blank_line']);
    const body = { id: 'c', choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] };
    expect(ofBytes(Buffer.from(JSON.stringify(body)))).toEqual(['json_for_stream']);
    expect(ofBytes(Buffer.from(text.replace('hi', '\u00e4'), 'latin1'))).toEqual(['invalid_utf8']);
    expect(ofBytes(Buffer.from(text.replace('hi', '\ufffd')))).toEqual([]);
  });

  it('the data of skipped events is kept, so many and so much of each', () => {
    const found = new Repairs();
    const decoder = createDecoder('chat', { repairs: found });
    const junk = Array.from({ length: 20 }, (_, n) => `data: ${n} ${'x'.repeat(1000)}\n\n`);
    decoder.push(Buffer.from(junk.join('')));
    expect([found.skipped.length, found.skipped[0]]).toEqual([16, `0 ${'x'.repeat(254)}`]);
  });
});

it('every repair has a sentence', () => {
  for (const text of Object.values(repairs)) expect(text).toMatch(/^[a-z].*[^.]$/);
});
