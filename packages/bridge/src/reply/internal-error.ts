import type { Logger } from 'pino';
import type { ApiError } from './api-error.ts';
import { StoreError } from '../store/index.ts';

/** The error for a client when the bridge itself failed; the details are in the log. */
export function internalError(log: Logger, error: unknown, what: string): ApiError {
  if (error instanceof StoreError) {
    log.error({ error: error.message }, 'the store');
    return {
      status: 503,
      type: 'server_error',
      code: 'store_unavailable',
      message: 'the store of responses cannot be used now: try again, or send the whole conversation',
    };
  }
  log.error({ error: error instanceof Error ? error.stack : 'unknown' }, what);
  return { status: 500, type: 'server_error', code: 'server_error', message: 'the bridge failed' };
}
