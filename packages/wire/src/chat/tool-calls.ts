import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import type { Repair } from '../repairs.ts';

/** A tool call as far as it has come. */
export interface CallSlot {
  /** The order of first sight in the whole response, from 0. */
  readonly order: number;
  /** As first told; until the call is announced a later fragment may still say `custom`. */
  kind: 'function' | 'custom';
  id: string | undefined;
  name: string | undefined;
  readonly input: TextBuffer;
  /** The item's minted id once it was announced. */
  itemId: string | undefined;
}

/** One fragment of `delta.tool_calls`, reduced to what the rules look at. */
export interface CallFragment {
  readonly id: string | undefined;
  readonly index: number | undefined;
  readonly custom: boolean;
  readonly name: string | undefined;
  readonly input: string;
  /** The input came as an object instead of JSON text. */
  readonly isObject: boolean;
}

const EMPTY: JsonObject = {};

/** Reads a fragment; anything of the wrong type counts as absent. `undefined`: not an object at all. */
export function readFragment(value: unknown): CallFragment | undefined {
  if (!isObject(value)) return undefined;
  const custom = value['type'] === 'custom' || (typeof value['type'] !== 'string' && isObject(value['custom']));
  const body = custom ? value['custom'] : value['function'];
  const fields = isObject(body) ? body : EMPTY;
  const input = custom ? fields['input'] : fields['arguments'];
  return {
    id: nonEmpty(value['id']),
    index: parseIndex(value['index']),
    custom,
    name: nonEmpty(fields['name']),
    input: toInput(input),
    isObject: typeof input === 'object' && input !== null,
  };
}

function parseIndex(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function toInput(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : '';
}

/** The calls of one choice, and the rules for which call a fragment belongs to (docs/contract.md 3.4). */
export class CallTable {
  readonly slots: CallSlot[] = [];
  readonly #byId = new Map<string, CallSlot>();
  readonly #latestByIndex = new Map<number, CallSlot>();
  #last: CallSlot | undefined;

  /** @param nextOrder a new call's place in the whole response */
  slotFor(fragment: CallFragment, nextOrder: number): CallSlot {
    const slot = this.#find(fragment) ?? this.#create(fragment, nextOrder);
    if (fragment.id !== undefined && slot.id === undefined) {
      slot.id = fragment.id;
      this.#byId.set(fragment.id, slot);
    }
    slot.name ??= fragment.name;
    if (fragment.custom && slot.itemId === undefined) slot.kind = 'custom';
    this.#last = slot;
    return slot;
  }

  /** What is made good of the names of a fragment that was not taken yet. */
  repairOf({ id, index }: CallFragment): Repair | undefined {
    if (index === undefined) return 'no_tool_index';
    if (id === undefined || this.#byId.has(id)) return undefined;
    const latest = this.#latestByIndex.get(index);
    if (latest === undefined) return undefined;
    return latest.id === undefined ? 'late_call_id' : 'reused_tool_index';
  }

  #find({ id, index }: CallFragment): CallSlot | undefined {
    if (id === undefined) return index === undefined ? this.#last : this.#latestByIndex.get(index);
    const known = this.#byId.get(id);
    if (known !== undefined || index === undefined) return known;
    const latest = this.#latestByIndex.get(index);
    return latest?.id === undefined ? latest : undefined;
  }

  #create({ index, custom }: CallFragment, order: number): CallSlot {
    const slot: CallSlot = {
      order,
      kind: custom ? 'custom' : 'function',
      id: undefined,
      name: undefined,
      input: new TextBuffer(),
      itemId: undefined,
    };
    this.slots.push(slot);
    if (index !== undefined) this.#latestByIndex.set(index, slot);
    return slot;
  }
}
