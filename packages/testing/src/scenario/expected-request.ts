import { isDeepStrictEqual } from 'node:util';
import { isSecretField, isSecretHeader } from '@turnwire/client/internal/platform/secret-names';
import { withoutSecretSpans } from '@turnwire/client/internal/platform/secret-text';
import { isObject, stringOf } from '@turnwire/wire/internal/base/json';
import { nearest } from '@turnwire/wire/internal/base/nearest';
import { MockUsageError } from '../errors.ts';

/**
 * What a field has to be: a value that it equals, a pattern, or one of `{ contains: 'text' }` (its text, or its JSON, has it in
 * it), `{ regex: 'text', flags: 'i' }`, `{ present: true }`, `{ equals: {…} }` (for an object).
 */
export type FieldMatch =
  string | number | boolean | null | RegExp | readonly unknown[] | Readonly<Record<string, unknown>>;

/** What one request to the model has to be like; a field that is not named may be anything. */
export interface ExpectedRequest {
  /** For the message. Default: its number. */
  readonly name?: string | undefined;
  /** Without the query, e.g. `/v1/chat/completions`. */
  readonly path?: string | undefined;
  /** By name, in any case. Of what holds a secret only `{ present: … }` can be asked. */
  readonly headers?: Readonly<Record<string, FieldMatch>> | undefined;
  /** By path in the body: `model`, `messages.0.role`, `messages.-1.content` (the last one), `tools.0.function.name`. */
  readonly body?: Readonly<Record<string, FieldMatch>> | undefined;
}

/** Where a request is not as it was expected. */
export interface Difference {
  /** `path`, `headers.NAME` or `body.PATH`. */
  readonly field: string;
  readonly wanted: string;
  readonly got: string;
}

/** What is looked at of a request. */
export interface ExaminedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface FieldCheck {
  readonly field: string;
  readonly wanted: string;
  readonly holds: (value: unknown) => boolean;
  readonly read: (request: ExaminedRequest) => unknown;
}

/** Characters of a value in a message; of longer ones the beginning. */
const SHOWN = 200;

/**
 * Reads an expectation, and gives what compares a request with it.
 *
 * @param where - e.g. `expect[0]`, for messages
 * @throws MockUsageError for a field that cannot be compared
 */
export function compareWith(
  { path, headers = {}, body = {} }: ExpectedRequest,
  where: string,
): (request: ExaminedRequest) => readonly Difference[] {
  const checks: FieldCheck[] = [
    ...(path === undefined ? [] : [{ ...parseField(path, `${where}.path`), field: 'path', read: pathOf }]),
    ...Object.entries(headers).map(([name, match]) => headerCheck(name, match, where)),
    ...Object.entries(body).map(([name, match]) => bodyCheck(name, match, where)),
  ];
  return (request) =>
    checks.flatMap(({ field, wanted, holds, read }) => {
      const value = read(request);
      return holds(value) ? [] : [{ field, wanted, got: show(value) }];
    });
}

const pathOf = ({ path }: ExaminedRequest): unknown => path;

function headerCheck(given: string, match: FieldMatch, where: string): FieldCheck {
  const name = given.toLowerCase();
  const at = `${where}.headers["${given}"]`;
  if (isSecretHeader(name)) refuseValue(match, at);
  return { ...parseField(match, at), field: `headers.${name}`, read: ({ headers }) => headers[name] };
}

function bodyCheck(name: string, match: FieldMatch, where: string): FieldCheck {
  const at = `${where}.body["${name}"]`;
  const steps = name.split('.');
  if (isSecretField(steps.at(-1) ?? '')) refuseValue(match, at);
  return { ...parseField(match, at), field: `body.${name}`, read: ({ body }) => steps.reduce(step, body) };
}

/** A key is nothing to write into a scenario, nor into a verdict. */
function refuseValue(match: FieldMatch, at: string): void {
  if (isObject(match) && 'present' in match) return;
  throw new MockUsageError(`${at}: it holds a secret, whose value is not compared: say {"present": true}`);
}

/** One member further in; a negative number counts from the end of a list. */
function step(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return /^-?\d+$/.test(name) ? (value.at(Number(name)) as unknown) : undefined;
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

const words = ['contains', 'regex', 'present', 'equals'] as const;

function parseField(match: FieldMatch, where: string): Pick<FieldCheck, 'wanted' | 'holds'> {
  if (match instanceof RegExp) return fits(match);
  if (typeof match !== 'object' || match === null || Array.isArray(match)) return equal(match);
  const { flags, ...rest } = match as Readonly<Record<string, unknown>>;
  const [[word, value] = ['', undefined], ...others] = Object.entries(rest);
  if (others.length > 0 || (flags !== undefined && word !== 'regex')) throw new MockUsageError(`${where}: ${oneOf}`);
  switch (word) {
    case 'contains':
      return contains(wantString(value, `${where}.contains`));
    case 'regex':
      return fits(toRegExp(wantString(value, `${where}.regex`), stringOf(flags), where));
    case 'present':
      return value === false
        ? { wanted: 'nothing', holds: (got) => got === undefined }
        : { wanted: 'any value', holds: (got) => got !== undefined };
    case 'equals':
      return equal(value);
    default: {
      const near = nearest(word, words);
      throw new MockUsageError(`${where}: ${near === undefined ? oneOf : `unknown "${word}": did you mean ${near}?`}`);
    }
  }
}

const oneOf = `an object has one of ${words.join(', ')} (an object to be equal to is {"equals": {…}})`;

function equal(wanted: unknown): Pick<FieldCheck, 'wanted' | 'holds'> {
  return { wanted: show(wanted), holds: (value) => isDeepStrictEqual(value, wanted) };
}

function contains(wanted: string): Pick<FieldCheck, 'wanted' | 'holds'> {
  return {
    wanted: `something with ${show(wanted)} in it`,
    holds: (value) => value !== undefined && textOf(value).includes(wanted),
  };
}

function fits(pattern: RegExp): Pick<FieldCheck, 'wanted' | 'holds'> {
  // A copy without memory: a global expression goes on where it stopped.
  const own = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''));
  return {
    wanted: `something that fits ${String(own)}`,
    holds: (value) => value !== undefined && own.test(textOf(value)),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = withoutSecretSpans(JSON.stringify(value));
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text;
}

function wantString(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new MockUsageError(`${where}: must be a string`);
}

function toRegExp(source: string, flags: string | undefined, where: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new MockUsageError(`${where}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
