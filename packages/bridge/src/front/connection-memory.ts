import type { Item } from '@turnwire/wire/internal/model/items';
import type { LocalState } from '../request/state.ts';

/** Responses that a connection remembers beside the store. */
const REMEMBERED = 8;

/** The last conversations of a socket: clients of this transport tell the server not to store, and count on this. */
export class ConnectionMemory implements LocalState {
  readonly #conversations = new Map<string, readonly Item[]>();

  conversation(responseId: string): readonly Item[] | undefined {
    return this.#conversations.get(responseId);
  }

  add(responseId: string, items: readonly Item[]): void {
    this.#conversations.set(responseId, items);
    const oldest = this.#conversations.keys().next().value;
    if (this.#conversations.size > REMEMBERED && oldest !== undefined) this.#conversations.delete(oldest);
  }

  /** What a request failed to continue is not there to be continued again (Open Responses 2026-04-24). */
  forget(responseId: string): void {
    this.#conversations.delete(responseId);
  }
}
