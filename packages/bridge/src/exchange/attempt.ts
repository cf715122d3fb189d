import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Deadline } from '@turnwire/wire/internal/base/deadline';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { serverRuleOf } from '@turnwire/wire/internal/model/server-rules';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { HttpResponse } from '@turnwire/client/internal/transport/http';
import { randomId } from '@turnwire/client/internal/platform/random';
import type { ModelCall } from '@turnwire/client/internal/http/unpaused-call';
import { openHttpCall } from '@turnwire/client/internal/http/model-call';
import type { BatchSource } from '@turnwire/wire/internal/read/model-stream';
import { unlessAborted } from '@turnwire/client/internal/platform/wait';
import { lastMakerIn } from '@turnwire/wire/internal/maker-label';
import { Repairs } from '@turnwire/wire/internal/repairs';
import { TURN_STATE_HEADER, turnStateOf } from '@turnwire/wire/internal/responses/headers';
import type { ToolMap } from '@turnwire/wire/internal/tools/index';
import { askUpstreams, watchedTransport, type Asking } from './ask-upstreams.ts';
import type { BridgeContext } from './context.ts';
import { toUpstream, upstreamWires, type Prepared, type UpstreamRequest } from '../request/prepare.ts';
import type { SealedTurn } from '../upstream/sealed-turn.ts';
import { firstEventDeadline, HOLD_MS, isOfHead, isSilent, silence } from '../upstream/beginning.ts';
import { isBridgesOwn } from '../upstream/bridges-own.ts';
import type { Asked, Outcome } from '../upstream/failover.ts';
import { bridgesIn } from '../upstream/hop.ts';
import type { Lease, Upstream } from '../upstream/pool.ts';

/** How long the usage of an answer is read for that its client has, in milliseconds. */
const LATE_USAGE_MS = 5000;

/** An upstream that began to answer. */
export interface Started {
  /** The answer from its first event on. */
  readonly call: BatchSource;
  readonly response: HttpResponse | undefined;
  readonly tools: ToolMap | undefined;
  readonly uncarried: UpstreamRequest['uncarried'];
  readonly ignored: UpstreamRequest['ignored'];
  readonly lost: UpstreamRequest['lost'];
  readonly summarises: UpstreamRequest['summarises'];
  /** What else of the request the upstream's wire has no form for, one line each. */
  readonly notes: readonly string[];
  /** Whose server it is. */
  readonly maker: string;
  /** After the end: its usage, should it come late. */
  readonly lateUsage: () => ModelCall['lateUsage'];
  /** What was repaired in the answer so far. */
  readonly repairs: Repairs;
}

export interface AttemptOptions extends Asking {
  readonly prepared: Prepared;
  /** Headers of the caller that an upstream may see, where its wire has a use for them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Finds an upstream that begins to answer; the refusal of a failure is the response that it came in, if there was one. */
export async function startAnswer(options: AttemptOptions): Promise<Outcome<Started, HttpResponse>> {
  const { context, prepared, signal } = options;
  const { catalogue } = context.pool;
  const model = catalogue.nameFor(prepared.parsed.request.model);
  const outcome = await askUpstreams(options, {
    model,
    maker: context.pool.hasSeveralMakers ? lastMakerIn(prepared.input) : undefined,
    ask: (lease, hasOther) => ask({ ...options, model }, lease, hasOther),
    drop: () => undefined, // it has been read
  });
  if (outcome.ok || model === undefined || isBridgesOwn(outcome.failure)) return outcome;
  if (serverRuleOf(outcome.failure).verdict !== 'lacks_model') return outcome;
  return { ...outcome, failure: await catalogue.withNames(outcome.failure, signal) };
}

/** An answer that is looked for under the name that servers have for its model. */
interface Attempting extends AttemptOptions {
  readonly model: string | undefined;
}

async function ask(options: Attempting, lease: Lease, hasOther: () => boolean): Promise<Asked<Started, HttpResponse>> {
  const { settings, pool } = options.context;
  const { clock, firstEventTimeoutMs } = settings;
  const { upstream } = lease;
  // The only server is never given up for another one.
  const isAlone = pool.servers === 1;
  const limit = { clock, ms: isAlone ? 0 : firstEventTimeoutMs, hasOther };
  const silent = new AbortController();
  // Finding out which wire it speaks counts as well.
  const deadline = firstEventDeadline(limit, () => silent.abort());
  const signal = isAlone ? options.signal : AbortSignal.any([options.signal, silent.signal]);
  let opened: Opened | undefined;
  try {
    opened = await open(options, upstream, signal);
    const { call, told, repairs } = opened;
    const begun = await beginning(call, lease, clock, deadline);
    const lateUsage = (): ModelCall['lateUsage'] => call.lateUsage;
    const { maker } = upstream;
    const of = { response: call.head, notes: call.notes, lateUsage, maker };
    return { ok: true, answer: { ...told, ...of, call: begun, repairs } };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const failure = silent.signal.aborted ? silence(upstream, limit.ms) : error;
    return { ok: false, failure, refusal: opened?.call.head };
  } finally {
    deadline.stop();
  }
}

interface Opened {
  readonly call: ModelCall;
  readonly told: Pick<UpstreamRequest, 'tools' | 'uncarried' | 'ignored' | 'lost' | 'summarises'>;
  readonly repairs: Repairs;
}

/** A call that sends nothing before it is read. */
async function open(options: Attempting, upstream: Upstream, signal: AbortSignal): Promise<Opened> {
  const { context, prepared, model } = options;
  const { pool, settings } = context;
  const wire = pool.knownWireOf(upstream) ?? (await unlessAborted(pool.wireOf(upstream), signal));
  if (wire === undefined) throw new ModelError({ kind: 'aborted', message: 'cancelled' });
  const usual = upstream.provider(wire);
  const contextWindow = pool.catalogue.windowOn(upstream, model, usual.contextWindow);
  const provider =
    contextWindow === undefined || contextWindow === usual.contextWindow ? usual : { ...usual, contextWindow };
  const { request, ...told } = toUpstream(prepared, { provider, maker: upstream.maker, tools: settings.tools });
  const repairs = new Repairs();
  const calling = {
    transport: watchedTransport(options, upstream, wire),
    clock: settings.clock,
    provider,
    getEnv: upstream.getEnv,
    mintId: randomId,
    memory: upstream.memory,
    lateUsageMs: LATE_USAGE_MS,
    repairs,
    onFinished: () => options.exchange.onFinished(),
  };
  const headers = { ...headersFor(options, upstream, wire), ...hopOf(options) };
  const named = model === undefined ? request : { ...request, model };
  const call = openHttpCall(named, calling, { signal, watch: undefined, number: 1 }, { headers: () => headers });
  return { call, told, repairs };
}

/** The upstream's own turn state goes back to it, and to no other. */
function headersFor({ headers, turn }: AttemptOptions, upstream: Upstream, wire: ProtocolId): Record<string, string> {
  const own = turn?.upstream === upstream.key ? turn.own : undefined;
  const all = { ...headers, ...(own === undefined ? {} : { [TURN_STATE_HEADER]: own }) };
  return Object.fromEntries(Object.entries(all).filter(([name]) => upstreamWires[wire].takesHeader(name)));
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
  turn: SealedTurn | undefined,
  upstream: Upstream,
  response: Pick<HttpResponse, 'header'>,
): string | undefined {
  if (turn !== undefined) return undefined;
  const own = turnStateOf(response.header(TURN_STATE_HEADER));
  if (own === undefined && context.pool.size < 2) return undefined;
  return context.seal.seal({ upstream: upstream.key, ...(own === undefined ? {} : { own }) });
}
