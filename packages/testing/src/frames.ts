import { isObject, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocols } from '@turnwire/wire/internal/protocols';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import type { Frame } from './answer.ts';

type JsonFrame = Extract<Frame, { kind: 'json' }>;

/** Wire events as frames that can be changed. */
export function toFrames(events: readonly WireEvent[], wire: ProtocolId): Frame[] {
  return events.map((event) => {
    const value = parseJson(event.data);
    const name = protocols[wire].namesEvents ? event.type : '';
    return isObject(value) ? { kind: 'json', event: name, value } : { kind: 'data', event: name, data: event.data };
  });
}

/** A Responses event as a frame. */
export function responsesFrame(value: JsonObject & { type: string }): JsonFrame {
  return { kind: 'json', event: value.type, value };
}

/** An event of the Messages wire as a frame. */
export function messagesFrame(value: JsonObject & { type: string }): JsonFrame {
  return { kind: 'json', event: value.type, value };
}

/** The event in which an answer of the Messages wire fails. */
export function messagesErrorFrame(message: string, requestId: string, type = 'api_error'): JsonFrame {
  return messagesFrame({ type: 'error', error: { type, message }, request_id: requestId });
}

/** A chat chunk as a frame, with the envelope of the stream's own chunks. */
export function chatFrame(like: readonly Frame[], fields: JsonObject): JsonFrame {
  const first = like.find((frame) => frame.kind === 'json');
  const envelope = first === undefined ? {} : { ...first.value };
  delete envelope.usage;
  return { kind: 'json', event: '', value: { ...envelope, choices: [], ...fields } };
}

/** The `type` of a Responses or a Messages event. */
export function typeOf(frame: Frame): string {
  return frame.kind === 'json' ? (stringOf(frame.value.type) ?? '') : '';
}

/** What the client knows once it has read a frame; nothing for the middle of an answer. */
export function markOf(frame: Frame): string | undefined {
  if (frame.kind === 'raw') return undefined;
  if (frame.kind === 'data') return frame.data.trim() === '' ? undefined : frame.data.trim().slice(0, 20);
  if (hasFinish(frame)) return typeOf(frame) === 'message_delta' ? 'stop_reason' : 'finish_reason';
  if (isSentinel(frame)) return typeOf(frame);
  if (isUsageOnly(frame)) return 'usage';
  if (isObject(frame.value.error)) return 'error';
  return isTerminal(frame) ? typeOf(frame) : undefined;
}

/** A chat chunk with a non-empty `finish_reason`, or the event of the Messages wire with a `stop_reason`. */
export function hasFinish(frame: Frame): boolean {
  if (typeOf(frame) === 'message_delta') return hasStopReason(frame);
  return choicesOf(frame).some((choice) => typeof choice.finish_reason === 'string' && choice.finish_reason !== '');
}

function hasStopReason(frame: Frame): boolean {
  const delta = frame.kind === 'json' ? frame.value.delta : undefined;
  return isObject(delta) && typeof delta.stop_reason === 'string' && delta.stop_reason !== '';
}

/** A chat chunk that carries usage and nothing else. */
export function isUsageOnly(frame: Frame): boolean {
  return frame.kind === 'json' && isObject(frame.value.usage) && choicesOf(frame).length === 0;
}

/** The chat sentinel, or the last event of the Messages wire. */
export function isSentinel(frame: Frame): boolean {
  if (typeOf(frame) === 'message_stop') return true;
  return frame.kind === 'data' && /^\[?DONE\]?$/.test(frame.data.trim());
}

/** A Responses event that ends the response. */
export function isTerminal(frame: Frame): boolean {
  return /^(response\.(completed|failed|incomplete)|error)$/.test(typeOf(frame));
}

/** Place of the frame that ends the answer on its wire: the finish chunk, or the terminal event; -1 if none. */
export function endIndex(frames: readonly Frame[]): number {
  return frames.findIndex((frame) => hasFinish(frame) || isTerminal(frame));
}

/** The choices of a chat chunk. */
export function choicesOf(frame: Frame): readonly JsonObject[] {
  const choices = frame.kind === 'json' ? frame.value.choices : undefined;
  return Array.isArray(choices) ? (choices as unknown[]).filter(isObject) : [];
}

/** The chunk with each choice's `delta` changed. */
export function withDelta(frame: Frame, change: (delta: JsonObject) => JsonObject): Frame {
  return withChoices(frame, (choice) => (isObject(choice.delta) ? { ...choice, delta: change(choice.delta) } : choice));
}

/** The chunk with each choice changed. */
export function withChoices(frame: Frame, change: (choice: JsonObject) => JsonObject): Frame {
  if (frame.kind !== 'json' || choicesOf(frame).length === 0) return frame;
  return { ...frame, value: { ...frame.value, choices: choicesOf(frame).map(change) } };
}

/** The chunk with each tool-call fragment changed. */
export function withToolCalls(frame: Frame, change: (call: JsonObject) => JsonObject): Frame {
  return withDelta(frame, (delta) => {
    const calls = delta.tool_calls;
    return Array.isArray(calls) ? { ...delta, tool_calls: (calls as unknown[]).filter(isObject).map(change) } : delta;
  });
}

/** The chunk that finishes a chat answer, with another reason. */
export function withFinish(frame: Frame, reason: string): Frame {
  return hasFinish(frame) ? withChoices(frame, (choice) => ({ ...choice, finish_reason: reason })) : frame;
}

/** The event that finishes an answer of the Messages wire, with another reason. */
export function withStopReason(frame: Frame, reason: string | null): Frame {
  const delta = frame.kind === 'json' && typeOf(frame) === 'message_delta' ? frame.value.delta : undefined;
  return isObject(delta) && hasFinish(frame) ? withFields(frame, { delta: { ...delta, stop_reason: reason } }) : frame;
}

/** The event that opens a call on the Messages wire, with its block changed. */
export function withToolUse(frame: Frame, change: (block: JsonObject) => JsonObject): Frame {
  const block = toolUseIn(frame);
  return block === undefined ? frame : withFields(frame, { content_block: change(block) });
}

/** The index of the block that an event of the Messages wire belongs to. */
export function blockIndex(frame: Frame): number | undefined {
  const index = frame.kind === 'json' ? frame.value.index : undefined;
  return typeof index === 'number' ? index : undefined;
}

/** The block of the event that opens a call on the Messages wire. */
export function toolUseIn(frame: Frame): JsonObject | undefined {
  const block =
    typeOf(frame) === 'content_block_start' && frame.kind === 'json' ? frame.value.content_block : undefined;
  return isObject(block) && block.type === 'tool_use' ? block : undefined;
}

/** The Responses event with some of its fields changed. */
export function withFields(frame: Frame, fields: JsonObject): Frame {
  return frame.kind === 'json' ? { ...frame, value: { ...frame.value, ...fields } } : frame;
}

/** True for chunks and events that carry a piece of the answer. */
export function isDelta(frame: Frame): boolean {
  if (typeOf(frame).endsWith('.delta') || typeOf(frame) === 'content_block_delta') return true;
  return choicesOf(frame).some((choice) => {
    const delta = choice.delta;
    return (
      isObject(delta) && ['content', 'reasoning_content', 'tool_calls', 'refusal'].some((key) => hasContent(delta[key]))
    );
  });
}

function hasContent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
