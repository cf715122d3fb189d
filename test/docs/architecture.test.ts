import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packages } from '../../scripts/packages.ts';
import { pageOf, root } from './examples.ts';

const page = pageOf('docs/architecture.md');

type Row = Readonly<Record<string, string>>;

/** The rows of the table that begins with these columns, by the heads of its columns. */
function tableOf(...heads: readonly string[]): readonly Row[] {
  const lines = page.split('\n');
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''));
  const first = lines.findIndex((line) => heads.every((head, at) => cells(line)[at] === head));
  if (first < 0) throw new Error(`docs/architecture.md has no table of ${heads.join(', ')}`);
  const names = cells(lines[first] ?? '');
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('|'));
  return lines
    .slice(first + 2, end)
    .map((line) => Object.fromEntries(cells(line).map((cell, at) => [names[at] ?? '', cell])));
}

const layers = tableOf('floor', 'layer', 'folder', 'may import');
const rooms = tableOf('folder', 'what is in it');
const roomsOfBridge = tableOf('room', 'may import');

interface Rule {
  readonly name: string;
  readonly comment?: string;
}

const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  readonly forbidden: readonly Rule[];
};

/** What the rules that end so in words say: the folder, and a list that begins with the layer or room itself. */
function allowedBy(words: string): readonly { folder: string; name: string; imports: string }[] {
  return forbidden.flatMap(({ comment = '' }) => {
    const [folder, list] = comment.split(` ${words}: `);
    if (folder === undefined || list === undefined) return [];
    const [name = '', ...others] = list.split(', ');
    return [{ folder, name, imports: others.join(', ') || 'nothing' }];
  });
}

function byName<T extends { name: string }>(rows: readonly T[]): readonly T[] {
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Every folder below the sources of a package. */
const tree = packages.flatMap(({ folder }) =>
  readdirSync(join(root, folder, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)),
);

describe('docs/architecture.md', () => {
  it('has the packages of this repository', () => {
    const named = tableOf('package', 'folder').map(({ package: name, folder }) => `${name} ${folder}`);
    expect(named.toSorted()).toEqual(packages.map(({ folder, manifest }) => `${manifest.name} ${folder}`).toSorted());
  });

  it('names every folder of the source, and none that is not there', () => {
    const bridge = layers.find(({ layer }) => layer === 'bridge')?.folder ?? '';
    const roots = packages.flatMap(({ folder }) => [`${folder}/src`, `${folder}/page`]);
    const named = [
      ...layers.map(({ folder }) => folder ?? ''),
      ...rooms.map(({ folder }) => folder ?? ''),
      ...roomsOfBridge.map(({ room }) => `${bridge}/${room}`),
    ];
    expect(named.filter((path) => !roots.includes(path)).toSorted()).toEqual(tree.toSorted());
    const files = packages.flatMap(({ folder }) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
    expect(named.filter((path) => roots.includes(path) && !files.includes(path))).toEqual([]);
  });

  it('has the import table that is enforced', () => {
    const named = layers
      .filter(({ 'may import': imports }) => imports !== 'anything')
      .map((row) => ({ folder: row.folder ?? '', name: row.layer ?? '', imports: row['may import'] ?? '' }));
    expect(byName(named)).toEqual(byName(allowedBy('may import only')));
  });

  it('has the order of the rooms that is enforced', () => {
    const bridge = layers.find(({ layer }) => layer === 'bridge')?.folder ?? '';
    const named = roomsOfBridge.map((row) => ({
      folder: `${bridge}/${row.room}`,
      name: row.room ?? '',
      imports: row['may import'] ?? '',
    }));
    expect(byName(named)).toEqual(byName(allowedBy('may import of the bridge only')));
  });

  it('draws every arrow down', () => {
    const floors = new Map(layers.map(({ layer, floor }) => [layer, Number(floor)]));
    const upward = layers.flatMap(({ layer, floor, 'may import': imports = '' }) =>
      imports
        .split(', ')
        .filter((name) => name !== 'anything' && name !== 'nothing')
        .filter((name) => !((floors.get(name.split('/')[0]) ?? Infinity) < Number(floor)))
        .map((name) => `${layer} -> ${name}`),
    );
    expect(upward).toEqual([]);
  });
});
