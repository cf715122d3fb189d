import { describe, expect, test } from 'vitest';
import { encodeChatBody, encodeChatEvents } from '../../packages/wire/src/chat/encode.ts';
import { reasoningFields } from '../../packages/wire/src/dialects/reasoning-shapes.ts';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { chatBody, chunk } from './helpers.ts';
import {
  completed,
  created,
  done,
  failure,
  message,
  openMessage,
  openThought,
  read,
  readOpen,
  reasoning,
  text,
  thought,
} from './rules.ts';

const stop = chunk({}, 'stop');
const end = completed({ finish_reason: 'stop' });

/** Each place in which servers put reasoning, saying `r`. */
const shapes: readonly [string, JsonObject][] = [
  ['Groq, vLLM', { reasoning: 'r' }],
  ['DeepSeek', { reasoning_content: 'r' }],
  ['OpenRouter', { reasoning_details: [{ type: 'reasoning.summary', summary: 'r' }] }],
  ['OpenRouter', { reasoning_details: [{ type: 'reasoning.text', text: 'r' }] }],
  ['LiteLLM', { thinking_blocks: [{ type: 'thinking', thinking: 'r' }] }],
  ['Ollama', { thinking: 'r' }],
  ['gateways', { thinking: { text: 'r' } }],
  ['Mistral (litellm#16272)', { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'r' }] }] }],
  ['Mistral', { content: [{ type: 'thinking', thinking: 'r' }] }],
  ['gateways', { content: [{ type: 'reasoning', text: 'r' }] }],
  ['gateways', { content: [{ type: 'reasoning', reasoning: 'r' }] }],
  ['OpenRouter', { reasoning: { content: 'r' } }],
];

describe('3.9 reasoning in any place', () => {
  test.each(shapes)('3.9 %s: %j', (_, delta) => {
    const told = [created(), openThought(), reasoning('r'), openMessage(), text('a')];
    const events = [...told, done(thought('r')), done(message('a')), end];
    expect(readOpen('chat', chatBody(chunk(delta), chunk({ content: 'a' }), stop)).events).toEqual(events);
    const { content: parts = [], ...rest } = delta;
    const whole = { ...rest, content: [...(parts as unknown[]), { type: 'text', text: 'a' }] };
    const body = { choices: [{ index: 0, message: whole, finish_reason: 'stop' }] };
    expect(read('chat', JSON.stringify(body)).events).toEqual(events);
  });

  test('3.9 each field is tried', () => {
    const tried = new Set(shapes.flatMap(([, delta]) => Object.keys(delta)));
    expect(reasoningFields.filter((field) => !tried.has(field))).toEqual([]);
  });

  test.each(shapes.filter(([, delta]) => !('content' in delta)))(
    '3.9 a whole message behind it does not repeat it: %s %j',
    (_, delta) => {
      const told = [created(), openThought(), reasoning('r'), openMessage(), text('a')];
      const whole = { choices: [{ index: 0, message: { ...delta, content: 'a' }, finish_reason: 'stop' }] };
      expect(readOpen('chat', chatBody(chunk(delta), whole)).events).toEqual([
        ...told,
        done(thought('r')),
        done(message('a')),
        end,
      ]);
    },
  );

  test('3.9 the same reasoning in several places counts once', () => {
    const delta = { reasoning: 'r', thinking_blocks: [{ thinking: 'r' }], thinking: 'r' };
    const body = chatBody(chunk(delta), stop);
    expect(readOpen('chat', body).events).toEqual([created(), openThought(), reasoning('r'), done(thought('r')), end]);
  });
});

describe('3.9 where a text is from', () => {
  const citation = { url: 'http://x.test/', title: 'X', start_index: 0, end_index: 2 };
  const onWire = { type: 'url_citation', url_citation: citation };
  const cited = (...annotations: object[]): JsonObject => ({
    ...message('hi'),
    content: [{ type: 'output_text', text: 'hi', annotations }],
  });
  const bare = { type: 'url_citation', url: 'http://x.test/', title: '', start_index: 0, end_index: 0 };

  test.each([
    [
      'a delta',
      [chunk({ content: 'hi' }), chunk({ annotations: [onWire] }), stop],
      cited({ type: 'url_citation', ...citation }),
    ],
    [
      'flat',
      [chunk({ content: 'hi', annotations: [{ type: 'url_citation', ...citation }] }), stop],
      cited({ type: 'url_citation', ...citation }),
    ],
    [
      'a list of addresses (Perplexity)',
      [chunk({ content: 'hi' }, null, { citations: ['http://x.test/'] }), stop],
      cited(bare),
    ],
    ['null', [chunk({ content: 'hi', annotations: null }, null, { citations: null }), stop], cited()],
  ])('3.9 %s', (_, chunks, item) => {
    expect(readOpen('chat', chatBody(...chunks)).events.slice(-2)).toEqual([done(item), end]);
  });

  test('3.9 a whole message has them too, once', () => {
    const whole = { message: { content: 'hi', annotations: [onWire] }, finish_reason: 'stop' };
    const expected = done(cited({ type: 'url_citation', ...citation }));
    expect(read('chat', JSON.stringify({ choices: [whole] })).events).toContainEqual(expected);
    const both = chatBody(chunk({ content: 'hi', annotations: [onWire] }), { choices: [whole] });
    expect(readOpen('chat', both).events).toContainEqual(expected);
  });

  test('a chat client is told them, streamed and whole', () => {
    const { events } = readOpen('chat', chatBody(chunk({ content: 'hi', annotations: [onWire] }), stop));
    expect(encodeChatBody(events)).toMatchObject({ choices: [{ message: { content: 'hi', annotations: [onWire] } }] });
    const deltas = encodeChatEvents(events).flatMap(({ data }) =>
      data.includes('annotations') ? [JSON.parse(data) as object] : [],
    );
    expect(deltas).toMatchObject([{ choices: [{ delta: { annotations: [onWire] } }] }]);
  });
});

describe('3.9 what no item has a place for', () => {
  const audio = { audio: { id: 'a', data: 'AAAA', transcript: 'hi' } };
  const picture = { images: [{ type: 'image_url', image_url: { url: 'data:,' } }] };

  test.each([
    ['audio', audio],
    ['images', picture],
    ['image_url', { content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }],
  ])('3.9 %s beside a text is named at the end', (name, delta) => {
    const body = chatBody(chunk({ content: 'hi' }), chunk(delta), stop);
    expect(readOpen('chat', body).events.slice(-2)).toEqual([
      done(message('hi')),
      completed({ finish_reason: 'stop', not_carried: [name] }),
    ]);
  });

  test('3.9 an answer of nothing else is an error, not an empty success', () => {
    const error = failure('protocol', 'never', {
      message: 'the answer has neither text nor a call, only what cannot be carried: audio, images',
      replay_safe: true,
    });
    const delta = { ...audio, ...picture };
    const told = { events: [created()], error, skipped: 0 };
    expect(readOpen('chat', chatBody(chunk(delta), stop))).toEqual({ ...told, phase: 'ended' });
    expect(read('chat', JSON.stringify({ choices: [{ message: delta, finish_reason: 'stop' }] }))).toMatchObject(told);
  });
});
