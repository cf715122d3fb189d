import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProtocolId } from '../../packages/wire/src/index.ts';
import { Repairs } from '../../packages/wire/src/repairs.ts';
import { cutAt, decodeChunks } from './helpers.ts';

/**
 * Events that are nearly all text, where the short way may be taken or has to be left: each is sent several times with other
 * texts, among the others. What comes out is the same as without any template.
 */
type Event = (text: string) => object;

const call = (fragment: object) => (text: string) => ({
  tool_calls: [{ ...fragment, function: { arguments: text } }],
});

const deltas: Event[] = [
  (content) => ({ content }),
  (content) => ({ role: 'assistant', content, tool_calls: [], refusal: null }),
  (content) => ({ content, reasoning_content: null }),
  (content) => ({ content, reasoning_content: 'r' }),
  (content) => ({ content, extra_content: { s: 1 } }),
  (content) => ({ content, annotations: [{ type: 'url_citation' }] }),
  (reasoning_content) => ({ reasoning_content }),
  (reasoning) => ({ reasoning, content: null }),
  (reasoning_content) => ({ reasoning_content, content: '' }),
  (text) => ({ reasoning_details: [{ text }] }),
  (refusal) => ({ refusal }),
  (text) => ({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: text } }] }),
  (text) => ({ tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: text } }] }),
  call({ index: 0 }),
  call({ index: 1 }),
  call({ index: 2 }),
  call({ index: 0, id: null, type: 'function' }),
  call({ index: 0, id: '' }),
  call({ index: 0, id: 'c' }),
  call({ index: 0, extra_content: { s: 2 } }),
  call({}),
  (text) => ({ tool_calls: [{ index: 0, type: 'custom', custom: { input: text } }] }),
  (text) => ({ function_call: { arguments: text } }),
];

const chatEvents: Event[] = [
  ...deltas.map((delta) => (text: string) => ({ id: 'c', choices: [{ index: 0, delta: delta(text) }] })),
  ...deltas.slice(0, 14).map((delta) => (text: string) => ({ choices: [{ index: 1, delta: delta(text) }] })),
  (content) => ({ choices: [{ delta: { content } }] }),
  (content) => ({ choices: [{ index: 0, delta: { content }, finish_reason: 'stop' }] }),
  (content) => ({ choices: [{ index: 1, delta: { content }, finish_reason: 'tool_calls' }] }),
  (content) => ({ choices: [{ index: 0, delta: { content }, finish_reason: '' }] }),
  (content) => ({ choices: [{ index: 0, delta: { content }, logprobs: { content: [{ token: 'a' }] } }] }),
  (content) => ({ choices: [{ index: 0, delta: { content }, usage: { prompt_tokens: 1, completion_tokens: 2 } }] }),
  (content) => ({ choices: [{ index: 0, delta: { content } }], usage: { prompt_tokens: 1, completion_tokens: 2 } }),
  (content) => ({ choices: [{ index: 0, delta: { content } }], citations: ['https://a'] }),
  (content) => ({ choices: [{ index: 0, message: { content } }] }),
  (content) => ({
    choices: [
      { index: 0, delta: { content } },
      { index: 1, delta: { content } },
    ],
  }),
];

const block = (index: number | undefined, delta: object): object => ({ type: 'content_block_delta', index, delta });
const start = (index: number, content_block: object): object => ({ type: 'content_block_start', index, content_block });

const messagesEvents: Event[] = [
  () => ({ type: 'message_start', message: { id: 'm', content: [], usage: { input_tokens: 1 } } }),
  ...[0, 1, undefined].flatMap((index): Event[] => [
    (text) => block(index, { type: 'text_delta', text }),
    (thinking) => block(index, { type: 'thinking_delta', thinking }),
    (partial_json) => block(index, { type: 'input_json_delta', partial_json }),
  ]),
  (text) => block(0, { type: 'text_delta', partial_json: text }),
  (text) => block(0, { type: 'thinking_delta', thinking: text, estimated_tokens: text.length }),
  (signature) => block(0, { type: 'signature_delta', signature }),
  () => start(0, { type: 'text', text: '' }),
  () => start(0, { type: 'thinking', thinking: '' }),
  () => start(1, { type: 'tool_use', id: 't', name: 'f', input: {} }),
  () => ({ type: 'content_block_stop', index: 0 }),
  () => ({ type: 'content_block_stop', index: 1 }),
  () => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' } }),
];

