import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, type ApiError } from '../reply/api-error.ts';
import { refuseRaw } from './refuse-raw.ts';

/** Headers of a request, in bytes: Codex' own are some kilobytes. */
export const MAX_HEADER_BYTES = 64 * 1024;

/**
 * What is no HTTP, or too slow to become some, ends its own connection alone.
 *
 * @param error - of Node's parser, or of its timers
 * @param answer - the newest one on this connection
 */
export function refuseConnection(error: Error, socket: Duplex, answer: ServerResponse | undefined): void {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNRESET' || !socket.writable || isUnderWay(answer)) socket.destroy();
  else refuseRaw(socket, errorsByCode[code] ?? badRequest('this is no HTTP request'));
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
