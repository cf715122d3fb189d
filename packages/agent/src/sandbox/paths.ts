import { existsSync, realpathSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative, sep } from 'node:path';

/** Whether `path` is `folder` or lies below it. Both absolute; links are not followed. */
export function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
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

/** Whether a folder is one that npm puts in front of a `PATH`: a package of the project may have left an `ls` there. */
export function isOfNpm(folder: string): boolean {
  return /\/node_modules\/\.bin\/?$/.test(folder);
}

/**
 * `PATH` without folders of the project: `npm run` puts `node_modules/.bin` in front, of the folders above, too, and a
 * project that brings a program named `cat` would have it run unasked.
 */
export function foreignPath(searchPath: string | undefined, cwd: string): string {
  return foldersOf(searchPath)
    .filter((folder) => !isOfNpm(folder) && !contains(cwd, folder) && !contains(cwd, realOrNothing(folder) ?? folder))
    .join(delimiter);
}

/** The program's place on a `PATH`. */
export function findProgram(name: string, searchPath: string): string | undefined {
  return foldersOf(searchPath)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}
