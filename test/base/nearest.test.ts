import { expect, test } from 'vitest';
import { nearest } from '../../packages/wire/src/base/nearest.ts';

test.each([
  ['stauts', 'status'],
  ['STATUS', 'status'],
  ['statu', 'status'],
  ['messages', 'message'],
  ['x', undefined],
  ['entirely', undefined],
  ['', undefined],
])('%j is meant as %j', (word, meant) => {
  expect(nearest(word, ['status', 'message', 'kind'])).toBe(meant);
});

test('the nearest of several, the first of equals; none of none', () => {
  expect(nearest('modal', ['model', 'modals', 'medal'])).toBe('model');
  expect(nearest('model', ['modal', 'model'])).toBe('model');
  expect(nearest('model', [])).toBeUndefined();
});
