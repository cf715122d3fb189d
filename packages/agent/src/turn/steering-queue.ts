import type { InputMessage } from '@turnwire/wire/internal/model/items';
import { userMessage } from '../thread/history.ts';

/** A message that waits for the agent's next request. */
export interface QueuedMessage {
  readonly id: string;
  readonly text: string;
}

/** More than a person types while waiting; past it `add` fails. */
const MAX_QUEUED = 100;

/**
 * Messages typed while the agent works. They can be edited or taken back until they go in: at the next request of the
 * running turn, after the outputs of its tools.
 */
export class SteeringQueue {
  /** What a message becomes when it goes in, e.g. with the images that it names. Must not fail. Default: its text alone. */
  toInput: (text: string) => InputMessage | Promise<InputMessage> = userMessage;
  #messages: QueuedMessage[] = [];
  #count = 0;
  readonly #listeners = new Set<() => void>();

  /** In the order in which they will go in. */
  get messages(): readonly QueuedMessage[] {
    return [...this.#messages];
  }

  /** Answers the message's id, or `undefined` when the queue is full or the text is empty. */
  add(text: string): string | undefined {
    if (this.#messages.length >= MAX_QUEUED || text.trim() === '') return undefined;
    const id = `q_${++this.#count}`;
    this.#set([...this.#messages, { id, text }]);
    return id;
  }

  /** False when the message has gone in already. */
  edit(id: string, text: string): boolean {
    if (!this.#messages.some((message) => message.id === id)) return false;
    this.#set(this.#messages.map((message) => (message.id === id ? { id, text } : message)));
    return true;
  }

  /** False when the message has gone in already. */
  remove(id: string): boolean {
    if (!this.#messages.some((message) => message.id === id)) return false;
    this.#set(this.#messages.filter((message) => message.id !== id));
    return true;
  }

  /** Takes all of them out, for the next request. */
  take(): readonly QueuedMessage[] {
    const taken = this.#messages;
    if (taken.length > 0) this.#set([]);
    return taken;
  }

  /** Calls back after every change; the answer stops that. The callback must not throw. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  #set(messages: QueuedMessage[]): void {
    this.#messages = messages;
    for (const listener of this.#listeners) listener();
  }
}
