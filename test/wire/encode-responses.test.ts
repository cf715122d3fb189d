import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { omit } from '../../packages/wire/src/base/json.ts';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent, Usage } from '../../packages/wire/src/model/events.ts';
import { toEventSse } from '../../packages/wire/src/encode-event.ts';
import {
  createResponsesEncoder,
  encodeResponsesBody,
  encodeResponsesEvents,
  encodeResponsesSse,
} from '../../packages/wire/src/responses/encode.ts';
import { validateOrder } from '../../packages/wire/src/responses/validate.ts';
import { capturesOf, decodeAll, essence, objects, streamedText } from './encode-support.ts';
import { captureWire } from '../capture-wire.ts';

const message = (id: string, text = '', status = 'in_progress') => ({
  type: 'message' as const,
  id,
  role: 'assistant' as const,
  status: status as 'in_progress',
  content: text === '' ? [] : [{ type: 'output_text' as const, text, annotations: [] as never[] }],
});
/** A message as it is told: with every field of its parts. */
const told = (item: ReturnType<typeof message>): object => ({
  ...item,
  content: item.content.map((part) => ({ ...part, logprobs: [] })),
});
const reasoning = (id: string, text = '') => ({
  type: 'reasoning' as const,
  id,
  summary: [],
  content: text === '' ? [] : [{ type: 'reasoning_text' as const, text }],
});
const call = (id: string, callId: string, args = '') => ({
  type: 'function_call' as const,
  id,
  call_id: callId,
  name: `do_${callId}`,
  arguments: args,
});
const added = (item: object): ModelEvent => ({ type: 'output_item.added', item: item as never });
const done = (item: object): ModelEvent => ({ type: 'output_item.done', item: item as never });
const text = (item_id: string, delta: string): ModelEvent => ({ type: 'output_text.delta', item_id, delta });
const args = (call_id: string, item_id: string, delta: string): ModelEvent => ({
  type: 'tool_call_input.delta',
  call_id,
  item_id,
  delta,
});
const created: ModelEvent = { type: 'created', response_id: 'resp_9' };
const completed: ModelEvent = { type: 'completed', response_id: 'resp_9', ended_by: 'finish_reason' };

/** Types and the one field that tells them apart. */
function shape(events: ModelEvent[], options = {}, failure?: ModelError): string[] {
  return objects(encodeResponsesEvents(events, options, failure)).map((event) => {
    const item = event.item as { id?: string } | undefined;
    const told = event.delta ?? event.text ?? event.arguments ?? event.input ?? item?.id ?? '';
    return `${String(event.type).replace('response.', '')} ${JSON.stringify(told).slice(1, -1)}`.trim();
  });
}

function violations(events: ModelEvent[], failure?: ModelError): unknown[] {
  return validateOrder(objects(encodeResponsesEvents(events, {}, failure)));
}

