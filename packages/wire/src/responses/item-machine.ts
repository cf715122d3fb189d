import { isWholeInput } from '../arguments.ts';
import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import type { DecoderOptions, MintId } from '../decoder.ts';
import type { PartKind } from '../item-parts.ts';
import { countingIds, WireMachine } from '../machine.ts';
import type { ModelError } from '../model/errors.ts';
import type { DroppedToolCall } from '../model/events.ts';
import type { TextRoute } from '../sse/templates.ts';
import { inputDeltas, textDeltas, type CallType } from './delta-types.ts';
import {
  callTargetOf,
  isSameCall,
  isSameText,
  textTargetOf,
  type CallTarget,
  type TextTarget,
} from './delta-targets.ts';
import { closingsOf } from './final-output.ts';
import {
  callInput,
  droppedCallOf,
  emptyItem,
  hasText,
  inputKey,
  inputText,
  isCallType,
  itemFromDeltas,
  wholeItem,
} from './items.ts';
import {
  closeSlot,
  indexOf,
  isOpen,
  namesOf,
  partAt,
  referenceOf,
  ItemTracker,
  typeOf,
  type TrackedItem,
} from './item-tracker.ts';
import { textDelta, withLogprobs } from './text-delta.ts';
import { logprobsIn } from '../dialects/answer-extras.ts';

const NONE: readonly unknown[] = [];

/** What the events of a response tell of its items: docs/contract.md section 4, each item exactly once. */
export abstract class ItemMachine extends WireMachine {
  readonly #table = new ItemTracker(() => this.repaired('shared_call_id'));
  #lastTarget: TextTarget | undefined;
  #lastCall: CallTarget | undefined;
  readonly #mintId: MintId | undefined;
  readonly #mintItemId: MintId;
  /** By type: the last item that was told of without an id. */
  readonly #nameless = new Map<string, TrackedItem>();
  /** Calls that are not handed on. */
  protected readonly dropped: DroppedToolCall[] = [];

  constructor({ mintId, repairs }: DecoderOptions = {}) {
    super(repairs);
    this.#mintId = mintId;
    this.#mintItemId = mintId ?? countingIds();
  }

  /** An item came: `response.created` should have come before. */
  protected abstract noteCreated(): void;

  onItemAdded(event: JsonObject): void {
    const item = event['item'];
    if (!isObject(item)) {
      this.skip();
      return;
    }
    const slot = this.#slotForItem(item, event);
    if (slot.item !== undefined || !isOpen(slot)) {
      this.repaired('repeated_item');
      return;
    }
    this.#noteNames(event, item);
    slot.item = item;
    if (slot.callId !== undefined || !isCallType(slot.type)) this.#announce(slot, item);
  }

