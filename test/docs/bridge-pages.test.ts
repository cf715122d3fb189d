import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { listFaults } from '../../packages/testing/src/index.ts';
import { runInProcess } from '../cli/harness.ts';
import { blocksOf, pageOf, root } from './examples.ts';

const pages = ['docs/bridge.md', ...readdirSync(join(root, 'docs/bridge')).map((name) => `docs/bridge/${name}`)];
const blocks = pages.flatMap((page) => blocksOf(pageOf(page)).map((block) => ({ page, ...block })));

/** What a shell would hand to `turnwire`, and to nothing behind `--`. */
const commandLines = blocks
  .flatMap(({ code }) => code.replaceAll(/\\\n\s*/g, ' ').split('\n'))
  .filter((line) => line.startsWith('turnwire '))
  .map((line) => line.split(' -- ')[0] ?? '');

describe('the pages of the bridge', () => {
  it.each([...new Set(commandLines)])('name flags that there are: %s', async (line) => {
    const [, command = '', ...words] = line.split(/\s+/);
    const { code, stdout } = await runInProcess([command, '--help']);
    expect(code).toBe(0);
    const known = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
    expect(words.filter((word) => word.startsWith('--') && !known.includes(word))).toEqual([]);
  });

  const parsers = new Map<string, (text: string) => unknown>([
    ['toml', (text) => parseToml(text)],
    ['yaml', (text) => parseYaml(text) as unknown],
    ['json', (text) => JSON.parse(text) as unknown],
  ]);
  const settings = blocks.filter(({ language }) => parsers.has(language));

  it.each(settings)('show settings that can be read: $heading', ({ language, code }) => {
    expect(Object.keys(parsers.get(language)?.(code) ?? {})).not.toEqual([]);
  });

  it('have enough of both for these tests to mean something', () => {
    expect([commandLines.length > 10, settings.length > 4]).toEqual([true, true]);
  });
});

it('docs/bridge/servers.md names faults that the scripted server can play', () => {
  const table = pageOf('docs/bridge/servers.md').split('## What they are known to do')[1] ?? '';
  const named = [...table.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name);
  const faults = new Set(listFaults().map(({ name }) => name));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !faults.has(name))).toEqual([]);
});
