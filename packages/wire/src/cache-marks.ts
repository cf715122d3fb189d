import { isObject, type JsonObject } from './base/json.ts';

/** Up to here a server may keep what it has read (`cache_control`). */
export const CACHE_MARK = { type: 'ephemeral' };

/** True for the body of a chat or a Messages request whose client says itself what is to be kept. */
export function hasCacheMarks({ cache_control, tools, system, messages }: JsonObject): boolean {
  const list: unknown[] = Array.isArray(messages) ? messages : [];
  const contents = list.map((message) => (isObject(message) ? message.content : undefined));
  return isObject(cache_control) || [tools, system, messages, ...contents].some(hasMark);
}

function hasMark(list: unknown): boolean {
  return Array.isArray(list) && list.some((one) => isObject(one) && isObject(one.cache_control));
}

/** A list of parts whose last one is marked, as is a text, which becomes such a list. */
export function withLastMarked(list: unknown): unknown {
  if (typeof list === 'string') return [{ type: 'text', text: list, cache_control: CACHE_MARK }];
  if (!Array.isArray(list)) return list;
  const blocks: unknown[] = list;
  const last = blocks.at(-1);
  return isObject(last) ? [...blocks.slice(0, -1), { ...last, cache_control: CACHE_MARK }] : blocks;
}
