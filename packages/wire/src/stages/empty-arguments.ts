import type { ModelEvent } from '../model/events.ts';
import { isFunctionCall } from '../model/items.ts';
import type { EventStage } from './stage.ts';

/** A call without arguments has an empty object for clients: many parse the text unseen (docs/contract.md 3.13). */
export const emptyArguments: EventStage = {
  push: (events) => (events.some(isEmpty) ? events.map(filled) : events),
};

type Done = Extract<ModelEvent, { type: 'output_item.done' }>;

function isEmpty(event: ModelEvent): event is Done {
  return event.type === 'output_item.done' && isFunctionCall(event.item) && event.item.arguments === '';
}

function filled(event: ModelEvent): ModelEvent {
  return isEmpty(event) ? { ...event, item: { ...event.item, arguments: '{}' } } : event;
}
