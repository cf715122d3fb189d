import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import type { ProxyOptions } from '../transport/proxy-choice.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { HttpTimers } from '../transport/watch.ts';
import { createServerMemory, type ServerMemory } from '../http/server-memory.ts';
import type { ModelObserver } from '../observer.ts';
import type { GetEnv } from '../provider/provider-request.ts';
import type { ProviderConfig } from '../provider/provider.ts';
import { WebSocketCall } from './call.ts';
import type { TurnState } from '../turn-state.ts';
import { SocketPool } from './socket-pool.ts';

export interface WebSocketConnectionOptions {
  readonly provider: ProviderConfig;
  readonly getEnv?: GetEnv;
  readonly clock?: Clock;
  readonly observer?: ModelObserver | undefined;
  /** What is known of the server. Default: nothing. */
  readonly memory?: ServerMemory;
  /** What the handshakes go through. Default: nothing. */
  readonly proxy?: ProxyOptions | undefined;
}

export interface WebSocketStreamOptions {
  readonly signal?: AbortSignal | undefined;
  readonly turnState?: TurnState | undefined;
}

/** The Responses API over WebSocket for one session: one socket that is used again and again. */
export interface WebSocketConnection {
  /** One try at one request; nothing is sent before its first `next`. */
  stream(request: ModelRequest, options?: WebSocketStreamOptions): WebSocketCall;
  /**
   * Opens the socket and lets the server take in instructions and tools, so that the first request has less to send.
   * Belongs to no turn. Fails with `ModelError`, which is no failure of a turn.
   */
  warmUp(request: ModelRequest, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Closes the socket that is kept; calls that run are not touched. */
  close(): void;
}

/**
 * A connection for requests over a WebSocket, each on its own.
 *
 * @example
 * ```ts
 * const connection = createWebSocketConnection({ provider, getEnv });
 * const batches = connection.stream({ input });
 * for (let events = await batches.next(); events !== undefined; events = await batches.next()) show(events);
 * connection.close();
 * ```
 */
export function createWebSocketConnection(options: WebSocketConnectionOptions): WebSocketConnection {
  const { provider, clock = systemClock, observer, proxy, getEnv = () => undefined } = options;
  const pool = new SocketPool({ provider, clock, getEnv, proxy });
  const { memory = createServerMemory() } = options;
  const context = { pool, provider, clock, observer, memory, timers: timersOf(provider) };
  return {
    stream: (request, { signal, turnState } = {}) => new WebSocketCall(request, { ...context, signal, turnState }),
    async warmUp(request, { signal } = {}) {
      const call = new WebSocketCall(request, { ...context, signal, warmUp: true });
      while ((await call.next()) !== undefined);
    },
    close: () => pool.close(),
  };
}

function timersOf(provider: ProviderConfig): HttpTimers {
  return {
    firstByteMs: provider.firstByteTimeoutMs,
    idleMs: provider.streamIdleTimeoutMs,
    progressMs: provider.progressTimeoutMs,
    totalMs: provider.totalTimeoutMs,
  };
}
