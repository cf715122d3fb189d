import { describe, expect, test } from 'vitest';
import { addUsage, type Usage } from '../../packages/wire/src/model/usage.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { chatBody, chunk, responsesBody } from './helpers.ts';
import { readOpen, usage } from './rules.ts';

const lastUsage = (events: readonly ModelEvent[]): Usage | undefined => {
  const last = events.at(-1);
  return last?.type === 'completed' ? last.usage : undefined;
};

const onChat = (given: object): Usage | undefined =>
  lastUsage(readOpen('chat', chatBody(chunk({ content: 'hi' }), chunk({}, 'stop', { usage: given }))).events);

const onResponses = (given: object): Usage | undefined =>
  lastUsage(
    readOpen('responses', responsesBody({ type: 'response.completed', response: { id: 'r', usage: given } })).events,
  );

const cached = usage(9, 4, { input_tokens_details: { cached_tokens: 5 } });
const written = usage(9, 4, { input_tokens_details: { cached_tokens: 0, cache_write_tokens: 7 } });
const thought = usage(9, 4, { output_tokens_details: { reasoning_tokens: 3 } });
const chatNames = { prompt_tokens: 9, completion_tokens: 4 };
const responsesNames = { input_tokens: 9, output_tokens: 4 };

describe.each([
  ['chat', onChat],
  ['responses', onResponses],
] as const)('3.10 usage by any name: %s', (_, told) => {
  test.each([
    ['Chat Completions', chatNames, usage(9, 4)],
    ['Responses, Anthropic', responsesNames, usage(9, 4)],
    ['a number below zero, which counts nothing', { ...chatNames, total_tokens: -1, cached_tokens: -1 }, usage(9, 4)],
    ['a total', { ...chatNames, total_tokens: 20 }, usage(9, 4, { total_tokens: 20 })],
    ['OpenAI', { ...chatNames, prompt_tokens_details: { cached_tokens: 5 } }, cached],
    ['OpenAI', { ...responsesNames, input_tokens_details: { cached_tokens: 5 } }, cached],
    ['DeepSeek (langchain#39668)', { ...chatNames, prompt_cache_hit_tokens: 5, prompt_cache_miss_tokens: 4 }, cached],
    ['Kimi (pi#8119)', { ...chatNames, cached_tokens: 5 }, cached],
    ['Anthropic models behind gateways (hermes#65678)', { ...responsesNames, cache_read_input_tokens: 5 }, cached],
    ['null details', { ...chatNames, prompt_tokens_details: null, cached_tokens: 5 }, cached],
    ['OpenRouter', { ...chatNames, prompt_tokens_details: { cache_write_tokens: 7 } }, written],
    ['OpenAI', { ...responsesNames, input_tokens_details: { cached_tokens: 0, cache_write_tokens: 7 } }, written],
    ['Anthropic models behind gateways', { ...responsesNames, cache_creation_input_tokens: 7 }, written],
    ['OpenAI', { ...chatNames, completion_tokens_details: { reasoning_tokens: 3 } }, thought],
    ['OpenAI', { ...responsesNames, output_tokens_details: { reasoning_tokens: 3 } }, thought],
    ['Perplexity', { ...chatNames, reasoning_tokens: 3 }, thought],
    ['Anthropic', { ...responsesNames, output_tokens_details: { thinking_tokens: 3 } }, thought],
    ['nothing', {}, undefined],
    ['other things', { cost: 0.1 }, undefined],
  ])('3.10 %s: %j', (_source, given, expected) => {
    expect(told(given)).toEqual(expected);
  });
});

test("3.10 Groq's usage stands in x_groq, with the finish or behind it", () => {
  const groq = { x_groq: { id: 'q', usage: chatNames } };
  const hi = chunk({ content: 'hi' });
  expect(lastUsage(readOpen('chat', chatBody(hi, chunk({}, 'stop', groq))).events)).toEqual(usage(9, 4));
  const late = chatBody(hi, chunk({}, 'stop'), { choices: [], ...groq });
  expect(lastUsage(readOpen('chat', late, { usageAsked: true }).events)).toEqual(usage(9, 4));
});

test('2 the sum of two usages keeps the cache writes of both, and makes none up', () => {
  expect(addUsage(written, written)?.input_tokens_details).toEqual({ cached_tokens: 0, cache_write_tokens: 14 });
  expect(addUsage(written, cached)?.input_tokens_details).toEqual({ cached_tokens: 5, cache_write_tokens: 7 });
  expect(addUsage(cached, cached)?.input_tokens_details).toEqual({ cached_tokens: 10 });
});