describe('the full sequence', () => {
  const stream = [
    created,
    added(message('msg_1')),
    text('msg_1', 'Hel'),
    text('msg_1', 'lo'),
    done(message('msg_1', 'Hello', 'completed')),
    { ...completed, usage: usage() } as ModelEvent,
  ];

  it('is created, in_progress, added, parts, deltas, dones, completed', () => {
    expect(shape(stream)).toEqual([
      'created',
      'in_progress',
      'output_item.added msg_1',
      'content_part.added',
      'output_text.delta Hel',
      'output_text.delta lo',
      'output_text.done Hello',
      'content_part.done',
      'output_item.done msg_1',
      'completed',
    ]);
    expect(violations(stream)).toEqual([]);
  });

  it('numbers every event and carries ids and places', () => {
    const events = objects(encodeResponsesEvents(stream));
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
    expect(events[4]).toEqual({
      type: 'response.output_text.delta',
      item_id: 'msg_1',
      output_index: 0,
      content_index: 0,
      delta: 'Hel',
      logprobs: [],
      sequence_number: 4,
    });
  });

  it('ends with the whole output and the usage', () => {
    const options = { createdAt: 7, model: 'm', response: { instructions: 'be kind' } };
    const body = encodeResponsesBody(stream, options);
    expect(body).toMatchObject({
      id: 'resp_9',
      object: 'response',
      created_at: 7,
      model: 'm',
      instructions: 'be kind',
      status: 'completed',
      error: null,
      output: [{ ...message('msg_1', 'Hello', 'completed') }],
      usage: usage(),
    });
    const last = objects(encodeResponsesEvents(stream, options)).at(-1);
    expect(last?.response).toEqual(body);
  });

  it('goes out as event and data lines', () => {
    const sse = encodeResponsesSse(stream);
    expect(sse.split('\n\n')[4]).toMatch(/^event: response\.output_text\.delta\ndata: \{"type":"response\.output_text/);
    expect(sse.endsWith('\n\n')).toBe(true);
  });

  it('has exactly one terminal event, whatever follows it', () => {
    const encoder = createResponsesEncoder();
    for (const event of stream) encoder.push(event);
    expect(encoder.ended).toBe(true);
    expect(encoder.push(text('msg_1', 'late'))).toEqual([]);
    expect(encoder.push(completed)).toEqual([]);
    expect(encoder.fail(new ModelError({ kind: 'server_error', message: 'late' }))).toEqual([]);
  });

  it('escapes what JSON must escape', () => {
    const odd = 'a"\\\n\u2028 \ud800 é';
    const events = objects(encodeResponsesEvents([created, added(message('m"1')), text('m"1', odd)]));
    expect(events.at(-1)).toMatchObject({ delta: odd, item_id: 'm"1' });
  });
});

describe('items that come in other orders', () => {
  it('sends the text of a final-only item as one delta', () => {
    const stream = [created, done(message('msg_1', 'Hello', 'completed')), completed];
    expect(shape(stream)).toContain('output_text.delta Hello');
    expect(violations(stream)).toEqual([]);
  });

  it('sends a final-only call with its arguments', () => {
    const stream = [created, done(call('fc_1', 'a', '{"x":1}')), completed];
    expect(shape(stream).slice(2)).toEqual([
      'output_item.added fc_1',
      'function_call_arguments.delta {\\"x\\":1}',
      'function_call_arguments.done {\\"x\\":1}',
      'output_item.done fc_1',
      'completed',
    ]);
  });

  it('sends one call after the other where their deltas interleave', () => {
    const stream = [
      created,
      added(call('fc_1', 'a')),
      args('a', 'fc_1', '{"n"'),
      added(call('fc_2', 'b')),
      args('b', 'fc_2', '{"m"'),
      args('a', 'fc_1', ':1}'),
      args('b', 'fc_2', ':2}'),
      done(call('fc_1', 'a', '{"n":1}')),
      done(call('fc_2', 'b', '{"m":2}')),
      completed,
    ];
    expect(shape(stream).slice(2, -1)).toEqual([
      'output_item.added fc_1',
      'function_call_arguments.delta {\\"n\\"',
      'function_call_arguments.delta :1}',
      'function_call_arguments.done {\\"n\\":1}',
      'output_item.done fc_1',
      'output_item.added fc_2',
      'function_call_arguments.delta {\\"m\\"',
      'function_call_arguments.delta :2}',
      'function_call_arguments.done {\\"m\\":2}',
      'output_item.done fc_2',
    ]);
    expect(violations(stream)).toEqual([]);
  });

  it('streams text while its reasoning is still open: reasoning is closed from its deltas', () => {
    const stream = [
      created,
      added(reasoning('rs_1')),
      { type: 'reasoning_text.delta', item_id: 'rs_1', content_index: 0, delta: 'hm' } as ModelEvent,
      added(message('msg_1')),
      text('msg_1', 'Hi'),
      done(reasoning('rs_1', 'hm')),
      done(message('msg_1', 'Hi', 'completed')),
      completed,
    ];
    expect(shape(stream).slice(2, -1)).toEqual([
      'output_item.added rs_1',
      'content_part.added',
      'reasoning_text.delta hm',
      'reasoning_text.done hm',
      'content_part.done',
      'output_item.done rs_1',
      'output_item.added msg_1',
      'content_part.added',
      'output_text.delta Hi',
      'output_text.done Hi',
      'content_part.done',
      'output_item.done msg_1',
    ]);
    expect(violations(stream)).toEqual([]);
  });

  it('continues a text that goes on after a call in an item of its own, and loses nothing', () => {
    const stream = [
      created,
      added(message('msg_1')),
      text('msg_1', 'before '),
      added(call('fc_1', 'a')),
      args('a', 'fc_1', '{}'),
      text('msg_1', 'after'),
      done(call('fc_1', 'a', '{}')),
      done(message('msg_1', 'before after', 'completed')),
      completed,
    ];
    const body = encodeResponsesBody(stream) as unknown as { output: { id: string; type: string }[] };
    expect(body.output.map((item) => item.type)).toEqual(['message', 'function_call', 'message']);
    expect(new Set(body.output.map((item) => item.id)).size).toBe(3);
    const decoded = decodeAll('responses', encodeResponsesSse(stream));
    expect(essence(decoded.events)).toMatchObject({ message: 'before after' });
    expect(violations(stream)).toEqual([]);
  });

  it('makes no item of blank text after a call', () => {
    const stream = [
      created,
      added(message('msg_1')),
      text('msg_1', 'Hi'),
      added(call('fc_1', 'a')),
      args('a', 'fc_1', '{}'),
      text('msg_1', '\n'),
      done(call('fc_1', 'a', '{}')),
      done(message('msg_1', 'Hi\n', 'completed')),
      completed,
    ];
    expect((encodeResponsesBody(stream).output as unknown[]).length).toBe(2);
  });

  it('finds the item of deltas without item ids', () => {
    const stream: ModelEvent[] = [
      created,
      { type: 'reasoning_summary_text.delta', summary_index: 0, delta: 'why' },
      { type: 'output_text.delta', delta: 'Hi' },
      done({ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hi' }] }),
      completed,
    ];
    expect(violations(stream)).toEqual([]);
    const output = encodeResponsesBody(stream).output as { id: string; type: string }[];
    expect(output.map((item) => item.type)).toEqual(['reasoning', 'message']);
    expect(output.every((item) => /^(rs|msg)_\d+$/.test(item.id))).toBe(true);
  });

  it('sends text parts and refusals as parts of their own', () => {
    const stream: ModelEvent[] = [
      created,
      added(message('msg_1')),
      text('msg_1', 'Well, '),
      { type: 'refusal.delta', item_id: 'msg_1', delta: 'no.' },
      done({
        ...message('msg_1', 'Well, ', 'completed'),
        content: [
          { type: 'output_text', text: 'Well, ', annotations: [] },
          { type: 'refusal', refusal: 'no.' },
        ],
      }),
      completed,
    ];
    expect(shape(stream).slice(3, -2)).toEqual([
      'content_part.added',
      'output_text.delta Well,',
      'output_text.done Well,',
      'content_part.done',
      'content_part.added',
      'refusal.delta no.',
      'refusal.done',
      'content_part.done',
    ]);
    expect(violations(stream)).toEqual([]);
  });

  it('does not repeat a text that the finished item splits into several parts', () => {
    const split = [
      { type: 'output_text', text: 'A', annotations: [] },
      { type: 'output_text', text: 'B', annotations: [] },
    ];
    const stream = [
      created,
      added(message('msg_1')),
      text('msg_1', 'AB'),
      done({ ...message('msg_1'), status: 'completed', content: split }),
      completed,
    ];
    const decoded = decodeAll('responses', encodeResponsesSse(stream));
    expect(streamedText(decoded.events)).toBe('AB');
    expect(essence(decoded.events)).toMatchObject({ message: 'AB' });
  });

  it('announces a content part of an unknown kind as it is', () => {
    const odd = { type: 'hologram', x: 1 };
    const content = [{ type: 'output_text', text: 'Hi', annotations: [] }, odd];
    const stream = [
      created,
      text('msg_1', 'Hi'),
      done({ ...message('msg_1'), status: 'completed', content }),
      completed,
    ];
    const parts = objects(encodeResponsesEvents(stream)).filter((event) => event.content_index === 1);
    expect(parts.map((event) => [event.type, event.part])).toEqual([
      ['response.content_part.added', odd],
      ['response.content_part.done', odd],
    ]);
    expect(violations(stream)).toEqual([]);
  });

  it('keeps an item of an unknown type as it is, and lets others pass', () => {
    const search = { type: 'web_search_call', id: 'ws_1', status: 'in_progress', action: { query: 'x' } };
    const stream = [
      created,
      added(search),
      added(message('msg_1')),
      text('msg_1', 'Hi'),
      done(message('msg_1', 'Hi', 'completed')),
      done({ ...search, status: 'completed' }),
      completed,
    ];
    expect(encodeResponsesBody(stream).output).toEqual([
      { ...search, status: 'completed' },
      told(message('msg_1', 'Hi', 'completed')),
    ]);
    expect(violations(stream)).toEqual([]);
  });

  it('encodes a custom tool call with its input', () => {
    const custom = { type: 'custom_tool_call', id: 'ctc_1', call_id: 'c', name: 'apply_patch', input: '*** Begin' };
    const stream = [created, added({ ...custom, input: '' }), args('c', 'ctc_1', '*** Begin'), done(custom), completed];
    expect(shape(stream).slice(2, -1)).toEqual([
      'output_item.added ctc_1',
      'custom_tool_call_input.delta *** Begin',
      'custom_tool_call_input.done *** Begin',
      'output_item.done ctc_1',
    ]);
  });

  it('keeps the namespace of a call', () => {
    const item = { ...call('fc_1', 'a', '{}'), namespace: 'mcp__files' };
    const events = objects(encodeResponsesEvents([created, done(item), completed]));
    expect(events[2]?.item).toMatchObject({ namespace: 'mcp__files' });
    expect(events.at(-2)?.item).toMatchObject({ namespace: 'mcp__files', arguments: '{}' });
  });
});

describe('calls that must not be run', () => {
  it('never finishes a call that has no done, and lists it nowhere', () => {
    const stream = [created, added(call('fc_1', 'a')), args('a', 'fc_1', '{"x"'), completed];
    expect(shape(stream).slice(2)).toEqual([
      'output_item.added fc_1',
      'function_call_arguments.delta {\\"x\\"',
      'completed',
    ]);
    expect(encodeResponsesBody(stream).output).toEqual([]);
  });

  it('sends what waited behind it', () => {
    const stream = [
      created,
      added(call('fc_1', 'a')),
      args('a', 'fc_1', '{"x"'),
      text('msg_1', 'Hi'),
      done(message('msg_1', 'Hi', 'completed')),
      completed,
    ];
    expect(encodeResponsesBody(stream).output).toEqual([told(message('msg_1', 'Hi', 'completed'))]);
  });
});

describe('what the types of the API require', () => {
  it('tells annotations and logprobs of a text in every event that has it', () => {
    const bare = { ...message('msg_1', 'Hi', 'completed'), content: [{ type: 'output_text', text: 'Hi' }] };
    const events = objects(encodeResponsesEvents([created, done(bare), completed], {}));
    const part = { type: 'output_text', text: 'Hi', annotations: [], logprobs: [] };
    expect(events.find(({ type }) => type === 'response.content_part.done')).toMatchObject({ part });
    expect(events.find(({ type }) => type === 'response.output_item.done')).toMatchObject({
      item: { content: [part] },
    });
    expect(events.at(-1)).toMatchObject({ response: { output: [{ content: [part] }] } });
  });

  it('tells cache writes of a usage, none where the server told of none', () => {
    const usage = {
      input_tokens: 5,
      input_tokens_details: { cached_tokens: 1 },
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 7,
    };
    const usageOf = (details: Usage['input_tokens_details']): unknown =>
      encodeResponsesBody([created, { ...completed, usage: { ...usage, input_tokens_details: details } }]).usage;
    expect(usageOf({ cached_tokens: 1 })).toEqual({
      ...usage,
      input_tokens_details: { cached_tokens: 1, cache_write_tokens: 0 },
    });
    expect(usageOf({ cached_tokens: 1, cache_write_tokens: 3 })).toEqual({
      ...usage,
      input_tokens_details: { cached_tokens: 1, cache_write_tokens: 3 },
    });
  });

  it('gives a custom call a status from its begin to its end', () => {
    const custom = { type: 'custom_tool_call', id: 'ctc_1', call_id: 'c', name: 'patch', input: 'p' } as const;
    const events = objects(
      encodeResponsesEvents([created, added({ ...custom, input: '' }), done(custom), completed], {}),
    );
    const statusOf = (type: string): unknown =>
      (events.find((one) => one.type === type)?.item as { status?: string }).status;
    expect(statusOf('response.output_item.added')).toBe('in_progress');
    expect(statusOf('response.output_item.done')).toBe('completed');
  });
});

describe('ends', () => {
  it('fails with a code that clients know, the open text kept', () => {
    const error = new ModelError({ kind: 'rate_limited', message: 'slow down please.', afterMs: 1300 });
    const events = objects(encodeResponsesEvents([created, text('msg_1', 'Hal')], {}, error));
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: {
        status: 'failed',
        error: { code: 'rate_limit_exceeded', message: 'slow down please. Please try again in 1.3s.' },
        output: [{ status: 'incomplete', content: [{ text: 'Hal' }] }],
      },
    });
    expect(validateOrder(events)).toEqual([]);
  });

  it.each([
    ['incomplete', 'max_output_tokens', 'max_output_tokens'],
    ['content_filter', undefined, 'content_filter'],
  ] as const)('ends %s as response.incomplete', (kind, code, reason) => {
    const error = new ModelError({ kind, message: 'cut', code });
    const last = objects(encodeResponsesEvents([created], {}, error)).at(-1);
    expect(last).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason } },
    });
  });

  it.each([
    'invalid_request',
    'context_window_exceeded',
    'quota_exceeded',
    'usage_not_included',
    'policy',
    'content_filter',
    'unauthorized',
    'rate_limited',
    'server_overloaded',
    'server_error',
    'incomplete',
  ] as const)('carries the kind %s to the other side', (kind) => {
    const code = kind === 'incomplete' ? 'max_output_tokens' : undefined;
    const error = new ModelError({ kind, message: 'x', code });
    const { failure } = decodeAll('responses', encodeResponsesSse([created], {}, error));
    expect(failure?.kind).toBe(kind);
  });

  it('starts the sequence by itself when the stream fails at once', () => {
    const error = new ModelError({ kind: 'server_error', message: 'boom' });
    expect(shape([], { responseId: 'resp_1' }, error)).toEqual(['created', 'in_progress', 'failed']);
  });

  it('tells unknown usage as null, or as zeros where that is wanted', () => {
    expect(encodeResponsesBody([created, completed]).usage).toBeNull();
    expect(encodeResponsesBody([created, completed], { zeroUsage: true }).usage).toMatchObject({ total_tokens: 0 });
  });
});

