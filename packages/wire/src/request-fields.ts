import { isObject, type JsonObject } from './base/json.ts';
import { ModelError } from './model/errors.ts';
import type { ModelRequest } from './model/request.ts';

/** A request as a client sent it, read into our own form. */
export interface ParsedRequest {
  readonly request: ModelRequest;
  /** The client wants a stream. Default of both APIs: false. */
  readonly stream: boolean;
  /** Chat: the client wants usage at the end of its stream. */
  readonly includeUsage: boolean;
  /** Fields that {@link ModelRequest} has no option for, untouched. `portableExtra` says which the other wire knows. */
  readonly rest: JsonObject;
}

/** A field of a client's request has the wrong type: status 400, with the field's path in `param` and in the message. */
export class InvalidFieldError extends ModelError {
  override readonly param: string;

  /** @param code - the code by which a client knows what to do. Default `invalid_type`. */
  constructor(param: string, problem: string, code = 'invalid_type') {
    super({ kind: 'invalid_request', message: `${param}: ${problem}`, status: 400, code, param });
    this.param = param;
  }
}

/** Fails because `value` at `param` is not what was expected; the message names its type, never its content. */
export function wrongType(param: string, expected: string, value: unknown): InvalidFieldError {
  return new InvalidFieldError(
    param,
    value === undefined ? `is missing, expected ${expected}` : `expected ${expected}, got ${typeName(value)}`,
  );
}

/** The object; `param` is its path in error messages. */
export function requireObject(value: unknown, param: string): JsonObject {
  if (isObject(value)) return value;
  throw wrongType(param, 'an object', value);
}

export function requireArray(value: unknown, param: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrongType(param, 'an array', value);
}

export function requireString(value: unknown, param: string): string {
  if (typeof value === 'string') return value;
  throw wrongType(param, 'a string', value);
}

/** As {@link requireString}, but absent and `null` are `undefined`; so the readers below. */
export function optionalString(value: unknown, param: string): string | undefined {
  return isAbsent(value) ? undefined : requireString(value, param);
}

export function optionalObject(value: unknown, param: string): JsonObject | undefined {
  return isAbsent(value) ? undefined : requireObject(value, param);
}

export function optionalArray(value: unknown, param: string): readonly unknown[] | undefined {
  return isAbsent(value) ? undefined : requireArray(value, param);
}

export function optionalBoolean(value: unknown, param: string): boolean | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'boolean') return value;
  throw wrongType(param, 'a boolean', value);
}

export function optionalNumber(value: unknown, param: string): number | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'number') throw wrongType(param, 'a number', value);
  if (Number.isFinite(value)) return value;
  throw new InvalidFieldError(param, 'is too large a number');
}

/** A bound of tokens: a whole number above zero. */
export function optionalCount(value: unknown, param: string): number | undefined {
  const count = optionalNumber(value, param);
  if (count === undefined || (Number.isInteger(count) && count > 0)) return count;
  throw new InvalidFieldError(param, 'expected a whole number above zero');
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** The fields of an object but for the named ones. */
export function without(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
