import { nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import { WantedList } from '../base/wanted-list.ts';
import type { PartKind } from '../item-parts.ts';

/** One output item as far as the stream has told of it. */
export interface TrackedItem {
  /** Its place among the slots of the response, from 0. */
  readonly order: number;
  readonly type: string;
  id: string | undefined;
  /** Its id is ours: the server gave it none, and another of its type without an id was open. */
  minted: boolean;
  callId: string | undefined;
  name: string | undefined;
  readonly outputIndex: number | undefined;
  /** As it was last told, until it is done. */
  item: JsonObject | undefined;
  /** `output_item.added` went out. */
  announced: boolean;
  /** The server said that it is done, but not with a whole input: the end tells what becomes of it. */
  waits: boolean;
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
export function partAt(slot: TrackedItem, kind: PartKind, index: number): Part {
  const key = kind + String(index);
  let part = slot.parts.get(key);
  if (part === undefined) {
    part = { kind, index, text: new TextBuffer(), whole: undefined };
    slot.parts.set(key, part);
  }
  return part;
}

/** Nothing more will come of it: its name and place stay known, what it told is let go. */
export function closeSlot(slot: TrackedItem): void {
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

/** True while more may come for it. */
export function isOpen(slot: TrackedItem): boolean {
  return !slot.done && !slot.waits;
}

/** The server has told no id of it. */
function isNameless({ id, minted }: TrackedItem): boolean {
  return id === undefined || minted;
}

function differ<T>(one: T | undefined, other: T | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** Slots that are open, and those of them that have no name yet. */
class OpenSlots {
  readonly all = new WantedList<TrackedItem>(isOpen);
  readonly anonymous = new WantedList<TrackedItem>(
    (slot) => isOpen(slot) && isNameless(slot) && slot.callId === undefined,
  );

  add(slot: TrackedItem): void {
    this.all.add(slot);
    this.anonymous.add(slot);
  }
}

/** Slots that share a name: nearly always one, as names are for. */
class Namesakes {
  readonly all: TrackedItem[] = [];
  readonly open = new WantedList<TrackedItem>(isOpen);
  readonly #byPlace = new Map<number | undefined, TrackedItem>();

  add(slot: TrackedItem): void {
    if (this.all.at(-1) === slot) return;
    this.all.push(slot);
    this.open.add(slot);
    this.#byPlace.set(slot.outputIndex, slot);
  }

  /** The one at the place; places that were not told may be any. */
  at(outputIndex: number | undefined): TrackedItem | undefined {
    if (outputIndex === undefined) return this.open.first() ?? this.all[0];
    return this.#byPlace.get(outputIndex) ?? this.#byPlace.get(undefined);
  }

  /** The one at the place, or, where none is, one that is open, or any. */
  nearest(outputIndex: number | undefined): TrackedItem | undefined {
    return this.at(outputIndex) ?? this.open.first() ?? this.all[0];
  }
}

/** The items of one response, and the rules for which of them an event or a final item means: each at constant work. */
export class ItemTracker {
  readonly slots: TrackedItem[] = [];
  /** Grows with every item and every name that it comes to know: an answer to the same question may be another then. */
  changes = 0;
  readonly #byId = new Map<string, Namesakes>();
  /** By id alone: the final output may call an item of another type. */
  readonly #byAnyId = new Map<string, Namesakes>();
  readonly #byCallId = new Map<string, Namesakes>();
  /** How many calls came under each call_id. */
  readonly #callIds = new Map<string, number>();
  /** The latest slot at each place. */
  readonly #byIndex = new Map<number, TrackedItem>();
  readonly #byType = new Map<string, OpenSlots>();
  /** By type: slots of which no place was told. */
  readonly #unplaced = new Map<string, OpenSlots>();
  /** By place and type: slots that a later one at the same place hides; some servers have one place for all items. */
  readonly #hidden = new Map<string, OpenSlots>();
  readonly #onSharedCallId: () => void;

  /** @param onSharedCallId told of each call that comes under the `call_id` of another */
  constructor(onSharedCallId: () => void) {
    this.#onSharedCallId = onSharedCallId;
  }

  create(type: string, reference: Reference): TrackedItem {
    const slot: TrackedItem = {
      order: this.slots.length,
      type,
      id: undefined,
      minted: false,
      callId: undefined,
      name: undefined,
      outputIndex: reference.outputIndex,
      item: undefined,
      announced: false,
      waits: false,
      done: false,
      parts: new Map(),
      input: new TextBuffer(),
      wholeInput: undefined,
    };
    this.slots.push(slot);
    this.changes++;
    this.identify(slot, reference.id, reference.callId);
    openSlotsAt(this.#byType, type).add(slot);
    this.#place(slot);
    return slot;
  }

  #place(slot: TrackedItem): void {
    const { type, outputIndex } = slot;
    if (outputIndex === undefined) {
      openSlotsAt(this.#unplaced, type).add(slot);
      return;
    }
    const hidden = this.#byIndex.get(outputIndex);
    if (hidden !== undefined) openSlotsAt(this.#hidden, placeKey(hidden.type, outputIndex)).add(hidden);
    this.#byIndex.set(outputIndex, slot);
  }

  /** True where an event that no slot stands for may tell of a new item: at a place, or of a type, that had none. */
  hasRoomFor(type: string, { outputIndex }: Reference): boolean {
    return outputIndex === undefined ? !this.#byType.has(type) : this.#byIndex.get(outputIndex)?.type !== type;
  }

  /** Makes the slot known under ids that came later; the first of each kind is the slot's own. */
  identify(slot: TrackedItem, id: string | undefined, callId: string | undefined): void {
    if (id === undefined && callId === undefined) return;
    this.changes++;
    if (id !== undefined) {
      slot.id ??= id;
      namesakesAt(this.#byId, nameKey(slot.type, id)).add(slot);
      namesakesAt(this.#byAnyId, id).add(slot);
    }
    if (callId !== undefined) {
      slot.callId ??= this.#ownCallId(slot.type, callId);
      namesakesAt(this.#byCallId, nameKey(slot.type, callId)).add(slot);
    }
  }

  /** Two calls under one call_id are two (docs/contract.md section 4): the second gets one of its own. */
  #ownCallId(type: string, callId: string): string {
    if (!type.endsWith('_call')) return callId; // a call and its output share one
    const count = (this.#callIds.get(callId) ?? 0) + 1;
    this.#callIds.set(callId, count);
    if (count > 1) this.#onSharedCallId();
    return count === 1 ? callId : this.#ownCallId(type, `${callId}-${count}`);
  }

  /** The slot that `output_item.added` means: another id, or another place, is another item. */
  forAdded(type: string, reference: Reference): TrackedItem | undefined {
    const { id, outputIndex } = reference;
    const named = this.#withId(type, reference)?.at(outputIndex);
    if (named !== undefined) return named;
    const called = this.#withCallId(type, reference)?.at(outputIndex);
    return called !== undefined && !differ(called.id, id) ? called : this.#heldSlot(type, reference);
  }

  /** A slot that deltas opened before its item was told. */
  #heldSlot(type: string, { outputIndex }: Reference): TrackedItem | undefined {
    const slot = this.forDelta(type, { ...NAMELESS, outputIndex });
    return slot !== undefined && slot.item === undefined && isNameless(slot) ? slot : undefined;
  }

  /** The slot of a delta: by its ids; by its place; without either, the open one of its type that came last. */
  forDelta(type: string, reference: Reference): TrackedItem | undefined {
    const { outputIndex } = reference;
    const named = (this.#withId(type, reference) ?? this.#withCallId(type, reference))?.nearest(outputIndex);
    if (named !== undefined) return named;
    if (outputIndex !== undefined) return this.#openAt(type, outputIndex);
    if (reference.id !== undefined || reference.callId !== undefined) return undefined;
    return this.#byType.get(type)?.all.last();
  }

  /**
   * The slot that `output_item.done` closes, or that was done before: by ids; by place; without ids on either side, the
   * first open one of its type. Two items of different ids, or at different places, are two, whatever their call_id.
   */
  forDone(type: string, reference: Reference): TrackedItem | undefined {
    const { id, outputIndex } = reference;
    const withId = this.#withId(type, reference);
    const named = withId?.at(outputIndex) ?? withId?.open.first();
    if (named !== undefined) return named;
    const called = this.#withCallId(type, reference)?.at(outputIndex);
    if (called !== undefined && (isOpen(called) || !differ(called.id, id))) return called;
    const placed = outputIndex === undefined ? undefined : this.#openAt(type, outputIndex);
    return placed ?? this.#firstOpen(type, reference);
  }

  #openAt(type: string, outputIndex: number): TrackedItem | undefined {
    const slot = this.#byIndex.get(outputIndex);
    return slot?.type === type && isOpen(slot) ? slot : undefined;
  }

  #withId(type: string, { id }: Reference): Namesakes | undefined {
    return id === undefined ? undefined : this.#byId.get(nameKey(type, id));
  }

  #withCallId(type: string, { callId }: Reference): Namesakes | undefined {
    return callId === undefined ? undefined : this.#byCallId.get(nameKey(type, callId));
  }

  /** The first open slot of which neither names nor places tell that it is another one. */
  #firstOpen(type: string, { id, callId, outputIndex }: Reference): TrackedItem | undefined {
    const isNamed = id !== undefined || callId !== undefined;
    const firstOf = (slots: OpenSlots | undefined): TrackedItem | undefined =>
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
  matchOutput(items: readonly JsonObject[]): (TrackedItem | undefined)[] {
    const taken = new Set<TrackedItem>();
    const takeNamed = (slot: TrackedItem | undefined): TrackedItem | undefined => {
      if (slot === undefined || taken.has(slot)) return undefined;
      taken.add(slot);
      return slot;
    };
    const take = (slot: TrackedItem | undefined, type: string): TrackedItem | undefined =>
      slot?.type === type ? takeNamed(slot) : undefined;
    const used = new Map<Namesakes, number>();
    const takeNext = (slots: Namesakes | undefined): TrackedItem | undefined => {
      if (slots === undefined) return undefined;
      let next = used.get(slots) ?? 0;
      while (next < slots.all.length && taken.has(slots.all[next] as TrackedItem)) next++;
      used.set(slots, next + 1);
      return takeNamed(slots.all[next]);
    };
    const types = items.map(typeOf);
    const names = items.map(namesOf);
    const matches = names.map((name, place) => takeNext(this.#withId(types[place] ?? '', name)));
    for (const [place, name] of names.entries()) {
      matches[place] ??= takeNext(name.id === undefined ? undefined : this.#byAnyId.get(name.id));
      matches[place] ??= takeNext(this.#withCallId(types[place] ?? '', name));
    }
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

const NAMELESS: Reference = { id: undefined, callId: undefined, outputIndex: undefined };

function nameKey(type: string, name: string): string {
  return `${type} ${name}`;
}

function namesakesAt(map: Map<string, Namesakes>, key: string): Namesakes {
  let slots = map.get(key);
  if (slots === undefined) map.set(key, (slots = new Namesakes()));
  return slots;
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
