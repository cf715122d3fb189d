import type { Logger } from 'pino';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Deadline } from '@turnwire/wire/internal/base/deadline';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { retryPolicies, withBudgets } from '@turnwire/wire/internal/model/retry-policy';
import type { HttpResponse, HttpTransport } from '@turnwire/client/internal/transport/http';
import { randomId } from '@turnwire/client/internal/platform/random';
import { openHttpCall } from '@turnwire/client/internal/http/model-call';
import type { BatchSource } from '@turnwire/client/internal/stream/model-stream';
import { unlessAborted } from '@turnwire/client/internal/platform/wait';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { TURN_STATE_HEADER, turnStateOf } from '@turnwire/wire/internal/responses/headers';
import type { ToolMap } from '@turnwire/wire/internal/tools/index';
import type { BridgeContext } from './context.ts';
import { toUpstream, type Prepared, type UpstreamRequest } from '../request/prepare.ts';
import type { TurnState } from '../upstream/turn-state.ts';
import { firstEventDeadline, HOLD_MS, isOfHead, isSilent, silence } from '../upstream/beginning.ts';
import { failOver, type Asked, type Outcome } from '../upstream/failover.ts';
import { bridgesIn } from '../upstream/hop.ts';
import type { Lease, Upstream } from '../upstream/pool.ts';

/** An upstream that began to answer. */
export interface Started {
  /** The answer from its first event on. */
  readonly call: BatchSource;
  readonly response: HttpResponse | undefined;
  readonly tools: ToolMap | undefined;
  readonly uncarried: UpstreamRequest['uncarried'];
  readonly ignored: UpstreamRequest['ignored'];
  /** What else of the request the upstream's wire has no form for, one line each. */
  readonly notes: readonly string[];
}

export interface AttemptOptions {
  readonly context: BridgeContext;
  readonly prepared: Prepared;
  /** Headers of the caller that an upstream of the Responses API may see. */
  readonly headers: Readonly<Record<string, string>>;
  readonly turn: TurnState | undefined;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Finds an upstream that begins to answer; the refusal of a failure is the response that it came in, if there was one. */
export function startAnswer(options: AttemptOptions): Promise<Outcome<Started, HttpResponse>> {
  const { context, prepared, turn, signal, log } = options;
  const { settings, pool } = context;
  return failOver({
    pool,
    clock: settings.clock,
    policy: withBudgets(retryPolicies.bridge, { request: settings.requestMaxRetries }),
    log,
    sticky: turn?.upstream,
    model: prepared.parsed.request.model ?? settings.model,
    signal,
    ask: (lease, hasOther) => ask(options, lease, hasOther),
    drop: () => undefined, // it has been read
  });
}

/** Servers of this wire have a use for headers of the caller. */
const takesHeaders: Readonly<Record<ProtocolId, boolean>> = { chat: false, responses: true };

async function ask(
  options: AttemptOptions,
  lease: Lease,
  hasOther: () => boolean,
): Promise<Asked<Started, HttpResponse>> {
  const { context, prepared } = options;
  const { pool, settings } = context;
  const { upstream } = lease;
  const limit = { clock: settings.clock, ms: settings.firstEventTimeoutMs, hasOther };
  const silent = new AbortController();
  // Finding out which wire it speaks counts as well.
  const deadline = firstEventDeadline(limit, () => silent.abort());
  const signal = AbortSignal.any([options.signal, silent.signal]);
  let response: HttpResponse | undefined;
  try {
    const wire = await unlessAborted(pool.wireOf(upstream), signal);
    if (wire === undefined) throw new ModelError({ kind: 'aborted', message: 'cancelled' });
    const provider = upstream.provider(wire);
    const { request, ...told } = toUpstream(prepared, provider, settings.tools);
    const calling = {
      transport: watched(context.transport, (head) => (response = head)),
      clock: settings.clock,
      provider,
      getEnv: pool.getEnv,
      mintId: randomId,
      memory: upstream.memory,
    };
    const sticky = {
      headers: () => ({ ...(takesHeaders[wire] ? headersFor(options, upstream) : {}), ...hopOf(options) }),
      offer: () => undefined, // the response is told, with all of its headers
    };
    const call = openHttpCall(request, calling, { signal, watch: undefined, number: 1 }, sticky);
    const begun = await beginning(call, lease, settings.clock, deadline);
    return { ok: true, answer: { ...told, call: begun, response, notes: call.notes } };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { ok: false, failure: silent.signal.aborted ? silence(upstream, limit.ms) : error, refusal: response };
  } finally {
    deadline.stop();
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

function hopOf({ context, headers }: AttemptOptions): Record<string, string> {
  return { via: context.hop.stamp(bridgesIn(headers.via)) };
}

/**
 * The call once it says something, or has been silent behind its first event for a while; throws how it failed before.
 *
 * @param first - stopped at the first event
 */
async function beginning(call: BatchSource, lease: Lease, clock: Clock, first: Deadline): Promise<BatchSource> {
  const events: ModelEvent[] = [];
  for (;;) {
    const next = call.next();
    const begun = !events.every(isOfHead);
    const batch = begun ? await soon(clock, next) : await next;
    if (batch === 'late') return resumed(call, events, next);
    if (batch === undefined) return resumed(call, events);
    events.push(...batch);
    if (!events.every(isOfHead)) {
      first.stop();
      lease.began();
    }
    if (!events.every(isSilent)) return resumed(call, events);
  }
}

/** What `promise` gives, or `late` when that takes too long; it goes on all the same. */
async function soon<T>(clock: Clock, promise: Promise<T>): Promise<T | 'late'> {
  const late = Promise.withResolvers<'late'>();
  const timer = clock.after(HOLD_MS, () => late.resolve('late'));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    timer.cancel();
  }
}

/** A call whose first events were taken, and whose next ones may have been asked for. */
function resumed(
  call: BatchSource,
  events: readonly ModelEvent[],
  next?: Promise<readonly ModelEvent[] | undefined>,
): BatchSource {
  const first = [Promise.resolve(events.length === 0 ? undefined : events), ...(next === undefined ? [] : [next])];
  next?.catch(() => undefined); // told by `next`, whenever it is asked
  return {
    next: () => first.shift() ?? call.next(),
    cancel: () => call.cancel(),
  };
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
  if (own === undefined && context.pool.size < 2) return undefined;
  return context.seal.seal({ upstream: upstream.key, ...(own === undefined ? {} : { own }) });
}
