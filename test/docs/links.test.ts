import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pageOf, root } from './examples.ts';

/** That the links lead somewhere is tested with the README's examples. */
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name.replaceAll('\\', '/')}`);

function linksOf(page: string): string[] {
  const targets = [...pageOf(page).matchAll(/\]\((?!https?:|#)([^)\s#]+)/g)].map(([, target = '']) => target);
  return targets.map((target) => posix.join(posix.dirname(page), target));
}

describe('every page', () => {
  it.each(pages)('%s can be found from the README', (page) => {
    const index =
      page.startsWith('docs/decisions/') && !page.endsWith('README.md') ? 'docs/decisions/README.md' : 'README.md';
    expect(linksOf(index), `${index} should link to ${page}`).toContain(page);
  });
});
