import { lstat, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { EditorFiles } from './editor-files.ts';
import { contains } from './sandbox/paths.ts';
import { ToolInputError } from './tool.ts';

/** As many links as Linux follows. */
export const MAX_LINKS = 40;

/** Where a path leads. */
export interface Place {
  /** Absolute, as it was written. */
  readonly path: string;
  /** Absolute, with every symbolic link resolved; what does not exist yet is appended to what does. */
  readonly real: string;
  /** The real path is the working directory or lies below it, and not where keys are kept. */
  readonly inside: boolean;
  /** Where it lies, for people: `outside the working directory`. */
  readonly where: string;
}

/** Of the kernel: the environment of every process, the memory, the disks. They are below a working directory of `/`. */
const KERNEL = ['/proc', '/sys', '/dev'];

/** The folder that a session works in, and the question whether a path is in it. */
export class Workspace {
  /** Absolute, without symbolic links. */
  readonly cwd: string;

  /** Where keys are kept below it (it may be the home, or `/`), without symbolic links. They count as outside. */
  readonly secrets: readonly string[];

  /** The editor that has files of it open; absent: they are those on the disk. */
  readonly files: EditorFiles | undefined;

  private constructor(cwd: string, secrets: readonly string[], files: EditorFiles | undefined) {
    this.cwd = cwd;
    this.files = files;
    this.secrets = secrets.filter((path) => contains(cwd, path) && !contains(path, cwd));
  }

  /** `secrets`: where keys are kept, absolute. Not all has to exist. Fails when the folder does not exist. */
  static async open(cwd: string, secrets: readonly string[] = [], files?: EditorFiles): Promise<Workspace> {
    const real = [...secrets, ...KERNEL].map((path) => findReal(path, MAX_LINKS).catch(() => path));
    return new Workspace(await realpath(resolve(cwd)), await Promise.all(real), files);
  }

  /** `path` may be relative to `base` (default: the working directory). Fails with `ToolInputError` for a bad path. */
  async locate(path: string, base = this.cwd): Promise<Place> {
    if (path.includes('\0')) throw new ToolInputError('a path cannot contain a NUL character');
    const real = await findReal(below(base, path), MAX_LINKS);
    return this.#place(resolve(base, path), real);
  }

  /**
   * The place of the name itself, for what removes or renames it: the links of its folder are resolved, a link at its end
   * is not. `real` and `inside` speak of the name.
   */
  async locateName(path: string, base = this.cwd): Promise<Place> {
    const name = basename(path);
    const folder = await this.locate(dirname(path), base);
    const real = join(folder.real, name);
    if (name === '.' || name === '..' || (await linkTarget(real)) === undefined) return this.locate(path, base);
    return this.#place(resolve(base, path), real);
  }

  /** For a path that is real already. */
  contains(real: string): boolean {
    return contains(this.cwd, real);
  }

  /** Whether keys are kept somewhere below a folder, which is real already: who walks through it reads them. */
  hasSecretsBelow(folder: string): boolean {
    return this.secrets.some((secret) => contains(folder, secret));
  }

  /** Relative to the working directory where it lies in it: for people and the model. */
  show(path: string): string {
    return this.contains(path) ? relative(this.cwd, path) || '.' : path;
  }

  #place(path: string, real: string): Place {
    const isSecret = this.secrets.some((secret) => contains(secret, real));
    const inside = this.contains(real) && !isSecret;
    const where = isSecret ? 'where keys may be kept' : `${inside ? 'in' : 'outside'} the working directory`;
    return { path, real, inside, where };
  }
}

/** Joined as it stands: the system follows `link` in `link/..` before it goes up, so nothing may be shortened here. */
function below(folder: string, path: string): string {
  return isAbsolute(path) ? path : `${folder}/${path}`;
}

async function findReal(path: string, links: number): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ELOOP' || links === 0) throw new ToolInputError(`${path}: too many symbolic links`);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw new ToolInputError(`${path}: ${code ?? 'not accessible'}`);
  }
  // It does not exist as a whole. A link to nothing still leads somewhere: a write would go there.
  const target = await linkTarget(path);
  if (target !== undefined) return findReal(below(dirname(path), target), links - 1);
  const parent = dirname(path);
  if (parent === path) return path;
  const real = join(await findReal(parent, links), basename(path));
  // Behind a folder that does not exist, `..` may lead back to what does.
  return real === path ? path : findReal(real, links - 1);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch {
    return undefined; // Does not exist: the caller looks at its folder.
  }
}

/** The code of a system error (`ENOENT`). */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
