import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonExcess } from '../../packages/wire/src/base/json-excess.ts';
import {
  isObject,
  MAX_JSON_DEPTH,
  nonEmpty,
  parseJson,
  parseOwnJson,
  stringOf,
} from '../../packages/wire/src/base/json.ts';

test('isObject: plain objects only', () => {
  expect([{}, { a: 1 }].every(isObject)).toBe(true);
  expect([null, undefined, [], 'x', 0, true].some(isObject)).toBe(false);
});

test('stringOf keeps the empty string, nonEmpty does not; neither takes anything else', () => {
  expect(['', 'a', 0, null, undefined, {}].map(stringOf)).toEqual([
    '',
    'a',
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(['', 'a', 0, null, undefined, {}].map(nonEmpty)).toEqual([
    undefined,
    'a',
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('parseJson answers undefined instead of throwing', () => {
  expect(parseJson('{"a":[1,null]}')).toEqual({ a: [1, null] });
  expect(parseJson('null')).toBeNull();
  expect(['', '{', 'undefined', "{'a':1}"].map(parseJson)).toEqual([undefined, undefined, undefined, undefined]);
});

test('parseJson reads as many levels as are allowed, and no more', () => {
  const nested = (levels: number): string => '{"a":['.repeat(levels / 2) + '1' + ']}'.repeat(levels / 2);
  expect(parseJson(nested(MAX_JSON_DEPTH))).toEqual(JSON.parse(nested(MAX_JSON_DEPTH)));
  expect([MAX_JSON_DEPTH + 2, 100_000].map((levels) => parseJson(nested(levels)))).toEqual([undefined, undefined]);
  expect(parseOwnJson(nested(MAX_JSON_DEPTH + 2))).toEqual(JSON.parse(nested(MAX_JSON_DEPTH + 2)));
});

test('jsonExcess counts the levels and values of any JSON as a parser finds them', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'medium', maxDepth: 8 }), fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const depth = depthOf(value);
      const values = valuesOf(value);
      expect(jsonExcess(text, { depth, values })).toBeUndefined();
      if (depth > 0) expect(jsonExcess(text, { depth: depth - 1 })).toBe('depth');
      if (values > 0) expect(jsonExcess(text, { depth, values: values - 1 })).toBe('values');
    }),
  );
});

test('jsonExcess takes no bracket in a string for one of the JSON', () => {
  const texts = ['[[', '"[', '\\', '\\"[', '\\\\', '[\\"', '\u2028[', 'é['];
  const text = JSON.stringify(texts);
  expect(jsonExcess(text, { depth: 1, values: texts.length })).toBeUndefined();
  expect(jsonExcess(JSON.stringify({ [text]: [text] }), { depth: 2, values: 2 })).toBeUndefined();
  expect(jsonExcess('["never closed [[[', { depth: 1, values: 1 })).toBeUndefined();
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** One for each container, and one for each value but the first of a container. */
function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner: unknown[] = Object.values(value);
  return inner.reduce<number>((sum, one) => sum + valuesOf(one), 1 + Math.max(0, inner.length - 1));
}
