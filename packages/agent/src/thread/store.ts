import { constants } from 'node:fs';
import { access, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import { isObject, parseOwnJson, stringOf } from '@turnwire/wire/internal/base/json';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import { codeOf } from '../workspace.ts';
import { claimThread } from './claim.ts';
import { lineOf, pathOf, ThreadFile } from './file.ts';
import { linesBack, type LineBack } from './lines-back.ts';
import { readModelServer, type ModelServer } from './model-server.ts';
import { copyPatches, createPatchFolder, patchFolder } from './patch-folder.ts';
import type { AgentThread, ThreadHeader, ThreadTotals } from './records.ts';
import { replay } from './replay.ts';
import { MAX_TAIL_BYTES, parseRecord, readTail, type ThreadTail } from './tail.ts';
import { ThreadError } from './thread-error.ts';
import { changedFiles, planOf, toldByPlace } from './told.ts';
import { NO_TOTALS, readTotals, totalsAfter } from './totals.ts';

/** A thread in a list, newest first. */
export interface ThreadSummary {
  readonly id: string;
  readonly cwd: string;
  /** Folders that belonged to the work beside it when the thread was begun. */
  readonly additionalDirectories: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601; the file's own time. */
  readonly updatedAt: string;
  /** The beginning of the first message. */
  readonly preview: string;
}

/** A thread on disk. One process at a time goes on with it. */
export interface StoredThread extends AgentThread {
  /**
   * Makes this process the one that goes on with it; the first record does so too. Fails with `ThreadError` when
   * another process does, or did since the thread was read.
   */
  claim(): Promise<void>;
  /** Lets others go on with it: at the end, when no turn runs. A process that ends does so too. */
  release(): Promise<void>;
}

/** A thread that was read from disk. */
export interface ResumedThread extends StoredThread {
  /** The working directory that it was begun in. */
  readonly cwd: string;
  /** What was not as it should be (a torn last line, a tool that was cut off): to be shown to the person. */
  readonly notes: readonly string[];
}

interface NewThreadOptions {
  /** Folders that belong to the work beside the working directory; absolute. Default: none. */
  readonly additionalDirectories?: readonly string[];
  /** The thread that it is forked from. */
  readonly parent?: { readonly id: string; readonly title?: string };
}

const PREVIEW_CHARS = 80;
/** Enough for the header and the first message. */
const PREVIEW_BYTES = 16 * 1024;
const MAX_LISTED = 500;

/** Threads as JSON lines, one file each, in `folder`; it is made when the first one is written. */
export class ThreadStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder; answers what stands in the way, in one line, or nothing. */
  async prepare(): Promise<string | undefined> {
    try {
      // Conversations are private.
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await access(this.#folder, constants.W_OK);
      return undefined;
    } catch (error) {
      return `${this.#folder} cannot be written to (${codeOf(error) ?? 'unknown error'})`;
    }
  }

  /** A new thread. Nothing is on disk before its first record. */
  create(cwd: string, { additionalDirectories = [], parent }: NewThreadOptions = {}): StoredThread {
    const header: ThreadHeader = {
      type: 'thread',
      version: 1,
      id: newId(),
      created_at: timestamp(),
      cwd,
      ...(additionalDirectories.length === 0 ? {} : { additional_directories: additionalDirectories }),
      ...(parent === undefined ? {} : { parent: parent.id }),
      ...(parent?.title === undefined ? {} : { title: parent.title }),
    };
    const file = new ThreadFile(this.#folder, header.id, { before: lineOf(header), size: 0 });
    return { id: header.id, items: [], turns: 0, ...methodsOf(file, NO_TOTALS), ...this.#patchesOf(header.id) };
  }

  /** Goes on with a thread. Fails with `ThreadError`. */
  async resume(id: string): Promise<ResumedThread> {
    const { header, size, ...tail } = await this.#read(id);
    const { interrupted, turns, usage, server, ...past } = replay(tail.records);
    const file = new ThreadFile(this.#folder, id, { before: tail.endsWhole ? '' : '\n', size });
    return {
      id,
      cwd: header.cwd,
      ...past,
      turns,
      usage,
      ...(server && { server }),
      notes: [...tail.notes, ...notesOf(tail, interrupted)],
      ...methodsOf(file, { turns, usage, server }),
      ...this.#patchesOf(id),
    };
  }

  /** A new thread that begins with another one's history, and can take its patches back. Fails with `ThreadError`. */
  async fork(id: string): Promise<ResumedThread> {
    const { cwd, items, turns, notes, told = new Map(), plan = [], changed = [], server } = await this.resume(id);
    const { preview: title = '' } = (await this.#summaryOf(id)) ?? {};
    const thread = this.create(cwd, { parent: { id, title } });
    const at = timestamp();
    await thread.append({ type: 'turn.started', turn: turns, at, ...(server && { server }) });
    await thread.append({
      type: 'compacted',
      items,
      told: toldByPlace(items, told),
      plan: planOf(told) ?? plan,
      changed: changedFiles(changed, told),
    });
    const lost = await this.#copyPatches(id, thread.id);
    return { ...thread, cwd, items, turns, notes: [...notes, ...lost], told, plan, changed, ...(server && { server }) };
  }

  /** Says what stood in the way: who cannot take a patch back can go on all the same. */
  async #copyPatches(from: string, to: string): Promise<readonly string[]> {
    const folder = patchFolder(this.#folder, to);
    try {
      await copyPatches(patchFolder(this.#folder, from), folder);
      return [];
    } catch (error) {
      // Some of them would be taken back in the wrong order.
      await rm(folder, { recursive: true, force: true });
      return [`the patches of ${from} cannot be taken back here: ${thrownText(error)}`];
    }
  }

  /**
   * The server that the last turn of a thread was with; nothing where the thread does not say it. Reads no more than that turn.
   * Fails with `ThreadError`.
   */
  async serverOf(id: string): Promise<ModelServer | undefined> {
    for await (const { text } of this.#linesBack(id)) {
      if (!/^\{"type":"(?:turn\.started|compacted)"/.test(text)) continue;
      const record = parseRecord(text);
      if (record?.type === 'turn.started') return readModelServer(record.server);
      const totals = record?.type === 'compacted' ? readTotals(record.totals) : undefined;
      if (totals !== undefined) return totals.server;
    }
    return undefined;
  }

  /**
   * Deletes a thread for good; one that does not exist is deleted already. Fails with `ThreadError` while another process
   * goes on with it.
   */
  async delete(id: string): Promise<void> {
    if (!isId(id)) return;
    const path = pathOf(this.#folder, id);
    const release = await claimThread(this.#folder, id);
    try {
      await rm(path, { force: true });
      await rm(patchFolder(this.#folder, id), { recursive: true, force: true });
    } finally {
      release();
    }
  }

  /** The id of the thread that was used last: in `cwd` when there is one, else anywhere. Fails with `ThreadError`. */
  async last(cwd?: string): Promise<string> {
    const threads = await this.list();
    const found = threads.find((thread) => thread.cwd === cwd) ?? threads[0];
    if (found === undefined) throw new ThreadError('there is no thread to resume yet', 'not_found');
    return found.id;
  }

  /** Newest first. Files that are no threads are left out. */
  async list(): Promise<readonly ThreadSummary[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const ids = names.filter((name) => name.endsWith('.jsonl')).map((name) => name.slice(0, -'.jsonl'.length));
    const newest = ids.filter(isId).sort().reverse().slice(0, MAX_LISTED);
    const summaries = await Promise.all(newest.map((id) => this.#summaryOf(id).catch(() => undefined)));
    return summaries
      .filter((summary) => summary !== undefined)
      .sort((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1));
  }

  async #summaryOf(id: string): Promise<ThreadSummary | undefined> {
    const path = pathOf(this.#folder, id);
    const { mtime } = await stat(path);
    const records = (await readBeginning(path)).split('\n').map(parseOwnJson).filter(isObject);
    const header = records.find((record) => record.type === 'thread');
    const cwd = stringOf(header?.cwd);
    if (cwd === undefined) return undefined;
    const preview = stringOf(header?.title) ?? previewOf(records.find((record) => record.type === 'input')?.item);
    return {
      id,
      cwd,
      additionalDirectories: pathsOf(header?.additional_directories),
      createdAt: stringOf(header?.created_at) ?? mtime.toISOString(),
      updatedAt: mtime.toISOString(),
      preview,
    };
  }

  #patchesOf(id: string): Pick<AgentThread, 'patches'> {
    return { patches: createPatchFolder(patchFolder(this.#folder, id)) };
  }

  async *#linesBack(id: string): AsyncGenerator<LineBack> {
    try {
      yield* linesBack(this.#pathOf(id), { maxBytes: MAX_TAIL_BYTES });
    } catch (error) {
      throw readProblem(id, error);
    }
  }

  #pathOf(id: string): string {
    if (!isId(id)) throw new ThreadError(`"${id}" is no thread id`, 'not_found');
    return pathOf(this.#folder, id);
  }

  async #read(id: string): Promise<ThreadTail & { readonly header: ThreadHeader; readonly size: number }> {
    const path = this.#pathOf(id);
    try {
      const { size } = await stat(path);
      const first = (await readBeginning(path)).split('\n', 1).join('');
      const header = parseRecord(first);
      if (header?.type !== 'thread') throw new ThreadError(whyUnreadable(id, first), 'unreadable');
      return { header, size, ...(await readTail(path, size)) };
    } catch (error) {
      throw readProblem(id, error);
    }
  }
}

function notesOf({ isCut }: ThreadTail, interrupted: number): readonly string[] {
  const before = `the thread has more than ${MAX_TAIL_BYTES / 1024 / 1024} MiB since its last summary: what stands before these is left out`;
  const calls = `${interrupted} tool call(s) were running when the process ended; they are not run again`;
  return [...(isCut ? [before] : []), ...(interrupted > 0 ? [calls] : [])];
}

function readProblem(id: string, error: unknown): ThreadError {
  if (error instanceof ThreadError) return error;
  if (codeOf(error) === 'ENOENT') return new ThreadError(`there is no thread ${id}`, 'not_found');
  return new ThreadError(`the thread ${id} cannot be read: ${codeOf(error) ?? 'unknown error'}`, 'unreadable');
}

/** A summary is written with the totals, which begin with `known`. */
function methodsOf(file: ThreadFile, known: ThreadTotals): Pick<StoredThread, 'append' | 'claim' | 'release'> {
  let totals = known;
  return {
    append: (record, options) => {
      totals = totalsAfter(totals, record);
      return file.append(record.type === 'compacted' ? { ...record, totals } : record, options);
    },
    claim: () => file.claim(),
    release: () => file.release(),
  };
}

function whyUnreadable(id: string, line: string): string {
  const first = parseOwnJson(line);
  const version = isObject(first) && first.type === 'thread' ? first.version : undefined;
  if (typeof version !== 'number') return `the thread ${id} has no readable first line`;
  return `the thread ${id} was written by another version of turnwire (format ${version}, this one reads 1)`;
}

/** Sorts by time: `20261120-235301-9f3a1c`. */
function newId(): string {
  const [day = '', time = ''] = timestamp().replaceAll(/[-:]/g, '').split('T');
  return `${day}-${time.slice(0, 6)}-${randomHex(3)}`;
}

/** An id never leads out of the folder. */
function isId(id: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/.test(id) && !WINDOWS_DEVICE.test(id);
}

/** With any ending behind it, such a name is no file there. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/i;

async function readBeginning(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(PREVIEW_BYTES);
    const { bytesRead } = await file.read(buffer, 0, PREVIEW_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}

function pathsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((path) => typeof path === 'string') : [];
}

/** The beginning of a message, in one line: what a conversation is called by. */
export function previewOf(item: unknown): string {
  return textOf(item).replaceAll(/\s+/g, ' ').trim().slice(0, PREVIEW_CHARS);
}

function textOf(item: unknown): string {
  if (!isObject(item)) return '';
  if (typeof item.content === 'string') return item.content;
  const parts = Array.isArray(item.content) ? item.content : [];
  return parts.map((part: unknown) => (isObject(part) ? (stringOf(part.text) ?? '') : '')).join(' ');
}
