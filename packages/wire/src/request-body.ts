import type { JsonObject } from './base/json.ts';
import { ModelError } from './model/errors.ts';

/** A request's body, and a line for each part of the request that was left out or changed. */
export interface RequestBody {
  readonly body: JsonObject;
  readonly notes: readonly string[];
  /**
   * The first file, image or sound that the wire has no form for: without it the model would be asked something else, so the
   * request should not be sent. Default: there is none.
   */
  readonly unsendable?: UnsendablePart | undefined;
}

/** A part of a request that cannot be sent, and must not be left out. */
export interface UnsendablePart {
  /** Its path in the request, e.g. `input[2].content[1]`. */
  readonly param: string;
  /** What it is. */
  readonly what: string;
}

/** Why such a request is not sent. */
export function unsendableError({ param, what }: UnsendablePart): ModelError {
  const message = `${param}: ${what}`;
  return new ModelError({ kind: 'invalid_request', status: 400, code: 'unsupported_content', param, message });
}

/** The fields that are there; `null` stays. */
export function withoutUndefined(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
