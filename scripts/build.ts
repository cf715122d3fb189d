/**
 * Emits `dist/` of every package, its JavaScript and its types, each after those that it depends on, and puts beside it
 * what its tarball holds besides. With the name of a package it stops after that one: `node scripts/build.ts @turnwire/wire`.
 */
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packages, pagesOfCommand } from './packages.ts';
import { fail, mustRun, root } from './run-tool.ts';

const last = process.argv[2] ?? 'turnwire';
const end = packages.findIndex(({ manifest }) => manifest.name === last);
if (end === -1) fail(`build: there is no package ${last}`);

for (const { folder } of packages.slice(0, end + 1)) {
  rmSync(join(root, folder, 'dist'), { recursive: true, force: true });
  mustRun('tsc', ['-p', join(folder, 'tsconfig.build.json')]);
  if (folder === 'packages/inspector') mustRun('node', [join(root, 'scripts', 'build-inspector.ts')]);
  cpSync(join(root, 'LICENSE'), join(root, folder, 'LICENSE'));
}
if (last === 'turnwire') {
  chmodSync(join(root, 'turnwire', 'dist', 'cli', 'main.js'), 0o755);
  for (const page of pagesOfCommand) cpSync(join(root, page), join(root, 'turnwire', page), { recursive: true });
}
