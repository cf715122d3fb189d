/**
 * Checkers of configuration values: each returns the value with its type, or throws {@link ConfigError}. `where` is how
 * the message names the option. Those of a client's request are in `wire/request-fields.ts`.
 */

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

/** One of a few strings. */
export function oneOf<const T extends string>(allowed: readonly T[]): ConfigField<T> {
  return (value, where) => {
    const found = allowed.find((one) => one === value);
    if (found !== undefined) return found;
    throw new ConfigError(`${where} must be ${allowed.map((one) => JSON.stringify(one)).join(' or ')}`);
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
