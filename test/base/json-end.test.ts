import { describe, expect, test } from 'vitest';
import { JsonEnd } from '../../packages/wire/src/base/json-end.ts';

/** The number of bytes after which the value is whole, fed in pieces of `size`; -1: never. */
function endOf(text: string, size: number): number {
  const bytes = new TextEncoder().encode(text);
  const end = new JsonEnd();
  for (let at = 0; at < bytes.length; at += size) {
    if (end.push(bytes.subarray(at, at + size))) return Math.min(at + size, bytes.length);
  }
  return -1;
}

describe.each([1, 3, 1000])('the end of a JSON value in pieces of %d bytes', (size) => {
  test.each([
    '{}',
    '[]',
    ' \n{"a":{"b":[1,{}]},"c":"]}"}',
    '[{"error":{"code":404,"message":"no \\"model\\" [x}"}}]',
    '{"a":"\\\\"}',
    '{"é":"🙂"}',
  ])('%s', (text) => {
    const bytes = new TextEncoder().encode(text).length;
    expect(endOf(text, size)).toBe(bytes);
    expect(endOf(text.slice(0, -1), size)).toBe(-1);
  });

  test.each(['"text"', 'null', '12', 'data: {}', '<html>{}</html>', ''])('none in %j', (text) => {
    expect(endOf(text, size)).toBe(-1);
  });
});
