import { expect } from 'vitest';
import type { ErrorKind, ModelErrorJson, RetryClass } from '../../packages/wire/src/model/errors.ts';
import type { CompletedEvent, ModelEvent, Usage } from '../../packages/wire/src/model/events.ts';
import type { DecoderOptions, DecoderPhase, MintId, StreamDecoder, ProtocolId } from '../../packages/wire/src/index.ts';
import { createDecoder } from '../../packages/wire/src/index.ts';
import { cut, type Outcome } from './helpers.ts';

/** How the bytes of a rule's stream are cut: all at once, in single bytes, in sevens. */
const CHUNK_SIZES = [Number.MAX_SAFE_INTEGER, 1, 7];

/** What a stream came to without anybody closing it. */
export interface OpenOutcome extends Outcome {
  readonly phase: DecoderPhase;
}

/** The outcome of a stream that is then closed: the same for every chunk size, with and without the fast path. */
export function read(wire: ProtocolId, text: string, options: DecoderOptions = {}): Outcome {
  return agreed(wire, text, options, (decoder) => {
    const events = decoder.end({ type: 'close' });
    expect(decoder.phase).toBe('ended');
    return events;
  });
}

/** The same with the socket left open: what comes from the bytes alone. */
export function readOpen(wire: ProtocolId, text: string, options: DecoderOptions = {}): OpenOutcome {
  return agreed(wire, text, options, () => []);
}

function agreed(
  wire: ProtocolId,
  text: string,
  options: DecoderOptions,
  end: (decoder: StreamDecoder) => ModelEvent[],
): OpenOutcome {
  const bytes = new TextEncoder().encode(text);
  const outcomes = [true, false].flatMap((templates) =>
    CHUNK_SIZES.map((size): OpenOutcome => {
      const decoder = createDecoder(wire, { mintId: mintByPrefix(), templates, ...options });
      const events = cut(bytes, size).flatMap((chunk) => decoder.push(chunk));
      events.push(...end(decoder));
      const { failure, skipped, phase } = decoder;
      return { events, skipped, phase, ...(failure === undefined ? {} : { error: failure.toJSON() }) };
    }),
  );
  for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
  return outcomes[0]!;
}

/** `msg_1`, `msg_2`, `rs_1`, …: each prefix has its own numbers. */
function mintByPrefix(): MintId {
  const counts = new Map<string, number>();
  return (prefix) => {
    const count = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, count);
    return `${prefix}_${count}`;
  };
}

type Fields = Record<string, unknown>;

export const created = (response_id?: string): ModelEvent =>
  response_id === undefined ? { type: 'created' } : { type: 'created', response_id };
export const added = (item: Fields): ModelEvent => ({ type: 'output_item.added', item });
export const done = (item: Fields): ModelEvent => ({ type: 'output_item.done', item });
export const text = (delta: string, item_id = 'msg_1'): ModelEvent => ({ type: 'output_text.delta', delta, item_id });
export const refusal = (delta: string, item_id = 'msg_1'): ModelEvent => ({ type: 'refusal.delta', delta, item_id });
export const reasoning = (delta: string, item_id = 'rs_1'): ModelEvent => ({
  type: 'reasoning_text.delta',
  delta,
  content_index: 0,
  item_id,
});
export const input = (delta: string, call_id: string, name: string, item_id: string): ModelEvent => ({
  type: 'tool_call_input.delta',
  call_id,
  name,
  item_id,
  delta,
});

/** The last event; `ended_by` is `finish_reason` unless told otherwise. */
export const completed = (fields: Partial<CompletedEvent> = {}): ModelEvent => ({
  type: 'completed',
  response_id: '',
  ended_by: 'finish_reason',
  ...fields,
});

/** An assistant message made from the chat wire. */
export const message = (said: string, status = 'completed', id = 'msg_1'): Fields => ({
  type: 'message',
  id,
  role: 'assistant',
  status,
  content: said === '' ? [] : [{ type: 'output_text', text: said, annotations: [] }],
});

/** A reasoning item made from the chat wire. */
export const thought = (said: string, status = 'completed', id = 'rs_1'): Fields => ({
  type: 'reasoning',
  id,
  summary: [],
  content: said === '' ? [] : [{ type: 'reasoning_text', text: said }],
  status,
});

/** A function call made from the chat wire. */
export const call = (call_id: string, name: string, args: string, id: string, status = 'completed'): Fields => ({
  type: 'function_call',
  id,
  call_id,
  name,
  arguments: args,
  status,
});

/** A text item that opened, had one delta, and is whole. */
export const openMessage = (id = 'msg_1'): ModelEvent => added(message('', 'in_progress', id));
export const openThought = (id = 'rs_1'): ModelEvent => added(thought('', 'in_progress', id));
export const openCall = (call_id: string, name: string, id: string): ModelEvent =>
  added(call(call_id, name, '', id, 'in_progress'));

export interface Expected {
  readonly message?: unknown;
  readonly status?: number;
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
  readonly after_ms?: number;
  /** Default: something was delivered before. */
  readonly replay_safe?: boolean;
}

/** The whole error as JSON; its message is any text unless the contract gives it. */
export function failure(kind: ErrorKind, retry: RetryClass, expected: Expected = {}): ModelErrorJson {
  const { after_ms, replay_safe = false, ...fields } = expected;
  return {
    kind,
    message: expect.stringMatching(/./) as string,
    ...(fields as Partial<ModelErrorJson>),
    retry: { class: retry, ...(after_ms === undefined ? {} : { after_ms }), replay_safe },
  };
}

export const usage = (input_tokens: number, output_tokens: number, more: Partial<Usage> = {}): Usage => ({
  input_tokens,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input_tokens + output_tokens,
  ...more,
});
