import { isObject, omit, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { isToolCall, type CarriedMembers, type OutputItem } from '@turnwire/wire/internal/model/items';
import { stateText } from '@turnwire/wire/internal/state-carrier';
import type { EventStage } from '@turnwire/wire/internal/stages/stage';

/**
 * Takes off the items what a server wants back and the client's wire has no place for, and hands it to the client in
 * a reasoning item at the end of the answer. Nothing is kept here: the client carries it, over a restart too
 * (docs/contract.md section 3.12).
 */
export class StateCarrier implements EventStage {
  readonly #clientWire: ProtocolId;
  readonly #newId: () => string;
  readonly #message: JsonObject = {};
  readonly #calls: Record<string, JsonObject> = {};
  /** Where it all came from: one answer has one server. */
  #source: CarriedMembers | undefined;
  /** Items that are there for their state alone. */
  readonly #bare = new Set<unknown>();

  constructor(clientWire: ProtocolId, newId: () => string) {
    this.#clientWire = clientWire;
    this.#newId = newId;
  }

  push(events: readonly ModelEvent[]): readonly ModelEvent[] {
    const concerned = events.some((event) => this.#carriedOf(event) !== undefined || event.type === 'completed');
    return concerned ? events.flatMap((event) => this.#one(event)) : events;
  }

  #one(event: ModelEvent): readonly ModelEvent[] {
    if (event.type === 'completed') return [...this.#handOver(), event];
    const carried = this.#carriedOf(event);
    if (carried === undefined || (event.type !== 'output_item.added' && event.type !== 'output_item.done'))
      return [event];
    const item = omit({ ...event.item }, 'carried') as OutputItem;
    if (event.type === 'output_item.done') this.#take(item, carried);
    else if (item.type === 'reasoning') this.#bare.add(item.id);
    return this.#bare.has(item['id' as keyof OutputItem]) ? [] : [{ ...event, item }];
  }

  #carriedOf(event: ModelEvent): CarriedMembers | undefined {
    if (event.type !== 'output_item.added' && event.type !== 'output_item.done') return undefined;
    const { carried } = event.item as { carried?: CarriedMembers };
    return isObject(carried) && carried.wire !== this.#clientWire ? carried : undefined;
  }

  #take(item: OutputItem, carried: CarriedMembers): void {
    this.#source = carried;
    if (isToolCall(item)) this.#calls[item.call_id] = carried.members;
    else Object.assign(this.#message, carried.members);
  }

  #handOver(): readonly ModelEvent[] {
    if (this.#source === undefined) return [];
    const { wire, maker } = this.#source;
    const encrypted_content = stateText({ wire, maker, message: this.#message, calls: this.#calls });
    const item = { type: 'reasoning' as const, id: this.#newId(), summary: [], encrypted_content };
    return [
      { type: 'output_item.added', item: { ...item, status: 'in_progress' } },
      { type: 'output_item.done', item: { ...item, status: 'completed' } },
    ];
  }
}
