import { stringOf, type JsonObject } from '../base/json.ts';
import { CACHE_MARK, hasCacheMarks, withLastMarked } from '../cache-marks.ts';

/**
 * Marks up to where a server may reuse what it has read before, in OpenRouter's form: the system, and the last two places where the
 * model was asked to go on, of which the first is where the request before this one ended. A tool's output has its mark beside its
 * text. Nothing is marked beside the marks of a client.
 *
 * @param others - the other fields of the request
 */
export function withChatCacheMarks(messages: readonly JsonObject[], others: JsonObject): readonly JsonObject[] {
  if (hasCacheMarks({ ...others, messages })) return messages;
  const roles = messages.map(({ role }) => stringOf(role) ?? '');
  const asked = roles.flatMap((role, place) => (ASKS.has(role) && !ASKS.has(roles[place + 1] ?? '') ? [place] : []));
  const marked = new Set([roles.indexOf('system'), ...asked.slice(-2)]);
  return messages.map((message, place) => (marked.has(place) ? withMark(message) : unmarked(message)));
}

/** After these the model goes on. */
const ASKS: ReadonlySet<string> = new Set(['user', 'tool']);

/** In the form of a marked message, so that the same bytes are sent when its mark has moved on. */
function unmarked(message: JsonObject): JsonObject {
  const { role, content } = message;
  const isText = typeof content === 'string' && (role === 'user' || role === 'system');
  return isText ? { ...message, content: [{ type: 'text', text: content }] } : message;
}

function withMark(message: JsonObject): JsonObject {
  return message.role === 'tool'
    ? { ...message, cache_control: CACHE_MARK }
    : { ...message, content: withLastMarked(message.content) };
}