const at = { item_id: 'i', output_index: 0, content_index: 0 };
const item = (type: string, more: object): object => ({ id: 'i', type, ...more });

const responsesEvents: Event[] = [
  () => ({ type: 'response.created', response: { id: 'r' } }),
  ...['output_text', 'refusal', 'reasoning_text', 'reasoning_summary_text', 'function_call_arguments'].flatMap(
    (kind): Event[] => [
      (delta) => ({ type: `response.${kind}.delta`, ...at, delta }),
      (delta) => ({ type: `response.${kind}.delta`, ...at, delta, sequence_number: delta.length, obfuscation: delta }),
      (delta) => ({ type: `response.${kind}.delta`, output_index: 1, delta }),
      (delta) => ({ type: `response.${kind}.delta`, delta }),
      (delta) => ({ type: `response.${kind}.delta`, item_id: 'j', delta }),
    ],
  ),
  (delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [{ token: 'a' }] }),
  (delta) => ({ type: 'response.output_text.delta', ...at, delta, headers: { 'x-codex-turn-state': 'a' } }),
  ...[0, 1].flatMap((output_index): Event[] => [
    () => ({ type: 'response.output_item.added', output_index, item: item('message', { content: [] }) }),
    () => ({ type: 'response.output_item.added', output_index, item: item('function_call', { name: 'f' }) }),
    () => ({
      type: 'response.output_item.added',
      output_index,
      item: item('function_call', { id: 'j', call_id: 'c', name: 'f', arguments: '' }),
    }),
    (text) => ({
      type: 'response.output_item.done',
      output_index,
      item: item('function_call', { call_id: 'd', name: 'f', arguments: text }),
    }),
    (text) => ({
      type: 'response.output_item.done',
      output_index,
      item: item('message', { content: [{ type: 'output_text', text }] }),
    }),
  ]),
  (text) => ({ type: 'response.function_call_arguments.done', ...at, arguments: text }),
  () => ({ type: 'response.completed', response: { id: 'r', output: [] } }),
];

const wires: [ProtocolId, Event[], string][] = [
  ['chat', chatEvents, 'data: [DONE]\n\n'],
  ['messages', messagesEvents, 'event: message_stop\ndata: {"type":"message_stop"}\n\n'],
  ['responses', responsesEvents, ''],
];

const texts = fc.array(
  fc.constantFrom('a', 'bc', '', '"', '\n', '\\', 'é', '🙂', '�', '{}', 'a longer text, so', '{"'),
  {
    minLength: 1,
    maxLength: 4,
  },
);

describe.each(wires)('the short way of %s deltas', (wire, events, last) => {
  test('comes to what the long one comes to, repairs included', () => {
    const few = fc.shuffledSubarray(events, { minLength: 2, maxLength: 6 });
    const stream = few.chain((chosen) =>
      fc.array(fc.tuple(fc.constantFrom(...chosen), texts), { minLength: 1, maxLength: 14 }),
    );
    const options = fc.record({ usageAsked: fc.boolean(), usageOfCut: fc.boolean() });
    fc.assert(
      fc.property(
        stream,
        options,
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(5000)),
        (parts, asked, lf, places) => {
          const frames = parts.flatMap(([event, said]) =>
            said.map((text) => `data: ${JSON.stringify(event(text))}\n\n`),
          );
          const bytes = new TextEncoder().encode((frames.join('') + last).replaceAll('\n', lf));
          const [long, short] = [false, true].map((templates) => {
            const repairs = new Repairs();
            const chunks = templates ? cutAt(bytes, places) : [bytes];
            return { ...decodeChunks(wire, chunks, { ...asked, templates, repairs }), repairs: [...repairs.names] };
          });
          expect(short).toEqual(long);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
