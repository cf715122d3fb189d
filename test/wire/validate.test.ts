import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { validateOrder } from '../../packages/wire/src/responses/validate.ts';

type Event = Record<string, unknown>;

const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [text('Hello')] };
const call = { id: 'fc_1', type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}', status: 'completed' };

function text(value: string): Event {
  return { type: 'output_text', text: value, annotations: [] };
}

function response(status: string, more: Event = {}): Event {
  return { id: 'resp_1', object: 'response', status, output: [], ...more };
}

/** A whole good stream: a message and a call. */
function good(): Event[] {
  const inMessage = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const inCall = { item_id: 'fc_1', output_index: 1 };
  return number([
    { type: 'response.created', response: response('in_progress') },
    { type: 'response.in_progress', response: response('in_progress') },
    { type: 'response.output_item.added', output_index: 0, item: { ...message, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...inMessage, part: text('') },
    { type: 'response.output_text.delta', ...inMessage, delta: 'Hel' },
    { type: 'response.output_text.delta', ...inMessage, delta: 'lo' },
    { type: 'response.output_text.done', ...inMessage, text: 'Hello' },
    { type: 'response.content_part.done', ...inMessage, part: text('Hello') },
    { type: 'response.output_item.done', output_index: 0, item: message },
    { type: 'response.output_item.added', output_index: 1, item: { ...call, arguments: '' } },
    { type: 'response.function_call_arguments.delta', ...inCall, delta: '{"a":1}' },
    { type: 'response.function_call_arguments.done', ...inCall, arguments: '{"a":1}' },
    { type: 'response.output_item.done', output_index: 1, item: call },
    { type: 'response.completed', response: response('completed', { output: [message, call] }) },
  ]);
}

function number(events: Event[]): Event[] {
  return events.map((event, index) => ({ ...event, sequence_number: index }));
}

function rules(events: readonly unknown[], finalOnly = false): string[] {
  return validateOrder(events, { finalOnly }).map((violation) => violation.rule);
}

/** The good stream with one event changed, removed or put elsewhere. */
function broken(change: (events: Event[]) => void, renumber = true): string[] {
  const events = good();
  change(events);
  return rules(renumber ? number(events) : events);
}

describe('order validator', () => {
  it('accepts a whole stream', () => {
    expect(rules(good())).toEqual([]);
  });

  it.each([
    ['created is missing', (e: Event[]) => void e.splice(0, 1), 'created_first'],
    ['created comes twice', (e: Event[]) => void e.splice(1, 0, e[0]!), 'created_once'],
    ['in_progress is missing', (e: Event[]) => void e.splice(1, 1), 'in_progress_first'],
    ['an item is not added', (e: Event[]) => void e.splice(2, 1), 'item_unknown'],
    ['a part is not added', (e: Event[]) => void e.splice(3, 1), 'part_unknown'],
    ['a delta is lost', (e: Event[]) => void e.splice(4, 1), 'text'],
    ['the text is not done', (e: Event[]) => void e.splice(6, 1), 'text_not_done'],
    ['the part is not done', (e: Event[]) => void e.splice(7, 1), 'part_not_done'],
    ['the item is done before its part', (e: Event[]) => void e.splice(6, 0, ...e.splice(8, 1)), 'part_not_done'],
    ['the item is not done', (e: Event[]) => void e.splice(8, 1), 'item_not_done'],
    ['the item is done twice', (e: Event[]) => void e.splice(9, 0, e[8]!), 'done_twice'],
    ['arguments are not done', (e: Event[]) => void e.splice(11, 1), 'text_not_done'],
    ['a delta follows the done item', (e: Event[]) => void e.splice(9, 0, e[4]!), 'item_closed'],
    ['nothing ends the stream', (e: Event[]) => void e.pop(), 'no_terminal'],
    ['it ends twice', (e: Event[]) => void e.push(e.at(-1)!), 'after_terminal'],
    ['a heartbeat follows the end', (e: Event[]) => void e.push({ type: 'response.heartbeat' }), 'after_terminal'],
    ['no object', (e: Event[]) => void e.splice(4, 0, { type: '' }), 'shape'],
  ])('%s', (_name, change, rule) => {
    expect(broken(change)).toContain(rule);
  });

  it.each([
    ['output is empty', { output: [] }, 'output'],
    ['output has another text', { output: [{ ...message, content: [text('Hell')] }, call] }, 'output'],
    ['output is in another order', { output: [call, message] }, 'output'],
    ['another id', { id: 'resp_2', output: [message, call] }, 'response_id'],
    ['another status', { status: 'in_progress', output: [message, call] }, 'status'],
    ['usage without total', { output: [message, call], usage: { input_tokens: 1, output_tokens: 1 } }, 'usage'],
  ])('completed: %s', (_name, more, rule) => {
    expect(broken((e) => (e[13] = { ...e[13], response: response('completed', more) }))).toEqual([rule]);
  });

  it('wants sequence numbers that only grow', () => {
    expect(broken((e) => (e[5] = { ...e[5], sequence_number: 4 }), false)).toEqual(['sequence']);
    expect(broken((e) => delete e[5]!.sequence_number, false)).toEqual(['sequence']);
  });

  it('wants items at consecutive indexes, under ids of their own', () => {
    expect(broken((e) => (e[9] = { ...e[9], output_index: 3 }))).toContain('output_index');
    expect(broken((e) => (e[9] = { ...e[9], item: { ...call, id: 'msg_1' } }))).toContain('item_id');
  });

  it('says what a failed and an incomplete response lack', () => {
    const head = good().slice(0, 2);
    const failed = (error: unknown): Event => ({ type: 'response.failed', response: response('failed', { error }) });
    expect(rules(number([...head, failed({ code: 'server_error', message: 'gone' })]))).toEqual([]);
    expect(rules(number([...head, failed(null)]))).toEqual(['shape']);
    expect(rules(number([...head, { type: 'response.incomplete', response: response('incomplete') }]))).toEqual([
      'shape',
    ]);
  });

  it('lets a failed response leave items open', () => {
    const failed = { type: 'response.failed', response: response('failed', { error: { code: 'x', message: 'y' } }) };
    expect(rules(number([...good().slice(0, 6), failed]))).toEqual([]);
  });

  it('accepts heartbeats between events', () => {
    expect(broken((e) => void e.splice(4, 0, { type: 'response.heartbeat' }))).toEqual([]);
  });

  it('knows the final-only order', () => {
    const events = [good()[0], { type: 'response.output_item.done', output_index: 0, item: message }];
    const end = { type: 'response.completed', response: response('completed', { output: [message] }) };
    expect(rules([...events, end], true)).toEqual([]);
    expect(rules([...events, end])).toContain('item_unknown');
    expect(rules([...events, events[1], end], true)).toContain('done_twice');
  });

  it('names what a real llama.cpp server leaves out', () => {
    const folder = new URL('../captures/', import.meta.url);
    for (const file of readdirSync(folder).filter((name) => /^responses-.*\.sse$/.test(name))) {
      const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
      const events = lines
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)) as Event);
      expect(events.length).toBeGreaterThan(3);
      expect([...new Set(rules(events))].sort().slice(0, 1), file).toEqual(['output_index']);
      expect(rules(events), file).toContain('sequence');
      expect(rules(events), file).not.toContain('after_terminal');
    }
  });
});
