import { ModelError } from '../model/errors.ts';
import type { ModelEvent } from '../model/events.ts';
import { isToolCall } from '../model/items.ts';
import type { EventStage } from './stage.ts';

/**
 * Watches over calls that are announced and then dropped. Clients refuse a good end with an item that was never
 * done, and a call that was cut must not be run. So where calls of a `stop` are dropped they are held until they are
 * done; where they are promoted they are streamed, and one that turns out to be cut fails the answer.
 */
export class CallGuard implements EventStage {
  failure: ModelError | undefined;
  readonly #hold: boolean;
  /** Events of calls that are not done, by `call_id`; bounded by the answer's own size limits. */
  readonly #open = new Map<string, ModelEvent[]>();

  constructor(toolCallsOnStop: 'drop' | 'promote') {
    this.#hold = toolCallsOnStop === 'drop';
  }

  push(events: readonly ModelEvent[]): readonly ModelEvent[] {
    if (this.#open.size === 0 && !events.some(isAboutCalls)) return events;
    const passed: ModelEvent[] = [];
    for (const event of events) {
      if (event.type === 'completed' && this.#open.size > 0 && !this.#hold) {
        this.failure = cutCall(this.#open.size);
        return passed;
      }
      this.#take(event, passed);
    }
    return passed;
  }

  #take(event: ModelEvent, passed: ModelEvent[]): void {
    const callId = callIdOf(event);
    if (callId === undefined) {
      passed.push(event);
      return;
    }
    if (event.type === 'output_item.added') this.#open.set(callId, []);
    const held = this.#open.get(callId);
    if (event.type === 'output_item.done') {
      this.#open.delete(callId);
      for (const earlier of held ?? []) passed.push(earlier);
      passed.push(event);
    } else if (this.#hold && held !== undefined) held.push(event);
    else passed.push(event);
  }
}

function isAboutCalls(event: ModelEvent): boolean {
  return callIdOf(event) !== undefined;
}

function callIdOf(event: ModelEvent): string | undefined {
  switch (event.type) {
    case 'tool_call_input.delta':
      return event.call_id;
    case 'output_item.added':
    case 'output_item.done':
      return isToolCall(event.item) ? event.item.call_id : undefined;
    default:
      return undefined;
  }
}

function cutCall(count: number): ModelError {
  const what = count === 1 ? 'a tool call' : `${count} tool calls`;
  return new ModelError({
    kind: 'stream_truncated',
    message: `the model server ended its answer inside ${what}: the arguments are incomplete`,
    replaySafe: false,
  });
}
