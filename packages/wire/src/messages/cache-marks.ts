import { isObject, type JsonObject } from '../base/json.ts';

const MARK = { type: 'ephemeral' };

/**
 * Marks up to where a server may reuse what it has read before: the last tool, the last block of the system, and the last
 * block of the last two turns of the user, which is four, as many as the API takes. The second last is where the request before
 * this one ended. Nothing is marked beside the marks of a client.
 */
export function withCacheMarks(body: JsonObject): JsonObject {
  const messages = Array.isArray(body['messages']) ? (body['messages'] as JsonObject[]) : [];
  const lists = [body['tools'], body['system'], ...messages.map(({ content }) => content)];
  if (lists.some(hasMark)) return body;
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

function hasMark(list: unknown): boolean {
  return Array.isArray(list) && list.some((one) => isObject(one) && isObject(one['cache_control']));
}

function withLastMarked(list: unknown): unknown {
  if (typeof list === 'string') return [{ type: 'text', text: list, cache_control: MARK }];
  if (!Array.isArray(list)) return list;
  const blocks: unknown[] = list;
  const last = blocks.at(-1);
  return isObject(last) ? [...blocks.slice(0, -1), { ...last, cache_control: MARK }] : blocks;
}
