import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linesBack, type LineBack } from '../../packages/agent/src/thread/lines-back.ts';
import { temporaryFolder } from './helpers.ts';

async function read(text: string): Promise<LineBack[]> {
  const path = join(await temporaryFolder(), 'file');
  await writeFile(path, text);
  const lines: LineBack[] = [];
  for await (const line of linesBack(path)) lines.push(line);
  return lines;
}

test('the last line comes first, with its place, and empty ones are left out', async () => {
  expect(await read('')).toEqual([]);
  expect(await read('\n')).toEqual([]);
  expect(await read('a\n\nbc\n')).toEqual([
    { text: 'bc', at: 3, isWhole: true },
    { text: 'a', at: 0, isWhole: true },
  ]);
  expect(await read('\na\nto')).toEqual([
    { text: 'to', at: 3, isWhole: false },
    { text: 'a', at: 1, isWhole: true },
  ]);
});

test('lines longer than what is read at once, and characters at its border, are whole', async () => {
  // 256 KiB at once; the line end and the two bytes of "é" fall on each side of the border.
  for (const length of [262_142, 262_143, 262_144, 262_145, 600_001]) {
    const lines = [`é${'x'.repeat(length)}`, `${'y'.repeat(length)}é`, 'z'];
    const back = await read(`${lines.join('\n')}\n`);
    expect(back.map(({ text }) => text)).toEqual(lines.toReversed());
    expect(back.map(({ at }) => at)).toEqual([2 * length + 6, length + 3, 0]);
  }
});
