import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { protocols, type ProtocolId } from '../../packages/wire/src/index.ts';
import { chatBody, decodeText, responsesBody } from './helpers.ts';

/** A token as both wires tell it, in bytes and numbers that only this one has. */
const token = (text: string, logprob: number) => ({
  token: text,
  logprob,
  bytes: [...Buffer.from(text)],
  top_logprobs: [{ token: text, logprob, bytes: null }],
});
const [he, llo, end] = [token('He', -0.25), token('llo', -1e-7), token('', -9)] as const;

const piece = (content: string | undefined, tokens: readonly object[] | null, finish: string | null = null) => ({
  choices: [
    {
      index: 0,
      delta: content === undefined ? {} : { content },
      logprobs: tokens === null ? null : { content: tokens, refusal: null },
      finish_reason: finish,
    },
  ],
});
const chatStream = chatBody(
  piece('He', [he]),
  piece('llo', [llo]),
  piece(undefined, [end]),
  piece(undefined, null, 'stop'),
);
const chatWhole = JSON.stringify({
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hello' },
      logprobs: { content: [he, llo, end], refusal: null },
      finish_reason: 'stop',
    },
  ],
});

const item = (content: object[], status = 'completed') => ({
  type: 'message',
  id: 'm',
  role: 'assistant',
  status,
  content,
});
const part = { type: 'output_text', text: 'Hello', annotations: [], logprobs: [he, llo, end] };
const response = { id: 'r', status: 'completed', output: [item([part])] };
const place = { item_id: 'm', output_index: 0, content_index: 0 };
const responsesStream = responsesBody(
  { type: 'response.created', response: { id: 'r' } },
  { type: 'response.output_item.added', output_index: 0, item: item([], 'in_progress') },
  { type: 'response.output_text.delta', ...place, delta: 'He', logprobs: [he] },
  { type: 'response.output_text.delta', ...place, delta: 'llo', logprobs: [llo] },
  { type: 'response.output_item.done', output_index: 0, item: item([part]) },
  { type: 'response.completed', response },
);

/** What a client of a wire is sent for an answer of another. */
function retold(from: ProtocolId, bytes: string, to: ProtocolId) {
  const encoder = protocols[to].createEncoder({ id: 'x', createdAt: 0 });
  const events = decodeText(from, bytes).events.flatMap((event) => encoder.push(event));
  const sent = events.flatMap(({ data }) => (data.startsWith('{') ? [JSON.parse(data) as JsonObject] : []));
  return { sent, body: encoder.body, notCarried: encoder.notCarried };
}

function chatLogprobs(value: JsonObject): unknown {
  return (value['choices'] as JsonObject[])[0]?.['logprobs'] ?? undefined;
}

const sources = [
  ['chat', chatStream],
  ['chat', chatWhole],
  ['responses', responsesStream],
  ['responses', JSON.stringify(response)],
] as const;

describe.each(sources)('logprobs of a %s answer', (from, bytes) => {
  it('reach a chat client, each once, in order', () => {
    const { sent, body } = retold(from, bytes, 'chat');
    const told = sent.flatMap((chunk) => (chatLogprobs(chunk) as JsonObject | undefined)?.['content'] ?? []);
    expect(told).toEqual([he, llo, end]);
    expect(chatLogprobs(body)).toEqual({ content: [he, llo, end], refusal: null });
  });

  it('reach a Responses client, on each delta and on the whole part', () => {
    const { sent, body } = retold(from, bytes, 'responses');
    const of = (type: string) => sent.filter((event) => event['type'] === type);
    expect(of('response.output_text.done')).toMatchObject([{ text: 'Hello', logprobs: [he, llo, end] }]);
    expect(of('response.content_part.done')).toMatchObject([{ part }]);
    expect(of('response.output_item.done')).toMatchObject([{ item: { content: [part] } }]);
    expect(body['output']).toMatchObject([{ content: [part] }]);
  });

  it('are named for a Messages client, which has no place for them', () => {
    expect(retold(from, bytes, 'messages').notCarried).toContain('logprobs');
  });
});

it('stand on the very deltas on which they stood', () => {
  const chunks = retold('chat', chatStream, 'chat').sent.map((chunk) => [
    ((chunk['choices'] as JsonObject[])[0]?.['delta'] as JsonObject)['content'],
    (chatLogprobs(chunk) as JsonObject | undefined)?.['content'],
  ]);
  expect(chunks).toEqual([
    ['', undefined],
    ['He', [he]],
    ['llo', [llo]],
    [undefined, [end]],
    [undefined, undefined],
  ]);
  for (const [from, bytes] of [sources[0], sources[2]]) {
    const deltas = retold(from, bytes, 'responses').sent.filter(({ type }) => type === 'response.output_text.delta');
    expect(deltas.map(({ delta, logprobs }) => [delta, logprobs])).toEqual([
      ['He', [he]],
      ['llo', [llo]],
    ]);
  }
});

it('are null for chat clients and empty for Responses clients where there are none', () => {
  const bytes = chatBody(piece('Hello', null), piece(undefined, null, 'stop'));
  const chat = retold('chat', bytes, 'chat');
  expect(chat.sent.map(chatLogprobs)).toEqual(chat.sent.map(() => undefined));
  expect((chat.body['choices'] as JsonObject[])[0]).toMatchObject({ logprobs: null });
  const { sent } = retold('chat', bytes, 'responses');
  expect(sent.filter(({ type }) => String(type).startsWith('response.output_text.'))).toMatchObject([
    { logprobs: [] },
    { logprobs: [] },
  ]);
  expect(retold('chat', bytes, 'messages').notCarried).toEqual([]);
});
