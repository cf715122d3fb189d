import type { JsonObject } from './base/json.ts';
import { nonEmpty } from './base/json.ts';
import { WantedList } from './base/wanted-list.ts';
import type { ModelEvent } from './model/events.ts';
import type { OutputItem } from './model/items.ts';
import type { MintId } from './decoder.ts';
import type { Repairs } from './repairs.ts';
import { idPrefixes, itemKindOf, ownId, type ItemKind, type PartKind } from './item-parts.ts';
import { addTexts, restOf } from './item-rest.ts';
import { madeUpCall, madeUpMessage, madeUpReasoning } from './made-up-items.ts';

/** The canonical events that belong to one item. */
export type ItemEvent = Extract<
  ModelEvent,
  {
    type:
      | 'output_item.added'
      | 'output_item.done'
      | 'output_text.delta'
      | 'refusal.delta'
      | 'reasoning_text.delta'
      | 'reasoning_summary_text.delta'
      | 'reasoning_summary_text.done'
      | 'reasoning_summary_part.added'
      | 'tool_call_input.delta';
  }
>;

/** One item while it is open on the wire. */
export interface OpenItem {
  readonly id: string;
  /** Its place among the items of the answer. */
  readonly index: number;
  /** Absent for what has no text. */
  text?(kind: PartKind, sourceIndex: number, text: string, logprobs?: readonly unknown[]): void;
  /** Absent for what has no input. */
  input?(delta: string): void;
  /** A part of a summary begins, unless that very part is open. Absent where the wire does not tell. */
  beginSummary?(index: number): void;
  /** The whole text of a part of a summary; nothing where that part is not open. Absent where the wire does not tell. */
  finishSummary?(index: number, text: string): void;
  /** Everything that went out as deltas of a kind. */
  sentText(kind: PartKind): string;
  /** Closes with the authoritative item. Returns it as the answer's body has it, where it has it. */
  finish(item: OutputItem): JsonObject | undefined;
  /** Closes a message or reasoning from its deltas, with the same result. */
  finishFromDeltas(status: 'completed' | 'incomplete'): JsonObject | undefined;
}

/** Opens an item on one wire, under an id and at a place that no other has. */
export type OpenOnWire = (announced: OutputItem, id: string, index: number) => OpenItem;

/** One canonical item on its way to the wire. */
interface Slot {
  readonly kind: ItemKind;
  readonly sourceId: string | undefined;
  /** The item as it was announced, or made up for a delta that came without. */
  readonly announced: OutputItem;
  /** Open on the wire; absent before and after. */
  wire: OpenItem | undefined;
  /** Events held back while another item is open. Bounded by the response, which `output` holds anyway. */
  waiting: ItemEvent[];
  /** Its place among those that wait. */
  turn: Turn | undefined;
  done: boolean;
  /** What earlier wire items already carried of this one, per kind of part. */
  carried: ReadonlyMap<PartKind, string>;
  /** Output indexes of its wire items. */
  readonly indexes: number[];
  /** A word on its progress was lost, so that later ones may not add up. */
  silent: boolean;
}

interface Turn {
  readonly slot: Slot;
}

/** Items of one kind that are not done, and those of them without an id. */
class OpenOfKind {
  readonly all = new WantedList<Slot>(({ done }) => !done);
  readonly nameless = new WantedList<Slot>(({ done }) => !done);

  add(slot: Slot): void {
    this.all.add(slot);
    if (slot.sourceId === undefined) this.nameless.add(slot);
  }
}

/** Where an open item is on the wire. */
export interface WirePlace {
  readonly id: string;
  readonly index: number;
}

/**
 * Puts items on the wire one at a time, whatever the order of their canonical events: many clients keep one
 * current item, and lose what is interleaved. While a call is open, everything else waits for its end. A message
 * or reasoning item gives way to the next item's first content: it is closed with what it streamed, and text that
 * comes later follows in an item of its own.
 */
export class ItemSequencer {
  readonly #openOnWire: OpenOnWire;
  readonly #mint: MintId;
  readonly #repairs: Repairs | undefined;
  readonly #slots: Slot[] = [];
  readonly #byKey = new Map<string, Slot>();
  readonly #byKind = new Map<ItemKind, OpenOfKind>();
  readonly #waiting = new WantedList<Turn>((turn) => turn.slot.turn === turn);
  readonly #usedIds = new Set<string>();
  readonly #output = new Map<number, JsonObject>();
  #current: Slot | undefined;
  #nextIndex = 0;

  constructor(openOnWire: OpenOnWire, mint: MintId, repairs?: Repairs) {
    this.#openOnWire = openOnWire;
    this.#mint = mint;
    this.#repairs = repairs;
  }

