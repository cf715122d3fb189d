import type { JsonObject } from './base/json.ts';

/** A request's body, and what of the request had to be left out or changed, one line each. */
export interface RequestBody {
  readonly body: JsonObject;
  readonly notes: readonly string[];
}

/** The fields that are there; `null` stays. */
export function withoutUndefined(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
