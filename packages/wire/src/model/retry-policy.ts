import { retryClassFor, retryClassOf, type ErrorKind, type ModelError, type RetryClass } from './errors.ts';

/**
 * `request`: the server had not accepted the request; `stream`: its answer had begun. Each level has its own
 * budget per request of a turn, and what used up one is not tried again at the other.
 */
export type RetryLevelName = 'request' | 'stream';

/** How often, how late and after which errors one level of a request is tried again. */
export interface RetryLevel {
  /** Number of attempts after the first. */
  readonly maxRetries: number;
  /** Milliseconds before the first retry; doubles with each. */
  readonly baseDelayMs: number;
  /** By how much the delay varies to both sides, as a share: 0.1 turns 200 ms into 180 to 220 ms. */
  readonly jitter: number;
  /** What each kind of error means at this level. */
  readonly classes: Readonly<Record<ErrorKind, RetryClass>>;
}

/** When to try again, and how long to wait before: data, read by {@link decideRetry}. */
export interface RetryPolicy {
  /** Before the answer began: nothing was accepted yet. */
  readonly request: RetryLevel;
  /** After the answer began. */
  readonly stream: RetryLevel;
  /**
   * The longest delay, in milliseconds, that is waited for when the server asks for one. Past it the error goes to
   * the caller, with the delay.
   */
  readonly maxServerDelayMs: number;
}

const backoff = { baseDelayMs: 200, jitter: 0.1, classes: retryClassOf } as const;

const standard: RetryPolicy = {
  request: { ...backoff, maxRetries: 4 },
  stream: { ...backoff, maxRetries: 5 },
  maxServerDelayMs: 60_000,
};

/** Codex gives up on a full server, on a 429 before the stream, and asks again after `response.incomplete`. */
const codex: RetryPolicy = {
  ...standard,
  request: { ...standard.request, classes: { ...retryClassOf, server_overloaded: 'never', rate_limited: 'never' } },
  stream: { ...standard.stream, classes: { ...retryClassOf, server_overloaded: 'never', incomplete: 'backoff' } },
};

/** Never tries again. */
const none: RetryPolicy = {
  ...standard,
  request: { ...standard.request, maxRetries: 0 },
  stream: { ...standard.stream, maxRetries: 0 },
};

/**
 * A bridge, before it put anything out: a client waits behind it with patience and a policy of its own. What was silent
 * for as long as it may be is not waited for once more.
 */
const bridge: RetryPolicy = {
  ...standard,
  request: { ...standard.request, classes: { ...retryClassOf, stream_idle: 'never' } },
  maxServerDelayMs: 10_000,
};

/**
 * The policies that have a name: `default`; `codex`, which gives up where Codex does; `none`, which never tries
 * again; `bridge`.
 */
export const retryPolicies = { default: standard, codex, none, bridge } as const satisfies Record<string, RetryPolicy>;

/** The name of one of {@link retryPolicies}. */
export type RetryPolicyName = keyof typeof retryPolicies;

/** The same policy with other budgets; an absent one stays. */
export function withBudgets(
  policy: RetryPolicy,
  budgets: { readonly request?: number | undefined; readonly stream?: number | undefined },
): RetryPolicy {
  return {
    ...policy,
    request: { ...policy.request, maxRetries: budgets.request ?? policy.request.maxRetries },
    stream: { ...policy.stream, maxRetries: budgets.stream ?? policy.stream.maxRetries },
  };
}

/** One retry that is going to be made. */
export interface RetryPlan {
  /** Which retry of its level this is, from 1. */
  readonly attempt: number;
  /** How many retries this level may make. */
  readonly max: number;
  /** Milliseconds to wait before it. */
  readonly delayMs: number;
}

/**
 * Whether to try again after a failure, and when. Pure.
 *
 * @param used - retries of this level so far
 * @param random - at least 0 and below 1, for the jitter
 * @returns nothing when the failure is final
 */
export function decideRetry(
  policy: RetryPolicy,
  level: RetryLevelName,
  error: ModelError,
  used: number,
  random: () => number,
): RetryPlan | undefined {
  const { classes, maxRetries } = policy[level];
  if (retryClassFor(error, classes) === 'never' || used >= maxRetries) return undefined;
  const { afterMs } = error.retry;
  if (afterMs !== undefined && afterMs > policy.maxServerDelayMs) return undefined;
  const attempt = used + 1;
  return { attempt, max: maxRetries, delayMs: afterMs ?? backoffMs(policy[level], attempt, random) };
}

/** Whole milliseconds before the nth retry: base x 2^(n-1), give or take the jitter. */
export function backoffMs(level: RetryLevel, attempt: number, random: () => number): number {
  const factor = 1 + level.jitter * (2 * random() - 1);
  return Math.round(level.baseDelayMs * 2 ** (attempt - 1) * factor);
}
