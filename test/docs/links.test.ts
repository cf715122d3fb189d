import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pagesOfCommand } from '../../scripts/packages.ts';
import { pageOf, root } from './examples.ts';

/** That the links lead somewhere is tested with the README's examples. */
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name.replaceAll('\\', '/')}`);

/** Folders whose pages are found from an index of their own. */
const indexes = [
  { of: 'docs/decisions/', index: 'docs/decisions/README.md' },
  { of: 'docs/bridge/', index: 'docs/bridge.md' },
];

function linksOf(page: string): string[] {
  const targets = [...pageOf(page).matchAll(/\]\((?!https?:|#)([^)\s#]+)/g)].map(([, target = '']) => target);
  return targets.map((target) => posix.join(posix.dirname(page), target));
}

describe('every page', () => {
  it.each(pages)('%s can be found from the README, or from the index of its folder', (page) => {
    const index = indexes.find(({ of }) => page.startsWith(of) && !page.endsWith('README.md'))?.index ?? 'README.md';
    expect(linksOf(index), `${index} should link to ${page}`).toContain(page);
  });
});

describe('the tarball of turnwire', () => {
  const isIn = (path: string): boolean => pagesOfCommand.some((each) => path === each || path.startsWith(`${each}/`));

  it.each(['README.md', 'CONTRIBUTING.md', ...pages])('has what %s links to', (page) => {
    expect(linksOf(page).filter((path) => path !== 'LICENSE' && !isIn(path))).toEqual([]);
  });

  it('is told of all of them, and git is told that they are copies', () => {
    const { files } = JSON.parse(pageOf('turnwire/package.json')) as { files: string[] };
    expect(files).toEqual(expect.arrayContaining(pagesOfCommand.filter((each) => each !== 'README.md')));
    const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
    expect(
      pagesOfCommand.filter((each) => !ignored.some((line) => line.replace(/\/$/, '') === `turnwire/${each}`)),
    ).toEqual([]);
  });
});
