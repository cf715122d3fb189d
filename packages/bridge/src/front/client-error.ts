import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, type ApiError } from '../reply/api-error.ts';

/** Headers of a request, in bytes: Codex' own are some kilobytes. */
export const MAX_HEADER_BYTES = 64 * 1024;

/**
 * What is told of something that is no HTTP, or too slow to become some; undefined where nobody can be told, and the
 * connection only ends.
 *
 * @param error - of Node's parser, or of its timers
 * @param answer - the newest one on this connection
 */
export function connectionRefusal(
  error: Error,
  socket: Duplex,
  answer: ServerResponse | undefined,
): ApiError | undefined {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNRESET' || !socket.writable || isUnderWay(answer)) return undefined;
  return errorsByCode[code] ?? badRequest('this is no HTTP request');
}

const errorsByCode: Readonly<Partial<Record<string, ApiError>>> = {
  HPE_HEADER_OVERFLOW: badRequest(`the headers are over ${MAX_HEADER_BYTES} bytes`, { status: 431 }),
  ERR_HTTP_REQUEST_TIMEOUT: badRequest('the request took too long to arrive', { status: 408 }),
};

/** Another answer in the middle of this one would be read as a part of it; one without a socket waits for an earlier one. */
function isUnderWay(answer: ServerResponse | undefined): boolean {
  if (answer === undefined || answer.writableFinished) return false;
  return answer.headersSent || answer.socket === null;
}
