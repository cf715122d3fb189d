import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { isAssistantMessage, messageText, type OutputItem } from '@turnwire/wire/internal/model/items';
import { TranscriptBuilder } from '@turnwire/wire/internal/model/transcript-builder';

/**
 * What a person should see of a model's events: the text of its messages, each exactly once, whether it was streamed
 * or came whole. Messages stand on lines of their own.
 */
export class AnswerText {
  readonly #transcript = new TranscriptBuilder();
  /** The message that is being shown; `''` for one without an id. */
  #open: string | undefined;
  #atLineStart = true;

  /** The text to write for one event; often none. */
  take(event: ModelEvent): string {
    const decision = this.#transcript.take(event);
    if (event.type === 'output_text.delta' || event.type === 'refusal.delta')
      return this.#delta(event.item_id ?? '', event.delta);
    switch (decision?.type) {
      case 'whole':
      case 'cut':
        return this.#done(decision.item, decision.wasStreamed);
      case 'void':
        return this.#void();
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
    return this.#shown(text);
  }

  #done(item: OutputItem, wasStreamed: boolean): string {
    if (!isAssistantMessage(item)) return '';
    this.#open = undefined;
    return wasStreamed ? '' : this.#shown(this.#separated(messageText(item)));
  }

  /** Text on a terminal or in a pipe cannot be taken back: what follows begins on a new line. */
  #void(): string {
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
