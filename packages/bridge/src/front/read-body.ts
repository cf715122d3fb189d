import type { IncomingMessage } from 'node:http';
import { tooLarge, type Refused } from '../request/request-body.ts';

/**
 * The body of a request as it came, or why it is not taken; undefined when the client left in the middle of it. Of one
 * that is too large no more is kept, and what still comes is dropped.
 *
 * @param limit - in bytes
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | Refused | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.resolve({ refusal: tooLarge(limit) });
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    request.on('data', (chunk: Uint8Array) => {
      length += chunk.length;
      if (length <= limit) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve({ refusal: tooLarge(limit) });
      }
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => resolve(undefined)); // `close` comes as well
    request.once('close', () => resolve(undefined));
  });
}
