import { nonEmpty, stringOf, type JsonObject } from '../../base/json.ts';
import { TextBuffer } from '../../base/text-buffer.ts';

/** One output item as far as the stream has told of it. */
export interface Slot {
  type: string;
  id: string | undefined;
  callId: string | undefined;
  name: string | undefined;
  readonly outputIndex: number | undefined;
  /** As it was announced, by the server or by us. */
  item: JsonObject | undefined;
  /** `output_item.done` went out. */
  done: boolean;
  /** Text per part kind and index, for items that never get their own `done`. */
  readonly parts: Map<string, Part>;
  /** Tool input so far. */
  readonly input: TextBuffer;
  /** The whole input, from `*.done`. */
  wholeInput: string | undefined;
}

export interface Part {
  readonly kind: PartKind;
  readonly index: number;
  readonly text: TextBuffer;
  /** The whole text, from `*.done`. */
  whole: string | undefined;
}

export type PartKind = 'output_text' | 'refusal' | 'reasoning_text' | 'summary_text';

/** What a wire event says of the item it belongs to. */
export interface Reference {
  readonly id: string | undefined;
  readonly callId: string | undefined;
  readonly outputIndex: number | undefined;
}

/** Reads the reference of a delta: `item_id`, `call_id`, `output_index`. */
export function referenceOf(event: JsonObject): Reference {
  return {
    id: nonEmpty(event['item_id']),
    callId: nonEmpty(event['call_id']),
    outputIndex: indexOf(event['output_index']),
  };
}

/** The part of an item, opened where it is not there yet. */
export function partAt(slot: Slot, kind: PartKind, index: number): Part {
  const key = kind + String(index);
  let part = slot.parts.get(key);
  if (part === undefined) {
    part = { kind, index, text: new TextBuffer(), whole: undefined };
    slot.parts.set(key, part);
  }
  return part;
}

/** A whole number from 0 on, else absent. */
export function indexOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** The items of one response, and the rules for which of them an event or a final item means. */
export class SlotTable {
  readonly slots: Slot[] = [];
  readonly #byId = new Map<string, Slot>();
  readonly #byCallId = new Map<string, Slot>();
  readonly #byIndex = new Map<number, Slot>();

  create(type: string, reference: Reference): Slot {
    const slot: Slot = {
      type,
      id: undefined,
      callId: undefined,
      name: undefined,
      outputIndex: reference.outputIndex,
      item: undefined,
      done: false,
      parts: new Map(),
      input: new TextBuffer(),
      wholeInput: undefined,
    };
    this.slots.push(slot);
    if (reference.outputIndex !== undefined) this.#byIndex.set(reference.outputIndex, slot);
    this.identify(slot, reference.id, reference.callId);
    return slot;
  }

  /** Makes the slot known under ids that came later; the first of each kind is the slot's own. */
  identify(slot: Slot, id: string | undefined, callId: string | undefined): void {
    slot.id ??= id;
    slot.callId ??= callId;
    if (id !== undefined && !this.#byId.has(id)) this.#byId.set(id, slot);
    if (callId === undefined) return;
    const key = callKey(slot.type, callId);
    if (!this.#byCallId.has(key)) this.#byCallId.set(key, slot);
  }

  /** By id, else by call_id: a call and its output share one, so the type counts there. */
  byName(type: string, { id, callId }: Reference): Slot | undefined {
    const known = id === undefined ? undefined : this.#byId.get(id);
    return known ?? (callId === undefined ? undefined : this.#byCallId.get(callKey(type, callId)));
  }

  /** The slot of a delta: by its ids; by its place; without either, the open one of its type that came last. */
  forDelta(type: string, reference: Reference): Slot | undefined {
    const named = this.byName(type, reference);
    if (named !== undefined) return named;
    if (reference.outputIndex !== undefined) {
      const placed = this.#byIndex.get(reference.outputIndex);
      return placed?.type === type && !placed.done ? placed : undefined;
    }
    if (reference.id !== undefined || reference.callId !== undefined) return undefined;
    return this.slots.findLast((slot) => slot.type === type && !slot.done);
  }

  /** The open slot that `output_item.done` closes: by ids; by place; without ids on either side, the first open one of its type. */
  forDone(type: string, reference: Reference): Slot | undefined {
    const named = this.byName(type, reference);
    if (named !== undefined) return named;
    if (reference.outputIndex !== undefined) {
      const placed = this.#byIndex.get(reference.outputIndex);
      if (placed?.type === type && !placed.done) return placed;
    }
    return this.slots.find((slot) => slot.type === type && !slot.done && mayBe(slot, reference));
  }

  /**
   * Which slot each item of a final `output` is: by id or call_id first, then by its place, then as the n-th of its
   * type. Items that no slot stands for map to `undefined`.
   */
  matchOutput(items: readonly JsonObject[]): (Slot | undefined)[] {
    const taken = new Set<Slot>();
    const takeNamed = (slot: Slot | undefined): Slot | undefined => {
      if (slot === undefined || taken.has(slot)) return undefined;
      taken.add(slot);
      return slot;
    };
    const take = (slot: Slot | undefined, type: string): Slot | undefined =>
      slot?.type === type ? takeNamed(slot) : undefined;
    const types = items.map(typeOf);
    const matches = items.map((item, place) => takeNamed(this.byName(types[place] ?? '', namesOf(item))));
    for (const [place, type] of types.entries()) matches[place] ??= take(this.#byIndex.get(place), type);
    const slotsOf = Map.groupBy(this.slots, ({ type }) => type);
    const seen = new Map<string, number>();
    for (const [place, type] of types.entries()) {
      const nth = seen.get(type) ?? 0;
      seen.set(type, nth + 1);
      matches[place] ??= take(slotsOf.get(type)?.[nth], type);
    }
    return matches;
  }
}

function callKey(type: string, callId: string): string {
  return `${type} ${callId}`;
}

/** The ids that an item carries itself. */
export function namesOf(item: JsonObject): Reference {
  return { id: nonEmpty(item['id']), callId: nonEmpty(item['call_id']), outputIndex: undefined };
}

/** Neither names nor places tell the two apart. */
function mayBe(slot: Slot, { id, callId, outputIndex }: Reference): boolean {
  const anonymous = (slot.id === undefined && slot.callId === undefined) || (id === undefined && callId === undefined);
  return anonymous && (slot.outputIndex === undefined || outputIndex === undefined || slot.outputIndex === outputIndex);
}

/** The item's type, or `''` for a malformed one. */
export function typeOf(item: JsonObject): string {
  return stringOf(item['type']) ?? '';
}
