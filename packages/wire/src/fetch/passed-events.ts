import { TextBuffer } from '../base/text-buffer.ts';
import type { ModelEvent } from '../model/events.ts';

type Delta = Extract<ModelEvent, { readonly delta: string }>;

/**
 * Events that went on as they came, for an encoder that may have to go on behind them. What it would write for them is nobody's: deltas that
 * follow each other in one place are kept as one, so that a long answer is kept as its text.
 */
export class PassedEvents {
  #events: ModelEvent[] = [];
  /** The first of the deltas that are kept as one, with the texts of all. */
  #first: Delta | undefined;
  readonly #text = new TextBuffer();

  add(event: ModelEvent): void {
    if (!isDelta(event)) {
      this.#settle();
      this.#events.push(event);
    } else if (this.#first !== undefined && isSamePlace(this.#first, event)) {
      this.#text.append(event.delta);
    } else {
      this.#settle();
      // A blank text alone may be no reason for an item: it does not become a part of one that is.
      if (event.delta.trim() === '') this.#events.push(event);
      else this.#begin(event);
    }
  }

  /** All of them, which are given up. */
  take(): readonly ModelEvent[] {
    this.#settle();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #begin(event: Delta): void {
    this.#first = event;
    this.#text.append(event.delta);
  }

  #settle(): void {
    if (this.#first === undefined) return;
    this.#events.push({ ...this.#first, delta: this.#text.toString() });
    this.#first = undefined;
    this.#text.clear();
  }
}

/** Log probabilities are of one delta. */
function isDelta(event: ModelEvent): event is Delta {
  return 'delta' in event && !('logprobs' in event);
}

function isSamePlace(a: Delta, b: Delta): boolean {
  if (a.type !== b.type || a.item_id !== b.item_id) return false;
  switch (a.type) {
    case 'reasoning_text.delta':
      return 'content_index' in b && a.content_index === b.content_index;
    case 'reasoning_summary_text.delta':
      return 'summary_index' in b && a.summary_index === b.summary_index;
    case 'tool_call_input.delta':
      return 'call_id' in b && a.call_id === b.call_id && a.name === b.name;
    default:
      return true;
  }
}
