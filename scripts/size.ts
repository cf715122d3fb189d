/**
 * What `healing` weighs in the bundle of a page, minified and gzipped, in bytes; fails where it weighs more than is allowed:
 * docs/performance.md says what weighs what.
 */
import { gzipSync } from 'node:zlib';
import { bundleOf } from './bundle.ts';
import { fail } from './run-tool.ts';

interface Bundle {
  readonly name: string;
  readonly code: string;
  /** In bytes. */
  readonly most: number;
}

const entry = './packages/wire/src/fetch/index.ts';
const main = './packages/wire/src/index.ts';

const bundles: readonly Bundle[] = [
  {
    name: 'healingFor([chat])',
    code: `import { chat, healingFor } from '${entry}'; export const fetch = healingFor([chat]);`,
    most: 29_400,
  },
  { name: 'healing()', code: `import { healing } from '${entry}'; export const fetch = healing();`, most: 53_900 },
  { name: 'readEvents', code: `export { readEvents } from '${main}';`, most: 30_650 },
];

for (const { name, code, most } of bundles) {
  const size = await sizeOf(code);
  process.stdout.write(`size: ${name}: ${size} bytes of at most ${most}\n`);
  if (size > most) fail(`size: ${name} weighs ${size} bytes, more than ${most}`);
}

async function sizeOf(code: string): Promise<number> {
  return gzipSync(await bundleOf(code, { minify: true }), { level: 9 }).length;
}
