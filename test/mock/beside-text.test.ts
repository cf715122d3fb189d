import { describe, expect, it } from 'vitest';
import { scenario, startMock } from '../../packages/testing/src/index.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { ours } from './outcome.ts';

const source = {
  type: 'url_citation',
  url: 'https://example.com/weather',
  title: 'Weather',
  start_index: 0,
  end_index: 5,
};
const bare = { type: 'output_text', text: 'It rains.', annotations: [] };

/** What becomes of each kind: a member of the text, or a name of what has no place. */
const rows: readonly (readonly [string, object, readonly string[] | undefined])[] = [
  ['annotations', { ...bare, annotations: [source] }, undefined],
  ['citations', { ...bare, annotations: [{ ...source, title: '', end_index: 0 }] }, undefined],
  ['audio', bare, ['audio']],
  ['images', bare, ['images']],
  ['references', bare, ['reference']],
];

async function answerWith(what: string, parts = scenario().text('It rains.')): Promise<readonly ModelEvent[]> {
  await using server = await startMock({ wire: 'chat', scenario: parts, faults: [`beside-text:${what}`] });
  const seen: ModelEvent[] = [];
  await ours(server.baseUrl, 'chat', {}, seen);
  return seen;
}

describe('beside-text: what an answer has beside its text (docs/contract.md 3.9)', () => {
  it.each(rows)('%s', async (what, part, notCarried) => {
    const events = await answerWith(what);
    const items = events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
    expect(items).toMatchObject([{ type: 'message', content: [part] }]);
    const last = events.at(-1);
    expect(last?.type === 'completed' ? [last.not_carried] : undefined).toEqual([notCarried]);
  });

  it('logprobs that come with no text stand on the whole text', async () => {
    const events = await answerWith('logprobs');
    const items = events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
    expect(items).toMatchObject([{ content: [{ logprobs: [{ token: '.', logprob: -0.1 }] }] }]);
  });

  it.each(['audio', 'images', 'references'])('an answer of nothing but %s is an error', async (what) => {
    await using server = await startMock({
      wire: 'chat',
      scenario: scenario().text(''),
      faults: [`beside-text:${what}`],
    });
    expect(await ours(server.baseUrl, 'chat')).toMatchObject({ end: 'error:protocol', text: '' });
  });
});
