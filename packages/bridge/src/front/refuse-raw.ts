import type { Duplex } from 'node:stream';
import { rawResponse } from '@turnwire/client/internal/platform/raw-response';
import { errorBody, usualForm, type ApiError } from '../reply/api-error.ts';

/** Answers on a connection that is no HTTP connection any more, or never was, and closes it, whatever its client does. */
export function refuseRaw(socket: Duplex, error: ApiError): void {
  const headers = { ...error.headers, 'content-type': 'application/json; charset=utf-8' };
  socket.end(rawResponse(error.status, Object.entries(headers), errorBody(error, usualForm)), () => socket.destroy());
}
