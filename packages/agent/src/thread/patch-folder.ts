import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseOwnJson } from '@turnwire/wire/internal/base/json';
import { MAX_PATCHES, readAppliedPatch, type PatchStore } from '../patch/undo.ts';

/** Of all patches of a conversation. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Where the patches of a thread are kept, one file each, beside the threads. */
export function patchFolder(threads: string, id: string): string {
  return join(threads, 'patches', id);
}

/** The patches of a thread on disk. They hold the contents of files: nobody else may read them. */
export function createPatchFolder(folder: string): PatchStore {
  return {
    async push(patch) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const number = Number.parseInt((await namesIn(folder)).at(-1) ?? '0', 10) + 1;
      const name = `${String(number).padStart(6, '0')}.json`;
      await writeFile(join(folder, name), JSON.stringify(patch), { flag: 'wx', mode: 0o600 });
      await forgetOldest(folder);
    },
    async last() {
      const name = (await namesIn(folder)).at(-1);
      if (name === undefined) return undefined;
      return readAppliedPatch(parseOwnJson(await readFile(join(folder, name), 'utf8')));
    },
    async drop() {
      const name = (await namesIn(folder)).at(-1);
      if (name !== undefined) await rm(join(folder, name), { force: true });
    },
  };
}

/** Gives another conversation, which has none of its own, the patches of `from`. Fails with the system's error. */
export async function copyPatches(from: string, to: string): Promise<void> {
  const names = await namesIn(from);
  if (names.length === 0) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of names) {
    await copyFile(join(from, name), join(to, name), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}

/** The oldest first. */
async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^\d+\.json$/.test(name)).sort();
}

async function forgetOldest(folder: string): Promise<void> {
  let left = MAX_BYTES;
  const names = (await namesIn(folder)).toReversed();
  for (const [at, name] of names.entries()) {
    const { size } = await stat(join(folder, name));
    left -= size;
    // The last one stays, however large it is.
    if (at > 0 && (at >= MAX_PATCHES || left < 0)) await rm(join(folder, name), { force: true });
  }
}
