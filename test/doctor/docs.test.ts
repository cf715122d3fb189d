import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listFaults } from '../../packages/testing/src/index.ts';
import { quirks } from '../../turnwire/src/doctor/index.ts';
import { quirkOn } from '../../turnwire/src/doctor/quirks.ts';
import { dialectSections } from './dialect-tables.ts';
import { onMessages } from '../../turnwire/src/doctor/quirks/on-messages.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'doctor.md'), 'utf8');

it('the documentation lists everything that can be found, as it is in the table', () => {
  const rows = [...page.matchAll(/^\| `([\w-]+)`\s*\| (broken|odd)\s*\| (.*?)\s*\|/gm)].map((row) => row.slice(1));
  const names = Object.keys(onMessages);
  expect(rows).toEqual([
    ...Object.entries(quirks).map(([name, { level, right }]) => [name, level, right]),
    ...names.map((name) => [name, quirkOn(name, 'messages').level, quirkOn(name, 'messages').right]),
  ]);
});

it.each(dialectSections)('lists the dialects of the tables: $title', ({ title, head, rows }) => {
  const section = page.slice(page.indexOf(`### ${title}`)).split('\n### ')[0] ?? '';
  const shown = section.split('\n').filter((line) => line.startsWith('| '));
  // The rules under the head begin with dashes.
  const cells = shown.map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
  expect(cells.filter(([first]) => !/^-+/.test(first ?? ''))).toEqual([head, ...rows]);
});

it('each row of the Messages wire is for something that can be found there', () => {
  expect(Object.keys(onMessages).filter((name) => quirks[name] === undefined)).toEqual([]);
});

it('tells no client of another wire by what a Messages server does', () => {
  const shown = listFaults().filter(({ wires }) => wires.includes('messages'));
  const others = shown.flatMap(({ name }) =>
    quirkOn(name, 'messages').stumbles.filter((text) => /^(openai|Codex|opencodex|@openai)/.test(text)),
  );
  expect(others).toEqual([]);
});
