import type { Clock } from '../base/clock.ts';
import type { ProtocolId } from '../decoder.ts';
import { ModelError, retryClassFor } from '../model/errors.ts';
import { decideRetry, retryPolicies, type RetryPolicy, type RetryPolicyName } from '../model/retry-policy.ts';
import { readDefaults, type ReadTimeoutOptions } from '../read/read-events.ts';
import type { AnswerProtocol } from '../protocol.ts';
import type { Repair } from '../repairs.ts';
import { randomFraction, randomId } from '../runtime/random.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { unixSeconds } from '../runtime/wall-time.ts';
import { readAnswer, type AnswerContext, type Attempt } from './answer.ts';
import type { Fetch } from './fetch.ts';
import { readModelRequest } from './model-request.ts';
import { pause } from './pause.ts';
import { refusal } from './response.ts';
import type { ResumeStore } from './resume-store.ts';
import type { HealingWire } from './wire.ts';

/** Which request something was repaired in. */
export interface RepairedRequest {
  /** The same for all that is repaired in one call of `fetch`, and for no other. */
  readonly id: string;
  /** The wire that it is on. */
  readonly wire: ProtocolId;
  /** Where it went, without its query, which may hold a key. */
  readonly url: string;
  /** How often the call has been sent, from 1: more than once only with `retry`. An SDK that tries again by itself makes another call. */
  readonly attempt: number;
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
  /** Called with the name of each repair, once for each attempt. It must not throw. Default: not called. */
  readonly onRepair?: (repair: Repair, request: RepairedRequest) => void;
  /**
   * A Responses stream that is lost is asked for again, behind its last event; and a request whose header `x-turnwire-resume` is a key of
   * this store gets the answer that was asked for under it, if there is one, from its beginning. Requests on the other wires fail then.
   * Default: a stream that is lost is told as that.
   */
  readonly resume?: ResumeStore;
  /** The clock of the timers. Default: the clock of the system. */
  readonly clock?: Clock;
}

/**
 * A `fetch` that heals the answers of models on these wires.
 *
 * @throws TypeError for `resume` where none of the wires can
 */
export function healingFor(wires: readonly HealingWire[], options: HealingOptions = {}): Fetch {
  const { clock = systemClock, onRepair, retry, resume } = options;
  if (resume !== undefined && !wires.some((wire) => 'createResumable' in wire)) throw new TypeError(CANNOT_RESUME);
  const minting = { id: randomId, now: unixSeconds };
  const context: AnswerContext = { clock, timeouts: { ...readDefaults, ...options }, minting };
  const policy = typeof retry === 'string' ? retryPolicies[retry] : retry;
  return async (input, init) => {
    const send = options.fetch ?? globalThis.fetch;
    const request = await readModelRequest(wires, input, init);
    if (request === undefined) return await send(input, init);
    const { wire } = request;
    const resumable =
      resume && wire.createResumable?.({ url: request.url, asked: request.asked, send, store: resume, input, init });
    const problem = resume && (resumable === undefined ? CANNOT_RESUME : resumable.problem);
    if (problem !== undefined) return misuse(wire.answers, problem);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined) ?? undefined;
    const id = minting.id('req');
    const of = { id, wire: wire.answers.id, url: request.url.origin + request.url.pathname };
    const tell = onRepair && ((repair: Repair, attempt: number) => onRepair(repair, { ...of, attempt }));
    const ask = async (attempt: number): Promise<Attempt> => {
      const own = input instanceof Request && policy !== undefined ? input.clone() : input;
      const response = await (resumable === undefined ? send(own, init) : resumable.send(own, signal));
      const told = tell && ((repair: Repair) => tell(repair, attempt));
      return await readAnswer({ request, signal, resumable, onRepair: told }, response, context);
    };
    return policy === undefined ? once(await ask(1)) : await retrying(ask, policy, clock, tell, signal);
  };
}

const CANNOT_RESUME =
  'resume: only a stream of the Responses wire can go on once it was lost; give clients of other wires a healing() without it';

/** A request that cannot be made is told as the server would refuse it, so that no SDK tries it again. */
function misuse(answers: AnswerProtocol, message: string): Response {
  const failure = new ModelError({ kind: 'invalid_request', status: 400, code: 'not_resumable', message });
  return refusal(answers, new Response(), failure, false);
}

/** The SDK's own patience stands behind: it is told whether trying again can help. */
function once(attempt: Attempt): Response {
  if (attempt.failure === undefined) return attempt.response;
  return attempt.told(retryClassFor(attempt.failure, retryPolicies.bridge.request.classes) !== 'never');
}

/** What failed for good is not tried again by the SDK: its attempts would multiply these. */
async function retrying(
  ask: (attempt: number) => Promise<Attempt>,
  policy: RetryPolicy,
  clock: Clock,
  tell: ((repair: Repair, attempt: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Response> {
  for (let used = 0; ; used++) {
    const { failure, final } = await outcomeOf(() => ask(used + 1));
    if (failure === undefined) return final();
    const plan = decideRetry(policy, 'request', failure, used, randomFraction);
    if (plan === undefined) return final();
    tell?.('retry', used + 1);
    await pause(clock, plan.delayMs, signal);
    signal?.throwIfAborted();
  }
}

interface Outcome {
  readonly failure: ModelError | undefined;
  /** What it comes to if it is not tried again. */
  readonly final: () => Response;
}

async function outcomeOf(ask: () => Promise<Attempt>): Promise<Outcome> {
  try {
    const came = await ask();
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
