import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { createHttpTransport, type HttpTransport } from '../transport/http.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { MintId } from '@turnwire/wire/internal/decoder';
import { randomId } from '../platform/random.ts';
import { createServerMemory } from '../http/server-memory.ts';
import { openHttpCall, type CallContext } from '../http/model-call.ts';
import { RetryingStream } from '../stream/retrying-stream.ts';
import { retryPolicies } from '@turnwire/wire/internal/model/retry-policy';
import { toModelStream, type ModelStream } from '@turnwire/wire/internal/read/model-stream';
import type { ModelObserver } from '../observer.ts';
import type { ProviderConfig } from '../provider/provider.ts';
import type { GetEnv } from '../provider/provider-request.ts';

/** What a client is made of. */
export interface ModelClientOptions {
  /** From `createProvider`. */
  readonly provider: ProviderConfig;
  /** Reads the variables that the provider names, at every request. Default: none is set. */
  readonly getEnv?: GetEnv;
  /** What requests go through. Default: a transport of its own, without a proxy. */
  readonly transport?: HttpTransport;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
  /** Watches requests, for telemetry. Default: nobody does. */
  readonly observer?: ModelObserver;
  /** Ids of items that the server gave none. Default: random. */
  readonly mintId?: MintId;
}

/** How one request is streamed. */
export interface StreamOptions {
  /**
   * Aborting it ends the stream with a `ModelError` of kind `aborted`. Without one, only leaving the loop ends it
   * early.
   */
  readonly signal?: AbortSignal | undefined;
}

/** One request at a time, each on its own: without retries, without state between them. */
export interface ModelClient {
  /**
   * The answer to one request. Lazy: nothing is sent before the first event is asked for.
   *
   * @throws ModelError from the iteration, after everything that arrived was delivered
   */
  stream(request: ModelRequest, options?: StreamOptions): ModelStream;
  /**
   * Ends its streams, as an abort would, and closes the connections of a transport that it made itself. A stream that is
   * begun later is `aborted` at once.
   */
  close(): Promise<void>;
}

/**
 * A client for one provider.
 *
 * @example
 * ```ts
 * const client = createModelClient({ provider: createProvider({ baseUrl: 'http://127.0.0.1:8080/v1', wireApi: 'chat' }) });
 * const input = [{ type: 'message', role: 'user', content: 'Say hello' }] as const;
 * for await (const event of client.stream({ input })) {
 *   if (event.type === 'output_text.delta') process.stdout.write(event.delta);
 * }
 * await client.close();
 * ```
 */
export function createModelClient(options: ModelClientOptions): ModelClient {
  const { provider, observer } = options;
  const clock = options.clock ?? systemClock;
  const transport = options.transport ?? createHttpTransport({ clock });
  const context: CallContext = {
    provider,
    observer,
    clock,
    transport,
    getEnv: options.getEnv ?? (() => undefined),
    mintId: options.mintId ?? randomId,
    memory: createServerMemory(),
  };
  const closing = new AbortController();
  return {
    stream(request, { signal } = {}) {
      const watch = observer?.onTurn?.(provider);
      const sampling = new RetryingStream(request, {
        clock,
        signal,
        closing: closing.signal,
        random: () => 0,
        policy: retryPolicies.none,
        watch: () => watch?.onRequest?.(request.model ?? provider.model, request),
        onEnd: () => watch?.onEnd?.(),
        open: (attempted, attempt) => openHttpCall(attempted, context, attempt),
      });
      return toModelStream(sampling);
    },
    async close() {
      closing.abort(new Error('the client was closed'));
      if (options.transport === undefined) await transport.close();
    },
  };
}
