import { RequestError, type StopReason } from '@agentclientprotocol/sdk';
import type { AgentEvent, TurnFailedEvent } from '@turnwire/agent';
import { isAssistantMessage, type OutputItem } from '@turnwire/wire/internal/model/items';

/** How a turn ends for the editor: what its last message and its last event say. */
export class TurnEndWatch {
  #last: AgentEvent | undefined;
  #isRefusal = false;
  #usedTools = false;

  take(event: AgentEvent): void {
    this.#last = event;
    if (event.type === 'tool.started') this.#usedTools = true;
    if (event.type === 'output_item.done' && isAssistantMessage(event.item)) this.#isRefusal = isRefusal(event.item);
  }

  /** Fails with a `RequestError` when the model failed. */
  get stopReason(): StopReason {
    const last = this.#last;
    switch (last?.type) {
      case 'turn.completed':
        return this.#isRefusal && !this.#usedTools ? 'refusal' : 'end_turn';
      case 'turn.interrupted':
        return 'cancelled';
      case 'turn.failed':
        return reasonOfFailure(last, this.#usedTools);
      default:
        throw RequestError.internalError(undefined, 'the turn did not end');
    }
  }
}

/** It says nothing but that it will not. */
function isRefusal(item: OutputItem): boolean {
  return isAssistantMessage(item) && item.content.length > 0 && item.content.every((part) => part.type === 'refusal');
}

function reasonOfFailure({ error }: TurnFailedEvent, usedTools: boolean): StopReason {
  if (error.kind === 'incomplete') return error.code === 'max_requests' ? 'max_turn_requests' : 'max_tokens';
  // With `refusal` an editor takes the whole turn away. What tools did in it stays done, so it is an error then.
  if ((error.kind === 'content_filter' || error.kind === 'policy') && !usedTools) return 'refusal';
  throw RequestError.internalError(error, error.message);
}
