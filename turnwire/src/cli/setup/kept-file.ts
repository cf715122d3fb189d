import { createHash } from 'node:crypto';
import { mkdir, readFile, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '@turnwire/agent/internal/workspace';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import type { CliContext } from '../context.ts';
import { describeSystemError, UsageError } from '../exit.ts';
import { stateFolder } from '../user-folders.ts';

/** A file as it was before it was changed here. */
interface Kept {
  /** Its bytes; undefined: there was no file. */
  readonly before: Buffer | undefined;
  /** SHA-256 of what was written last. */
  readonly written: string;
  /** Somebody else had changed it when it was written here again: those changes are in no other place. */
  readonly hasOthers: boolean;
  /** The topmost folder that was made for it. */
  readonly madeFolder: string | undefined;
}

/** Configurations are small; what is larger is none. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * A configuration file of another program. Before it is changed first, its bytes are kept below
 * `$XDG_STATE_HOME/turnwire/setup`, readable by this user alone; they are given back by `restore`. What is written appears
 * whole or not at all, behind a symbolic link where the file is one, with the rights that the file had.
 */
export class KeptFile {
  /** What messages call it. */
  readonly path: string;
  readonly #keep: string;

  /**
   * @param path - absolute
   * @param client - whose it is
   */
  constructor(path: string, client: string, cli: Pick<CliContext, 'env' | 'home'>) {
    this.path = path;
    const name = `${client}-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`;
    this.#keep = join(stateFolder(cli), 'setup', name);
  }

  /** Where the bytes are kept, for a person who looks for them. */
  get backup(): string {
    return `${this.#keep}.before`;
  }

  /**
   * Its bytes, or `undefined` when there is no such file.
   *
   * @throws UsageError when it cannot be read
   */
  async read(): Promise<Buffer | undefined> {
    try {
      const about = await stat(this.path);
      if (!about.isFile()) throw new UsageError(`${this.path} is not a regular file`);
      if (about.size > MAX_BYTES) throw new UsageError(`${this.path} is larger than ${MAX_BYTES} bytes`);
      return await readFile(this.path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error instanceof UsageError ? error : cannot('read', this.path, error);
    }
  }

  /**
   * Writes it, and keeps what it was, unless an older state of it is kept already.
   *
   * @param before - what `read` gave
   * @throws UsageError when it cannot be written; then it is as it was
   */
  async write(before: Buffer | undefined, after: Buffer): Promise<void> {
    const kept = await this.#kept();
    try {
      const madeFolder = await mkdir(dirname(this.path), { recursive: true });
      await this.#remember({
        before: kept === undefined ? before : kept.before,
        written: hashOf(after),
        hasOthers: kept !== undefined && before !== undefined && isChanged(kept, before),
        madeFolder: kept === undefined ? madeFolder : kept.madeFolder,
      });
      await replace(this.path, after);
    } catch (error) {
      throw error instanceof UsageError ? error : cannot('write', this.path, error);
    }
  }

  /** What `restore` would make of it, and whether somebody else has changed it since; `undefined` when nothing is kept. */
  async kept(): Promise<
    { readonly before: Buffer | undefined; isChanged(now: Buffer | undefined): boolean } | undefined
  > {
    const kept = await this.#kept();
    if (kept === undefined) return undefined;
    return { before: kept.before, isChanged: (now) => now === undefined || isChanged(kept, now) };
  }

  /**
   * Makes it what it was before, byte for byte; one that was not there goes, with the folders that were made for it.
   *
   * @param replaced - bytes of others that get lost; they are kept in a file, whose name is the answer
   * @throws UsageError when that is not possible
   */
  async restore(replaced: Buffer | undefined): Promise<string | undefined> {
    const kept = await this.#kept();
    if (kept === undefined) throw new UsageError(`nothing is kept of ${this.path}`);
    // Its hash is in the name: no state that was kept before is written over.
    const place = replaced && `${this.#keep}.replaced-${hashOf(replaced).slice(0, 8)}`;
    try {
      if (place !== undefined && replaced !== undefined) await writeWhole(place, replaced, 0o600);
      if (kept.before === undefined) await this.#remove(kept.madeFolder);
      else await replace(this.path, kept.before);
      await rm(`${this.#keep}.json`, { force: true });
      await rm(this.backup, { force: true });
    } catch (error) {
      throw cannot('restore', this.path, error);
    }
    return place;
  }

  async #remove(madeFolder: string | undefined): Promise<void> {
    await rm(this.path, { force: true });
    if (madeFolder === undefined) return;
    // Only what is empty goes.
    for (let folder = dirname(this.path); folder.startsWith(madeFolder); folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return;
      }
    }
  }

  async #kept(): Promise<Kept | undefined> {
    try {
      const about = parseJson(await readFile(`${this.#keep}.json`, 'utf8'));
      if (!isObject(about) || typeof about.written !== 'string') return undefined;
      const madeFolder = typeof about.made_folder === 'string' ? about.made_folder : undefined;
      const before = about.existed === true ? await readFile(this.backup) : undefined;
      return { before, written: about.written, hasOthers: about.has_others === true, madeFolder };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw cannot('read', `${this.#keep}.json`, error);
    }
  }

  async #remember({ before, written, hasOthers, madeFolder }: Kept): Promise<void> {
    await mkdir(dirname(this.#keep), { recursive: true, mode: 0o700 });
    if (before !== undefined) await writeWhole(this.backup, before, 0o600);
    const about = {
      path: this.path,
      existed: before !== undefined,
      written,
      has_others: hasOthers,
      made_folder: madeFolder,
    };
    await writeWhole(`${this.#keep}.json`, Buffer.from(`${JSON.stringify(about, undefined, 2)}\n`), 0o600);
  }
}

/** Configurations may hold keys: a new one is for its owner alone. */
const NEW_MODE = 0o600;

async function replace(path: string, bytes: Buffer): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (about) => about.mode & 0o777,
    () => NEW_MODE,
  );
  await writeWhole(target, bytes, mode);
}

async function writeWhole(path: string, bytes: Buffer, mode: number): Promise<void> {
  const draft = `${path}.${randomHex(8)}.tmp`;
  try {
    await writeFile(draft, bytes, { mode, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function isChanged({ written, hasOthers }: Kept, now: Buffer): boolean {
  return hasOthers || hashOf(now) !== written;
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function cannot(what: string, path: string, error: unknown): UsageError {
  return new UsageError(`cannot ${what} ${path}: ${describeSystemError(error)}`, { cause: error });
}
