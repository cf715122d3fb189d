import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createTranscriptText } from './summaries.ts';
import { captures, captureDir, cut, decodeChunks } from './helpers.ts';

/**
 * Byte-exact streams of a real llama.cpp server. The whole event list of each stands in `captures/<name>.events.json`;
 * `summaries.ts` derives from the raw bytes, without our decoder, what the list has to amount to.
 */
describe.each(captures())('capture $name', ({ name, wire, bytes, options }) => {
  const expected = JSON.parse(readFileSync(new URL(`${name}.events.json`, captureDir), 'utf8')) as unknown;
  const crlf = new TextEncoder().encode(new TextDecoder().decode(bytes).replaceAll('\n', '\r\n'));

  test.each([1, 7, bytes.length])('gives its whole event list at chunk size %i', (size) => {
    expect(decodeChunks(wire, cut(bytes, size), options)).toEqual(expected);
  });

  test.each([1, 7, crlf.length])('gives the same with CRLF at chunk size %i', (size) => {
    expect(decodeChunks(wire, cut(crlf, size), options)).toEqual(expected);
  });

  test('holds the text that an independent reading of the bytes finds', () => {
    const { events } = decodeChunks(wire, [bytes], options);
    const done = events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
    expect(createTranscriptText(done)).toEqual(createTranscriptText.fromBytes(wire, bytes));
  });
});
