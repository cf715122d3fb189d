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
 * Levels of objects and arrays that JSON may have, the outermost one counted. No model, tool or client writes more; what
 * is read without such a bound overflows the stack of whoever walks it or writes it again.
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

/** True for JSON text with more levels than {@link MAX_JSON_DEPTH}. */
export function isTooDeep(text: string): boolean {
  return isDeeper(text, MAX_JSON_DEPTH);
}

function parseWithin(text: string, levels: number): unknown {
  if (isDeeper(text, levels)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Text too short to have so many levels, as nearly every event is, costs nothing. */
function isDeeper(text: string, levels: number): boolean {
  return text.length > 2 * levels && jsonExcess(text, { depth: levels }) !== undefined;
}
