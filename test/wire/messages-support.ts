import type { DecoderOptions } from '../../packages/wire/src/index.ts';
import type { Outcome } from './helpers.ts';
import { read } from './rules.ts';

/** Events of the Messages wire for tests: `start` and its neighbours make one event each, `body` a stream of them. */
type Fields = Record<string, unknown>;
export type WireEvent = { type: string } & Fields;

export const begin = (message: Fields = {}): WireEvent => ({
  type: 'message_start',
  message: {
    ...{ id: 'msg_a', type: 'message', role: 'assistant', model: 'm', content: [] },
    ...{ stop_reason: null, stop_sequence: null, usage: { input_tokens: 5, output_tokens: 1 } },
    ...message,
  },
});
export const start = (index: unknown, content_block: unknown): WireEvent => ({
  type: 'content_block_start',
  index,
  content_block,
});
export const delta = (index: unknown, fields: Fields): WireEvent => ({
  type: 'content_block_delta',
  index,
  delta: fields,
});
export const stop = (index: unknown): WireEvent => ({ type: 'content_block_stop', index });
export const textDelta = (index: unknown, text: unknown): WireEvent => delta(index, { type: 'text_delta', text });
export const thinkingDelta = (index: unknown, thinking: unknown): WireEvent =>
  delta(index, { type: 'thinking_delta', thinking });
export const signatureDelta = (index: unknown, signature: unknown): WireEvent =>
  delta(index, { type: 'signature_delta', signature });
export const jsonDelta = (index: unknown, partial_json: unknown): WireEvent =>
  delta(index, { type: 'input_json_delta', partial_json });
export const citation = (index: unknown, fields: Fields): WireEvent =>
  delta(index, { type: 'citations_delta', citation: fields });

export const textBlock = { type: 'text', text: '' };
export const thinkingBlock = { type: 'thinking', thinking: '', signature: '' };
export const toolBlock = (id: unknown, name: unknown = 'f', input: unknown = {}): Fields => ({
  type: 'tool_use',
  ...{ id, name, input },
});

/** A whole text block. */
export const texts = (index: number, ...pieces: string[]): WireEvent[] => [
  start(index, textBlock),
  ...pieces.map((piece) => textDelta(index, piece)),
  stop(index),
];
/** A whole call. */
export const calls = (index: number, id: string, ...pieces: string[]): WireEvent[] => [
  start(index, toolBlock(id)),
  ...pieces.map((piece) => jsonDelta(index, piece)),
  stop(index),
];

/** The end of an answer; `usage` null: none. */
export const finish = (
  stop_reason: unknown = 'end_turn',
  usage: Fields | null = { output_tokens: 7 },
  more: Fields = {},
): WireEvent => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null, ...more },
  ...(usage === null ? {} : { usage }),
});
export const last: WireEvent = { type: 'message_stop' };
export const ping: WireEvent = { type: 'ping' };

export { messagesBody as body } from './helpers.ts';

/** What a stream that is then closed comes to, the same for every chunk size, with and without the fast path. */
export function decoded(stream: string, options: DecoderOptions = {}): Outcome {
  const { events, error, skipped } = read('messages', stream, options);
  return { events, ...(error === undefined ? {} : { error }), skipped };
}
