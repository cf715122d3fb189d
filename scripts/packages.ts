import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run-tool.ts';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  readonly manifest: Manifest;
  /** The package's folder, below the repository's. */
  readonly folder: string;
}

const folders = [
  'packages/wire',
  'packages/client',
  'packages/testing',
  'packages/agent',
  'packages/bridge',
  'packages/inspector',
  'turnwire',
];

/** Files and folders of the repository that the tarball of `turnwire` holds too: the pages, and what they link to. */
export const pagesOfCommand = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs', 'deploy'];

/** The packages that are published, each after those that it depends on. */
export const packages: readonly Package[] = folders.map((folder) => ({
  folder,
  manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest,
}));

/** The paths of a package that anybody may import: without its manifest, and without what is for the other packages alone. */
export function publicEntries({ manifest }: Package): readonly string[] {
  return Object.keys(manifest.exports).filter((path) => path !== './package.json' && !path.startsWith('./internal/'));
}

/** The source file of an entry, below the repository's folder. */
export function sourceOf({ folder, manifest }: Package, entry: string): string {
  const target = manifest.exports[entry];
  const source = typeof target === 'object' ? target['@turnwire/source'] : undefined;
  if (source === undefined) throw new Error(`${manifest.name} has no entry ${entry}`);
  return join(folder, source);
}

/** Every TypeScript file of the packages' sources, below the repository's folder. */
export function sourceFiles(): readonly string[] {
  return packages.flatMap(({ folder }) =>
    readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, 'src', name)),
  );
}

/** The source of an entry by the name that users import, such as `turnwire/wire`. */
export function sourceUrl(name: string): string | undefined {
  for (const each of packages) {
    const entry = name === each.manifest.name ? '.' : name.replace(`${each.manifest.name}/`, './');
    if (publicEntries(each).includes(entry)) return pathToFileURL(join(root, sourceOf(each, entry))).href;
  }
  return undefined;
}

/** The flags for a Node that is to find the packages of this workspace as their sources. */
export const sourceFlags: readonly string[] = ['--conditions=@turnwire/source'];
