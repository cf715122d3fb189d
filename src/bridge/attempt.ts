import { ModelError, type ErrorKind } from '../model/errors.ts';
import type { ModelEvent } from '../model/events.ts';
import type { HttpResponse, HttpTransport } from '../transport/http.ts';
import type { HttpCall } from '../client/http-call.ts';
import { openHttpCall, randomIds } from '../client/model-call.ts';
import { unlessAborted, wait } from '../client/wait.ts';
import { TURN_STATE_HEADER, turnStateOf } from '../wire/responses/headers.ts';
import type { ToolMap } from '../wire/tools/index.ts';
import type { BridgeContext } from './context.ts';
import { toUpstream, type Prepared, type UpstreamRequest } from './prepare.ts';
import type { TurnState } from './turn-state.ts';
import type { Upstream } from './upstream/pool.ts';

/** Longest delay before another attempt: past it the client is told, and decides for itself. */
const LONGEST_WAIT_MS = 10_000;
const FIRST_WAIT_MS = 200;

/** Failures after which the same request may be sent again, as long as nothing of an answer came. */
const AGAIN: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  'connection_failed',
  'rate_limited',
  'server_error',
  'server_overloaded',
  'stream_truncated',
  'timeout',
]);

/** An upstream that began to answer. */
export interface Started {
  readonly upstream: Upstream;
  readonly call: HttpCall;
  readonly tools: ToolMap | undefined;
  readonly uncarried: UpstreamRequest['uncarried'];
  readonly ignored: UpstreamRequest['ignored'];
  /** What else of the request the upstream's wire has no form for, one line each. */
  readonly notes: readonly string[];
  /** The first events; empty when the answer ended with them missing. */
  readonly events: readonly ModelEvent[];
  /** Counts the stream off its upstream. */
  readonly release: () => void;
}

export interface AttemptOptions {
  readonly context: BridgeContext;
  readonly prepared: Prepared;
  /** Headers of the caller that an upstream of the Responses API may see. */
  readonly headers: Readonly<Record<string, string>>;
  readonly turn: TurnState | undefined;
  readonly signal: AbortSignal;
  /** The upstream's headers are there, whatever its status. */
  onHead(upstream: Upstream, response: HttpResponse): void;
  /** Another attempt follows. */
  onRetry(error: ModelError, how: 'retry' | 'failover'): void;
}

/**
 * Finds an upstream that begins to answer. One that fails before its first event is left for another one, once, at
 * once; without another one it is asked again, as the client's policy says.
 *
 * @throws ModelError of the last attempt
 */
export async function startAnswer(options: AttemptOptions): Promise<Started> {
  const { context, turn, signal } = options;
  const left = new Set<Upstream>();
  for (let attempt = 1; ; attempt++) {
    const upstream = context.pool.choose(turn?.upstream, left) ?? context.pool.choose(turn?.upstream, new Set());
    if (upstream === undefined) throw new ModelError({ kind: 'connection_failed', message: 'there is no upstream' });
    try {
      return await begin(options, upstream);
    } catch (error) {
      const failure = toModelError(error);
      if (signal.aborted) throw failure;
      context.pool.failed(upstream, failure);
      const failover = left.size === 0 && context.pool.members.length > 1;
      // Another one may speak where this one was silent; waiting as long again for the same one helps nobody.
      const again = AGAIN.has(failure.kind) || (failover && failure.kind === 'stream_idle');
      if (!again || attempt > context.settings.requestMaxRetries) throw failure;
      left.add(upstream);
      const delay = failover ? 0 : delayOf(failure, attempt);
      if (delay > LONGEST_WAIT_MS) throw failure;
      options.onRetry(failure, failover ? 'failover' : 'retry');
      if (delay > 0) await wait(context.settings.clock, delay, signal);
    }
  }
}

async function begin(options: AttemptOptions, upstream: Upstream): Promise<Started> {
  const { context, prepared, signal } = options;
  const { pool, settings } = context;
  const release = pool.begin(upstream);
  try {
    const wire = await unlessAborted(pool.wireOf(upstream), signal);
    if (wire === undefined) throw new ModelError({ kind: 'aborted', message: 'cancelled' });
    const provider = upstream.provider(wire);
    const { request, tools, uncarried, ignored } = toUpstream(prepared, provider, settings.tools);
    let notes: readonly string[] = [];
    const calling = {
      transport: watched(context.transport, (response) => options.onHead(upstream, response)),
      clock: settings.clock,
      provider,
      getEnv: pool.getEnv,
      mintId: randomIds,
      memory: upstream.memory,
      onNotes: (told: readonly string[]) => {
        notes = told;
      },
    };
    const sticky = {
      headers: () => (wire === 'responses' ? headersFor(options, upstream) : {}),
      offer: () => undefined, // `onHead` reads it, with the other headers
    };
    const call = openHttpCall(request, calling, { signal, watch: undefined, number: 1 }, sticky);
    const events = await firstEvents(call);
    pool.succeeded(upstream);
    return { upstream, call, tools, uncarried, ignored, notes, events, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Tells of every answer's headers. */
function watched(transport: HttpTransport, onHead: (response: HttpResponse) => void): HttpTransport {
  return {
    send: async (request) => {
      const response = await transport.send(request);
      onHead(response);
      return response;
    },
    close: () => transport.close(),
  };
}

/** The upstream's own turn state goes back to it, and to no other. */
function headersFor({ headers, turn }: AttemptOptions, upstream: Upstream): Record<string, string> {
  const own = turn?.upstream === upstream.key ? turn.own : undefined;
  return { ...headers, ...(own === undefined ? {} : { [TURN_STATE_HEADER]: own }) };
}

/** Up to the first event of the answer itself: what its headers say is not one. */
async function firstEvents(call: HttpCall): Promise<readonly ModelEvent[]> {
  for (;;) {
    const events = await call.next();
    if (events === undefined) return [];
    if (!events.every(isFromHeaders)) return events;
  }
}

function isFromHeaders(event: ModelEvent): boolean {
  return event.type === 'server_model' || event.type === 'rate_limits' || event.type === 'models_etag';
}

/** The token for the client when an upstream's headers arrived; nothing when its turn has one already. */
export function sealedTurn(
  context: BridgeContext,
  turn: TurnState | undefined,
  upstream: Upstream,
  response: Pick<HttpResponse, 'header'>,
): string | undefined {
  if (turn !== undefined) return undefined;
  const own = turnStateOf(response.header(TURN_STATE_HEADER));
  if (own === undefined && context.pool.members.length < 2) return undefined;
  return context.seal.seal({ upstream: upstream.key, ...(own === undefined ? {} : { own }) });
}

/** 200 ms, doubled with each attempt, ten percent either way; or what the server asked for. */
function delayOf(error: ModelError, attempt: number): number {
  return error.retry.afterMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.9 + Math.random() * 0.2);
}

/** Anything that is thrown, as the one error that clients are told of. */
export function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  return new ModelError({ kind: 'server_error', message: 'the bridge failed', cause: error });
}
