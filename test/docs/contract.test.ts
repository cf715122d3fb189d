import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourceFiles } from '../../scripts/packages.ts';
import { root } from '../../scripts/run-tool.ts';

const contract = await readFile('docs/contract.md', 'utf8');
const sections = new Map(contract.split(/^## /m).map((text) => [/^(\d)\./.exec(text)?.[1] ?? '', text]));

interface Citation {
  readonly file: string;
  readonly section: string;
  readonly rule: string | undefined;
}

const testFiles = globSync('test/**/*.ts', { cwd: root });
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).filter((file) => file !== 'CHANGELOG.md');

/** `docs/contract.md section 6`, `docs/contract.md 3.3 and 3.6`. */
const IN_WORDS = /contract\.md[)`]*,?\s+(?:\*\s+)?(?:sections?\s+)?(\d(?:\.\d+)?(?:(?:, | and )\d(?:\.\d+)?)*)/g;
/** A test is named after its rule: `test('3.1 the wait ends at the close', …`. */
const IN_TITLES = /(?:test|it|describe|\))\(\s*['"`](\d\.\d+) /g;

async function citations(files: readonly string[], pattern: RegExp): Promise<readonly Citation[]> {
  const found = files.map(async (file) => {
    const text = await readFile(join(root, file), 'utf8');
    const places = [...text.matchAll(pattern)].flatMap(([, list = '']) => list.split(/, | and /));
    return places.map((place): Citation => {
      const [section = '', rule] = place.split('.');
      return { file, section, rule };
    });
  });
  return (await Promise.all(found)).flat();
}

function isMissing({ section, rule }: Citation): boolean {
  const text = sections.get(section);
  return text === undefined || (rule !== undefined && !new RegExp(`^${rule}\\. `, 'm').test(text));
}

describe('docs/contract.md', () => {
  it.each([
    { what: 'the code cites', files: sourceFiles(), pattern: IN_WORDS, least: 15 },
    { what: 'the pages cite', files: pages, pattern: IN_WORDS, least: 0 },
    { what: 'the tests cite', files: testFiles, pattern: IN_WORDS, least: 0 },
    { what: 'tests are named after', files: testFiles, pattern: IN_TITLES, least: 100 },
  ])('has every section and rule that $what', async ({ files, pattern, least }) => {
    const cited = await citations(files, pattern);
    expect(cited.length).toBeGreaterThanOrEqual(least);
    expect(cited.filter(isMissing)).toEqual([]);
  });

  it('has taken the place of every other contract', async () => {
    const files = [...sourceFiles(), ...testFiles, ...pages].filter((file) => file !== 'test/docs/contract.test.ts');
    const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
    expect(files.filter((_, n) => /\b(?:events|dialects)\.md\b/.test(texts[n] ?? ''))).toEqual([]);
  });

  it('names every kind of error', async () => {
    const source = await readFile('packages/wire/src/model/errors.ts', 'utf8');
    const kinds = [
      ...(/errorKinds[^=]*=\s*\[([^\]]*)\]|type ErrorKind =([^;]*);/.exec(source)?.[0] ?? '').matchAll(/'(\w+)'/g),
    ].map(([, kind]) => kind);
    expect(kinds.length).toBeGreaterThan(10);
    expect(kinds.filter((kind) => !(sections.get('6') ?? '').includes(`\`${kind}\``))).toEqual([]);
  });
});
