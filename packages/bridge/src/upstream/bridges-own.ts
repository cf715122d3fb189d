import { NO_MODEL_SERVER } from '@turnwire/wire/internal/read/refusal';
import { httpStatusOf } from '@turnwire/wire/internal/encode-error';
import { ModelError, retryClassOf } from '@turnwire/wire/internal/model/errors';
import type { Credentials, Upstream } from './upstream.ts';

/** The code of an error that says that a server refuses the key of the bridge. */
const CODE = 'upstream_unauthorized';

/** True for a failure by which a server refuses who asks. That is the bridge: what a caller sends as its key ends here. */
export function refusesKey({ kind, status }: ModelError): boolean {
  return kind === 'unauthorized' || status === 401;
}

/** True for a failure that is to be mended where the bridge is set up: its key, or the address of a server of web pages. */
export function isBridgesOwn(failure: ModelError): boolean {
  return refusesKey(failure) || failure.code === NO_MODEL_SERVER;
}

/**
 * The failure as it is told: 502, since the caller's own key and path are right, with what has to be mended and where. Any
 * failure of another kind is told as it is (docs/contract.md section 6).
 */
export function asBridgesOwn(failure: ModelError, upstream: Upstream): ModelError {
  if (failure.code === NO_MODEL_SERVER) return withStatus(failure, 502);
  if (!refusesKey(failure)) return failure;
  const { kind, status, code, message, requestId } = failure;
  const refuses = status === 403 ? 'forbids this to' : 'refuses';
  const how = status ?? code ?? kind;
  return new ModelError({
    kind,
    status: 502,
    code: CODE,
    errorType: 'server_error',
    message: `${upstream.label} ${refuses} ${askerOf(upstream.credentials, how)}: ${message}`,
    requestId,
    cause: failure,
  });
}

/**
 * What repeating does not mend, as Codex takes it: it gives up upon a bad request alone, asks again upon any 5xx, for
 * two minutes, and six times upon 401, and does not read `x-should-retry`.
 */
export function finalForCodex(error: ModelError): ModelError {
  const isOver = error.shouldRetry === false && retryClassOf[error.kind] !== 'never' && httpStatusOf(error) >= 500;
  if (error.code !== CODE && error.code !== NO_MODEL_SERVER && !isOver) return error;
  return new ModelError({ kind: 'invalid_request', status: 400, code: 'invalid_prompt', message: error.message });
}

function withStatus({ kind, code, message, requestId, cause }: ModelError, status: number): ModelError {
  return new ModelError({ kind, status, code, errorType: 'server_error', message, requestId, cause });
}

/** Who was refused, and where that is mended. */
function askerOf({ hasKey, source, hasHeaders }: Credentials, how: string | number): string {
  const key = `the key of the bridge (${how}), which it has from`;
  if (source !== undefined) return `${key} ${source}`;
  if (hasKey) return `${key} its option apiKey`;
  if (hasHeaders) return `${key} its option upstreamHeaders`;
  return `the bridge (${how}), which sends no key: name the environment variable that holds it with --env-key`;
}
