import { describe, expect, it } from 'vitest';
import { AnswerText } from '../../turnwire/src/cli/answer-text.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';

const delta = (text: string, id?: string): ModelEvent => ({
  type: 'output_text.delta',
  delta: text,
  ...(id === undefined ? {} : { item_id: id }),
});

const done = (text: string, id?: string): ModelEvent => ({
  type: 'output_item.done',
  item: {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
    ...(id === undefined ? {} : { id }),
  },
});

const retrying = (...ids: string[]): ModelEvent => ({
  type: 'retrying',
  attempt: 1,
  max: 5,
  delay_ms: 1,
  error: { kind: 'server_error', message: 'm', retry: { class: 'backoff', replay_safe: false } },
  discarded_item_ids: ids,
});

/** What a person sees of these events. */
function shown(...events: ModelEvent[]): string {
  const answer = new AnswerText();
  return events.map((event) => answer.take(event)).join('') + answer.finish();
}

describe('the text of an answer', () => {
  it.each<[string, ModelEvent[], string]>([
    ['streamed', [delta('a', '1'), delta('b', '1'), done('ab', '1')], 'ab\n'],
    ['final-only', [done('ab', '1')], 'ab\n'],
    ['streamed without ids', [delta('a'), delta('b'), done('ab')], 'ab\n'],
    ['streamed without ids, done with one', [delta('ab'), done('ab', '1')], 'ab\n'],
    ['two messages, one of them final-only', [delta('a', '1'), done('a', '1'), done('b', '2')], 'a\nb\n'],
    ['two at the same time', [delta('a', '1'), delta('b', '2'), done('a', '1'), done('b', '2')], 'a\nb\n'],
    ['ended by a line end of its own', [delta('a\n', '1'), done('a\n', '1'), done('b\n', '2')], 'a\nb\n'],
    ['empty', [done('', '1')], ''],
    ['nothing', [], ''],
    ['void and streamed again', [delta('a', '1'), retrying('1'), delta('ab', '2'), done('ab', '2')], 'a\nab\n'],
    ['void and then final-only under the same id', [delta('a', '1'), retrying('1'), done('ab', '1')], 'a\nab\n'],
    ['a refusal', [{ type: 'refusal.delta', delta: 'no', item_id: '1' }, done('no', '1')], 'no\n'],
    ['reasoning is no text', [{ type: 'reasoning_text.delta', delta: 'hm', content_index: 0 }, done('a', '1')], 'a\n'],
  ])('is shown once: %s', (_, events, text) => {
    expect(shown(...events)).toBe(text);
  });

  it('of a refusal that was not streamed', () => {
    const content = [{ type: 'refusal' as const, refusal: 'no' }];
    const item = { type: 'message' as const, role: 'assistant' as const, status: 'completed' as const, content };
    expect(shown({ type: 'output_item.done', item })).toBe('no\n');
  });
});
