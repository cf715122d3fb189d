import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { quirks } from '../../turnwire/src/doctor/index.ts';

it('the documentation lists everything that can be found, as it is in the table', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'doctor.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([\w-]+)`\s*\| (broken|odd)\s*\| (.*?)\s*\|/gm)].map((row) => row.slice(1));
  expect(rows).toEqual(Object.entries(quirks).map(([name, { level, right }]) => [name, level, right]));
});
