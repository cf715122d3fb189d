import { describe, expect, it } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { toDataSse } from '../../packages/wire/src/encode-event.ts';
import {
  createChatEncoder,
  encodeChatBody,
  encodeChatEvents,
  encodeChatSse,
} from '../../packages/wire/src/chat/encode.ts';
import { capturesOf, decodeAll, essence, objects } from './encode-support.ts';
import { captureWire } from '../capture-wire.ts';

const created: ModelEvent = { type: 'created', response_id: 'chatcmpl-1' };
const completed: ModelEvent = {
  type: 'completed',
  response_id: 'chatcmpl-1',
  ended_by: 'response.completed',
  usage: {
    input_tokens: 3,
    input_tokens_details: { cached_tokens: 1 },
    output_tokens: 2,
    output_tokens_details: { reasoning_tokens: 1 },
    total_tokens: 5,
  },
};
const text = (delta: string): ModelEvent => ({ type: 'output_text.delta', item_id: 'msg_1', delta });
const doneText = (whole: string): ModelEvent => ({
  type: 'output_item.done',
  item: {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: whole, annotations: [] }],
  },
});
const call = (args: string) => ({
  type: 'function_call' as const,
  id: 'fc_1',
  call_id: 'call_a',
  name: 'do_a',
  arguments: args,
});

/** The changing part of each chunk. */
function deltas(events: ModelEvent[], options = {}, failure?: ModelError): unknown[] {
  return encodeChatEvents(events, options, failure).map((event) => {
    if (event.data === '[DONE]') return event.data;
    const chunk = JSON.parse(event.data) as { choices?: { delta: unknown; finish_reason: string | null }[] };
    const choice = chunk.choices?.[0];
    return choice === undefined ? chunk : (choice.finish_reason ?? choice.delta);
  });
}

