import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
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
