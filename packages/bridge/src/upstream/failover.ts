import type { Clock } from '@turnwire/wire/internal/base/clock';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { decideRetry, withBudgets, type RetryPolicy } from '@turnwire/wire/internal/model/retry-policy';
import { moreTelling, serverRuleOf } from '@turnwire/wire/internal/model/server-rules';
import { isNobodyThere } from '@turnwire/client/internal/transport/failures';
import { randomFraction } from '@turnwire/client/internal/platform/random';
import { wait } from '@turnwire/client/internal/platform/wait';
import type { Exchange } from '../observe/exchange.ts';
import { concealerFor } from './conceal.ts';
import type { Lease, UpstreamPool } from './pool.ts';
import type { Upstream } from './upstream.ts';

/** What one server made of a request: an answer that began, or a failure and what came with it. */
export type Asked<Answer, Refusal> =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly failure: ModelError; readonly refusal: Refusal | undefined };

/** How a request ended that was put to one server after the other. */
export type Outcome<Answer, Refusal> = Asked<Answer, Refusal> & {
  readonly upstream: Upstream;
  /** To be given a verdict and released, by whom the answer is for; that of a failure is released. */
  readonly lease: Lease;
};

export interface FailoverOptions<Answer, Refusal> {
  readonly pool: UpstreamPool;
  readonly clock: Clock;
  /** Its level `request` is for the only server: until the first event nothing was put out. */
  readonly policy: RetryPolicy;
  /** Told of each attempt, and of why there is another one. */
  readonly exchange: Pick<Exchange, 'onAttempt' | 'onRepair'>;
  /** Key of the server that the turn began on. */
  readonly sticky: string | undefined;
  readonly model: string | undefined;
  /** Whose server encrypted something in the conversation, last. */
  readonly maker?: string | undefined;
  /** Servers that are not asked: they do not have the model. */
  readonly lacking: ReadonlySet<Upstream>;
  readonly signal: AbortSignal;
  /** Puts the request to one server. `hasOther` tells, whenever it is called, whether another one would take it. */
  readonly ask: (lease: Lease, hasOther: () => boolean) => Promise<Asked<Answer, Refusal>>;
  /** Lets go of a refusal that no client will see. */
  readonly drop: (refusal: Refusal) => void;
}

type Failed<Answer, Refusal> = Outcome<Answer, Refusal> & { readonly ok: false };

/**
 * Puts a request to one server after the other until one begins to answer, each once and at once. The only server
 * that there is for it is asked again as the policy says. When all have failed, the failure that says most is the outcome,
 * without a wait.
 */
export async function failOver<Answer, Refusal>(
  options: FailoverOptions<Answer, Refusal>,
): Promise<Outcome<Answer, Refusal>> {
  const { pool, model, maker, sticky, signal, clock, exchange } = options;
  let number = 0;
  const left = new Set(options.lacking);
  const isOnly = pool.isOneBeside(left);
  let best: Failed<Answer, Refusal> | undefined;
  let repeated = 0;
  for (;;) {
    const lease = pool.take({ sticky, maker, model, not: left });
    if (lease === undefined) {
      if (best === undefined) throw new ModelError({ kind: 'connection_failed', message: 'there is no upstream' });
      return final(best);
    }
    const { upstream } = lease;
    exchange.onAttempt({ number: ++number, upstream: upstream.label, conceal: concealerFor(upstream) });
    const asked = await settled(
      lease,
      options.ask(lease, () => pool.hasOther({ model, not: left, than: upstream })),
    );
    if (asked.ok) {
      letGo(best, options);
      return { ...asked, upstream, lease };
    }
    const { failure } = asked;
    for (const spent of pool.spentBy(upstream, failure)) left.add(spent);
    if (!signal.aborted) lease.failed(failure);
    lease.release();
    const failed = { ...asked, upstream, lease };
    if (signal.aborted || !serverRuleOf(failure).elsewhere) {
      letGo(best, options);
      return failed;
    }
    const told: Failed<Answer, Refusal> = moreTellingOf(best, failed, options);
    best = told;
    if (left.size < pool.size) {
      exchange.onRepair('failover', { upstream: upstream.label, failure, delayMs: 0 });
      continue;
    }
    const plan = isOnly
      ? decideRetry(patienceWith(failure, options.policy), 'request', failure, repeated++, randomFraction)
      : undefined;
    if (plan === undefined) return final(told);
    letGo(best, options);
    best = undefined;
    for (const one of left) if (!options.lacking.has(one)) left.delete(one);
    exchange.onRepair('retry', { upstream: upstream.label, failure, delayMs: plan.delayMs });
    await wait(clock, plan.delayMs, signal);
  }
}

/** A server that is not running is given 0.6 s to come back: a person waits to hear of it. */
const RETRIES_OF_NOBODY = 2;

function patienceWith(failure: ModelError, policy: RetryPolicy): RetryPolicy {
  if (!isNobodyThere(failure)) return policy;
  return withBudgets(policy, { request: Math.min(policy.request.maxRetries, RETRIES_OF_NOBODY) });
}

/** Where nobody is there, what was repeated here need not be repeated by the client. */
function final<Answer, Refusal>(failed: Failed<Answer, Refusal>): Failed<Answer, Refusal> {
  if (!isNobodyThere(failed.failure)) return failed;
  return { ...failed, failure: failed.failure.with({ shouldRetry: false }) };
}

/** What is thrown beside the failures of a server is a bug of ours, and no server's fault. */
async function settled<T>(lease: Lease, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    lease.release();
    throw error;
  }
}

function moreTellingOf<Answer, Refusal>(
  first: Failed<Answer, Refusal> | undefined,
  second: Failed<Answer, Refusal>,
  options: FailoverOptions<Answer, Refusal>,
): Failed<Answer, Refusal> {
  if (first === undefined) return second;
  const [told, other] =
    moreTelling(first.failure, second.failure) === first.failure ? [first, second] : [second, first];
  letGo(other, options);
  return told;
}

function letGo<Answer, Refusal>(
  failed: Failed<Answer, Refusal> | undefined,
  { drop }: FailoverOptions<Answer, Refusal>,
): void {
  if (failed?.refusal !== undefined) drop(failed.refusal);
}
