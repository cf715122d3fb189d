import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Item } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import {
  retryPolicies,
  withBudgets,
  type RetryPolicy,
  type RetryPolicyName,
} from '@turnwire/wire/internal/model/retry-policy';
import { createHttpTransport, type HttpTransport } from '../transport/http.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { MintId } from '@turnwire/wire/internal/decoder';
import { randomFraction, randomId } from '../platform/random.ts';
import { createServerMemory } from '../http/server-memory.ts';
import { openHttpCall, type CallContext } from '../http/model-call.ts';
import { createTurnState } from '../turn-state.ts';
import { toModelStream, type ModelStream } from '@turnwire/wire/internal/read/model-stream';
import type { ModelObserver } from '../observer.ts';
import type { ProviderConfig } from '../provider/provider.ts';
import type { GetEnv } from '../provider/provider-request.ts';
import { RetryingStream } from '../stream/retrying-stream.ts';
import { concealSecrets, secretsOf } from '../provider/secrets.ts';
import { createWebSocketFallback, type WebSocketFallback } from '../websocket/fallback.ts';

/** What a session is made of. */
export interface ModelSessionOptions {
  /** From `createProvider`. Its retry counts are the budgets of the policy. */
  readonly provider: ProviderConfig;
  /** Reads the variables that the provider names, at every request. Default: none is set. */
  readonly getEnv?: GetEnv;
  /** When a request is tried again: a policy or the name of one. Default `default`. */
  readonly policy?: RetryPolicy | RetryPolicyName;
  /** What requests go through. Default: a transport of its own, without a proxy. */
  readonly transport?: HttpTransport;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
  /** At least 0 and below 1, for the jitter of delays. Default: a new random number each time. */
  readonly random?: () => number;
  /** Watches requests, for telemetry. Default: nobody does. */
  readonly observer?: ModelObserver;
  /** Ids of items that the server gave none. Default: random. */
  readonly mintId?: MintId;
}

/** What a turn belongs to. */
export interface TurnOptions {
  /** An id of the conversation, for the session's observer. Nothing is sent. Default: none. */
  readonly conversationId?: string | undefined;
}

/** How one request of a turn is streamed. */
export interface TurnStreamOptions {
  /**
   * Aborting it ends the stream with a `ModelError` of kind `aborted`, a wait before a retry as well. Without one,
   * only leaving the loop ends it early.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * For callers that run tools while the answer still streams: makes the input of a retry after output was delivered,
   * with every item that was done and the outputs of the tools that ran. Without it the session appends the items
   * that were done, up to the first tool call, and the rest is void.
   */
  readonly rebuildInput?: (() => Promise<readonly Item[]>) | undefined;
}

/** One turn of a conversation: its requests (the first, retries, tool follow-ups) stay at one replica. */
export interface Turn {
  /**
   * The answer to one request, retries included: `retrying` names the items before it that are void. Lazy, as
   * `ModelClient.stream`.
   *
   * @throws ModelError from the iteration: the last failure, when the policy gives up
   */
  stream(request: ModelRequest, options?: TurnStreamOptions): ModelStream;
  /** Reports to the observer that the turn is over. Calls after the first do nothing. */
  end(): void;
}

/** Holds what outlives a turn: connections, what was learnt about the server, the retry policy. */
export interface ModelSession {
  /** A new turn, with an empty turn state. */
  turn(options?: TurnOptions): Turn;
  /**
   * Where the server is spoken to over WebSocket: connects, and lets it take in instructions and tools, so that the
   * first request is answered sooner. Belongs to no turn, never fails, and does nothing over HTTP.
   */
  warmUp(request: ModelRequest, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * Ends its streams, as an abort would, a wait before a retry as well, and closes its WebSockets and the connections of
   * a transport that it made itself. A stream that is begun later is `aborted` at once.
   */
  close(): Promise<void>;
}

/**
 * A session with one provider.
 *
 * @example
 * ```ts
 * const session = createModelSession({ provider, getEnv: (name) => process.env[name] });
 * const turn = session.turn();
 * for await (const event of turn.stream({ input })) {
 *   if (event.type === 'retrying') console.error(`retry ${event.attempt} of ${event.max}: ${event.error.message}`);
 * }
 * ```
 */
export function createModelSession(options: ModelSessionOptions): ModelSession {
  const { provider, observer } = options;
  const clock = options.clock ?? systemClock;
  const transport = options.transport ?? createHttpTransport({ clock });
  const getEnv = options.getEnv ?? (() => undefined);
  const mintId = options.mintId ?? randomId;
  const context: CallContext = {
    provider,
    clock,
    transport,
    getEnv,
    mintId,
    observer,
    memory: createServerMemory(),
  };
  const webSocket = createWebSocketFallback(context);
  const closing = new AbortController();
  const settings = {
    context,
    webSocket,
    closing: closing.signal,
    policy: policyOf(options),
    random: options.random ?? randomFraction,
  };
  return {
    turn: (turnOptions = {}) => createTurn(settings, turnOptions),
    warmUp: (request, { signal = closing.signal } = {}) =>
      webSocket.warmUp(request, AbortSignal.any([signal, closing.signal])),
    async close() {
      closing.abort(new Error('the session was closed'));
      webSocket.close();
      if (options.transport === undefined) await transport.close();
    },
  };
}

interface SessionSettings {
  readonly context: CallContext;
  readonly webSocket: WebSocketFallback;
  readonly closing: AbortSignal;
  readonly policy: RetryPolicy;
  readonly random: () => number;
}

function policyOf({ policy = 'default', provider }: ModelSessionOptions): RetryPolicy {
  if (typeof policy !== 'string') return policy;
  if (policy === 'none') return retryPolicies.none;
  return withBudgets(retryPolicies[policy], {
    request: provider.requestMaxRetries,
    stream: provider.streamMaxRetries,
  });
}

function createTurn(
  { context, webSocket, closing, policy, random }: SessionSettings,
  { conversationId }: TurnOptions,
): Turn {
  const { provider, clock, observer, getEnv } = context;
  const state = createTurnState();
  const watch = observer?.onTurn?.(provider, conversationId);
  let ended = false;
  return {
    stream(request, { signal, rebuildInput } = {}) {
      const sampling = new RetryingStream(request, {
        clock,
        random,
        policy,
        signal,
        closing,
        rebuildInput,
        conceal: (error) => concealSecrets(error, [...secretsOf(provider, getEnv), ...Object.values(state.headers())]),
        watch: () => watch?.onRequest?.(request.model ?? provider.model, request),
        open: (attempted, attempt) =>
          webSocket.open(attempted, attempt, state) ?? openHttpCall(attempted, context, attempt, state),
        divert: (error, attempt) => webSocket.givesUp(error, attempt),
      });
      return toModelStream(sampling);
    },
    end() {
      if (!ended) watch?.onEnd?.();
      ended = true;
    },
  };
}
