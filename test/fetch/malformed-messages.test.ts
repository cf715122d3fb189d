import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { healing } from '../../packages/wire/src/fetch/index.ts';
import { validateOrder } from '../../packages/wire/src/index.ts';

const text = (said: string) => ({ type: 'output_text', annotations: [], logprobs: [], text: said });
/** What stands in a message of a server's, and what the SDK reads. */
const cases: readonly (readonly [string, object, readonly object[]])[] = [
  ['a text', { role: 'assistant', content: 'Hello' }, [text('Hello')]],
  ['a part that is a text', { role: 'assistant', content: [text('Hel'), 'lo', 7, null] }, [text('Hel'), text('lo')]],
  ['one part', { role: 'assistant', content: text('Hello') }, [text('Hello')]],
  ['nothing', { role: 'assistant', content: null }, []],
  ['no role', { content: [text('Hello')] }, [text('Hello')]],
];

/** The item, announced as it is; all in one answer, as a stream or as one body. */
function answerOf(item: object, stream: boolean): Response {
  const response = { id: 'resp_1', object: 'response', created_at: 5, model: 'm' };
  const whole = { ...response, status: 'completed', output: [item] };
  if (!stream) return Response.json(whole);
  const events = [
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
    { type: 'response.in_progress', response: { ...response, status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: whole },
  ];
  const lines = events.map((event, n) => `data: ${JSON.stringify({ ...event, sequence_number: n })}\n\n`);
  return new Response(lines.join(''), { headers: { 'content-type': 'text/event-stream' } });
}

function clientOf(item: object, stream: boolean): { client: OpenAI; repaired: string[] } {
  const repaired: string[] = [];
  const fetch = healing({
    fetch: () => Promise.resolve(answerOf({ type: 'message', id: 'msg_1', status: 'completed', ...item }, stream)),
    onRepair: (name) => repaired.push(name),
  });
  return { client: new OpenAI({ baseURL: 'http://model.invalid/v1', apiKey: 'none', fetch }), repaired };
}

describe.each(cases)('a message whose content is %s', (_what, item, content) => {
  const whole = { type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content };

  it('is told as the SDK reads it', async () => {
    const { client, repaired } = clientOf(item, true);
    const stream = client.responses.stream({ model: 'm', input: 'hi' });
    const events: unknown[] = [];
    for await (const event of stream) events.push(event);
    expect((await stream.finalResponse()).output).toEqual([{ ...whole, content: content.map((part) => parsed(part)) }]);
    expect([validateOrder(events), repaired]).toEqual([[], ['malformed_message']]);
  });

  it('is such in one body', async () => {
    const { client, repaired } = clientOf(item, false);
    expect((await client.responses.create({ model: 'm', input: 'hi' })).output).toEqual([whole]);
    expect(repaired).toEqual(['malformed_message']);
  });
});

/** As the helper of the SDK leaves a part. */
function parsed(part: object): object {
  return { ...part, parsed: null };
}

it('a message as it should be goes on as it came', async () => {
  const { client, repaired } = clientOf({ role: 'assistant', content: [text('Hello')] }, false);
  expect((await client.responses.create({ model: 'm', input: 'hi' })).output_text).toBe('Hello');
  expect(repaired).toEqual([]);
});
