import { expect, test } from 'vitest';
import { randomHex } from '../../src/platform/random-hex.ts';

test('is hexadecimal of the length asked for, and never twice the same', () => {
  const seen = new Set(Array.from({ length: 5000 }, () => randomHex(16)));
  expect(seen.size).toBe(5000);
  for (const text of seen) expect(text).toMatch(/^[0-9a-f]{32}$/);
  expect(randomHex(4096)).toHaveLength(8192);
});