  #noteNames(event: JsonObject, item: JsonObject): void {
    this.noteCreated();
    if (nonEmpty(item['id']) === undefined) this.repaired('no_item_id');
    if (indexOf(event['output_index']) === undefined) this.repaired('no_output_index');
  }

  #slotForItem(item: JsonObject, event: JsonObject): TrackedItem {
    const names = { ...namesOf(item), outputIndex: indexOf(event['output_index']) };
    const slot = this.#table.forAdded(typeOf(item), names) ?? this.#table.create(typeOf(item), names);
    this.#table.identify(slot, names.id, names.callId);
    slot.name ??= nonEmpty(item['name']);
    return slot;
  }

  #announce(slot: TrackedItem, item: JsonObject): void {
    this.#lastTarget = undefined;
    this.#nameIfCrowded(slot);
    const named = slot.minted ? { ...item, id: slot.id } : item;
    slot.item = slot.callId === undefined || !isCallType(slot.type) ? named : { ...named, call_id: slot.callId };
    slot.announced = true;
    this.deliver({ type: 'output_item.added', item: slot.item });
    if (slot.input.length > 0) this.#inputDelta(slot, slot.input.toString());
  }

  /** Items without ids are told apart by their order. One that begins while another of its type is open needs an id. */
  #nameIfCrowded(slot: TrackedItem): void {
    if (slot.id !== undefined || isCallType(slot.type)) return;
    const before = this.#nameless.get(slot.type);
    if (before === undefined || before.done) {
      this.#nameless.set(slot.type, slot);
      return;
    }
    slot.id = this.#mintItemId(slot.type === 'reasoning' ? 'rs' : 'msg');
    slot.minted = true;
  }

  /** The short way of a delta, where only its text varies. */
  protected routeOfDelta(event: JsonObject): TextRoute | undefined {
    if (typeof event['delta'] !== 'string' || logprobsIn(event['logprobs']).length > 0) return undefined;
    const kind = textDeltas.get(event['type']);
    if (kind !== undefined) return (text) => this.#takeText(event, kind, text, NONE);
    const type = inputDeltas.get(event['type']);
    return type === undefined ? undefined : (text) => this.#takeInput(event, type, text);
  }

  onText(event: JsonObject, kind: PartKind): void {
    const delta = event['delta'];
    if (typeof delta !== 'string') {
      this.skip();
      return;
    }
    const logprobs = kind === 'output_text' ? logprobsIn(event['logprobs']) : NONE;
    this.#takeText(event, kind, delta, logprobs);
  }

  #takeText(event: JsonObject, kind: PartKind, delta: string, logprobs: readonly unknown[]): void {
    if (delta === '') return;
    const target = this.#sameTarget(event) ?? this.#textTarget(event, kind);
    if (target.slot.done) {
      this.skip();
      return;
    }
    target.part.text.append(delta);
    const told = textDelta(kind, delta, target.part.index, target.slot.id);
    this.deliver(logprobs.length === 0 ? told : withLogprobs(told, logprobs));
  }

  /** Where the last delta went, if this one says the same of its place: nearly always. */
  #sameTarget(event: JsonObject): TextTarget | undefined {
    const last = this.#lastTarget;
    return last !== undefined && isSameText(last, event) && !last.slot.done ? last : undefined;
  }

  #textTarget(event: JsonObject, kind: PartKind): TextTarget {
    const slot = this.#openSlot(kind === 'output_text' || kind === 'refusal' ? 'message' : 'reasoning', event);
    const index = indexOf(event[kind === 'summary_text' ? 'summary_index' : 'content_index']) ?? 0;
    this.#lastTarget = textTargetOf(event, slot, partAt(slot, kind, index));
    return this.#lastTarget;
  }

  /** The slot of a text delta, announced first if the server did not. */
  #openSlot(type: 'message' | 'reasoning', event: JsonObject): TrackedItem {
    const reference = referenceOf(event);
    const slot = this.#table.forDelta(type, reference) ?? this.#table.create(type, reference);
    if (!slot.announced && !slot.done) {
      this.repaired('unannounced_item');
      this.#announce(slot, emptyItem(type, slot.id));
    }
    return slot;
  }

  onSummaryDone(event: JsonObject): void {
    const told = event['text'];
    if (typeof told !== 'string') {
      this.skip();
      return;
    }
    const slot = this.#openSlot('reasoning', event);
    const index = indexOf(event['summary_index']) ?? 0;
    const part = partAt(slot, 'summary_text', index);
    const text = nonEmpty(told) ?? part.text.toString();
    part.whole = text;
    this.deliver({
      type: 'reasoning_summary_text.done',
      text,
      summary_index: index,
      ...(slot.id === undefined ? {} : { item_id: slot.id }),
    });
  }

  onSummaryPart(event: JsonObject): void {
    const slot = this.#openSlot('reasoning', event);
    this.deliver({
      type: 'reasoning_summary_part.added',
      summary_index: indexOf(event['summary_index']) ?? 0,
      ...(slot.id === undefined ? {} : { item_id: slot.id }),
    });
  }

  /** A part's whole text: kept for an item that never gets its own `done`, which may be all that tells of it. */
  onTextDone(event: JsonObject, kind: PartKind): void {
    this.emit({ type: 'unknown', raw: event });
    const text = event[kind === 'refusal' ? 'refusal' : 'text'];
    if (typeof text !== 'string') return;
    const type = kind === 'reasoning_text' ? 'reasoning' : 'message';
    const reference = referenceOf(event);
    const known = this.#table.forDelta(type, reference);
    const isFirst = text !== '' && this.#table.hasRoomFor(type, reference);
    const slot = known ?? (isFirst ? this.#openSlot(type, event) : undefined);
    if (slot === undefined || slot.done) return;
    partAt(slot, kind, indexOf(event['content_index']) ?? 0).whole = text;
  }

  onInput(event: JsonObject, type: CallType): void {
    const delta = event['delta'];
    if (typeof delta === 'string') this.#takeInput(event, type, delta);
    else this.skip();
  }

  #takeInput(event: JsonObject, type: CallType, delta: string): void {
    if (delta === '') return;
    const slot = this.#sameCall(event) ?? this.#callOf(event, type);
    if (!isOpen(slot)) {
      this.skip();
      return;
    }
    slot.input.append(delta);
    if (slot.announced) this.#inputDelta(slot, delta);
  }

  /** The call of the last piece, if this one says the same of its place and no item got a place or a name since. */
  #sameCall(event: JsonObject): TrackedItem | undefined {
    const last = this.#lastCall;
    if (last === undefined || !isSameCall(last, event, this.#table.changes)) return undefined;
    return isOpen(last.slot) ? last.slot : undefined;
  }

  #callOf(event: JsonObject, type: CallType): TrackedItem {
    const reference = referenceOf(event);
    const slot = this.#table.forDelta(type, reference) ?? this.#table.create(type, reference);
    this.#lastCall = callTargetOf(event, slot, this.#table.changes);
    return slot;
  }

  #inputDelta({ callId: call_id = '', name, id: item_id }: TrackedItem, delta: string): void {
    if (name !== undefined && item_id !== undefined) {
      this.deliver({ type: 'tool_call_input.delta', call_id, name, item_id, delta });
      return;
    }
    const names = { ...(name === undefined ? {} : { name }), ...(item_id === undefined ? {} : { item_id }) };
    this.deliver({ type: 'tool_call_input.delta', call_id, ...names, delta });
  }

  onInputDone(event: JsonObject, type: CallType): void {
    this.emit({ type: 'unknown', raw: event });
    const whole = nonEmpty(inputText(event[inputKey(type)]));
    if (whole === undefined) return;
    const reference = referenceOf(event);
    const known = this.#table.forDelta(type, reference);
    const slot = known ?? (this.#table.hasRoomFor(type, reference) ? this.#table.create(type, reference) : undefined);
    if (slot === undefined || slot.done) return;
    slot.wholeInput = whole;
    slot.name ??= nonEmpty(event['name']);
  }

  onItemDone(event: JsonObject): void {
    const item = event['item'];
    if (!isObject(item)) {
      this.skip();
      return;
    }
    const names = { ...namesOf(item), outputIndex: indexOf(event['output_index']) };
    const slot = this.#table.forDone(typeOf(item), names) ?? this.#table.create(typeOf(item), names);
    if (slot.done) {
      this.repaired('repeated_item');
      return;
    }
    this.#onWhole(slot, item);
  }

  /**
   * A call whose input is not whole waits: a good end hands it on, any other drops it. One without a name waits for an end that
   * tells it, a message without a text for one that has it (docs/contract.md section 4).
   */
  #onWhole(slot: TrackedItem, item: JsonObject): void {
    const { id, callId } = namesOf(item);
    this.#table.identify(slot, id, callId);
    slot.name ??= nonEmpty(item['name']);
    slot.waits = isCallType(slot.type)
      ? slot.name === undefined || !isWholeInput(slot.type, callInput(slot, item))
      : slot.type === 'message' && !hasText(wholeItem(slot, item)['content']);
    if (slot.waits) slot.item = wholeItem(slot, item);
    else this.#close(slot, item);
  }

  /** The one place where an item is done. A call that was held until now is announced first. */
  #close(slot: TrackedItem, item: JsonObject): void {
    const { id, callId } = namesOf(item);
    this.#table.identify(slot, id, callId);
    slot.name ??= nonEmpty(item['name']);
    if (slot.callId === undefined && isCallType(slot.type)) this.#mintCallId(slot);
    const whole = this.#withFirstId(slot, wholeItem(slot, item));
    if (!slot.announced && slot.input.length > 0) {
      this.repaired('unannounced_item');
      this.#announce(slot, {
        ...whole,
        [inputKey(slot.type)]: '',
        ...(slot.type === 'function_call' ? { status: 'in_progress' } : {}),
      });
    }
    closeSlot(slot);
    this.deliver({ type: 'output_item.done', item: whole });
  }

  /** Whoever was told of it knows it by its first id, and would take another for another item. */
  #withFirstId({ id: first, minted }: TrackedItem, item: JsonObject): JsonObject {
    const id = nonEmpty(item['id']);
    if (first === undefined || id === first) return item;
    if (!minted || id !== undefined) this.repaired('changed_item_id');
    return { ...item, id: first };
  }

  #mintCallId(slot: TrackedItem): void {
    this.repaired('no_call_id');
    slot.callId = this.#mintId?.('call') ?? `tool-call-${slot.order}`;
  }

  /** Every item exactly once: what the final output has and the stream had not, in the order of both. */
  protected fillFromOutput(output: unknown): void {
    for (const { slot, item } of closingsOf(this.#table, output)) {
      if (slot?.waits !== true) this.repaired(slot === undefined ? 'item_only_at_end' : 'unfinished_item');
      if (item !== undefined) this.#closeFromOutput(slot ?? this.#table.create(typeOf(item), namesOf(item)), item);
      else if (slot !== undefined) this.#closeFromDeltas(slot);
    }
  }

  #closeFromOutput(slot: TrackedItem, item: JsonObject): void {
    slot.name ??= nonEmpty(item['name']);
    if (slot.waits && typeOf(item) !== slot.type) {
      this.#closeFromDeltas(slot);
    } else if (isCallType(slot.type) && slot.name === undefined) {
      slot.item = wholeItem(slot, item);
      this.#closeFromDeltas(slot);
    } else {
      this.#close(slot, item);
    }
  }

  #closeFromDeltas(slot: TrackedItem): void {
    const dropped = droppedCallOf(slot);
    if (dropped === undefined)
      this.#close(slot, slot.waits && slot.item !== undefined ? slot.item : itemFromDeltas(slot, 'completed'));
    else {
      this.dropped.push(dropped);
      closeSlot(slot);
    }
  }

  /** Text that only the last payload has is delivered before the error; calls are not: nothing may run. */
  protected failWith(response: JsonObject, error: ModelError): void {
    const output = response['output'];
    const items = Array.isArray(output) ? output.filter(isObject) : [];
    const matches = this.#table.matchOutput(items);
    for (const [place, item] of items.entries()) {
      const slot = matches[place];
      if (slot?.done === true || (item['type'] !== 'message' && item['type'] !== 'reasoning')) continue;
      this.#close(slot ?? this.#table.create(typeOf(item), namesOf(item)), { ...item, status: 'incomplete' });
    }
    this.fail(error);
  }

  protected closeOpenItems(): void {
    for (const slot of this.#table.slots) {
      if (slot.done || !slot.announced || (slot.type !== 'message' && slot.type !== 'reasoning')) continue;
      this.deliver({ type: 'output_item.done', item: itemFromDeltas(slot, 'incomplete') });
      closeSlot(slot);
    }
  }
}
