import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { contains, realOrNothing } from './paths.ts';

/** Of the kernel: the environment of every process, the memory, the disks. They are below a working directory of `/`. */
export const KERNEL_PLACES = ['/proc', '/sys', '/dev'];

/** The folders of a session: absolute, without symbolic links. The working directory is the first. */
export type Roots = readonly [cwd: string, ...additional: string[]];

/** Of the names of all additional directories: they are told to the model, and stand in the first line of a thread. */
const MAX_NAMES_CHARS = 4096;

export interface RootsOptions {
  /** The working directory. Fails with the error of the system when it does not exist. */
  readonly cwd: string;
  /** Folders that belong to the work beside it; absolute paths. Default: none. */
  readonly additionalDirectories?: readonly string[];
  /** Where keys are kept, absolute. Not all has to exist. */
  readonly secrets: readonly string[];
}

/**
 * Where the folders of a session really are, in the order in which they were named. Who names an additional directory may
 * be a file of the project (an editor's list of folders): it is none where keys are kept, and none that a link in another
 * folder of the session leads to, for whoever writes in that folder chooses where it leads. Fails with an error that
 * names the directory.
 */
export async function openRoots({ cwd, additionalDirectories = [], secrets }: RootsOptions): Promise<Roots> {
  if (JSON.stringify(additionalDirectories).length > MAX_NAMES_CHARS)
    throw new Error(`the names of the additional directories are longer than ${MAX_NAMES_CHARS} characters`);
  const first = await realpath(resolve(cwd));
  const closed = [...secrets, ...KERNEL_PLACES].map((path) => realOrNothing(path) ?? path);
  const named = [
    { path: resolve(cwd), real: first },
    ...(await Promise.all(additionalDirectories.map((path) => openFolder(path, closed)))),
  ];
  for (const { path, real } of named.slice(1)) {
    const owner = named.find((root) => leadsOut(root, { path, real }));
    if (owner !== undefined) throw problem(path, `it leads out of ${owner.path} through a link, to ${real}`);
  }
  return [first, ...named.slice(1).map(({ real }) => real)];
}

interface NamedFolder {
  readonly path: string;
  readonly real: string;
}

async function openFolder(path: string, closed: readonly string[]): Promise<NamedFolder> {
  if (!isAbsolute(path)) throw problem(path, 'it is not an absolute path');
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) throw problem(path, 'it does not exist');
  if (!(await stat(real)).isDirectory()) throw problem(path, 'it is no folder');
  if (closed.some((place) => contains(place, real))) throw problem(path, 'keys may be kept there');
  return { path: resolve(path), real };
}

/** It is written as a folder in the root, and is none. */
function leadsOut(root: NamedFolder, { path, real }: NamedFolder): boolean {
  const isWrittenInside = [root.path, root.real].some((folder) => folder !== path && contains(folder, path));
  return isWrittenInside && !contains(root.real, real);
}

function problem(path: string, why: string): Error {
  return new Error(`the additional directory ${JSON.stringify(path)} cannot be used: ${why}`);
}
