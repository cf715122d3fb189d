import { isObject, nonEmpty, omit, type JsonObject } from './base/json.ts';
import type { Item } from './model/items.ts';

const PREFIX = 'turnwire-sealed:';

/**
 * What a server encrypted, under the name of its maker, for clients that may bring it back to another's: those refuse it,
 * and the conversation with it (docs/contract.md section 3.12).
 */
export function withMakerLabel<T extends Item>(item: T, maker: string): T {
  const text = nonEmpty((item as JsonObject)['encrypted_content']);
  if (text === undefined) return item;
  return { ...item, encrypted_content: `${PREFIX}${encodeURIComponent(maker)}:${text}` };
}

/** Items as the servers of one maker may see them. */
export interface ItemsForMaker {
  readonly items: readonly Item[];
  /** Types of items of which something was left out that another maker's server encrypted. */
  readonly foreign: readonly string[];
}

/** Takes the labels off, and leaves out what another maker encrypted. What has no label is nobody's, and stays. */
export function forMaker(items: readonly Item[], maker: string | undefined): ItemsForMaker {
  const foreign: string[] = [];
  const own = items.flatMap((item) => {
    const label = labelOf(item);
    if (label === undefined) return [item];
    if (label.maker === maker) return [{ ...item, encrypted_content: label.text }];
    foreign.push(String(item.type));
    const rest = omit({ ...item }, 'encrypted_content');
    return saysSomething(rest) ? [rest] : [];
  });
  return foreign.length === 0 && own.every((item, place) => item === items[place])
    ? { items, foreign }
    : { items: own, foreign };
}

/** Whose server encrypted what the last such item holds: that one can go on with the conversation, and nobody else. */
export function lastMakerIn(items: readonly Item[]): string | undefined {
  const last = items.findLast((item) => labelOf(item) !== undefined);
  return last === undefined ? undefined : labelOf(last)?.maker;
}

function labelOf(item: Item): { readonly maker: string; readonly text: string } | undefined {
  const text = (item as JsonObject)['encrypted_content'];
  if (typeof text !== 'string' || !text.startsWith(PREFIX)) return undefined;
  const end = text.indexOf(':', PREFIX.length);
  return end < 0 ? undefined : { maker: decoded(text.slice(PREFIX.length, end)), text: text.slice(end + 1) };
}

/** A client may have damaged it: then it is nobody's name. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return '';
  }
}

/** Reasoning that can be read as well. */
function saysSomething(item: JsonObject): boolean {
  return [item['summary'], item['content']].some((list) => Array.isArray(list) && list.some(isObject));
}
