import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { mustRun, root } from './run-tool.ts';

/** A program that runs JavaScript. */
export interface Runtime {
  readonly name: string;
  readonly command: string;
  /** Before the name of a file. */
  readonly args: readonly string[];
  /** Behind these, before the name of a module that runs before the file; absent: there is no such thing. */
  readonly preload?: readonly string[];
}

/** The development's own Node. */
export const ownNode: Runtime = { name: 'node 24', command: 'node', args: [], preload: ['--import'] };

/** The runtimes of `e2e/runtimes` that this machine can run; says which it cannot. */
export function findRuntimes(): { readonly scripts: readonly Runtime[]; readonly workerd: string | undefined } {
  const place = join(root, 'e2e', 'runtimes');
  mustRun('npm', ['ci', '--silent', '--no-audit', '--no-fund', '--prefix', place]);
  const { platform, arch } = process;
  const deno = { arm64: 'arm64', x64: 'x64' }[arch as string] ?? arch;
  const bun = { arm64: 'aarch64', x64: 'x64' }[arch as string] ?? arch;
  const cloudflare = { arm64: 'arm64', x64: '64' }[arch as string] ?? arch;
  const all: readonly Runtime[] = [
    { name: 'node 22', command: `node-22-${platform}-${arch}/bin/node`, args: [], preload: ['--import'] },
    { name: 'bun', command: `@oven/bun-${platform}-${bun}/bin/bun`, args: ['run'], preload: ['--preload'] },
    {
      name: 'deno',
      command: `@deno/${platform}-${deno}-glibc/deno`,
      args: ['run', '--allow-env', '--allow-read', '--no-lock', '--node-modules-dir=manual'],
      preload: ['--allow-net', '--preload'],
    },
    { name: 'workerd', command: `@cloudflare/workerd-${platform}-${cloudflare}/bin/workerd`, args: ['test'] },
  ];
  const here = all.map((runtime) => ({ ...runtime, command: join(place, 'node_modules', runtime.command) }));
  const found = here.filter(({ command }) => isExecutable(command));
  for (const { name } of here) {
    if (!found.some((runtime) => runtime.name === name)) process.stdout.write(`no ${name} for this machine\n`);
  }
  const scripts = found.filter(({ name }) => name !== 'workerd');
  return { scripts, workerd: found.find(({ name }) => name === 'workerd')?.command };
}

/** Whether there is a program at this path. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
