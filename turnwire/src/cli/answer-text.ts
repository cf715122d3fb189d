import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { isAssistantMessage, type AssistantMessage, type OutputItem } from '@turnwire/wire/internal/model/items';

/**
 * What a person should see of a model's events: the text of its messages, each exactly once, whether it was streamed
 * or came whole. Messages stand on lines of their own.
 */
export class AnswerText {
  /** Ids of the messages whose text was shown as it came; `''` for a message without an id. */
  readonly #streamed = new Set<string>();
  /** The message that is being shown. */
  #open: string | undefined;
  #atLineStart = true;

  /** The text to write for one event; often none. */
  take(event: ModelEvent): string {
    switch (event.type) {
      case 'output_text.delta':
      case 'refusal.delta':
        return this.#delta(event.item_id ?? '', event.delta);
      case 'output_item.done':
        return this.#done(event.item);
      case 'retrying':
        return this.#void(event.discarded_item_ids);
      default:
        return '';
    }
  }

  /** What ends the answer: a line end, where one is missing. */
  finish(): string {
    return this.#lineEnd();
  }

  #delta(id: string, delta: string): string {
    const text = (this.#open === id ? '' : this.#lineEnd()) + delta;
    this.#open = id;
    this.#streamed.add(id);
    return this.#shown(text);
  }

  #done(item: OutputItem): string {
    if (!isAssistantMessage(item)) return '';
    const streamed = this.#streamed.delete(item.id ?? '') || this.#streamed.delete('');
    this.#open = undefined;
    return streamed ? '' : this.#shown(this.#separated(textOf(item)));
  }

  /** Text on a terminal or in a pipe cannot be taken back: what follows begins on a new line. */
  #void(ids: readonly string[]): string {
    for (const id of [...ids, '']) this.#streamed.delete(id);
    this.#open = undefined;
    return this.#lineEnd();
  }

  #separated(text: string): string {
    return text === '' ? '' : this.#lineEnd() + text;
  }

  #lineEnd(): string {
    return this.#atLineStart ? '' : this.#shown('\n');
  }

  #shown(text: string): string {
    if (text !== '') this.#atLineStart = text.endsWith('\n');
    return text;
  }
}

function textOf(message: AssistantMessage): string {
  return message.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('');
}
