import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import { TranscriptBuilder, type Decision } from '../../packages/wire/src/model/transcript-builder.ts';

const message = (
  id: string | undefined,
  text: string,
  status: 'completed' | 'incomplete' = 'completed',
): OutputItem => ({
  type: 'message',
  ...(id === undefined ? {} : { id }),
  role: 'assistant',
  status,
  content: [{ type: 'output_text', text, annotations: [] }],
});
const call = (callId: string, id?: string): OutputItem => ({
  type: 'function_call',
  ...(id === undefined ? {} : { id }),
  call_id: callId,
  name: 'run',
  arguments: '{}',
});
const added = (item: OutputItem): ModelEvent => ({ type: 'output_item.added', item });
const done = (item: OutputItem): ModelEvent => ({ type: 'output_item.done', item });
const delta = (text: string, id?: string): ModelEvent => ({
  type: 'output_text.delta',
  delta: text,
  ...(id === undefined ? {} : { item_id: id }),
});
const thought = (text: string, id?: string): ModelEvent => ({
  type: 'reasoning_text.delta',
  delta: text,
  content_index: 0,
  ...(id === undefined ? {} : { item_id: id }),
});
const input = (callId: string, id?: string): ModelEvent => ({
  type: 'tool_call_input.delta',
  call_id: callId,
  delta: '{}',
  ...(id === undefined ? {} : { item_id: id }),
});
const retrying = (...ids: string[]): ModelEvent => ({
  type: 'retrying',
  attempt: 1,
  max: 5,
  delay_ms: 0,
  error: { kind: 'stream_truncated', message: 'cut', retry: { class: 'backoff', replay_safe: false } },
  discarded_item_ids: ids,
});
const completed: ModelEvent = { type: 'completed', response_id: 'resp_1', ended_by: 'sentinel' };

/** The builder after these events, and what the last of them decided. */
function after(...events: ModelEvent[]): { builder: TranscriptBuilder; decision: Decision | undefined } {
  const builder = new TranscriptBuilder({ keepText: true });
  let decision: Decision | undefined;
  for (const event of events) decision = builder.take(event);
  return { builder, decision };
}

describe('what a done item is', () => {
  const whole = message('msg_1', 'hi');
  const nameless = message(undefined, 'hi');
  const cut = message('msg_1', 'h', 'incomplete');
  test.each<[string, ModelEvent[], Decision]>([
    ['final-only', [done(whole)], { type: 'whole', item: whole, wasStreamed: false }],
    ['streamed', [delta('hi', 'msg_1'), done(whole)], { type: 'whole', item: whole, wasStreamed: true }],
    ['added alone', [added(whole), done(whole)], { type: 'whole', item: whole, wasStreamed: false }],
    ['an empty delta', [delta('', 'msg_1'), done(whole)], { type: 'whole', item: whole, wasStreamed: false }],
    ['without ids', [delta('hi'), done(nameless)], { type: 'whole', item: nameless, wasStreamed: true }],
    ['deltas without its id', [delta('hi'), done(whole)], { type: 'whole', item: whole, wasStreamed: true }],
    ['of another kind', [thought('hm'), done(nameless)], { type: 'whole', item: nameless, wasStreamed: false }],
    ['of another item', [delta('a', 'msg_0'), done(whole)], { type: 'whole', item: whole, wasStreamed: false }],
    ['closed by a failure', [delta('h', 'msg_1'), done(cut)], { type: 'cut', item: cut, wasStreamed: true }],
    ['done twice', [done(whole), done(whole)], { type: 'repeated', item: whole }],
    ['a call done twice', [done(call('a', 'fc_1')), done(call('a'))], { type: 'repeated', item: call('a') }],
    ['two without ids', [done(nameless), done(nameless)], { type: 'whole', item: nameless, wasStreamed: false }],
    [
      'an id of the attempt before',
      [done(whole), retrying(), done(whole)],
      { type: 'whole', item: whole, wasStreamed: false },
    ],
    [
      'an id of the response before',
      [done(whole), completed, done(whole)],
      { type: 'whole', item: whole, wasStreamed: false },
    ],
  ])('%s', (_, events, decision) => {
    expect(after(...events).decision).toEqual(decision);
  });

  test('is kept once', () => {
    expect(after(done(whole), done(whole), delta('late', 'msg_1'), done(call('a'))).builder.items).toEqual([
      whole,
      call('a'),
    ]);
  });
});

