import type { JsonObject } from '../base/json.ts';
import { hasCacheMarks, withLastMarked } from '../cache-marks.ts';

/**
 * Marks up to where a server may reuse what it has read before: the last tool, the last block of the system, and the last
 * block of the last two turns of the user, which is four, as many as the API takes. The second last is where the request before
 * this one ended. Nothing is marked beside the marks of a client.
 */
export function withCacheMarks(body: JsonObject): JsonObject {
  const messages = Array.isArray(body['messages']) ? (body['messages'] as JsonObject[]) : [];
  if (hasCacheMarks(body)) return body;
  const turns = messages.flatMap(({ role }, place) => (role === 'user' ? [place] : []));
  const marked = new Set(turns.slice(-2));
  return {
    ...body,
    ...('tools' in body ? { tools: withLastMarked(body['tools']) } : {}),
    ...('system' in body ? { system: withLastMarked(body['system']) } : {}),
    messages: messages.map((message, place) =>
      marked.has(place) ? { ...message, content: withLastMarked(message['content']) } : message,
    ),
  };
}
