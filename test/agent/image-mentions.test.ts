import { execFileSync } from 'node:child_process';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { imagesNamedIn } from '../../packages/agent/src/project/image-mentions.ts';
import { temporaryFolder } from './helpers.ts';

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const url = (mime: string, bytes: Buffer): string => `data:${mime};base64,${bytes.toString('base64')}`;

async function folder(): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'a b'));
  await writeFile(join(cwd, 'one.png'), png);
  await writeFile(join(cwd, 'a b', 'two.PNG'), png);
  // Known by what it has in it.
  await writeFile(join(cwd, 'is-jpeg.gif'), Buffer.from('ffd8ffe000104a464946', 'hex'));
  await writeFile(join(cwd, 'text.png'), 'no image');
  await writeFile(join(cwd, 'big.webp'), '');
  await truncate(join(cwd, 'big.webp'), 6 * 1024 * 1024);
  return cwd;
}

test('images are found however their names are written', async () => {
  const cwd = await folder();
  for (const name of [
    'one.png',
    './one.png',
    '@one.png',
    join(cwd, 'one.png'),
    '"a b/two.PNG"',
    '@"a b/two.PNG"',
    "'a b/two.PNG'",
    String.raw`a\ b/two.PNG`,
    pathToFileURL(join(cwd, 'a b', 'two.PNG')).href,
  ]) {
    const { parts } = await imagesNamedIn(`What is in ${name} here?\nNothing.`, cwd);
    expect([name, parts]).toEqual([name, [{ type: 'input_image', image_url: url('image/png', png), detail: 'auto' }]]);
  }
  expect((await imagesNamedIn('See one.png, (one.png) and one.png.', cwd)).parts).toHaveLength(1);
  expect((await imagesNamedIn('is-jpeg.gif', cwd)).parts[0]?.image_url).toMatch(/^data:image\/jpeg;base64,/);
});

test('what is no image, no file or too large is text', async () => {
  const cwd = await folder();
  execFileSync('mkfifo', [join(cwd, 'pipe.png')]);
  const text = 'text.png none.png pipe.png http://127.0.0.1/one.png file://%.png "a b" big.webp one.pngx';
  expect(await imagesNamedIn(text, cwd)).toEqual({ parts: [], tooLarge: ['big.webp'] });
});