describe('chat chunks', () => {
  it('are role, text, finish, sentinel', () => {
    const stream = [created, text('Hel'), text('lo'), doneText('Hello'), completed];
    expect(deltas(stream)).toEqual([
      { role: 'assistant', content: '' },
      { content: 'Hel' },
      { content: 'lo' },
      'stop',
      '[DONE]',
    ]);
    expect(objects(encodeChatEvents(stream, { createdAt: 7, model: 'm' }).slice(1, 2))).toEqual([
      {
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 7,
        model: 'm',
        choices: [{ index: 0, delta: { content: 'Hel' }, finish_reason: null }],
      },
    ]);
  });

  it('have a usage of null in every other chunk, when it was asked for, and none when it was not', () => {
    const events = [created, text('x'), doneText('x'), completed];
    const asked = objects(encodeChatEvents(events, { includeUsage: true }).slice(0, -2));
    expect(asked.length).toBeGreaterThan(2);
    for (const chunk of asked) expect(chunk.usage).toBeNull();
    for (const chunk of objects(encodeChatEvents(events).slice(0, -1))) expect(chunk).not.toHaveProperty('usage');
  });

  it('carry the usage between the finish and the sentinel, when it was asked for', () => {
    const all = encodeChatEvents([created, text('x'), doneText('x'), completed], { includeUsage: true });
    expect(objects(all.slice(-2, -1))[0]).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 2,
        total_tokens: 5,
        prompt_tokens_details: { cached_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
    });
    expect(all.at(-1)?.data).toBe('[DONE]');
  });

  it('open a call once and stream its arguments', () => {
    const stream: ModelEvent[] = [
      created,
      { type: 'output_item.added', item: call('') },
      { type: 'tool_call_input.delta', call_id: 'call_a', item_id: 'fc_1', delta: '{"x"' },
      { type: 'tool_call_input.delta', call_id: 'call_a', item_id: 'fc_1', delta: ':1}' },
      { type: 'output_item.done', item: call('{"x":1}') },
      completed,
    ];
    expect(deltas(stream).slice(1)).toEqual([
      { tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'do_a', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"x"' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
      'tool_calls',
      '[DONE]',
    ]);
  });

  it('send what only the finished items carry', () => {
    const stream: ModelEvent[] = [
      created,
      doneText('Hello'),
      { type: 'output_item.done', item: call('{}') },
      completed,
    ];
    expect(deltas(stream).slice(1)).toEqual([
      { content: 'Hello' },
      { tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'do_a', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{}' } }] },
      'tool_calls',
      '[DONE]',
    ]);
  });

  it('put reasoning where it is wanted, summary parts as paragraphs', () => {
    const part = (summary_index: number, delta: string): ModelEvent => ({
      type: 'reasoning_summary_text.delta',
      item_id: 'rs_1',
      summary_index,
      delta,
    });
    const stream = [created, part(0, 'one'), part(0, ' two'), part(1, 'three'), completed];
    expect(deltas(stream).slice(1, 4)).toEqual([
      { reasoning_content: 'one' },
      { reasoning_content: ' two' },
      { reasoning_content: '\n\nthree' },
    ]);
    expect(deltas(stream, { reasoningField: 'reasoning' })[1]).toEqual({ reasoning: 'one' });
    expect(deltas(stream, { reasoningField: 'none' })).toHaveLength(3);
  });

  it('never say tool_calls for a call that was dropped', () => {
    const stream: ModelEvent[] = [
      created,
      { type: 'tool_call_input.delta', call_id: 'call_a', name: 'do_a', delta: '{"x"' },
      completed,
    ];
    expect(deltas(stream).at(-2)).toBe('stop');
    expect(JSON.stringify(encodeChatBody(stream))).not.toContain('tool_calls');
  });
});

describe('ends', () => {
  it('as an error without a sentinel', () => {
    const error = new ModelError({ kind: 'server_overloaded', message: 'busy' });
    expect(deltas([created, text('Ha')], {}, error).slice(-2)).toEqual([
      { content: 'Ha' },
      { error: { type: 'server_error', code: 'server_is_overloaded', message: 'busy', param: null } },
    ]);
    expect(decodeAll('chat', encodeChatSse([created], {}, error)).failure?.kind).toBe('server_overloaded');
  });

  it.each([
    ['incomplete', 'length'],
    ['content_filter', 'content_filter'],
  ] as const)('%s as finish_reason %s', (kind, finish) => {
    expect(deltas([created], {}, new ModelError({ kind, message: 'cut' })).slice(-2)).toEqual([finish, '[DONE]']);
  });

  it('exactly once', () => {
    const encoder = createChatEncoder();
    encoder.push(completed);
    expect(encoder.ended).toBe(true);
    expect([...encoder.push(text('late')), ...encoder.push(completed)]).toEqual([]);
    expect(encoder.fail(new ModelError({ kind: 'server_error', message: 'late' }))).toEqual([]);
  });
});

describe('the body of an answer that is not streamed', () => {
  it('is one completion', () => {
    const stream: ModelEvent[] = [
      created,
      doneText('Hello'),
      { type: 'output_item.done', item: call('{}') },
      completed,
    ];
    expect(encodeChatBody(stream, { createdAt: 7, model: 'm' })).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 7,
      model: 'm',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello',
            refusal: null,
            tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'do_a', arguments: '{}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 2,
        total_tokens: 5,
        prompt_tokens_details: { cached_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
    });
  });
});

describe('real streams', () => {
  it.each([...capturesOf('chat-'), ...capturesOf('responses-')])(
    '$name goes through unchanged',
    ({ name, text: sse }) => {
      const before = decodeAll(captureWire(name), sse);
      const events = encodeChatEvents(before.events, { includeUsage: true }, before.failure);
      const after = decodeAll('chat', toDataSse(events));
      expect(essence(after.events)).toEqual(essence(before.events));
      expect(after.failure === undefined).toBe(before.failure === undefined);
      const usage = before.events.find((event) => event.type === 'completed')?.usage;
      expect(after.events.find((event) => event.type === 'completed')?.usage).toEqual(usage);
    },
  );
});
