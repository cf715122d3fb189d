import { isObject, type JsonObject } from './base/json.ts';

/** The object under `key`, or an empty one. */
export function detail(usage: JsonObject, key: string): JsonObject {
  const value = usage[key];
  return isObject(value) ? value : {};
}

/** Token counts are what they are on the wire; anything that is no number counts nothing. */
export function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
