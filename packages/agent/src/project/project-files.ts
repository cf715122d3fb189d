import { opendirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { nextTurn } from '@turnwire/client/internal/platform/wait';
import { IgnoreRules } from './ignore-rules.ts';

/** Not gone into, whatever `.gitignore` says: what git keeps for itself, and what a package manager brings. */
const NOT_ENTERED = new Set(['.git', 'node_modules']);
const MAX_ENTRIES = 20_000;

/** A file or folder of a project. */
export interface ProjectEntry {
  /** Absolute. */
  readonly path: string;
  readonly isFolder: boolean;
}

/** What is in a folder, sorted, without what is left out of the project; one that may not be read has nothing in it. Links and what is neither file nor folder are left out. */
export function readProjectFolder(folder: string, rules: IgnoreRules): readonly ProjectEntry[] {
  const entries: ProjectEntry[] = [];
  try {
    const directory = opendirSync(folder);
    for (
      let entry = directory.readSync();
      entry !== null && entries.length < MAX_ENTRIES;
      entry = directory.readSync()
    ) {
      const [path, isFolder] = [join(folder, entry.name), entry.isDirectory()];
      if (!isFolder && !entry.isFile()) continue;
      if (isFolder && NOT_ENTERED.has(entry.name)) continue;
      if (!rules.ignores(path, isFolder)) entries.push({ path, isFolder });
    }
    directory.closeSync();
  } catch {
    // What was read until then.
  }
  return entries.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** How much of a project is listed. */
export interface ListOptions {
  /** Number of files. */
  readonly maxFiles: number;
  /** Aborting it ends the listing with what there is. */
  readonly signal: AbortSignal;
}

/** More folders are not looked into, whatever is in them. */
const MAX_FOLDERS = 20_000;

/**
 * The files of a project, relative to `cwd` and with `/` between their parts: those that are near first. What `.gitignore` leaves out
 * is not among them; nothing is started for that, git neither.
 */
export async function listProjectFiles(cwd: string, { maxFiles, signal }: ListOptions): Promise<readonly string[]> {
  const files: string[] = [];
  const folders = [{ path: cwd, rules: IgnoreRules.at(cwd) }];
  // Grows while it is gone through: the folders of the folders come behind them.
  for (const folder of folders) {
    if (signal.aborted || files.length >= maxFiles) break;
    for (const { path, isFolder } of readProjectFolder(folder.path, folder.rules)) {
      if (!isFolder) files.push(relative(cwd, path).split(sep).join('/'));
      else if (folders.length < MAX_FOLDERS) folders.push({ path, rules: folder.rules.in(path) });
    }
    // Between folders others have their turn.
    await nextTurn();
  }
  return files.slice(0, maxFiles);
}