describe('what a retry makes void', () => {
  const [a, b, nameless] = [message('a', 'A'), message('b', 'B'), message(undefined, 'N')];
  test.each<[string, ModelEvent[], OutputItem[], Decision]>([
    ['nothing that is done', [done(a), retrying()], [a], { type: 'void', items: [], wasShown: false }],
    ['what it names', [done(a), done(b), retrying('b')], [a], { type: 'void', items: [b], wasShown: true }],
    [
      'a call named by its call_id',
      [done(a), done(call('x')), retrying('x')],
      [a],
      { type: 'void', items: [call('x')], wasShown: false },
    ],
    [
      'the nameless after what it names',
      [done(nameless), done(b), done(nameless), retrying('b')],
      [nameless],
      { type: 'void', items: [b, nameless], wasShown: true },
    ],
    ['what is open', [done(a), delta('x', 'c'), retrying()], [a], { type: 'void', items: [], wasShown: true }],
    ['what is open without an id', [delta('x'), retrying()], [], { type: 'void', items: [], wasShown: true }],
    [
      'what was cut',
      [done(message('c', 'C', 'incomplete')), retrying()],
      [],
      { type: 'void', items: [], wasShown: true },
    ],
    [
      'input of a call, which is no text',
      [added(call('x')), retrying('x')],
      [],
      { type: 'void', items: [], wasShown: false },
    ],
  ])('%s', (_, events, items, decision) => {
    const state = after(...events);
    expect(state.decision).toEqual(decision);
    expect(state.builder.items).toEqual(items);
    expect(state.builder.incomplete).toEqual([]);
  });

  test('it is told until the next attempt brings something', () => {
    const { builder } = after(delta('x', 'a'), retrying('a'));
    expect(builder.retrying).toEqual(retrying('a'));
    builder.take({ type: 'created' });
    expect(builder.retrying).toEqual(retrying('a'));
    builder.take(delta('y', 'b'));
    expect(builder.retrying).toBeUndefined();
  });
});

describe('the end of a failed attempt', () => {
  const events = [
    done(message('a', 'A')),
    done(call('x', 'fc_1')),
    done(message('b', 'B')),
    done(message('c', 'C', 'incomplete')),
    added(call('y', 'fc_2')),
    input('y'),
    delta('d', 'd'),
    delta('nameless'),
  ];

  test('with the outputs of calls everything that is done is kept', () => {
    expect(after(...events).builder.settle(true)).toEqual({
      kept: [message('a', 'A'), call('x', 'fc_1'), message('b', 'B')],
      discarded: ['c', 'd', 'fc_2'],
    });
  });

  test('without them a call and all after it is void', () => {
    expect(after(...events).builder.settle(false)).toEqual({
      kept: [message('a', 'A')],
      discarded: ['fc_1', 'b', 'c', 'd', 'fc_2'],
    });
  });

  test('a retry that names what was settled leaves what was kept', () => {
    const { builder } = after(...events);
    const { kept, discarded } = builder.settle(false);
    builder.take(retrying(...discarded));
    expect(builder.items).toEqual(kept);
  });
});

describe('the text of what is open', () => {
  test('messages that are not done, a refusal as one, reasoning and calls left out', () => {
    const refusal: ModelEvent = { type: 'refusal.delta', delta: 'no', item_id: 'b' };
    const { builder } = after(delta('a1', 'a'), refusal, delta('a2', 'a'), thought('hm', 'rs'), input('x'), delta('n'));
    expect(builder.openMessages()).toEqual([
      message('a', 'a1a2', 'incomplete'),
      {
        type: 'message',
        id: 'b',
        role: 'assistant',
        status: 'incomplete',
        content: [{ type: 'refusal', refusal: 'no' }],
      },
      message(undefined, 'n', 'incomplete'),
    ]);
  });

  test('nothing of what is done or void', () => {
    expect(after(delta('a', 'a'), done(message('a', 'a'))).builder.openMessages()).toEqual([]);
    expect(after(delta('a', 'a'), retrying('a')).builder.openMessages()).toEqual([]);
  });
});
