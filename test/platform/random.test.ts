import { expect, test } from 'vitest';
import { randomFraction, randomHex, randomId, randomKey } from '../../packages/client/src/platform/random.ts';

test('is hexadecimal of the length asked for, and never twice the same', () => {
  const seen = new Set(Array.from({ length: 5000 }, () => randomHex(16)));
  expect(seen.size).toBe(5000);
  for (const text of seen) expect(text).toMatch(/^[0-9a-f]{32}$/);
  expect(randomHex(4096)).toHaveLength(8192);
});

test('an id has its prefix, and a length that the caller may choose', () => {
  expect(randomId('msg')).toMatch(/^msg_tw[0-9a-f]{24}$/);
  expect(randomId('resp', 16)).toMatch(/^resp_tw[0-9a-f]{32}$/);
});

test('a key is as long as it was asked for, and never twice the same', () => {
  expect(randomKey(32)).toHaveLength(32);
  expect(randomKey(32)).not.toEqual(randomKey(32));
});

test('a fraction is at least 0 and below 1', () => {
  const all = Array.from({ length: 1000 }, randomFraction);
  expect(all.filter((value) => value < 0 || value >= 1)).toEqual([]);
});
