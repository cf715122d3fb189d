import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { withMakerLabel } from '@turnwire/wire/internal/maker-label';
import type { EventStage } from '@turnwire/wire/internal/stages/stage';

/** Where the next request may go to another maker's server, what this one encrypted leaves under its maker's name. */
export class MakerLabel implements EventStage {
  readonly #maker: string;

  constructor(maker: string) {
    this.#maker = maker;
  }

  push(events: readonly ModelEvent[]): readonly ModelEvent[] {
    return events.some(isOfItem) ? events.map((event) => this.#one(event)) : events;
  }

  #one(event: ModelEvent): ModelEvent {
    return isOfItem(event) ? { ...event, item: withMakerLabel(event.item, this.#maker) } : event;
  }
}

function isOfItem(event: ModelEvent): event is Extract<ModelEvent, { type: 'output_item.added' | 'output_item.done' }> {
  return event.type === 'output_item.added' || event.type === 'output_item.done';
}
