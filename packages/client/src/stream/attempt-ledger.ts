import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { isToolCall, type Item, type OutputItem } from '@turnwire/wire/internal/model/items';

/** What one attempt brought so far: which items are done, and which were only begun. */
export class AttemptLedger {
  readonly #open = new Map<string, true>();
  #done: OutputItem[] = [];

  note(batch: readonly ModelEvent[]): void {
    for (const event of batch) {
      if (event.type === 'output_item.added') this.#open.set(idOf(event.item), true);
      else if (event.type === 'output_item.done') this.#noteDone(event.item);
    }
  }

  /**
   * The end of a failed attempt: items to keep, and the ids of what is void.
   *
   * @param keepCalls - the caller has the outputs of tool calls; without them a call, and all after it, is void
   */
  settle(keepCalls: boolean): { readonly kept: readonly Item[]; readonly discarded: readonly string[] } {
    const firstVoid = keepCalls ? -1 : this.#done.findIndex(isToolCall);
    const kept = firstVoid < 0 ? this.#done : this.#done.slice(0, firstVoid);
    const voided = this.#done.slice(kept.length).map(idOf);
    const discarded = [...voided, ...this.#open.keys()].filter((id) => id !== '');
    return { kept, discarded };
  }

  #noteDone(item: OutputItem): void {
    if ('status' in item && item.status === 'incomplete') return;
    this.#open.delete(idOf(item));
    this.#done.push(item);
  }
}

/** An item's id; a call without one is known by its `call_id`; `""` for what has neither. */
function idOf(item: OutputItem): string {
  if (typeof item.id === 'string') return item.id;
  return 'call_id' in item && typeof item.call_id === 'string' ? item.call_id : '';
}
