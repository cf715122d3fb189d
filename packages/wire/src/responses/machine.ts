import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { errorFromWire, errorValueOf } from '../model/classify.ts';
import { ModelError } from '../model/errors.ts';
import type { DroppedToolCall } from '../model/events.ts';
import { WireMachine } from '../machine.ts';
import { eventError, failedError, incompleteError } from './failures.ts';
import { closingsOf } from './final-output.ts';
import { droppedCallOf, emptyItem, inputKey, itemFromDeltas } from './items.ts';
import { modelNamedIn, rateLimitsEvent, turnStateIn, withoutTurnState } from './side-channels.ts';
import {
  closeSlot,
  indexOf,
  namesOf,
  partAt,
  referenceOf,
  SlotTable,
  typeOf,
  type Part,
  type PartKind,
  type Reference,
  type Slot,
} from './slots.ts';
import { textDelta } from './text-delta.ts';
import { templateRules } from './template-rules.ts';
import { usageFromResponses } from './usage.ts';

/** Where a text delta goes, and the wire fields that said so. */
interface TextTarget {
  readonly type: unknown;
  readonly itemId: unknown;
  readonly outputIndex: unknown;
  readonly contentIndex: unknown;
  readonly summaryIndex: unknown;
  readonly slot: Slot;
  readonly part: Part;
}

type Handler = (machine: ResponsesMachine, event: JsonObject) => void;

/**
 * Responses events (from SSE or WebSocket frames) -> canonical events: the rules of docs/contract.md section 4.
 *
 * Dispatch is on the JSON `type`; a handler per type stands in the table at the end of the file.
 */
export class ResponsesMachine extends WireMachine {
  readonly templateRules = templateRules;
  /** The first turn state that an event carried (WebSocket only has it in events). */
  turnState: string | undefined;
  readonly #table = new SlotTable();
  #created = false;
  #responseId: string | undefined;
  #serverModel: string | undefined;
  #dropped: DroppedToolCall[] = [];
  #lastTarget: TextTarget | undefined;

  /** There is no sentinel on this wire; a stray `[DONE]` is no JSON object and skipped. */
  protected isSentinel(): boolean {
    return false;
  }

  protected onSentinel(): void {
    this.skipped++;
  }

  protected completeFinished(): void {
    this.end();
  }

  onClose(): void {
    this.fail(new ModelError({ kind: 'stream_truncated', message: 'stream closed before response.completed' }));
  }

  onObject(event: JsonObject): void {
    const type = event['type'];
    if (typeof type !== 'string') {
      this.#onUntyped(event);
      return;
    }
    this.#readSideChannels(event);
    const handler = handlers.get(type);
    if (handler === undefined) this.emit({ type: 'unknown', raw: withoutTurnState(event) });
    else handler(this, event);
  }

  protected onBody(body: JsonObject): void {
    const status = body['status'] ?? (Array.isArray(body['output']) ? 'completed' : undefined);
    if (status === 'completed' || status === 'failed' || status === 'incomplete') {
      this.onObject({ type: `response.${status}`, response: body });
    } else this.#onUntyped(body);
    if (this.phase !== 'ended') this.onClose();
  }

