import { stringOf, type JsonObject } from '../base/json.ts';
import type { DroppedToolCall } from '../model/events.ts';
import type { ItemStatus } from '../model/items.ts';
import { fateOfPending } from '../arguments.ts';
import type { Part, PartKind, Slot } from './slots.ts';

/** The item to announce when a delta comes for one that the server never announced. */
export function emptyItem(type: 'message' | 'reasoning', id: string | undefined): JsonObject {
  const named = id === undefined ? {} : { id };
  return type === 'message'
    ? { type, ...named, role: 'assistant', status: 'in_progress', content: [] }
    : { type, ...named, summary: [], content: [], status: 'in_progress' };
}

/** The input of a call as far as anything told it. An empty `done` takes nothing back that was streamed. */
export function inputOf(slot: Slot): string {
  if (slot.wholeInput !== undefined && slot.wholeInput !== '') return slot.wholeInput;
  if (slot.input.length > 0 || slot.item === undefined) return slot.input.toString();
  return stringOf(slot.item[inputKey(slot.type)]) ?? '';
}

/** Where an item of this type keeps its input. */
export function inputKey(type: string): 'arguments' | 'input' {
  return type === 'custom_tool_call' ? 'input' : 'arguments';
}

/** What is told of a call that may not run, as nobody said that it is done and not all of it came. */
export function droppedCallOf(slot: Slot): DroppedToolCall | undefined {
  if (slot.type !== 'function_call' && slot.type !== 'custom_tool_call') return undefined;
  const input = inputOf(slot);
  const kind = slot.type === 'function_call' ? 'function' : 'custom';
  const fate = fateOfPending({ kind, name: slot.name, input });
  if (fate === 'emit' && slot.callId !== undefined) return undefined;
  return {
    call_id: slot.callId ?? slot.id ?? '',
    ...(slot.name === undefined ? {} : { name: slot.name }),
    arguments: input,
    reason: fate === 'emit' ? 'incomplete' : fate,
  };
}

/** An item closed from its deltas: what was announced, with the text that came. Items of other types stay as announced. */
export function itemFromDeltas(slot: Slot, status: ItemStatus): JsonObject {
  const item = slot.item ?? {};
  switch (slot.type) {
    case 'message':
      return { ...item, status, content: parts(slot, ['output_text', 'refusal']) ?? item['content'] ?? [] };
    case 'reasoning':
      return {
        ...item,
        status,
        summary: parts(slot, ['summary_text']) ?? item['summary'] ?? [],
        content: parts(slot, ['reasoning_text']) ?? item['content'] ?? [],
      };
    case 'function_call':
      return { ...item, status, arguments: inputOf(slot) };
    case 'custom_tool_call':
      return { ...item, input: inputOf(slot) };
    default:
      return item;
  }
}

function parts(slot: Slot, kinds: readonly PartKind[]): JsonObject[] | undefined {
  const found = [...slot.parts.values()].filter(({ kind }) => kinds.includes(kind));
  if (found.length === 0) return undefined;
  return found.sort((a, b) => a.index - b.index).map(partOf);
}

function partOf(part: Part): JsonObject {
  const text = part.whole ?? part.text.toString();
  switch (part.kind) {
    case 'output_text':
      return { type: 'output_text', text, annotations: [] };
    case 'refusal':
      return { type: 'refusal', refusal: text };
    case 'reasoning_text':
    case 'summary_text':
      return { type: part.kind, text };
  }
}
