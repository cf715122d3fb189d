import { parseJson } from '@turnwire/wire/internal/base/json';
import type { HttpResponse } from '@turnwire/client/internal/transport/http';

/** The body of an answer as JSON; undefined for one that is no JSON, or longer than `limit` bytes. Fails as the transport does. */
export async function readJson(response: HttpResponse, limit: number): Promise<unknown> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  for (let chunks = await response.read(); chunks !== undefined; chunks = await response.read()) {
    read.push(...chunks);
    bytes += chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (bytes > limit) break;
  }
  response.release();
  return bytes > limit ? undefined : parseJson(Buffer.concat(read).toString('utf8'));
}
