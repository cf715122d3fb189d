import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf, runExample } from '../docs/examples.ts';
import { root, runInProcess } from './harness.ts';

/** Pages for users: their examples are run, their links followed. */
const pages = ['README.md', 'CONTRIBUTING.md', ...markdownIn('docs')];

function markdownIn(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}

const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** `turnwire …` of the README's shell examples, in the words a shell would hand over. */
const commandLines = blocksOf(readme, 'sh')
  .flatMap(({ code }) => code.trim().split('\n'))
  .filter((line) => line.startsWith('turnwire '));

const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

describe('the README', () => {
  it('names the two commands that do everything', () => {
    const shell = blocksOf(readme, 'sh')
      .map(({ code }) => code)
      .join('');
    expect(shell).toMatch(/^npm ci && npm start$/m);
    expect(shell).toMatch(/^npm ci && npm test$/m);
  });

  it.each(commandLines)('has a shell example that works: %s', async (line) => {
    const [command = '', file] = line.split(' < ');
    const stdin = file === undefined ? '' : readFileSync(join(root, file));
    const { code, stdout } = await runInProcess(wordsOf(command).slice(1), { stdin, cwd: root });
    expect(stdout).not.toBe('');
    expect(code).toBe(0);
  });

  it('has enough examples for the test above to mean something', () => {
    expect(commandLines.length).toBeGreaterThan(3);
  });
});

describe('TypeScript examples of the README', () => {
  it.each(blocksOf(readme, 'ts'))('under $heading: runs', async ({ code }) => {
    const { code: status, stdout, stderr } = await runExample(code);
    expect(stderr).toBe('');
    expect(stdout).not.toBe('');
    expect(status).toBe(0);
  });
});

describe('links between the pages', () => {
  it.each(pages)('of %s lead somewhere', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)\s]+)\)/g)) {
      const [path = '', anchor] = target.split('#');
      const found = readFileSync(join(root, page, '..', path), { encoding: 'utf8' });
      if (anchor !== undefined) expect(headingsOf(found)).toContain(anchor);
    }
  });
});

/** The anchors that a Markdown viewer gives the headings. */
function headingsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(/\s/g, '-'),
  );
}
