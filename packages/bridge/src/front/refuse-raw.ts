import type { Duplex } from 'node:stream';
import { STATUS_CODES } from '@turnwire/client/internal/platform/node-http';
import { errorBody, type ApiError } from '../reply/api-error.ts';

/** Answers on a connection that is no HTTP connection any more, or never was, and closes it, whatever its client does. */
export function refuseRaw(socket: Duplex, error: ApiError): void {
  const body = errorBody(error);
  const headers = {
    ...error.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\n${lines.join('')}\r\n`;
  socket.end(head + body, () => socket.destroy());
}
