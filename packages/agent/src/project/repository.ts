import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { contains } from '../sandbox/paths.ts';

/** Folders between the repository's root and one that somebody works in. */
const MAX_FOLDERS = 64;

/** From the outermost to the innermost, both included. */
export function foldersBetween(root: string, folder: string): readonly string[] {
  const folders: string[] = [];
  for (let at = folder; contains(root, at) && folders.length < MAX_FOLDERS; at = dirname(at)) {
    folders.unshift(at);
    if (at === dirname(at)) break;
  }
  return folders;
}

/**
 * The nearest folder above with a `.git` of the same user (a file, in a worktree), else the folder itself. Of another user
 * it does not count: anybody may make one in `/tmp`, as CVE-2022-24765 has it.
 */
export async function repositoryRoot(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const git = await lstat(join(at, '.git')).catch(() => undefined);
    if (git !== undefined) return git.uid === process.getuid?.() || at === folder ? at : folder;
    if (at === dirname(at)) return folder;
  }
}
