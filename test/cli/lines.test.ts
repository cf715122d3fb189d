import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { linesOf } from '../../turnwire/src/cli/lines.ts';

async function linesIn(chunks: readonly string[], max?: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), max)) lines.push(line);
  return lines;
}

it('gives each line without its end, the last one too', async () => {
  expect(await linesIn(['a\r\nb', 'c\n\nd\u2028', 'e\r'])).toEqual(['a', 'bc', '', 'd\u2028e']);
});

it('keeps one unit more than the bound of a line that is over it, and goes on with the next', async () => {
  expect(await linesIn(['123', '4567', '89\n12345\n1', '23456'], 5)).toEqual(['123456', '12345', '123456']);
});
