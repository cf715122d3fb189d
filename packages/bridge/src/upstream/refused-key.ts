import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { Settings } from '../options.ts';
import type { Upstream } from './member.ts';

/** The code of an error that says that a server refuses the key of the bridge. */
const CODE = 'upstream_unauthorized';

/** Where the bridge has its key from. */
type KeySettings = Pick<Settings, 'apiKey' | 'apiKeySource' | 'upstreamHeaders'>;

/** True for a failure by which a server refuses who asks. That is the bridge: what a caller sends as its key ends here. */
export function refusesKey({ kind, status }: ModelError): boolean {
  return kind === 'unauthorized' || status === 401;
}

/**
 * The failure as it is told: 502, since the caller's own key is right, with what has to be mended and where. Any failure of
 * another kind is told as it is (docs/contract.md section 6).
 */
export function asBridgesOwn(failure: ModelError, upstream: Upstream, settings: KeySettings): ModelError {
  if (!refusesKey(failure)) return failure;
  const { kind, status, code, message, requestId } = failure;
  const refuses = status === 403 ? 'forbids this to' : 'refuses';
  const how = status ?? code ?? kind;
  return new ModelError({
    kind,
    status: 502,
    code: CODE,
    errorType: 'server_error',
    message: `${upstream.label} ${refuses} ${askerOf(settings, how)}: ${message}`,
    requestId,
    cause: failure,
  });
}

/** Codex gives up upon a bad request alone: it asks again upon any 5xx, and six times upon 401. */
export function finalForCodex(error: ModelError): ModelError {
  if (error.code !== CODE) return error;
  return new ModelError({ kind: 'invalid_request', status: 400, code: 'invalid_prompt', message: error.message });
}

/** Who was refused, and where that is mended. */
function askerOf({ apiKey, apiKeySource, upstreamHeaders }: KeySettings, how: string | number): string {
  const key = `the key of the bridge (${how}), which it has from`;
  if (apiKeySource !== undefined) return `${key} ${apiKeySource}`;
  if (apiKey !== undefined) return `${key} its option apiKey`;
  if (Object.keys(upstreamHeaders ?? {}).length > 0) return `${key} its option upstreamHeaders`;
  return `the bridge (${how}), which sends no key: name the environment variable that holds it with --env-key`;
}
