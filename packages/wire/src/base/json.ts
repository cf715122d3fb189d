import { jsonExcess } from './json-excess.ts';

/** A JSON object as it came off a wire: nothing about its fields is known yet. */
export type JsonObject = Record<string, unknown>;

/** True for a plain JSON object; arrays and `null` are not. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value when it is a string, else `undefined`: absent and wrongly typed fields read the same. */
export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value when it is a string with something in it. */
export function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * Levels of objects and arrays that JSON may have, the outermost one counted. No model, tool or client writes more;
 * what is read without such a bound overflows the stack of the code that walks it or writes it again.
 */
export const MAX_JSON_DEPTH = 500;

/** `JSON.parse` that answers `undefined` instead of throwing: for text that is no JSON, or is nested too deep. */
export function parseJson(text: string): unknown {
  return parseWithin(text, MAX_JSON_DEPTH);
}

/** {@link parseJson} for what this program wrote itself: things that came in within the bound, and a few levels around them. */
export function parseOwnJson(text: string): unknown {
  return parseWithin(text, MAX_JSON_DEPTH + 8);
}

/** True for text that {@link parseJson} refused for its levels, be it JSON to its end or not. */
export function isTooDeep(text: string): boolean {
  return jsonExcess(text, { depth: MAX_JSON_DEPTH }) !== undefined;
}

/**
 * Longer text is looked at before it is parsed: what is nested a million levels deep costs seconds and gigabytes. Shorter
 * text is parsed first, as the values of an event are far fewer than its characters; UTF-16 code units.
 */
const SCANNED_FIRST = 1024 * 1024;

function parseWithin(text: string, levels: number): unknown {
  if (text.length > SCANNED_FIRST && jsonExcess(text, { depth: levels }) !== undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // Text too short to have so many levels, as nearly every event is, costs nothing.
    return text.length > 2 * levels && isDeeper(value, levels) ? undefined : value;
  } catch {
    return undefined;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((inner) => isDeeper(inner, levels - 1));
  const fields = value as JsonObject;
  for (const name in fields) if (isDeeper(fields[name], levels - 1)) return true;
  return false;
}

/** The object without one member. */
export function omit(object: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([other]) => other !== name));
}

/** The members of an object but for those in `known` and those that are null; none: undefined. */
export function otherMembers(object: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  let found: JsonObject | undefined;
  for (const name in object) {
    const value = object[name];
    if (known.has(name) || value === null || value === undefined) continue;
    found ??= {};
    found[name] = value;
  }
  return found;
}
