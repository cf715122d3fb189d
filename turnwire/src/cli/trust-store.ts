import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import type { CliContext } from './context.ts';
import { describeSystemError } from './exit.ts';
import { changePrivateFile } from './private-file.ts';
import { stateFolder } from './user-folders.ts';

/** One project's file that the person said yes to: as it was then, in the folder where it was then. */
export interface TrustedFile {
  /** With every symbolic link resolved. */
  readonly folder: string;
  /** Of the file's bytes. */
  readonly sha256: string;
}

export type TrustState = 'trusted' | 'changed' | 'unknown';

/** The oldest answers go first. */
const MAX_ENTRIES = 1000;
const MAX_BYTES = 8 * 1024 * 1024;

/** The answers to "do you trust this folder": `trust.json` in the state folder. */
export class TrustStore {
  readonly #folder: string;

  constructor(cli: Pick<CliContext, 'env' | 'home'>) {
    this.#folder = stateFolder(cli);
  }

  /** A file of answers that cannot be read holds none. */
  async stateOf({ folder, sha256 }: TrustedFile): Promise<TrustState> {
    const known = (await this.#read()).find((entry) => entry.folder === folder);
    if (known === undefined) return 'unknown';
    return known.sha256 === sha256 ? 'trusted' : 'changed';
  }

  /** Keeps a yes; answers what stands in the way, in one line, or nothing. */
  async trust({ folder, sha256 }: TrustedFile): Promise<string | undefined> {
    try {
      await changePrivateFile(this.#path, async () => {
        const others = (await this.#read()).filter((entry) => entry.folder !== folder);
        const trusted = [...others, { folder, sha256 }].slice(-MAX_ENTRIES);
        return `${JSON.stringify({ version: 1, trusted }, undefined, 2)}\n`;
      });
      return undefined;
    } catch (error) {
      return `${this.#path}: ${describeSystemError(error)}`;
    }
  }

  get #path(): string {
    return join(this.#folder, 'trust.json');
  }

  async #read(): Promise<readonly TrustedFile[]> {
    try {
      if ((await stat(this.#path)).size > MAX_BYTES) return [];
      return trustedIn(parseJson(await readFile(this.#path, 'utf8')));
    } catch {
      return [];
    }
  }
}

/** A file of another version, or one that is damaged, holds none. */
function trustedIn(file: unknown): readonly TrustedFile[] {
  if (!isObject(file) || file.version !== 1 || !Array.isArray(file.trusted)) return [];
  return file.trusted.every(isTrustedFile) ? file.trusted.map(({ folder, sha256 }) => ({ folder, sha256 })) : [];
}

function isTrustedFile(entry: unknown): entry is TrustedFile {
  return isObject(entry) && typeof entry.folder === 'string' && typeof entry.sha256 === 'string';
}
