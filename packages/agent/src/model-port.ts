import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { Item } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import type { ModelServer } from './thread/model-server.ts';

/**
 * What the agent needs of a model: one `TurnModel` per turn, so that whatever is sticky within a turn (routing
 * state, the transport in use) stays with it and no longer.
 */
export interface ModelPort {
  /** Where it answers, for the thread to remember. Default: nothing is remembered. */
  readonly server?: ModelServer;
  /** Called once for each turn; with the id of the thread that it belongs to, where there is one. */
  openTurn(threadId?: string): TurnModel;
}

/** The server of a model as it is asked: the request may name another model than the server's own. */
export function serverOf(asked: {
  readonly model: ModelPort;
  readonly request?: Pick<ModelRequest, 'model'>;
}): ModelServer | undefined {
  const { server } = asked.model;
  const model = asked.request?.model ?? server?.model;
  return server === undefined || model === undefined ? server : { ...server, model };
}

/** How one request of a turn is streamed. */
export interface StreamOptions {
  /** Aborting it ends the stream with a `ModelError` of kind `aborted`. */
  readonly signal: AbortSignal;
  /**
   * For a model that retries by itself after output was delivered: the input to send again, which holds every item
   * that was done and the outputs of the tools that ran. Without a call of it the model sends the old input again; the
   * agent then answers a repeated call with the output it already has.
   */
  readonly rebuildInput?: () => Promise<readonly Item[]>;
}

/** The model within one turn. */
export interface TurnModel {
  /**
   * One request. Yields the events of each network chunk together; the last is `completed`, else it throws a
   * `ModelError`.
   */
  stream(request: ModelRequest, options: StreamOptions): AsyncIterable<readonly ModelEvent[]>;
  /** Called once when the turn is over. */
  end?(): void;
}
