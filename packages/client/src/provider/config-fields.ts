/**
 * Checkers of configuration values: each returns the value with its type, or throws {@link ConfigError}. `where` is how
 * the message names the option. Those of a client's request are in `packages/wire/src/request-fields.ts`.
 */

import { orList } from '@turnwire/wire/internal/base/or-list';
import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import { nearest } from '@turnwire/wire/internal/base/nearest';

/** Wrong configuration: one clear line for the user, never with a value that could be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads one option; `where` is its name in the message. */
export type ConfigField<T> = (value: unknown, where: string) => T;

/** As `field`, but `undefined` stays `undefined`. */
export function optional<T>(field: ConfigField<T>): ConfigField<T | undefined> {
  return (value, where) => (value === undefined ? undefined : field(value, where));
}

export function requireText(value: unknown, where: string): string {
  const text = requireString(value, where);
  if (text === '') throw new ConfigError(`${where} must not be empty`);
  return text;
}

export function requireString(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new ConfigError(`${where} must be a string`);
}

export function requireBoolean(value: unknown, where: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new ConfigError(`${where} must be true or false`);
}

export function requireTable(value: unknown, where: string): JsonObject {
  if (isObject(value)) return value;
  throw new ConfigError(`${where} must be a table`);
}

/** A list of strings, copied. */
export function requireStringList(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value)) throw new ConfigError(`${where} must be a list of strings`);
  return value.map((text, at) => requireString(text, `${where}.${at}`));
}

/** One of a few strings. */
export function oneOf<const T extends string>(allowed: readonly T[]): ConfigField<T> {
  return (value, where) => {
    const found = allowed.find((one) => one === value);
    if (found !== undefined) return found;
    throw new ConfigError(`${where} must be ${orList(allowed)}`);
  };
}

/** A whole number from `min` on; `unit` is for the message. */
export function wholeNumber({ min, max, unit }: { min: 0 | 1; max?: number; unit?: string }): ConfigField<number> {
  return (value, where) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      throw new ConfigError(`${where} must be a whole number${unit === undefined ? '' : ` of ${unit}`}`);
    }
    if (value < min) throw new ConfigError(`${where} must ${min === 0 ? 'not be negative' : `be at least ${min}`}`);
    if (max !== undefined && value > max) throw new ConfigError(`${where} must be at most ${max}`);
    return value;
  };
}

/** A number above 0, with a fraction or without; `unit` is for the message. */
export function positiveNumber(unit: string): ConfigField<number> {
  return (value, where) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new ConfigError(`${where} must be a number of ${unit}`);
    }
    if (value <= 0) throw new ConfigError(`${where} must be positive`);
    return value;
  };
}

/** Refuses a key that nobody knows: a misspelt option would be passed over without a word. */
export function checkKeys(where: string, table: JsonObject, known: readonly string[]): void {
  for (const key of Object.keys(table)) {
    if (!known.includes(key)) throw unknownKey(where, key, known);
  }
}

/** Names the nearest key that is known. */
export function unknownKey(where: string, key: string, known: Iterable<string>): ConfigError {
  const near = nearest(key, known);
  return new ConfigError(
    `${where} unknown key ${JSON.stringify(key)}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

/** A copy of an object whose values are all strings. An instance of a class, e.g. `Headers`, has no fields to copy. */
export function requireStrings(value: unknown, where: string): Readonly<Record<string, string>> {
  if (!isPlainObject(value)) throw new ConfigError(`${where} must be a table of strings`);
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, requireString(text, `${where}.${key}`)]));
}

/** The prototype of every realm's objects has none itself. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
