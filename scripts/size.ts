/**
 * What `healing` weighs in the bundle of a page, minified and gzipped, in bytes; fails where it weighs more than is allowed:
 * docs/decisions/0023-healing-fetch.md says how the bounds came about.
 */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { fail, root } from './run-tool.ts';

interface Bundle {
  readonly name: string;
  readonly code: string;
  /** In bytes. */
  readonly most: number;
}

const entry = join(root, 'packages', 'wire', 'src', 'fetch', 'index.ts');
const main = join(root, 'packages', 'wire', 'src', 'index.ts');

const bundles: readonly Bundle[] = [
  {
    name: 'healingFor([chat])',
    code: `import { chat, healingFor } from '${entry}'; export const fetch = healingFor([chat]);`,
    most: 31_000,
  },
  { name: 'healing()', code: `import { healing } from '${entry}'; export const fetch = healing();`, most: 55_000 },
  { name: 'readEvents', code: `export { readEvents } from '${main}';`, most: 46_000 },
];

for (const { name, code, most } of bundles) {
  const size = await sizeOf(code);
  process.stdout.write(`size: ${name}: ${size} bytes of at most ${most}\n`);
  if (size > most) fail(`size: ${name} weighs ${size} bytes, more than ${most}`);
}

async function sizeOf(code: string): Promise<number> {
  const name = join(root, 'bundle.ts');
  const bundle = await rolldown({
    input: name,
    platform: 'browser',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === name ? id : null),
        load: (id) => (id === name ? { code, moduleType: 'ts' } : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  return output.reduce((sum, file) => sum + (file.type === 'chunk' ? gzipSync(file.code, { level: 9 }).length : 0), 0);
}
