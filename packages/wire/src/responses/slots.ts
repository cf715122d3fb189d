import { nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import { WantedList } from '../base/wanted-list.ts';

/** One output item as far as the stream has told of it. */
export interface Slot {
  /** Its place among the slots of the response, from 0. */
  readonly order: number;
  readonly type: string;
  id: string | undefined;
  callId: string | undefined;
  name: string | undefined;
  readonly outputIndex: number | undefined;
  /** As it was announced, by the server or by us, until it is done. */
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

/** Nothing more will come of it: its name and place stay known, what it told is let go. */
export function closeSlot(slot: Slot): void {
  slot.done = true;
  slot.item = undefined;
  slot.wholeInput = undefined;
  slot.input.clear();
  slot.parts.clear();
}

/** A whole number from 0 on, else absent. */
export function indexOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** Slots that are open, and those of them that have no name yet. */
class OpenSlots {
  readonly all = new WantedList<Slot>((slot) => !slot.done);
  readonly anonymous = new WantedList<Slot>((slot) => !slot.done && slot.id === undefined && slot.callId === undefined);

  add(slot: Slot): void {
    this.all.add(slot);
    this.anonymous.add(slot);
  }
}

/** The items of one response, and the rules for which of them an event or a final item means: each at constant work. */
export class SlotTable {
  readonly slots: Slot[] = [];
  readonly #byId = new Map<string, Slot>();
  readonly #byCallId = new Map<string, Slot>();
  /** The latest slot at each place. */
  readonly #byIndex = new Map<number, Slot>();
  readonly #byType = new Map<string, OpenSlots>();
  /** By type: slots of which no place was told. */
  readonly #unplaced = new Map<string, OpenSlots>();
  /** By place and type: slots that a later one at the same place hides; some servers have one place for all items. */
  readonly #hidden = new Map<string, OpenSlots>();

  create(type: string, reference: Reference): Slot {
    const slot: Slot = {
      order: this.slots.length,
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
    this.identify(slot, reference.id, reference.callId);
    openSlotsAt(this.#byType, type).add(slot);
    this.#place(slot);
    return slot;
  }

  #place(slot: Slot): void {
    const { type, outputIndex } = slot;
    if (outputIndex === undefined) {
      openSlotsAt(this.#unplaced, type).add(slot);
      return;
    }
    const hidden = this.#byIndex.get(outputIndex);
    if (hidden !== undefined) openSlotsAt(this.#hidden, placeKey(hidden.type, outputIndex)).add(hidden);
    this.#byIndex.set(outputIndex, slot);
  }

  /** True when a slot of the type was ever opened. */
  knows(type: string): boolean {
    return this.#byType.has(type);
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
    return this.#byType.get(type)?.all.last();
  }

  /** The open slot that `output_item.done` closes: by ids; by place; without ids on either side, the first open one of its type. */
  forDone(type: string, reference: Reference): Slot | undefined {
    const named = this.byName(type, reference);
    if (named !== undefined) return named;
    if (reference.outputIndex !== undefined) {
      const placed = this.#byIndex.get(reference.outputIndex);
      if (placed?.type === type && !placed.done) return placed;
    }
    return this.#firstOpen(type, reference);
  }

  /** The first open slot of which neither names nor places tell that it is another one. */
  #firstOpen(type: string, { id, callId, outputIndex }: Reference): Slot | undefined {
    const isNamed = id !== undefined || callId !== undefined;
    const firstOf = (slots: OpenSlots | undefined): Slot | undefined =>
      (isNamed ? slots?.anonymous : slots?.all)?.first();
    if (outputIndex === undefined) return firstOf(this.#byType.get(type));
    const unplaced = firstOf(this.#unplaced.get(type));
    const placed = firstOf(this.#hidden.get(placeKey(type, outputIndex)));
    if (unplaced === undefined || placed === undefined) return unplaced ?? placed;
    return unplaced.order < placed.order ? unplaced : placed;
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

function placeKey(type: string, outputIndex: number): string {
  return `${outputIndex} ${type}`;
}

function openSlotsAt(map: Map<string, OpenSlots>, key: string): OpenSlots {
  let slots = map.get(key);
  if (slots === undefined) map.set(key, (slots = new OpenSlots()));
  return slots;
}

/** The ids that an item carries itself. */
export function namesOf(item: JsonObject): Reference {
  return { id: nonEmpty(item['id']), callId: nonEmpty(item['call_id']), outputIndex: undefined };
}

/** The item's type, or `''` for a malformed one. */
export function typeOf(item: JsonObject): string {
  return stringOf(item['type']) ?? '';
}