  push(event: ItemEvent): void {
    const slot = this.#slotOf(event);
    if (slot.done) return;
    const current = this.#current;
    if (current === slot) {
      this.#apply(slot, event);
    } else if (current === undefined) {
      this.#activate(slot, event);
    } else if (givesWay(current, slot, event)) {
      this.#closeEarly(current);
      this.#activate(slot, event);
    } else {
      this.#wait(slot, event);
    }
    if (this.#current === undefined) this.#drain();
  }

  #wait(slot: Slot, event: ItemEvent): void {
    slot.waiting.push(event);
    if (slot.turn !== undefined) return;
    slot.turn = { slot };
    this.#waiting.add(slot.turn);
  }

  /** Closes what is open and sends what waits. A call without its `done` stays open: it must not be run. */
  flush(status: 'completed' | 'incomplete'): void {
    while (this.#current !== undefined) {
      const slot = this.#current;
      this.#current = undefined;
      if (slot.wire !== undefined && isText(slot.kind)) this.#keep(slot.wire, slot.wire.finishFromDeltas(status));
      slot.wire = undefined;
      slot.done = true;
      this.#drain();
    }
  }

  /** Takes back what can be taken back: waiting events, and the place in `output`. */
  discard(ids: readonly string[]): void {
    const discarded = new Set(ids);
    for (const slot of this.#slots) {
      if (slot.sourceId === undefined || !discarded.has(slot.sourceId)) continue;
      slot.waiting = [];
      slot.turn = undefined;
      if (this.#current === slot) {
        this.#current = undefined;
        if (slot.wire !== undefined && isText(slot.kind)) slot.wire.finishFromDeltas('incomplete');
      }
      for (const index of slot.indexes) this.#output.delete(index);
      slot.done = true;
      for (const key of keysOf(slot.announced)) this.#byKey.delete(key);
    }
    if (this.#current === undefined) this.#drain();
  }

  /**
   * Where an item is open on the wire that nothing of ours streams inside, such as a search of the server's own. Undefined
   * for every other item, for one that waits or is done, and from then on for one that had to be asked for in vain.
   */
  placeOf(sourceId: string): WirePlace | undefined {
    const slot = this.#byKey.get(`id ${sourceId}`);
    if (slot?.kind !== 'other') return undefined;
    if (slot.wire === undefined) slot.silent = true;
    return slot.silent ? undefined : slot.wire;
  }

  /** The items that are done, in the order of their `output_index`. */
  output(): JsonObject[] {
    return [...this.#output.keys()].sort((a, b) => a - b).map((index) => this.#output.get(index) ?? {});
  }

  #activate(slot: Slot, event?: ItemEvent): void {
    this.#current = slot;
    const events = slot.waiting;
    slot.waiting = [];
    slot.turn = undefined;
    for (const held of events) this.#apply(slot, held);
    if (event !== undefined) this.#apply(slot, event);
  }

  #drain(): void {
    for (let turn = this.#waiting.first(); turn !== undefined; turn = this.#waiting.first()) {
      this.#activate(turn.slot);
      if (this.#current !== undefined) return;
    }
  }

  #apply(slot: Slot, event: ItemEvent): void {
    switch (event.type) {
      case 'output_text.delta':
        this.#text(slot, 'output_text', 0, event.delta, event.logprobs);
        return;
      case 'tool_call_input.delta':
        if (event.delta !== '') this.#open(slot).input?.(event.delta);
        return;
      case 'reasoning_text.delta':
        this.#text(slot, 'reasoning_text', event.content_index, event.delta);
        return;
      case 'reasoning_summary_text.delta':
        this.#text(slot, 'summary_text', event.summary_index, event.delta);
        return;
      case 'refusal.delta':
        this.#text(slot, 'refusal', 0, event.delta);
        return;
      case 'reasoning_summary_part.added':
        if (slot.kind === 'reasoning') this.#open(slot).beginSummary?.(event.summary_index);
        return;
      case 'reasoning_summary_text.done':
        slot.wire?.finishSummary?.(event.summary_index, event.text);
        return;
      case 'output_item.added':
        this.#open(slot);
        if (slot.kind === 'other') this.#current = undefined; // nothing streams inside: it blocks nobody
        return;
      case 'output_item.done':
        this.#finish(slot, event.item);
        return;
    }
  }

