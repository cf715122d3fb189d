import type { Usage } from './usage.ts';

/** The kinds of failure; what each one means for a retry stands in `retry-policy.ts`. */
export type ErrorKind =
  | 'invalid_request'
  | 'context_window_exceeded'
  | 'quota_exceeded'
  | 'usage_not_included'
  | 'policy'
  | 'content_filter'
  | 'unauthorized'
  | 'rate_limited'
  | 'server_overloaded'
  | 'server_error'
  | 'connection_failed'
  | 'timeout'
  | 'stream_idle'
  | 'stream_truncated'
  | 'incomplete'
  | 'protocol'
  | 'aborted';

/**
 * Whether a retry makes sense: `never`; `backoff`, after a delay of our own; `after`, after the delay that the server
 * asked for.
 */
export type RetryClass = 'never' | 'backoff' | 'after';

/** What an error says about a retry. */
export interface RetryAdvice {
  readonly class: RetryClass;
  /** Milliseconds that the server asked to wait. */
  readonly afterMs?: number;
  /** No delta or item was delivered yet, or the server guarantees that nothing ran. */
  readonly replaySafe: boolean;
}

/** How an error is written as JSON: the wire's spelling. */
export interface ModelErrorJson {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly status?: number;
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
  readonly request_id?: string;
  readonly retry: { readonly class: RetryClass; readonly after_ms?: number; readonly replay_safe: boolean };
}

export interface ModelErrorInit {
  readonly kind: ErrorKind;
  readonly message: string;
  /** HTTP status, from the response or from a numeric code in the body. */
  readonly status?: number | undefined;
  /** The server's own code, e.g. `rate_limit_exceeded`. */
  readonly code?: string | undefined;
  /** The server's own type, e.g. `invalid_request_error`. */
  readonly errorType?: string | undefined;
  /** The field of the request that the server complains of. */
  readonly param?: string | undefined;
  readonly requestId?: string | undefined;
  readonly afterMs?: number | undefined;
  /** What the server said of a retry, whatever its error is (`x-should-retry`). Default: nothing. */
  readonly shouldRetry?: boolean | undefined;
  /** Default true: nothing was delivered. */
  readonly replaySafe?: boolean;
  /** What the part of the answer that came did cost. */
  readonly usage?: Usage | undefined;
  readonly cause?: unknown;
}

/** What {@link ModelError.with} changes; what is absent stays. */
export interface ErrorAmendment {
  readonly requestId?: string | undefined;
  readonly replaySafe?: boolean;
  readonly message?: string | undefined;
  readonly code?: string | undefined;
  readonly shouldRetry?: boolean;
  readonly usage?: Usage | undefined;
}

/** Retry class of every kind when the server gave no delay of its own (docs/contract.md section 6). */
export const retryClassOf: Readonly<Record<ErrorKind, RetryClass>> = {
  invalid_request: 'never',
  context_window_exceeded: 'never',
  quota_exceeded: 'never',
  usage_not_included: 'never',
  policy: 'never',
  content_filter: 'never',
  unauthorized: 'never',
  rate_limited: 'backoff',
  server_overloaded: 'backoff',
  server_error: 'backoff',
  connection_failed: 'backoff',
  timeout: 'backoff',
  stream_idle: 'backoff',
  stream_truncated: 'backoff',
  incomplete: 'never',
  protocol: 'never',
  aborted: 'never',
};

/**
 * The one error that turnwire throws for anything a model server or the way to it did.
 *
 * @example
 * ```ts
 * try {
 *   for await (const event of client.stream({ input })) show(event);
 * } catch (error) {
 *   if (!(error instanceof ModelError) || error.retry.class === 'never') throw error;
 *   console.error(`${error.message}; try again in ${error.retry.afterMs ?? 1000} ms`);
 * }
 * ```
 */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly kind: ErrorKind;
  readonly status?: number;
  readonly code?: string;
  /** The server's own `type`, where it told one. */
  readonly errorType?: string;
  /** The field of the request that the server complained of, where it named one. */
  readonly param?: string;
  readonly requestId?: string;
  /** What the server said of a retry, where it did (`x-should-retry`): it beats what the kind stands for. */
  readonly shouldRetry?: boolean;
  /** Usage of an answer that was cut off by a limit or a filter, where the server reported it. */
  readonly usage?: Usage;
  readonly retry: RetryAdvice;

  constructor(init: ModelErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.kind = init.kind;
    if (init.status !== undefined) this.status = init.status;
    if (init.code !== undefined) this.code = init.code;
    if (init.errorType !== undefined) this.errorType = init.errorType;
    if (init.param !== undefined) this.param = init.param;
    if (init.requestId !== undefined) this.requestId = init.requestId;
    if (init.shouldRetry !== undefined) this.shouldRetry = init.shouldRetry;
    if (init.usage !== undefined) this.usage = init.usage;
    this.retry = adviceFor(init);
  }

  /**
   * The same error with what only a later layer knows: the request's id, that events were delivered, which words of
   * the server are not to be shown, or that it was repeated enough.
   */
  with(more: ErrorAmendment): ModelError {
    return new ModelError({
      kind: this.kind,
      message: more.message ?? this.message,
      status: this.status,
      code: more.code ?? this.code,
      errorType: this.errorType,
      param: this.param,
      requestId: more.requestId ?? this.requestId,
      afterMs: this.retry.afterMs,
      shouldRetry: more.shouldRetry ?? this.shouldRetry,
      replaySafe: more.replaySafe ?? this.retry.replaySafe,
      usage: more.usage ?? this.usage,
      cause: this.cause,
    });
  }

  toJSON(): ModelErrorJson {
    return {
      kind: this.kind,
      message: this.message,
      ...(this.status === undefined ? {} : { status: this.status }),
      ...(this.code === undefined ? {} : { code: this.code }),
      ...(this.errorType === undefined ? {} : { type: this.errorType }),
      ...(this.param === undefined ? {} : { param: this.param }),
      ...(this.requestId === undefined ? {} : { request_id: this.requestId }),
      retry: {
        class: this.retry.class,
        ...(this.retry.afterMs === undefined ? {} : { after_ms: this.retry.afterMs }),
        replay_safe: this.retry.replaySafe,
      },
    };
  }
}

function adviceFor(init: ModelErrorInit): RetryAdvice {
  const byKind = retryClassFor(init, retryClassOf);
  const replaySafe = init.replaySafe ?? true;
  if (init.afterMs === undefined || byKind === 'never') return { class: byKind, replaySafe };
  return { class: init.kind === 'rate_limited' ? 'after' : byKind, afterMs: init.afterMs, replaySafe };
}

/** The class of an error: as its server said, else by its kind. */
export function retryClassFor(
  { kind, shouldRetry }: Pick<ModelErrorInit, 'kind' | 'shouldRetry'>,
  classes: Readonly<Record<ErrorKind, RetryClass>>,
): RetryClass {
  if (shouldRetry === undefined) return classes[kind];
  return shouldRetry ? 'backoff' : 'never';
}
