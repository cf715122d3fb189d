import { lstat, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { EditorFiles } from './editor-files.ts';
import { contains } from './sandbox/paths.ts';
import { KERNEL_PLACES, openRoots, type Roots } from './sandbox/roots.ts';
import { ToolInputError } from './tool.ts';

/** As many links as Linux follows. */
export const MAX_LINKS = 40;

/** Where a path leads. */
export interface Place {
  /** Absolute, as it was written. */
  readonly path: string;
  /** Absolute, with every symbolic link resolved; what does not exist yet is appended to what does. */
  readonly real: string;
  /** The real path is a folder of the session or lies below one, and not where keys are kept. */
  readonly inside: boolean;
  /** Where it lies, for people: `outside the working directory`. */
  readonly where: string;
}

export interface WorkspaceOptions {
  /** Folders that belong to the work beside the working directory; absolute paths. Default: none. */
  readonly additionalDirectories?: readonly string[];
  /** Where keys are kept, absolute. Not all has to exist. Default: nothing. */
  readonly secrets?: readonly string[];
  /** The editor that has files of the folders open. Default: none, files are those on the disk. */
  readonly files?: EditorFiles | undefined;
}

/** The folders that a session works in, and the question whether a path is in one. */
export class Workspace {
  /** Absolute, without symbolic links. */
  readonly cwd: string;

  /** The working directory, and the folders that belong to the work beside it. */
  readonly roots: Roots;

  /** Where keys are kept below them (one may be the home, or `/`), without symbolic links. They count as outside. */
  readonly secrets: readonly string[];

  readonly files: EditorFiles | undefined;

  /** What the folders are called, for people. */
  readonly name: string;

  private constructor(roots: Roots, secrets: readonly string[], files: EditorFiles | undefined) {
    this.roots = roots;
    this.cwd = roots[0];
    this.name = roots.length === 1 ? 'the working directory' : 'the working directories';
    this.files = files;
    this.secrets = secrets.filter((path) => roots.some((root) => isStrictlyBelow(root, path)));
  }

  /** Fails when a folder does not exist, and for an additional directory that cannot be one: see `openRoots`. */
  static async open(cwd: string, options: WorkspaceOptions = {}): Promise<Workspace> {
    const { additionalDirectories = [], secrets = [], files } = options;
    const roots = await openRoots({ cwd, additionalDirectories, secrets });
    const real = [...secrets, ...KERNEL_PLACES].map((path) => findReal(path, MAX_LINKS).catch(() => path));
    return new Workspace(roots, await Promise.all(real), files);
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
    return this.rootOf(real) !== undefined;
  }

  /** The folder of the session that a path, which is real already, lies in: the working directory where it does. */
  rootOf(real: string): string | undefined {
    return this.roots.find((root) => contains(root, real));
  }

  /** Whether keys are kept somewhere below a folder, which is real already: who walks through it reads them. */
  hasSecretsBelow(folder: string): boolean {
    return this.secrets.some((secret) => contains(folder, secret));
  }

  /** Relative to the working directory where it lies in it: for people and the model. */
  show(path: string): string {
    return contains(this.cwd, path) ? relative(this.cwd, path) || '.' : path;
  }

  #place(path: string, real: string): Place {
    const secrets = this.secrets.filter((secret) => contains(secret, real));
    // A root that lies where keys are kept is all visible; what another one shows of that place is not.
    const shows = (root: string): boolean => !secrets.some((secret) => isStrictlyBelow(root, secret));
    const inside = this.roots.some((root) => contains(root, real) && shows(root));
    const isSecret = !inside && secrets.length > 0;
    const where = isSecret ? 'where keys may be kept' : `${inside ? 'in' : 'outside'} ${this.name}`;
    return { path, real, inside, where };
  }
}

function isStrictlyBelow(folder: string, path: string): boolean {
  return folder !== path && contains(folder, path);
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
