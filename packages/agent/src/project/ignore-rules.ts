import { lstatSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** Git itself reads no larger ones in any project that we know of. */
const MAX_BYTES = 256 * 1024;
/**
 * The patterns become regular expressions, and those with many stars in one part take for ever on a name that nearly matches. Whoever
 * made the project made both.
 */
const MAX_STARS = 3;

interface IgnoreFile {
  /** Its patterns are relative to it. */
  readonly base: string;
  readonly patterns: Ignore;
}

/** What is left out of a project below a folder, by its `.gitignore` files, as git has it: the nearest file decides. */
export class IgnoreRules {
  /** The nearest first. */
  readonly #files: readonly IgnoreFile[];

  private constructor(files: readonly IgnoreFile[]) {
    this.#files = files;
  }

  /**
   * Those that hold in a folder: its own, those above it in the repository, and `.git/info/exclude`. A folder that is itself left
   * out was asked for by its name: only its own rules hold in it.
   */
  static at(folder: string): IgnoreRules {
    const above = foldersAbove(folder);
    const root = above[0] ?? folder;
    const exclude = readPatterns(join(root, '.git', 'info', 'exclude'), root);
    const outer = above.reduce((rules, each) => rules.in(each), new IgnoreRules(exclude));
    return (outer.ignores(folder, true) ? new IgnoreRules([]) : outer).in(folder);
  }

  /** Those that hold in a folder right below. */
  in(folder: string): IgnoreRules {
    const own = readPatterns(join(folder, '.gitignore'), folder);
    return own.length === 0 ? this : new IgnoreRules([...own, ...this.#files]);
  }

  /** `path` is absolute, in the folder that these rules are of. */
  ignores(path: string, isFolder: boolean): boolean {
    for (const { base, patterns } of this.#files) {
      const name = relative(base, path).split(sep).join('/');
      if (name === '') continue;
      const { ignored, unignored } = patterns.test(isFolder ? `${name}/` : name);
      if (ignored || unignored) return ignored;
    }
    return false;
  }
}

/** From the root of the repository to the folder above this one; none without a repository. */
function foldersAbove(folder: string): readonly string[] {
  const above: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    if (at !== folder) above.unshift(at);
    if (lstatSync(join(at, '.git'), { throwIfNoEntry: false }) !== undefined) return above;
    if (at === dirname(at)) return [];
  }
}

/** One list, or none where there is no such file. Git follows no link to one either. */
function readPatterns(path: string, base: string): readonly IgnoreFile[] {
  try {
    const info = lstatSync(path);
    if (!info.isFile() || info.size > MAX_BYTES) return [];
    const lines = readFileSync(path, 'utf8')
      .replace(/^\ufeff/, '')
      .split(/\r?\n/);
    return [{ base, patterns: ignore({ ignorecase: false }).add(lines.filter((line) => !hasManyStars(line))) }];
  } catch {
    return []; // Not there, or not to be read.
  }
}

function hasManyStars(line: string): boolean {
  return line.split('/').some((part) => (part.match(/\*+/g)?.length ?? 0) > MAX_STARS);
}
