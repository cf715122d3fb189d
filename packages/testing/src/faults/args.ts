import { MockUsageError } from '../errors.ts';

/** A whole number of zero or more. */
export function count(name: string, arg: string | undefined, preset?: number): number {
  if ((arg === undefined || arg === '') && preset !== undefined) return preset;
  if (arg !== undefined && /^\d+$/.test(arg)) return Number(arg);
  throw new MockUsageError(`fault ${name} needs a whole number, e.g. ${name}:${preset ?? 3}`);
}

/** An argument that must be there. */
export function word(name: string, arg: string | undefined, preset?: string): string {
  const value = arg === undefined || arg === '' ? preset : arg;
  if (value === undefined) throw new MockUsageError(`fault ${name} needs an argument: ${name}:VALUE`);
  return value;
}

/** One of a few words. */
export function oneOf<T extends string>(name: string, arg: string | undefined, known: readonly T[], preset: T): T {
  const value = arg === undefined || arg === '' ? preset : arg;
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw new MockUsageError(`fault ${name}:${value}: use one of ${known.join(', ')}`);
  return found;
}
