import { isObject, type JsonObject } from '../base/json.ts';
import type { TrackedItem, ItemTracker } from './item-tracker.ts';

/** An item that is still to be done: as the final output has it, or, without `item`, as its deltas told it. */
export interface Closing {
  readonly slot: TrackedItem | undefined;
  readonly item: JsonObject | undefined;
}

/** What a final `output` and the stream leave to be done, in the order of both. */
export function closingsOf(table: ItemTracker, output: unknown): readonly Closing[] {
  const items = Array.isArray(output) ? output.filter(isObject) : [];
  const matches = table.matchOutput(items);
  const matched = new Set(matches);
  const closings: Closing[] = [];
  let next = 0;
  const streamedBefore = (end: number): void => {
    for (const slot of table.slots.slice(next, end)) {
      if (!slot.done && !matched.has(slot)) closings.push({ slot, item: undefined });
    }
    next = Math.max(next, end);
  };
  for (const [place, item] of items.entries()) {
    const slot = matches[place];
    if (slot !== undefined) streamedBefore(slot.order);
    if (slot?.done !== true) closings.push({ slot, item });
  }
  streamedBefore(table.slots.length);
  return closings;
}
