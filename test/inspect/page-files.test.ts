import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { pageFiles } from '../../packages/inspector/src/index.ts';

const root = join(import.meta.dirname, '..', '..');

it('the page is whole at all times, also while two processes build it', async () => {
  const sizes = (): string => JSON.stringify(pageFiles().map(({ path, bytes }) => [path, bytes.length]));
  const pids: unknown[] = [];
  const build = async (): Promise<unknown> => {
    const child = spawn(process.execPath, [join(root, 'scripts', 'build-inspector.ts')], { stdio: 'ignore' });
    pids.push(child.pid);
    return (await once(child, 'close'))[0];
  };
  // What is there may be of another state of its sources.
  await build();
  const built = sizes();
  let codes: readonly unknown[] | undefined;
  void Promise.all([build(), build()]).then((both) => (codes = both));
  const seen = new Set<string>();
  while (codes === undefined) {
    seen.add(sizes());
    await setTimeout(5);
  }
  expect(codes).toEqual([0, 0]);
  expect([...seen]).toEqual([built]);
  // Other tests may build it, too, just now.
  const left = readdirSync(join(root, 'packages', 'inspector', 'dist'));
  expect(left.filter((name) => pids.some((pid) => name.startsWith(`building-${String(pid)}-`)))).toEqual([]);
});
