import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../workspace.ts';
import { claimThread } from './claim.ts';
import type { Journal, ThreadRecord } from './records.ts';
import { ThreadError } from './thread-error.ts';

/** Where a thread is kept. */
export function pathOf(folder: string, id: string): string {
  return join(folder, `${id}.jsonl`);
}

export interface ThreadFileOptions {
  /** Written before the first record. */
  readonly before: string;
  /** Bytes that were read of it; 0 for a new one. */
  readonly size: number;
}

/** Appends records to one file, in order, each with one write. One process at a time writes it. */
export class ThreadFile implements Journal {
  readonly #folder: string;
  readonly #id: string;
  /** Of the file as we know it. */
  #size: number;
  #before: string;
  #last: Promise<void> = Promise.resolve();
  #claimed: Promise<() => void> | undefined;

  constructor(folder: string, id: string, { before, size }: ThreadFileOptions) {
    this.#folder = folder;
    this.#id = id;
    this.#before = before;
    this.#size = size;
  }

  append(record: ThreadRecord, options: { durable?: boolean } = {}): Promise<void> {
    const written = this.#last.then(() => this.#write(lineOf(record), options.durable === true));
    this.#last = written.catch(() => undefined);
    return written;
  }

  /** Fails with `ThreadError` when another process writes it, or wrote it since it was read. */
  async claim(): Promise<void> {
    this.#claimed ??= this.#claim();
    try {
      await this.#claimed;
    } catch (error) {
      this.#claimed = undefined;
      throw error;
    }
  }

  /** After what was appended is written. */
  async release(): Promise<void> {
    await this.#last;
    const release = await this.#claimed?.catch(() => undefined);
    this.#claimed = undefined;
    release?.();
  }

  async #claim(): Promise<() => void> {
    const release = await claimThread(this.#folder, this.#id);
    const size = await readSize(pathOf(this.#folder, this.#id));
    if (size === this.#size) return release;
    release();
    throw new ThreadError(`the thread ${this.#id} went on elsewhere in the meantime: resume it again`, 'in_use');
  }

  async #write(line: string, durable: boolean): Promise<void> {
    await this.claim();
    if (this.#before !== '') await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const before = this.#before;
    const file = await open(pathOf(this.#folder, this.#id), 'a', 0o600);
    try {
      // Until it is known to be written as a whole: what follows must not continue a torn line.
      this.#before = before.startsWith('\n') ? before : `\n${before}`;
      await file.appendFile(before + line);
      this.#before = '';
      this.#size = (await file.stat()).size;
      if (durable) await file.datasync();
    } finally {
      await file.close();
    }
  }
}

export function lineOf(record: ThreadRecord): string {
  return `${JSON.stringify(record)}\n`;
}

async function readSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
