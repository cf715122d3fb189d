import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import type { DroppedToolCall } from '../model/events.ts';
import type { ItemStatus } from '../model/items.ts';
import { fateOfPending } from '../arguments.ts';
import type { PartKind } from '../item-parts.ts';
import { typeOf, type Part, type TrackedItem } from './item-tracker.ts';

/** The item to announce when a delta comes for one that the server never announced. */
export function emptyItem(type: 'message' | 'reasoning', id: string | undefined): JsonObject {
  const named = id === undefined ? {} : { id };
  return type === 'message'
    ? { type, ...named, role: 'assistant', status: 'in_progress', content: [] }
    : { type, ...named, summary: [], content: [], status: 'in_progress' };
}

/** The input of a call as far as anything told it. An empty `done` takes nothing back that was streamed. */
export function inputOf(slot: TrackedItem): string {
  if (slot.wholeInput !== undefined && slot.wholeInput !== '') return slot.wholeInput;
  if (slot.input.length > 0 || slot.item === undefined) return slot.input.toString();
  return inputText(slot.item[inputKey(slot.type)]) ?? '';
}

/** Input as text: some servers send arguments as the object that the text should have held. */
export function inputText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isObject(value) ? JSON.stringify(value) : undefined;
}

/** True for the two types of call that a client's own tools answer. */
export function isCallType(type: string): boolean {
  return type === 'function_call' || type === 'custom_tool_call';
}

/** Where an item of this type keeps its input. */
export function inputKey(type: string): 'arguments' | 'input' {
  return type === 'custom_tool_call' ? 'input' : 'arguments';
}

/**
 * What is told of a call that may not run at a good end: its name never came (`no_name`), or nobody said that it is done and
 * not all of it came (`incomplete`).
 */
export function droppedCallOf(slot: TrackedItem): DroppedToolCall | undefined {
  if (!isCallType(slot.type) || (slot.waits && slot.name !== undefined)) return undefined;
  const input = inputOf(slot);
  const kind = slot.type === 'function_call' ? 'function' : 'custom';
  const fate = fateOfPending({ kind, name: slot.name, input });
  if (fate === 'emit') return undefined;
  return {
    call_id: slot.callId ?? slot.id ?? '',
    ...(slot.name === undefined ? {} : { name: slot.name }),
    arguments: input,
    reason: fate,
  };
}

/** An item closed from its deltas: what was announced, with the text that came. Items of other types stay as announced. */
export function itemFromDeltas(slot: TrackedItem, status: ItemStatus): JsonObject {
  const item = slot.item ?? { type: slot.type };
  switch (slot.type) {
    case 'message':
      return { ...item, status, content: streamedParts(slot, SAID) ?? item['content'] ?? [] };
    case 'reasoning':
      return {
        ...item,
        status,
        summary: streamedParts(slot, SUMMARY) ?? item['summary'] ?? [],
        content: streamedParts(slot, THOUGHT) ?? item['content'] ?? [],
      };
    case 'function_call':
    case 'custom_tool_call':
      return { ...item, status, [inputKey(slot.type)]: inputOf(slot) };
    default:
      return item;
  }
}

/**
 * An item as the server told that it is done, in the shape that clients know. What it leaves empty takes nothing back
 * that was streamed (docs/contract.md section 4).
 */
export function wholeItem(slot: TrackedItem, item: JsonObject): JsonObject {
  const type = typeOf(item);
  if (type === 'message') return withParts(slot, item, 'content', SAID);
  if (type === 'reasoning') return withParts(slot, withParts(slot, item, 'summary', SUMMARY), 'content', THOUGHT);
  return isCallType(type) ? wholeCall(slot, item) : item;
}

/** The input of a call that is told to be done. */
export function callInput(slot: TrackedItem, item: JsonObject): string {
  return nonEmpty(inputText(item[inputKey(slot.type)])) ?? inputOf(slot);
}

function wholeCall(slot: TrackedItem, item: JsonObject): JsonObject {
  const key = inputKey(slot.type);
  const name = nonEmpty(item['name']) ?? slot.name;
  return {
    ...item,
    ...(slot.callId === undefined ? {} : { call_id: slot.callId }),
    ...(name === undefined ? {} : { name }),
    [key]: callInput(slot, item),
  };
}

const SAID: readonly PartKind[] = ['output_text', 'refusal'];
const SUMMARY: readonly PartKind[] = ['summary_text'];
const THOUGHT: readonly PartKind[] = ['reasoning_text'];

/** The item's parts of these kinds; those that were streamed, where it has no text in any. */
function withParts(
  slot: TrackedItem,
  item: JsonObject,
  key: 'content' | 'summary',
  kinds: readonly PartKind[],
): JsonObject {
  const given = item[key];
  const [kind] = kinds;
  if (typeof given === 'string' && given !== '' && kind !== 'output_text') {
    return { ...item, [key]: [{ type: kind, text: given }] };
  }
  if (hasText(given)) return item;
  const streamed = streamedParts(slot, kinds);
  if (streamed === undefined) return item;
  const bare: readonly unknown[] = Array.isArray(given) ? given : [];
  const parts = streamed.map((part, place) => {
    const other = bare[place];
    return isObject(other) && other['type'] === part['type']
      ? { ...part, ...other, [textKey(part)]: part[textKey(part)] }
      : part;
  });
  return { ...item, [key]: parts };
}

/** True for content that says something. */
export function hasText(parts: unknown): boolean {
  if (!Array.isArray(parts)) return nonEmpty(parts) !== undefined;
  return parts.some((part) => isObject(part) && (nonEmpty(part['text']) ?? nonEmpty(part['refusal'])) !== undefined);
}

function textKey(part: JsonObject): 'text' | 'refusal' {
  return part['type'] === 'refusal' ? 'refusal' : 'text';
}

/** The parts that have streamed text, in the order of their indexes. */
function streamedParts(slot: TrackedItem, kinds: readonly PartKind[]): JsonObject[] | undefined {
  const found = [...slot.parts.values()].filter((part) => kinds.includes(part.kind) && textOf(part) !== '');
  if (found.length === 0) return undefined;
  return found.sort((a, b) => a.index - b.index).map(partOf);
}

function textOf({ whole, text }: Part): string {
  return nonEmpty(whole) ?? text.toString();
}

function partOf(part: Part): JsonObject {
  const text = textOf(part);
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
