import { existsSync, realpathSync } from 'node:fs';
import paths, { delimiter, isAbsolute, join, type PlatformPath } from 'node:path';

/** Whether `path` is `folder` or lies below it. Both absolute; links are not followed. `system`: whose paths they are. */
export function contains(folder: string, path: string, system: PlatformPath = paths): boolean {
  const way = system.relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${system.sep}`) && !system.isAbsolute(way));
}

/** Without symbolic links; `undefined` for what does not exist or cannot be reached. */
export function realOrNothing(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The folders of a `PATH`. What is relative is left out: it names another folder in each working directory. */
export function foldersOf(searchPath: string | undefined): readonly string[] {
  return [...new Set((searchPath ?? '').split(delimiter).filter(isAbsolute))];
}

/**
 * The folders of a `PATH` whose programs may run unasked: those that exist, and that neither the model nor the project can
 * fill. `npm run` puts `node_modules/.bin` in front, of the folders above, too, and a package that brings a program named
 * `cat` would have it run. A folder counts as it is written and as it is: a link in a folder of the session can be made
 * to lead elsewhere, a link to it leads in, and what does not exist can be made one.
 *
 * @param roots the folders of the session, absolute and without symbolic links
 */
export function trustedFolders(searchPath: string | undefined, roots: readonly string[]): readonly string[] {
  const isTrusted = (path: string | undefined): boolean =>
    path !== undefined &&
    !roots.some((root) => contains(root, path)) &&
    !/[/\\]node_modules[/\\]\.bin[/\\]?$/.test(path);
  return foldersOf(searchPath).filter((folder) => isTrusted(folder) && isTrusted(realOrNothing(folder)));
}

/** The program's place in one of the folders. */
export function findProgram(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
