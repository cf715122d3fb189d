import type { IncomingMessage } from 'node:http';

/** Bound of the body of a request to a model, in bytes. */
export const BODY_LIMIT = 64 * 1024 * 1024;

/** The whole body; nothing when it has more bytes than the limit, or the client left. */
export async function readBody(req: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined; // the client left in the middle of its request
  }
  return Buffer.concat(chunks);
}
