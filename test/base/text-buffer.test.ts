import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextBuffer } from '../../packages/wire/src/base/text-buffer.ts';

test('holds what was appended, whenever it is read', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.boolean()), { maxLength: 1500, size: 'max' }),
      (steps) => {
        const buffer = new TextBuffer();
        let expected = '';
        for (const [piece, look] of steps) {
          buffer.append(piece);
          expected += piece;
          expect(buffer.length).toBe(expected.length);
          if (look) expect(buffer.toString()).toBe(expected);
        }
        expect(buffer.toString()).toBe(expected);
        expect(buffer.toString()).toBe(expected);
      },
    ),
    { numRuns: 50 },
  );
});

test('is empty at first and after clear, and goes on', () => {
  const buffer = new TextBuffer();
  expect([buffer.length, buffer.toString()]).toEqual([0, '']);
  buffer.append('a');
  buffer.clear();
  expect([buffer.length, buffer.toString()]).toEqual([0, '']);
  buffer.append('b');
  expect([buffer.length, buffer.toString()]).toEqual([1, 'b']);
});

test('8 MB in pieces of 2 characters', () => {
  const buffer = new TextBuffer();
  for (let n = 0; n < 4_000_000; n++) buffer.append('ab');
  expect(buffer.length).toBe(8_000_000);
  expect(buffer.toString()).toBe('ab'.repeat(4_000_000));
});
