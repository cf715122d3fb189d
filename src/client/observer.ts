import type { ModelError } from '../model/errors.ts';
import type { ModelEvent } from '../model/events.ts';

/** What one wait for the server brought. */
export type PollResult =
  | { readonly type: 'events'; readonly events: readonly ModelEvent[] }
  /** The body ended, or the socket was closed. */
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly error: ModelError };

/**
 * Watches a client without changing anything. Every hook is optional and costs nothing when absent; hooks are
 * called in line and must not throw.
 */
export interface ModelObserver {
  /** After every wait on an HTTP answer's stream: what came, and how long it took. */
  onSsePoll?(result: PollResult, waitedMs: number): void;
  /** After every wait on a WebSocket for an answer's frames. */
  onWsPoll?(result: PollResult, waitedMs: number): void;
}
