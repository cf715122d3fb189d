import type { ErrorKind, ModelError } from './errors.ts';

/**
 * What a failure says about the server that it came from, where several can answer the same request. Whether one and the
 * same server is asked again stands in `retry-policy.ts`.
 */
export interface ServerRule {
  /** Another server may answer this request. */
  readonly elsewhere: boolean;
  /**
   * `bad`: the server rests. `lacks_model`: it rests for requests of the same model. `good`: the server did what it can.
   * `none`: the failure says nothing about the server.
   */
  readonly verdict: 'bad' | 'lacks_model' | 'good' | 'none';
  /** Milliseconds that the server rests at least. */
  readonly restMs: number;
  /** Of the failures of several servers the caller is told the one with the highest. */
  readonly weight: number;
}

/** How long what somebody has to mend is left alone: a key, a bill, a permission, a model that is not there. */
const MENDED_BY_PEOPLE_MS = 60_000;

const aboutRequest: ServerRule = { elsewhere: false, verdict: 'none', restMs: 0, weight: 6 };
const cutShort: ServerRule = { ...aboutRequest, verdict: 'good' };
const busy: ServerRule = { elsewhere: true, verdict: 'bad', restMs: 0, weight: 5 };
const broken: ServerRule = { ...busy, weight: 4 };
const refused: ServerRule = { ...busy, restMs: MENDED_BY_PEOPLE_MS, weight: 3 };
const withoutModel: ServerRule = { ...refused, verdict: 'lacks_model' };
const notThere: ServerRule = { elsewhere: true, verdict: 'none', restMs: 0, weight: 3 };
const noAnswer: ServerRule = { ...busy, weight: 2 };
const unreachable: ServerRule = { ...busy, weight: 1 };

const ruleOfKind: Readonly<Record<ErrorKind, ServerRule>> = {
  invalid_request: aboutRequest,
  context_window_exceeded: aboutRequest,
  policy: aboutRequest,
  content_filter: cutShort,
  incomplete: cutShort,
  aborted: aboutRequest,
  rate_limited: busy,
  server_overloaded: busy,
  server_error: broken,
  quota_exceeded: refused,
  usage_not_included: refused,
  unauthorized: refused,
  protocol: noAnswer,
  stream_idle: noAnswer,
  stream_truncated: noAnswer,
  timeout: noAnswer,
  connection_failed: unreachable,
};

/** Where the status says more than the kind. */
const ruleOfStatus: Readonly<Record<number, ServerRule>> = {
  404: withoutModel,
  405: withoutModel, // the endpoint is not there: a server of another kind
  508: refused, // a loop, which somebody has to undo
};

/** Where the server's own code says more than both. What is stored is stored at one server, whoever else has none of it. */
const ruleOfCode: Readonly<Record<string, ServerRule>> = {
  previous_response_not_found: notThere,
  item_not_found: notThere,
};

/** The rule for a failure: by its code, else its status, else its kind. */
export function serverRuleOf(error: ModelError): ServerRule {
  const byCode = error.code !== undefined && Object.hasOwn(ruleOfCode, error.code) ? ruleOfCode[error.code] : undefined;
  const byStatus = error.status === undefined ? undefined : ruleOfStatus[error.status];
  return byCode ?? byStatus ?? ruleOfKind[error.kind];
}

/** The one of two failures that helps a caller more: the weightier, then the one with the shorter delay, then the first. */
export function moreTelling(first: ModelError, second: ModelError): ModelError {
  const [a, b] = [serverRuleOf(first).weight, serverRuleOf(second).weight];
  if (a !== b) return a > b ? first : second;
  const delay = ({ retry }: ModelError): number => retry.afterMs ?? Number.POSITIVE_INFINITY;
  return delay(second) < delay(first) ? second : first;
}
