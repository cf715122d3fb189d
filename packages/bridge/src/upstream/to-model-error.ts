import { ModelError } from '@turnwire/wire/internal/model/errors';

/** Anything that is thrown, as the one error that clients are told of. */
export function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  return new ModelError({ kind: 'server_error', message: 'the bridge failed', cause: error });
}
