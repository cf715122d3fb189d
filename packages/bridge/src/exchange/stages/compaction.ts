import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { isAssistantMessage, type OutputItem } from '@turnwire/wire/internal/model/items';
import { sealSummary } from '@turnwire/wire/internal/model/summary';
import type { EventStage } from '@turnwire/wire/internal/stages/stage';

/**
 * The answer to a request for a compaction: that one item, and nothing beside it. Codex takes no other answer. It holds the summary that a
 * model wrote, which is kept back until it is whole; or it comes from a server that makes it itself.
 */
export class Compaction implements EventStage {
  failure: ModelError | undefined;
  readonly #newId: () => string;
  /** Undefined where the server makes the item itself. */
  #summary: string | undefined;
  #made = false;

  /** @param summarises - the model was asked for a summary */
  constructor(summarises: boolean, newId: () => string) {
    this.#summary = summarises ? '' : undefined;
    this.#newId = newId;
  }

  push(events: readonly ModelEvent[]): readonly ModelEvent[] {
    return events.flatMap((event) => this.#one(event));
  }

  #one(event: ModelEvent): readonly ModelEvent[] {
    switch (event.type) {
      case 'completed':
        return this.#end(event);
      case 'output_item.done':
        return this.#take(event.item) ? [event] : [];
      case 'created':
      case 'server_model':
      case 'rate_limits':
      case 'models_etag':
      case 'retrying':
        return [event];
      default:
        return [];
    }
  }

  /** True for an item that is passed on. */
  #take(item: OutputItem): boolean {
    if (this.#summary === undefined) {
      const passes = item.type === 'compaction' && !this.#made;
      this.#made ||= passes;
      return passes;
    }
    if (!isAssistantMessage(item)) return false;
    this.#summary += item.content.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
    return false;
  }

  #end(event: ModelEvent): readonly ModelEvent[] {
    const text = this.#summary ?? '';
    if (!this.#made && text.trim() === '') {
      this.failure = nothingMade(this.#summary === undefined);
      return [];
    }
    if (this.#made) return [event];
    const item = { type: 'compaction', id: this.#newId(), encrypted_content: sealSummary(text) } as OutputItem;
    return [{ type: 'output_item.added', item }, { type: 'output_item.done', item }, event];
  }
}

function nothingMade(byServer: boolean): ModelError {
  const message = byServer
    ? 'the model server made no compaction of the conversation: start the bridge with --tools functions, and it asks for a summary'
    : 'the model gave no summary of the conversation';
  return new ModelError({ kind: 'protocol', message });
}