describe('retrying', () => {
  it('leaves discarded items out of the output, and closes them on the wire', () => {
    const stream: ModelEvent[] = [
      created,
      added(message('msg_1')),
      text('msg_1', 'Hel'),
      {
        type: 'retrying',
        attempt: 1,
        max: 5,
        delay_ms: 200,
        error: { kind: 'server_error', message: 'x', retry: { class: 'backoff', replay_safe: false } },
        discarded_item_ids: ['msg_1'],
      },
      added(message('msg_1')),
      text('msg_1', 'Hello'),
      done(message('msg_1', 'Hello', 'completed')),
      completed,
    ];
    const output = encodeResponsesBody(stream).output as { id: string; content: { text: string }[] }[];
    expect(output.map((item) => item.content[0]?.text)).toEqual(['Hello']);
    expect(output[0]?.id).not.toBe('msg_1'); // that id is taken on this wire
    expect(shape(stream)).toContain('output_text.done Hel');
  });
});

describe('unknown events', () => {
  const raw = { type: 'response.web_search_call.searching', item_id: 'ws_1', sequence_number: 77 };

  it('are dropped unless asked for, and renumbered then', () => {
    const stream: ModelEvent[] = [created, { type: 'unknown', raw }, completed];
    expect(shape(stream)).toEqual(['created', 'in_progress', 'completed']);
    const forwarded = objects(encodeResponsesEvents(stream, { forwardUnknown: true }));
    expect(forwarded[2]).toEqual({ ...raw, sequence_number: 2 });
  });

  it('never repeat what the encoder makes itself', () => {
    const own: ModelEvent = { type: 'unknown', raw: { type: 'response.content_part.added' } };
    expect(shape([created, own, completed], { forwardUnknown: true })).toEqual(['created', 'in_progress', 'completed']);
  });
});

