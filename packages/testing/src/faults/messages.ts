import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import type { FaultSpec, FaultWire } from './fault.ts';
import { blockIndex, hasFinish, isSentinel, typeOf, withFields, withStopReason } from '../frames.ts';

const wires: readonly FaultWire[] = ['messages'];

const START = 'content_block_start';
const DELTA = 'content_block_delta';
const STOP = 'content_block_stop';

/** Faults of the event sequence of the Messages wire. */
export const messagesFaults: readonly FaultSpec[] = [
  {
    name: 'no-message-start',
    summary: 'The stream begins with its first block: translators that have no usage yet.',
    wires,
    create: () => ({ frames: (frames) => frames.filter((frame) => typeOf(frame) !== 'message_start') }),
  },
  {
    name: 'no-block-stop',
    summary: 'Blocks are never closed: claude-code-router after a tool call.',
    wires,
    create: () => ({ frames: (frames) => frames.filter((frame) => typeOf(frame) !== STOP) }),
  },
  {
    name: 'blocks-overlap',
    summary: 'A block opens before the one before it is closed, and all close at the end: llama.cpp.',
    wires,
    create: () => ({ frames: stopsLast }),
  },
  {
    name: 'block-index-reused',
    summary: 'Every block has index 0: claude-code-router, with a second piece of thinking.',
    wires,
    create: () => ({
      frames: (frames) => frames.map((frame) => withIndex(frame, () => 0)),
    }),
  },
  {
    name: 'block-index-gaps',
    summary: 'The indexes of blocks have gaps: gateways that leave out blocks of other kinds.',
    wires,
    create: () => ({
      frames: (frames) => frames.map((frame) => withIndex(frame, (index) => index * 2 + 1)),
    }),
  },
  {
    name: 'input-in-start',
    summary: 'The whole input of a call is in content_block_start, and no delta follows: home-made Messages endpoints.',
    wires,
    create: () => ({ frames: (frames) => inStart(frames, 'input_json_delta') }),
  },
  {
    name: 'text-in-start',
    summary: 'The whole text is in content_block_start, and no delta follows: home-made Messages endpoints.',
    wires,
    create: () => ({ frames: (frames) => inStart(frames, 'text_delta') }),
  },
  {
    name: 'unsigned-thinking',
    summary: 'Thinking comes without any signature: Ollama, open-webui, Kimi.',
    wires,
    create: () => ({
      frames: (frames) => frames.filter((frame) => deltaType(frame) !== 'signature_delta').map(unsigned),
    }),
  },
  {
    name: 'signature-late',
    summary: 'An empty signature comes after the text: llama.cpp.',
    wires,
    create: () => ({ frames: signatureLate }),
  },
  {
    name: 'stop-reason-null',
    summary: 'The stop_reason of the last message_delta is null: vLLM, for all but three reasons.',
    wires,
    create: () => ({ frames: (frames) => frames.map((frame) => withStopReason(frame, null)) }),
  },
  {
    name: 'usage-missing',
    summary: 'No usage at all, neither in message_start nor in message_delta: home-made Messages endpoints.',
    wires,
    create: () => ({ frames: (frames) => frames.map(withoutUsage) }),
  },
  {
    name: 'unknown-deltas',
    summary: 'A delta of a type that came after the client was made, which the API says may come at any time.',
    wires,
    create: () => ({ frames: withUnknownDelta }),
  },
];

function withIndex(frame: Frame, change: (index: number) => number): Frame {
  const index = blockIndex(frame);
  return index === undefined ? frame : withFields(frame, { index: change(index) });
}

function memberOf(frame: Frame, name: string): JsonObject {
  const value = frame.kind === 'json' ? frame.value[name] : undefined;
  return isObject(value) ? value : {};
}

function deltaType(frame: Frame): string {
  return typeOf(frame) === DELTA ? (stringOf(memberOf(frame, 'delta').type) ?? '') : '';
}

/** All `content_block_stop`s after the last delta. */
function stopsLast(frames: Frame[]): Frame[] {
  const stops = frames.filter((frame) => typeOf(frame) === STOP);
  const rest = frames.filter((frame) => typeOf(frame) !== STOP);
  const end = rest.findIndex((frame) => hasFinish(frame) || isSentinel(frame));
  return end < 0 ? [...rest, ...stops] : [...rest.slice(0, end), ...stops, ...rest.slice(end)];
}

/** What the deltas of one type carry, put into the start of their block. */
function inStart(frames: Frame[], type: 'input_json_delta' | 'text_delta'): Frame[] {
  const carried = new Map<number | undefined, string>();
  for (const frame of frames) {
    if (deltaType(frame) !== type) continue;
    const delta = memberOf(frame, 'delta');
    const text = stringOf(type === 'text_delta' ? delta.text : delta.partial_json) ?? '';
    carried.set(blockIndex(frame), (carried.get(blockIndex(frame)) ?? '') + text);
  }
  return frames
    .filter((frame) => deltaType(frame) !== type)
    .map((frame) => {
      const text = typeOf(frame) === START ? carried.get(blockIndex(frame)) : undefined;
      if (text === undefined) return frame;
      const whole = type === 'text_delta' ? { text } : { input: JSON.parse(text === '' ? '{}' : text) as unknown };
      return withFields(frame, { content_block: { ...memberOf(frame, 'content_block'), ...whole } });
    });
}

function unsigned(frame: Frame): Frame {
  const { signature, ...block } = memberOf(frame, 'content_block');
  return signature === undefined ? frame : withFields(frame, { content_block: block });
}

function signatureLate(frames: Frame[]): Frame[] {
  const signed = frames.find((frame) => deltaType(frame) === 'signature_delta');
  if (signed === undefined) return frames;
  const rest = frames.filter((frame) => frame !== signed);
  const empty = withFields(signed, { delta: { type: 'signature_delta', signature: '' } });
  const end = rest.findIndex(hasFinish);
  return end < 0 ? [...rest, empty] : [...rest.slice(0, end), empty, ...rest.slice(end)];
}

function withoutUsage(frame: Frame): Frame {
  if (frame.kind !== 'json') return frame;
  if (typeOf(frame) === 'message_start') {
    const { usage, ...message } = memberOf(frame, 'message');
    return usage === undefined ? frame : withFields(frame, { message });
  }
  const { usage, ...value } = frame.value;
  return usage === undefined ? frame : { ...frame, value };
}

function withUnknownDelta(frames: Frame[]): Frame[] {
  return frames.flatMap((frame) =>
    deltaType(frame) === 'text_delta'
      ? [withFields(frame, { delta: { type: 'hint_delta', hint: 'x' } }), frame]
      : [frame],
  );
}
