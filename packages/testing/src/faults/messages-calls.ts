import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import { blockIndex, toolUseIn, typeOf, withFields, withStopReason } from '../frames.ts';
import { alternating } from './alternate.ts';

/** The events of all calls, one of each in turn. */
export function interleaveBlocks(frames: Frame[]): Frame[] {
  const calls = new Set(frames.filter((frame) => toolUseIn(frame) !== undefined).map(blockIndex));
  return alternating(frames, (frame) => (calls.has(blockIndex(frame)) ? blockIndex(frame) : undefined));
}

/** Without the last piece of the calls' input, and with `max_tokens` as the stop_reason. */
export function limitInBlock(frames: Frame[]): Frame[] {
  const last = frames.findLastIndex(isInput);
  return frames.filter((_, i) => i !== last).map((frame) => withStopReason(frame, 'max_tokens'));
}

/** The input of each call without its last character. */
export function cutInputs(frames: Frame[]): Frame[] {
  return frames.map((frame, place) => {
    const delta = inputIn(frame);
    const goesOn = frames.slice(place + 1).some((next) => blockIndex(next) === blockIndex(frame) && isInput(next));
    if (delta === undefined || goesOn) return frame;
    return withFields(frame, { delta: { ...delta, partial_json: (stringOf(delta.partial_json) ?? '').slice(0, -1) } });
  });
}

function isInput(frame: Frame): boolean {
  return inputIn(frame) !== undefined;
}

/** The piece of a call's input that an event has. */
function inputIn(frame: Frame): JsonObject | undefined {
  const delta = typeOf(frame) === 'content_block_delta' && frame.kind === 'json' ? frame.value.delta : undefined;
  return isObject(delta) && delta.type === 'input_json_delta' ? delta : undefined;
}
