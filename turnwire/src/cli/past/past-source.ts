import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { recordedOf } from '@turnwire/bridge/internal/inspect/past';
import type { ExchangeSource, RecordReader } from '@turnwire/bridge/internal/inspect/source';
import { unixMs } from '@turnwire/client/internal/platform/wall-time';
import { describeSystemError, UsageError } from '../exit.ts';
import { readPast } from './past-file.ts';

/** Files that hold an exchange each, the newest first: those that are named, and all of a folder. */
export interface PastFiles {
  readonly paths: readonly string[];
  /** Number of those that were left out, the oldest. */
  readonly left: number;
}

/** @throws UsageError for what is not there, or a folder without any */
export async function findPast(names: readonly string[], most: number): Promise<PastFiles> {
  const found = (await Promise.all(names.map(filesOf))).flat();
  const newest = found.toSorted((a, b) => b.changedAt - a.changedAt).map(({ path }) => path);
  return { paths: newest.slice(0, most), left: Math.max(0, newest.length - most) };
}

interface FoundFile {
  readonly path: string;
  readonly changedAt: number;
}

async function filesOf(path: string): Promise<readonly FoundFile[]> {
  try {
    const { mtimeMs: changedAt, ...found } = await stat(path);
    if ((found.mode & 0o170000) !== 0o040000) return [{ path, changedAt }];
    const names = (await readdir(path)).filter((name) => name.endsWith('.jsonl'));
    if (names.length === 0) throw new UsageError(`no trace and no tape in ${path}: their names end in .jsonl`);
    return await Promise.all(
      names.map(async (name) => ({ path: join(path, name), changedAt: (await stat(join(path, name))).mtimeMs })),
    );
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  }
}

/** The exchanges of files: the rows are kept, what happened in one is read again when somebody opens it. */
export class PastSource implements ExchangeSource {
  readonly #paths = new Map<string, string>();
  readonly #rows = new Map<string, ExchangeRow>();
  readonly #listeners = new Set<(id: string) => void>();
  readonly #onProblem: (file: string, problem: string) => void;

  constructor(paths: readonly string[], onProblem: (file: string, problem: string) => void) {
    this.#onProblem = onProblem;
    for (const path of paths) this.#paths.set(this.#idFor(path), path);
  }

  /** Two folders may have files of one name. */
  #idFor(path: string): string {
    const name = basename(path).replace(/(?:\.tape)?\.jsonl$/, '');
    const isFree = (id: string): boolean => !this.#paths.has(id);
    for (let n = 1; ; n++) {
      const id = n === 1 ? name : `${name}-${n}`;
      if (isFree(id)) return id;
    }
  }

  /** Reads the rows, one file after the other; pages are told of each. Never rejects. */
  async load(signal: AbortSignal): Promise<void> {
    for (const [id, path] of this.#paths) {
      if (signal.aborted) return;
      const exchange = await this.#read(path);
      if (exchange === undefined) continue;
      this.#rows.set(id, { ...recordedOf(exchange).row(), id });
      for (const listener of this.#listeners) listener(id);
    }
  }

  async #read(path: string) {
    try {
      const { exchange, problem } = await readPast(path);
      if (problem !== undefined) this.#onProblem(path, problem);
      return exchange;
    } catch (error) {
      this.#onProblem(path, describeSystemError(error));
      return undefined;
    }
  }

  now(): number {
    return unixMs();
  }

  ids(): Iterable<string> {
    return this.#rows.keys();
  }

  row(id: string): ExchangeRow | undefined {
    return this.#rows.get(id);
  }

  async read(id: string): Promise<RecordReader | undefined> {
    const path = this.#rows.has(id) ? this.#paths.get(id) : undefined;
    if (path === undefined) return undefined;
    const { exchange } = await readPast(path).catch(() => ({ exchange: undefined })); // it was there, and is not any more
    return exchange === undefined ? undefined : recordedOf(exchange).read();
  }

  watch(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
