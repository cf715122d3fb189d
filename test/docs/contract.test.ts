import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const contract = await readFile('docs/contract.md', 'utf8');
const sections = new Map(contract.split(/^## /m).map((text) => [/^(\d)\./.exec(text)?.[1] ?? '', text]));

async function citations(): Promise<readonly { file: string; section: string; rule: string | undefined }[]> {
  const names = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'));
  const found = await Promise.all(
    names.map(async (file) => {
      const text = await readFile(join('src', file), 'utf8');
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
    const source = await readFile('src/model/errors.ts', 'utf8');
    const kinds = [
      ...(/errorKinds[^=]*=\s*\[([^\]]*)\]|type ErrorKind =([^;]*);/.exec(source)?.[0] ?? '').matchAll(/'(\w+)'/g),
    ].map(([, kind]) => kind);
    expect(kinds.length).toBeGreaterThan(10);
    expect(kinds.filter((kind) => !(sections.get('6') ?? '').includes(`\`${kind}\``))).toEqual([]);
  });
});
