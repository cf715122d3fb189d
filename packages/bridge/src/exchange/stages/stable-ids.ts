import { nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { WantedList } from '@turnwire/wire/internal/base/wanted-list';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { OutputItem } from '@turnwire/wire/internal/model/items';
import type { Repairs } from '@turnwire/wire/internal/repairs';
import type { EventStage } from './stage.ts';

/**
 * Keeps an item under the id that it was added with. Some gateways mint an id twice, once for `added` and once for
 * `done`; clients would take that for two items, and show the text twice.
 */
export class StableIds implements EventStage {
  readonly #repairs: Repairs | undefined;
  /** Items that are added and not done, by id. */
  readonly #open = new Map<string, OutputItem>();
  /** The same by what is left to know them by: oldest first. */
  readonly #alike = new Map<string, WantedList<Added>>();

  /** @param repairs - takes down that an item had two ids */
  constructor(repairs?: Repairs) {
    this.#repairs = repairs;
  }

  push(events: readonly ModelEvent[]): readonly ModelEvent[] {
    return events.some(concernsItems) ? events.map((event) => this.#one(event)) : events;
  }

  #one(event: ModelEvent): ModelEvent {
    if (!concernsItems(event)) return event;
    const { item } = event;
    const id = idOf(item);
    if (id === undefined) return event;
    if (event.type === 'output_item.added') {
      this.#add(id, item);
      return event;
    }
    if (this.#open.delete(id)) return event;
    const first = this.#firstIdOf(item);
    if (first === undefined) return event;
    this.#open.delete(first);
    this.#repairs?.add('changed_item_id');
    return { ...event, item: { ...item, id: first } as OutputItem };
  }

  #add(id: string, item: OutputItem): void {
    this.#open.set(id, item);
    const key = likenessOf(item);
    const alike = this.#alike.get(key) ?? new WantedList<Added>((one) => this.#open.get(one.id) === one.item);
    this.#alike.set(key, alike);
    alike.add({ id, item });
  }

  #firstIdOf(item: OutputItem): string | undefined {
    return this.#alike.get(likenessOf(item))?.first()?.id;
  }
}

interface Added {
  readonly id: string;
  readonly item: OutputItem;
}

/** A call is known by its `call_id`, anything else by being the oldest open item of its type. */
function likenessOf(item: OutputItem): string {
  return `${String(item.type)} ${nonEmpty((item as JsonObject).call_id) ?? ''}`;
}

type ItemEvent = Extract<ModelEvent, { type: 'output_item.added' | 'output_item.done' }>;

function concernsItems(event: ModelEvent): event is ItemEvent {
  return event.type === 'output_item.added' || event.type === 'output_item.done';
}

function idOf(item: OutputItem): string | undefined {
  return nonEmpty((item as JsonObject).id);
}