  #text(slot: Slot, kind: PartKind, sourceIndex: number, delta: string, logprobs?: readonly unknown[]): void {
    if (delta === '') return;
    // Blank text after an early close is no reason for another item.
    if (slot.wire === undefined && slot.carried.size > 0 && delta.trim() === '') return;
    this.#open(slot).text?.(kind, sourceIndex, delta, logprobs);
  }

  #keep(wire: OpenItem, done: JsonObject | undefined): void {
    if (done !== undefined) this.#output.set(wire.index, done);
  }

  #open(slot: Slot): OpenItem {
    if (slot.wire !== undefined) return slot.wire;
    const index = this.#nextIndex++;
    slot.indexes.push(index);
    slot.wire = this.#openOnWire(slot.announced, this.#wireId(slot), index);
    return slot.wire;
  }

  /** The item's own id, unless it is taken on this wire; else a minted one that is not. */
  #wireId(slot: Slot): string {
    let id = ownId(slot.announced) ?? this.#mint(idPrefixes[slot.kind]);
    // Text that goes on behind another item is the same item.
    if (this.#usedIds.has(id) && slot.indexes.length === 1) this.#repairs?.add('repeated_item_id');
    for (let n = 0; this.#usedIds.has(id); n++) id = `${this.#mint(idPrefixes[slot.kind])}${n === 0 ? '' : `_${n}`}`;
    this.#usedIds.add(id);
    return id;
  }

  #closeEarly(slot: Slot): void {
    const wire = slot.wire;
    this.#current = undefined;
    if (wire === undefined) return;
    this.#keep(wire, wire.finishFromDeltas('completed'));
    slot.carried = addTexts(slot.carried, (kind) => wire.sentText(kind));
    slot.wire = undefined;
  }

  #finish(slot: Slot, item: OutputItem): void {
    if (this.#current === slot) this.#current = undefined;
    slot.done = true;
    const rest = slot.carried.size === 0 ? item : restOf(item, slot.carried);
    if (rest === undefined && slot.wire === undefined) return;
    const wire = this.#open(slot);
    this.#keep(wire, rest === undefined ? wire.finishFromDeltas('completed') : wire.finish(rest));
    slot.wire = undefined;
  }

  #slotOf(event: ItemEvent): Slot {
    const current = this.#current;
    if ('item' in event) return this.#slotOfItem(event);
    if (event.item_id !== undefined && event.item_id === current?.sourceId) return current;
    if (event.type === 'tool_call_input.delta') {
      const known = this.#byKey.get(`call ${event.call_id}`);
      return known ?? this.#add(madeUpCall(event.call_id, event.name, event.item_id));
    }
    const kind = event.type === 'output_text.delta' || event.type === 'refusal.delta' ? 'message' : 'reasoning';
    const known = event.item_id === undefined ? this.#latest(kind) : this.#byKey.get(`id ${event.item_id}`);
    return known ?? this.#add(kind === 'message' ? madeUpMessage(event.item_id) : madeUpReasoning(event.item_id));
  }

  #slotOfItem(event: Extract<ItemEvent, { item: OutputItem }>): Slot {
    const keys = keysOf(event.item);
    for (const key of keys) {
      const known = this.#byKey.get(key);
      if (known !== undefined) return known;
    }
    const kind = itemKindOf(event.item);
    const open = event.type === 'output_item.done' && keys.length === 0 ? this.#latest(kind) : undefined;
    return open ?? this.#add(event.item);
  }

  /** What an event without an id is about: the latest item of a kind that is not done and has none either, else any. */
  #latest(kind: ItemKind): Slot | undefined {
    const open = this.#byKind.get(kind);
    return open?.nameless.last() ?? open?.all.last();
  }

  #add(announced: OutputItem): Slot {
    const slot: Slot = {
      kind: itemKindOf(announced),
      sourceId: ownId(announced),
      announced,
      wire: undefined,
      waiting: [],
      turn: undefined,
      done: false,
      carried: new Map(),
      indexes: [],
      silent: false,
    };
    this.#slots.push(slot);
    const ofKind = this.#byKind.get(slot.kind) ?? new OpenOfKind();
    this.#byKind.set(slot.kind, ofKind);
    ofKind.add(slot);
    for (const key of keysOf(announced)) this.#byKey.set(key, slot);
    return slot;
  }
}

/**
 * Only text gives way, to an item of another kind, and only to content: an announcement alone can wait. An item that
 * gave way itself does not take over again, so that two that alternate do not become a hundred.
 */
function givesWay(current: Slot, next: Slot, event: ItemEvent): boolean {
  const takesOver = current.kind !== next.kind && next.carried.size === 0;
  return isText(current.kind) && takesOver && event.type !== 'output_item.added';
}

function isText(kind: ItemKind): boolean {
  return kind === 'message' || kind === 'reasoning';
}

function keysOf(item: OutputItem): string[] {
  const keys: string[] = [];
  const id = ownId(item);
  if (id !== undefined) keys.push(`id ${id}`);
  const callId = nonEmpty(item['call_id' as keyof OutputItem]);
  const kind = itemKindOf(item);
  if (callId !== undefined && (kind === 'function' || kind === 'custom')) keys.push(`call ${callId}`);
  return keys;
}
