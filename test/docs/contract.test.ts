import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourceFiles } from '../../scripts/packages.ts';
import { root } from '../../scripts/run-tool.ts';

const contract = await readFile('docs/contract.md', 'utf8');
const sections = new Map(contract.split(/^## /m).map((text) => [/^(\d)\./.exec(text)?.[1] ?? '', text]));

async function citations(): Promise<readonly { file: string; section: string; rule: string | undefined }[]> {
  const found = await Promise.all(
    sourceFiles().map(async (file) => {
      const text = await readFile(join(root, file), 'utf8');
      return [...text.matchAll(/contract\.md,?\s+(?:section\s+)?(\d)(?:\.(\d+))?/g)].map(([, section = '', rule]) => ({
        file,
        section,
        rule,
      }));
    }),
  );
  return found.flat();
}

describe('docs/contract.md', () => {
  it('has every section and rule that the code cites', async () => {
    const cited = await citations();
    expect(cited.length).toBeGreaterThan(10);
    const missing = cited.filter(({ section, rule }) => {
      const text = sections.get(section);
      return text === undefined || (rule !== undefined && !new RegExp(`^${rule}\\. `, 'm').test(text));
    });
    expect(missing).toEqual([]);
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
