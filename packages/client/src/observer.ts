import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import type { PollResult } from '@turnwire/wire/internal/read/answer-reader';
import type { ProviderConfig } from './provider/provider.ts';

export type { PollResult };

/**
 * Watches a client without changing anything. Every hook is optional, and without an observer nothing is measured;
 * hooks are called in line and must not throw.
 */
export interface ModelObserver {
  /** After every wait on an HTTP answer's stream: what came, and how long it took. */
  onSsePoll?(result: PollResult, waitedMs: number): void;
  /** After every wait on a WebSocket for an answer's frames. */
  onWsPoll?(result: PollResult, waitedMs: number): void;
  /** An answer is over, well or not, of which so many events (at least one) were no JSON object of the expected shape. */
  onSkipped?(events: number): void;
  /** The session gave WebSocket up and uses HTTP from now on; `error` is why. Once per session. */
  onFallback?(error: ModelError): void;
  /** A turn was opened, in this conversation where its caller says so. */
  onTurn?(provider: ProviderConfig, conversationId?: string): TurnWatch | undefined;
}

/** One turn of a session, or one request of a client. */
export interface TurnWatch {
  /** A request begins: its first event was asked for. `model` is the request's own, else the provider's. */
  onRequest?(model: string | undefined, request: ModelRequest): RequestWatch | undefined;
  /** The turn was said to be over; once. */
  onEnd?(): void;
}

/** One request, from its first attempt to the answer or the final failure. */
export interface RequestWatch {
  /** An attempt begins, on this way to the server; the nth, from 1. */
  onAttempt?(attempt: number, via: 'http' | 'websocket'): void;
  /** Headers to send with the attempt that runs, such as `traceparent`; names in lower case. */
  headers?(): Readonly<Record<string, string>>;
  /** The answer names this model; before the events that came with it, and once for each attempt at most. */
  onModel?(model: string): void;
  /** Events that arrived together. */
  onEvents?(events: readonly ModelEvent[]): void;
  /** The attempt failed, for good or to be tried again. */
  onAttemptFailed?(error: ModelError): void;
  /** Over, exactly once: with the failure that ended it, or without one after the answer or when the consumer left. */
  onEnd?(error?: ModelError): void;
}
