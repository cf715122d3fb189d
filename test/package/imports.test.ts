import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packages, sourceFiles } from '../../scripts/packages.ts';
import { root } from '../../scripts/run-tool.ts';

/** The packages that the sources of a folder import, types included. */
function importedBy(folder: string): Set<string> {
  const own = sourceFiles().filter((name) => name.startsWith(`${folder}/`));
  const texts = own.map((name) => readFileSync(join(root, name), 'utf8'));
  const specifiers = texts.flatMap((text) =>
    [...text.matchAll(/(?:from |import\(|import )'([^.'][^']*)'/g)].map(([, name = '']) => name),
  );
  const external = specifiers.filter((name) => !name.startsWith('node:'));
  return new Set(external.map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name));
}

/** What the packages below, and the SDK for ACP, want to find beside them: the command brings it along, and imports it or not. */
const peers = new Set(['zod', ...packages.flatMap(({ manifest }) => Object.keys(manifest.peerDependencies ?? {}))]);

it.each(packages)('$manifest.name declares what it imports, and imports what it declares', ({ folder, manifest }) => {
  const imported = importedBy(folder);
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const brought = manifest.name === 'turnwire' ? declared.filter((name) => peers.has(name)) : [];
  expect([...new Set([...imported, ...brought])].sort()).toEqual(declared.sort());
});

it.each(packages)('$manifest.name has the version of all, and depends on it exactly', ({ manifest }) => {
  const own = Object.entries(manifest.dependencies ?? {}).filter(([name]) => name.startsWith('@turnwire/'));
  expect([manifest.version, ...own.map(([, version]) => version)]).toEqual(
    Array(own.length + 1).fill(packages[0]?.manifest.version),
  );
});

it('every package is published with what the root says of it', () => {
  for (const { folder, manifest } of packages)
    expect(folder.endsWith(manifest.name.replace('@turnwire/', ''))).toBe(true);
});
