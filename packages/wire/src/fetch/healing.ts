import type { Clock } from '../base/clock.ts';
import type { ProtocolId } from '../decoder.ts';
import { ModelError, retryClassFor } from '../model/errors.ts';
import { decideRetry, retryPolicies, type RetryPolicy, type RetryPolicyName } from '../model/retry-policy.ts';
import { readDefaults, type ReadTimeoutOptions } from '../read/read-events.ts';
import type { Repair } from '../repairs.ts';
import { randomFraction, randomId } from '../runtime/random.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { unixSeconds } from '../runtime/wall-time.ts';
import { readAnswer, type AnswerContext, type Attempt } from './answer.ts';
import { readModelRequest, type ModelRequest } from './model-request.ts';
import type { HealingWire } from './wire.ts';

/** What is asked for: the same as the global `fetch`. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Which request something was repaired in. */
export interface RepairedRequest {
  /** The wire that it is on. */
  readonly wire: ProtocolId;
  /** Where it went, without its query, which may hold a key. */
  readonly url: string;
}

/** How `healing` asks and reads. */
export interface HealingOptions extends ReadTimeoutOptions {
  /** What sends the requests. Default: the global `fetch`, as it is at the time of each request. */
  readonly fetch?: Fetch;
  /**
   * Tries a request again that failed before its first event, by this policy; the SDK is told then that it need not. Default: the SDK tries
   * again, as it always does, and is told whether that can help.
   */
  readonly retry?: RetryPolicyName | RetryPolicy;
  /** Called with the name of each repair, once for each request. It must not throw. Default: not called. */
  readonly onRepair?: (repair: Repair, request: RepairedRequest) => void;
  /** The clock of the timers. Default: the clock of the system. */
  readonly clock?: Clock;
}

/** A `fetch` that heals the answers of models on these wires. */
export function healingFor(wires: readonly HealingWire[], options: HealingOptions = {}): Fetch {
  const { clock = systemClock, onRepair, retry } = options;
  const context: AnswerContext = {
    clock,
    timeouts: { ...readDefaults, ...options },
    minting: { id: randomId, now: unixSeconds },
    onRepair:
      onRepair &&
      ((repair, { wire, url }) => onRepair(repair, { wire: wire.answers.id, url: url.origin + url.pathname })),
  };
  const policy = typeof retry === 'string' ? retryPolicies[retry] : retry;
  return async (input, init) => {
    const send = options.fetch ?? globalThis.fetch;
    const request = await readModelRequest(wires, input, init);
    if (request === undefined) return await send(input, init);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const attempt = async (): Promise<Attempt> => {
      const own = input instanceof Request && policy !== undefined ? input.clone() : input;
      return await readAnswer(request, await send(own, init), context, signal ?? undefined);
    };
    return policy === undefined ? once(await attempt()) : await retrying(attempt, policy, context, request, signal);
  };
}

/** The SDK's own patience stands behind: it is told whether trying again can help. */
function once(attempt: Attempt): Response {
  if (attempt.failure === undefined) return attempt.response;
  return attempt.told(retryClassFor(attempt.failure, retryPolicies.bridge.request.classes) !== 'never');
}

/** What failed for good is not tried again by the SDK: its attempts would multiply these. */
async function retrying(
  attempt: () => Promise<Attempt>,
  policy: RetryPolicy,
  { clock, onRepair }: AnswerContext,
  request: ModelRequest,
  signal: AbortSignal | null | undefined,
): Promise<Response> {
  for (let used = 0; ; used++) {
    const { failure, final } = await outcomeOf(attempt);
    if (failure === undefined) return final();
    const plan = decideRetry(policy, 'request', failure, used, randomFraction);
    if (plan === undefined) return final();
    onRepair?.('retry', request);
    await new Promise<void>((resolve) => {
      const go = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', go);
        resolve();
      };
      const timer = clock.after(plan.delayMs, go, { keepAlive: true });
      signal?.addEventListener('abort', go, { once: true });
    });
    signal?.throwIfAborted();
  }
}

interface Outcome {
  readonly failure: ModelError | undefined;
  /** What it comes to if it is not tried again. */
  readonly final: () => Response;
}

async function outcomeOf(attempt: () => Promise<Attempt>): Promise<Outcome> {
  try {
    const came = await attempt();
    if (came.failure === undefined) return { failure: undefined, final: () => came.response };
    return { failure: came.failure, final: () => came.told(false) };
  } catch (error) {
    // What `fetch` throws is a connection that failed, or the caller's abort: both are told as they came.
    const isAbort = error instanceof Error && error.name === 'AbortError';
    const kind = isAbort ? 'aborted' : 'connection_failed';
    const rethrow = (): never => {
      throw error;
    };
    return { failure: new ModelError({ kind, message: 'no connection', cause: error }), final: rethrow };
  }
}
