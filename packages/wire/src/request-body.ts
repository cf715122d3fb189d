import type { JsonObject } from './base/json.ts';

/** A request's body, and a line for each part of the request that was left out or changed. */
export interface RequestBody {
  readonly body: JsonObject;
  readonly notes: readonly string[];
}

/** The fields that are there; `null` stays. */
export function withoutUndefined(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