describe('real streams', () => {
  it.each([...capturesOf('chat-'), ...capturesOf('responses-')])(
    '$name goes through unchanged',
    ({ name, text: sse }) => {
      const before = decodeAll(captureWire(name), sse);
      const events = encodeResponsesEvents(before.events, {}, before.failure);
      expect(validateOrder(objects(events))).toEqual([]);
      const after = decodeAll('responses', toEventSse(events));
      expect(essence(after.events)).toEqual(essence(before.events));
      expect(after.failure?.kind).toBe(before.failure?.kind);
    },
  );
});

function usage() {
  return {
    input_tokens: 3,
    input_tokens_details: { cached_tokens: 1 },
    output_tokens: 2,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 5,
  };
}

describe('any stream', () => {
  it('two texts that alternate become few items, all text kept', () => {
    const stream: ModelEvent[] = [created, added(reasoning('rs_1')), added(message('msg_1'))];
    for (let i = 0; i < 50; i++) {
      stream.push({ type: 'reasoning_text.delta', item_id: 'rs_1', content_index: 0, delta: `r${i}` });
      stream.push(text('msg_1', `t${i}`));
    }
    const all = (prefix: string): string => Array.from({ length: 50 }, (_, i) => `${prefix}${i}`).join('');
    stream.push(done(reasoning('rs_1', all('r'))), done(message('msg_1', all('t'), 'completed')), completed);
    expect((encodeResponsesBody(stream).output as unknown[]).length).toBe(3);
    const decoded = decodeAll('responses', encodeResponsesSse(stream));
    expect(essence(decoded.events)).toEqual({ message: all('t'), reasoning: all('r'), calls: [] });
    expect(violations(stream)).toEqual([]);
  });

  it('is encoded in a legal order, ends once, and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(4), fc.string({ minLength: 1, maxLength: 4 })), { maxLength: 40 }),
        (moves) => {
          const { stream, texts } = interleaved(moves);
          expect(violations(stream)).toEqual([]);
          const events = decodeAll('responses', encodeResponsesSse(stream)).events;
          const calls = [
            ['function_call', 'a', 'do_a', texts[3]],
            ['function_call', 'b', 'do_b', texts[4]],
          ];
          const seen = essence(events) as { calls: string[][] };
          expect(seen.calls.toSorted()).toEqual(calls.filter((one) => one[3] !== undefined));
          expect(seen).toMatchObject({ reasoning: texts[0] ?? '' });
          const characters = (one: string): string => Array.from(one).sort().join('');
          expect(characters(streamedText(events))).toBe(characters(`${texts[1] ?? ''}${texts[2] ?? ''}`));
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** A stream in which five items are open at once, their pieces in the given order, all done at its end. */
function interleaved(moves: [number, string][]): { stream: ModelEvent[]; texts: (string | undefined)[] } {
  const stream: ModelEvent[] = [created];
  const texts: (string | undefined)[] = [];
  const items = [
    (t: string) => reasoning('rs_1', t),
    (t: string) => message('msg_1', t),
    (t: string) => message('msg_2', t),
    (t: string) => call('fc_1', 'a', t),
    (t: string) => call('fc_2', 'b', t),
  ];
  for (const [n, raw] of moves) {
    const piece = raw.replaceAll(/\s/g, '_');
    if (texts[n] === undefined) stream.push(added(items[n]!('')));
    texts[n] = (texts[n] ?? '') + piece;
    if (n === 0) stream.push({ type: 'reasoning_text.delta', item_id: 'rs_1', content_index: 0, delta: piece });
    else if (n < 3) stream.push(text(`msg_${n}`, piece));
    else stream.push(args(n === 3 ? 'a' : 'b', `fc_${n - 2}`, piece));
  }
  items.forEach((make, n) => {
    if (texts[n] !== undefined) stream.push(done({ ...make(texts[n]), status: 'completed' }));
  });
  return { stream: [...stream, completed], texts };
}

it('an event without an id is about the item that has none, though another was opened later', () => {
  const nameless = (words: string): object =>
    omit(message('', words, words === '' ? 'in_progress' : 'completed'), 'id');
  const events = [
    created,
    added(nameless('')),
    { type: 'output_text.delta', delta: 'a' } as ModelEvent,
    added(message('m2')),
    text('m2', 'b'),
    done(nameless('a')),
    done(message('m2', 'b', 'completed')),
    completed,
  ];
  const body = encodeResponsesBody(events) as {
    output: { content: { text: string }[] }[];
  };
  expect(body.output.map(({ content }) => content.map((part) => part.text))).toEqual([['a'], ['b']]);
});

describe('an answer that was cancelled', () => {
  it('ends as an incomplete one with its own status, and is read back as what it was', () => {
    const error = new ModelError({ kind: 'aborted', message: 'no more' });
    const events = encodeResponsesEvents([{ type: 'created', response_id: 'r' }], { model: 'm' }, error);
    expect(validateOrder(objects(events))).toEqual([]);
    expect(objects(events).at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'cancelled', error: null, incomplete_details: { reason: 'cancelled' } },
    });
    expect(decodeAll('responses', toEventSse(events)).failure).toMatchObject({ kind: 'incomplete', code: 'cancelled' });
  });
});
