import { describe, expect, test } from 'vitest';
import type { ModelEvent, Usage } from '../../packages/wire/src/model/events.ts';
import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import {
  addToTranscript,
  assistantText,
  emptyTranscript,
  transcriptOf,
} from '../../packages/wire/src/model/transcript.ts';

const message = (id: string, text: string, status: 'completed' | 'incomplete' = 'completed'): OutputItem => ({
  type: 'message',
  id,
  role: 'assistant',
  status,
  content: [{ type: 'output_text', text, annotations: [] }],
});
const done = (item: OutputItem): ModelEvent => ({ type: 'output_item.done', item });
const usage: Usage = {
  input_tokens: 1,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 3,
};
const completed = (response_id: string): ModelEvent => ({
  type: 'completed',
  response_id,
  usage,
  ended_by: 'response.completed',
});
const retrying = (...discarded_item_ids: string[]): ModelEvent => ({
  type: 'retrying',
  attempt: 1,
  max: 5,
  delay_ms: 0,
  error: { kind: 'stream_truncated', message: 'cut', retry: { class: 'backoff', replay_safe: false } },
  discarded_item_ids,
});

describe('transcript', () => {
  test('done items, usage and the end make the transcript', () => {
    const call: OutputItem = { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'run', arguments: '{}' };
    expect(
      transcriptOf([
        { type: 'created', response_id: 'resp_1' },
        done(message('msg_1', 'hi')),
        done(call),
        completed(''),
      ]),
    ).toEqual({
      responseId: 'resp_1',
      items: [message('msg_1', 'hi'), call],
      incomplete: [],
      usage,
      completed: completed(''),
    });
  });

  test('deltas and added items are no items', () => {
    const events: ModelEvent[] = [
      { type: 'output_item.added', item: message('msg_1', '') },
      { type: 'output_text.delta', item_id: 'msg_1', delta: 'hi' },
      { type: 'unknown', raw: {} },
    ];
    expect(transcriptOf(events)).toBe(emptyTranscript);
  });

  test('an incomplete item does not count for history', () => {
    const cut = message('msg_1', 'h', 'incomplete');
    expect(transcriptOf([done(cut)])).toEqual({ items: [], incomplete: [cut] });
  });

  test('a retry discards what it names and what was cut, and keeps what was done', () => {
    const events = [
      { type: 'created', response_id: 'resp_1' } as const,
      done(message('msg_1', 'kept')),
      done(message('msg_2', 'void')),
      done(message('msg_3', 'cut', 'incomplete')),
      retrying('msg_2', 'msg_3'),
    ];
    expect(transcriptOf(events)).toEqual({ items: [message('msg_1', 'kept')], incomplete: [] });
    expect(transcriptOf([...events, completed('resp_2')])).toMatchObject({ responseId: 'resp_2' });
  });

  test('an item of an unknown shape is carried untouched', () => {
    expect(transcriptOf([done({ type: 'hologram', depth: 3 })]).items).toEqual([{ type: 'hologram', depth: 3 }]);
  });

  test('the given transcript stays as it was', () => {
    const before = transcriptOf([done(message('msg_1', 'a'))]);
    addToTranscript(before, done(message('msg_2', 'b')));
    addToTranscript(before, retrying('msg_1'));
    expect(before.items).toHaveLength(1);
  });

  test('the text of the assistant, refusals included', () => {
    const refusal: OutputItem = {
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'refusal', refusal: 'no' }],
    };
    expect(assistantText([message('msg_1', 'a'), { type: 'reasoning', id: 'rs_1', summary: [] }, refusal])).toBe('ano');
  });
});