  /** llama.cpp reports an error in mid-stream as a bare `{"error": …}`. */
  #onUntyped(event: JsonObject): void {
    const error = event['error'];
    if (typeof error === 'string' || isObject(error)) this.fail(errorFromWire(errorValueOf(event)));
    else this.skipped++;
  }

  #readSideChannels(event: JsonObject): void {
    if (event['headers'] === undefined && event['response'] === undefined) return;
    const model = modelNamedIn(event);
    if (model !== undefined && model !== this.#serverModel) {
      this.#serverModel = model;
      this.emit({ type: 'server_model', model });
    }
    this.turnState ??= turnStateIn(event);
  }

  onCreated(event: JsonObject): void {
    const id = stringOf(responseOf(event)['id']);
    if (nonEmpty(id) === undefined) this.repaired('no_response_id');
    this.#responseId ??= id;
    if (this.#created) return;
    this.#created = true;
    this.emit({ type: 'created', ...(id === undefined ? {} : { response_id: id }) });
  }

  onItemAdded(event: JsonObject): void {
    const item = event['item'];
    if (!isObject(item)) {
      this.skipped++;
      return;
    }
    const slot = this.#slotForItem(item, event);
    if (slot.item !== undefined || slot.done) {
      this.repaired('repeated_item');
      return;
    }
    this.#noteNames(event, item);
    this.#announce(slot, item);
  }

  #noteNames(event: JsonObject, item: JsonObject): void {
    if (!this.#created) this.repaired('no_created');
    if (nonEmpty(item['id']) === undefined) this.repaired('no_item_id');
    if (indexOf(event['output_index']) === undefined) this.repaired('no_output_index');
  }

  #slotForItem(item: JsonObject, event: JsonObject): Slot {
    const names = { ...namesOf(item), outputIndex: indexOf(event['output_index']) };
    const known = this.#table.byName(typeOf(item), names) ?? this.#heldSlot(typeOf(item), names);
    const slot = known ?? this.#table.create(typeOf(item), names);
    this.#table.identify(slot, names.id, names.callId);
    slot.name ??= nonEmpty(item['name']);
    return slot;
  }

  /** A slot that deltas opened before its item was told. */
  #heldSlot(type: string, names: Reference): Slot | undefined {
    const slot = this.#table.forDelta(type, { ...names, id: undefined, callId: undefined });
    return slot !== undefined && slot.item === undefined && slot.id === undefined ? slot : undefined;
  }

  #announce(slot: Slot, item: JsonObject): void {
    this.#lastTarget = undefined;
    slot.item = item;
    this.deliver({ type: 'output_item.added', item });
    if (slot.input.length > 0) this.#inputDelta(slot, slot.input.toString());
  }

  onText(event: JsonObject, kind: PartKind): void {
    const delta = event['delta'];
    if (typeof delta !== 'string') {
      this.skipped++;
      return;
    }
    if (delta === '') return;
    const target = this.#sameTarget(event) ?? this.#textTarget(event, kind);
    if (target.slot.done) {
      this.skipped++;
      return;
    }
    target.part.text.append(delta);
    this.deliver(textDelta(kind, delta, target.part.index, target.slot.id));
  }

  /** Where the last delta went, if this one says the same of its place: nearly always. */
  #sameTarget(event: JsonObject): TextTarget | undefined {
    const last = this.#lastTarget;
    return last !== undefined &&
      last.type === event['type'] &&
      last.itemId === event['item_id'] &&
      last.outputIndex === event['output_index'] &&
      last.contentIndex === event['content_index'] &&
      last.summaryIndex === event['summary_index'] &&
      !last.slot.done
      ? last
      : undefined;
  }

  #textTarget(event: JsonObject, kind: PartKind): TextTarget {
    const slot = this.#openSlot(kind === 'output_text' || kind === 'refusal' ? 'message' : 'reasoning', event);
    const index = indexOf(event[kind === 'summary_text' ? 'summary_index' : 'content_index']) ?? 0;
    this.#lastTarget = {
      type: event['type'],
      itemId: event['item_id'],
      outputIndex: event['output_index'],
      contentIndex: event['content_index'],
      summaryIndex: event['summary_index'],
      slot,
      part: partAt(slot, kind, index),
    };
    return this.#lastTarget;
  }

  /** The slot of a text delta, announced first if the server did not. */
  #openSlot(type: 'message' | 'reasoning', event: JsonObject): Slot {
    const reference = referenceOf(event);
    const slot = this.#table.forDelta(type, reference) ?? this.#table.create(type, reference);
    if (slot.item === undefined && !slot.done) {
      this.repaired('unannounced_item');
      this.#announce(slot, emptyItem(type, slot.id));
    }
    return slot;
  }

  onSummaryDone(event: JsonObject): void {
    const text = event['text'];
    if (typeof text !== 'string') {
      this.skipped++;
      return;
    }
    const slot = this.#openSlot('reasoning', event);
    const index = indexOf(event['summary_index']) ?? 0;
    partAt(slot, 'summary_text', index).whole = text;
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
    const known = this.#table.forDelta(type, referenceOf(event));
    const isFirst = text !== '' && !this.#table.knows(type);
    const slot = known ?? (isFirst ? this.#openSlot(type, event) : undefined);
    if (slot === undefined || slot.done) return;
    partAt(slot, kind, indexOf(event['content_index']) ?? 0).whole = text;
  }

  onInput(event: JsonObject, type: 'function_call' | 'custom_tool_call'): void {
    const delta = event['delta'];
    if (typeof delta !== 'string') {
      this.skipped++;
      return;
    }
    if (delta === '') return;
    const reference = referenceOf(event);
    const slot = this.#table.forDelta(type, reference) ?? this.#table.create(type, reference);
    if (slot.done) {
      this.skipped++;
      return;
    }
    slot.input.append(delta);
    if (slot.item !== undefined) this.#inputDelta(slot, delta);
  }

  #inputDelta(slot: Slot, delta: string): void {
    this.deliver({
      type: 'tool_call_input.delta',
      call_id: slot.callId ?? '',
      ...(slot.name === undefined ? {} : { name: slot.name }),
      ...(slot.id === undefined ? {} : { item_id: slot.id }),
      delta,
    });
  }

  onInputDone(event: JsonObject, type: 'function_call' | 'custom_tool_call'): void {
    this.emit({ type: 'unknown', raw: event });
    const slot = this.#table.forDelta(type, referenceOf(event));
    if (slot !== undefined && !slot.done) slot.wholeInput = stringOf(event[inputKey(type)]) ?? slot.wholeInput;
  }

  onItemDone(event: JsonObject): void {
    const item = event['item'];
    if (!isObject(item)) {
      this.skipped++;
      return;
    }
    const names = { ...namesOf(item), outputIndex: indexOf(event['output_index']) };
    const slot = this.#table.forDone(typeOf(item), names) ?? this.#table.create(typeOf(item), names);
    if (slot.done) {
      this.repaired('repeated_item');
      return;
    }
    this.#close(slot, item);
  }

  /** The one place where an item is done. A call that was held until now is announced first. */
  #close(slot: Slot, item: JsonObject): void {
    const { id, callId } = namesOf(item);
    this.#table.identify(slot, id, callId);
    slot.name ??= nonEmpty(item['name']);
    if (slot.item === undefined && slot.input.length > 0) {
      this.repaired('unannounced_item');
      this.#announce(slot, {
        ...item,
        [inputKey(slot.type)]: '',
        ...(slot.type === 'function_call' ? { status: 'in_progress' } : {}),
      });
    }
    closeSlot(slot);
    this.deliver({ type: 'output_item.done', item });
  }

  onCompleted(event: JsonObject): void {
    const response = responseOf(event);
    if (!this.#created) this.repaired('no_created');
    if ((nonEmpty(response['id']) ?? this.#responseId) === undefined) this.repaired('no_response_id');
    this.#fillFromOutput(response['output']);
    const usage = usageFromResponses(response['usage']);
    const endTurn = response['end_turn'];
    this.emit({
      type: 'completed',
      response_id: stringOf(response['id']) ?? this.#responseId ?? '',
      ...(usage === undefined ? {} : { usage }),
      ...(typeof endTurn === 'boolean' ? { end_turn: endTurn } : {}),
      ended_by: 'response.completed',
      ...(this.#dropped.length === 0 ? {} : { dropped_tool_calls: this.#dropped }),
    });
    this.end();
  }

  /** Every item exactly once: what the final output has and the stream had not, in the order of both. */
  #fillFromOutput(output: unknown): void {
    for (const { slot, item } of closingsOf(this.#table, output)) {
      this.repaired(slot === undefined ? 'item_only_at_end' : 'unfinished_item');
      if (item !== undefined) this.#close(slot ?? this.#table.create(typeOf(item), namesOf(item)), item);
      else if (slot !== undefined) this.#closeFromDeltas(slot);
    }
  }

  #closeFromDeltas(slot: Slot): void {
    const dropped = droppedCallOf(slot);
    if (dropped === undefined) this.#close(slot, itemFromDeltas(slot, 'completed'));
    else this.#dropped.push(dropped);
  }

  onFailed(event: JsonObject): void {
    this.#failWith(responseOf(event), failedError(responseOf(event)));
  }

  onIncomplete(event: JsonObject): void {
    this.#failWith(responseOf(event), incompleteError(responseOf(event)));
  }

  /** Text that only the last payload has is delivered before the error; calls are not: nothing may run. */
  #failWith(response: JsonObject, error: ModelError): void {
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

  onError(event: JsonObject): void {
    this.fail(eventError(event));
  }

  onRateLimits(event: JsonObject): void {
    this.emit(rateLimitsEvent(event));
  }

  protected closeOpenItems(): void {
    for (const slot of this.#table.slots) {
      if (slot.done || slot.item === undefined || (slot.type !== 'message' && slot.type !== 'reasoning')) continue;
      this.deliver({ type: 'output_item.done', item: itemFromDeltas(slot, 'incomplete') });
      closeSlot(slot);
    }
  }
}

function responseOf(event: JsonObject): JsonObject {
  const response = event['response'];
  return isObject(response) ? response : {};
}

/** Wire events with a canonical one; every other type becomes `unknown`. */
const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['response.created', (machine, event) => machine.onCreated(event)],
  ['response.output_item.added', (machine, event) => machine.onItemAdded(event)],
  ['response.output_text.delta', (machine, event) => machine.onText(event, 'output_text')],
  ['response.output_text.done', (machine, event) => machine.onTextDone(event, 'output_text')],
  ['response.refusal.delta', (machine, event) => machine.onText(event, 'refusal')],
  ['response.refusal.done', (machine, event) => machine.onTextDone(event, 'refusal')],
  ['response.reasoning_text.delta', (machine, event) => machine.onText(event, 'reasoning_text')],
  ['response.reasoning_text.done', (machine, event) => machine.onTextDone(event, 'reasoning_text')],
  ['response.reasoning_summary_text.delta', (machine, event) => machine.onText(event, 'summary_text')],
  ['response.reasoning_summary_text.done', (machine, event) => machine.onSummaryDone(event)],
  ['response.reasoning_summary_part.added', (machine, event) => machine.onSummaryPart(event)],
  ['response.function_call_arguments.delta', (machine, event) => machine.onInput(event, 'function_call')],
  ['response.function_call_arguments.done', (machine, event) => machine.onInputDone(event, 'function_call')],
  ['response.custom_tool_call_input.delta', (machine, event) => machine.onInput(event, 'custom_tool_call')],
  ['response.custom_tool_call_input.done', (machine, event) => machine.onInputDone(event, 'custom_tool_call')],
  ['response.output_item.done', (machine, event) => machine.onItemDone(event)],
  ['response.completed', (machine, event) => machine.onCompleted(event)],
  ['response.failed', (machine, event) => machine.onFailed(event)],
  ['response.incomplete', (machine, event) => machine.onIncomplete(event)],
  ['error', (machine, event) => machine.onError(event)],
  ['codex.rate_limits', (machine, event) => machine.onRateLimits(event)],
]);
