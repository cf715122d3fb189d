import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asciiText } from '../../packages/wire/src/sse/bytes.ts';

const read = (text: string): string => asciiText(new TextEncoder().encode(`<${text}>`), 1, text.length + 1);

test('the text of bytes is what they say, of whatever length, and whatever was read before', () => {
  const ascii = fc.string({
    unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
    maxLength: 20,
  });
  fc.assert(
    fc.property(fc.array(ascii, { minLength: 1, maxLength: 50 }), (texts) => {
      expect([...texts, ...texts].map(read)).toEqual([...texts, ...texts]);
    }),
  );
});

test('more short texts than are kept push each other out', () => {
  const texts = Array.from({ length: 5000 }, (_, n) => n.toString(36));
  for (let round = 0; round < 2; round++) expect(texts.map(read)).toEqual(texts);
});

test('bytes that are 0 are not taken for none', () => {
  expect(['', '\0', '\0\0', 'a', '\0a', ''].map(read)).toEqual(['', '\0', '\0\0', 'a', '\0a', '']);
});
