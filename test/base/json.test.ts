import { expect, test } from 'vitest';
import { isObject, nonEmpty, parseJson, stringOf } from '../../src/base/json.ts';

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
