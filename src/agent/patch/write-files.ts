import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What one file becomes. */
export interface FileWrite {
  /** Absolute, real. */
  readonly path: string;
  /** What it holds now; `null`: it does not exist. */
  readonly before: string | null;
  /** What it will hold; `null`: it is deleted. */
  readonly after: string | null;
  /** Permission bits of a file that exists or takes another one's place. */
  readonly mode?: number;
}

/**
 * Writes all files or none: first everything is written beside its place, then it is renamed into place; when a step
 * fails, what was done is undone. Fails when a file is not any more what it was, or with the system's error.
 */
export async function writeFiles(writes: readonly FileWrite[]): Promise<void> {
  for (const write of writes) await assertUnchanged(write);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const staged: (() => Promise<unknown>)[] = [];
    for (const write of writes) staged.push(await stage(write, undo));
    for (const place of staged) await place();
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
}

async function assertUnchanged(write: FileWrite): Promise<void> {
  const now = await readFile(write.path, 'utf8').catch(() => null);
  if (now !== write.before)
    throw new Error(`${write.path} was changed by somebody else in the meantime; nothing was written`);
}

/** Writes the new content beside its place; the answer puts it there. Both say how to undo them. */
async function stage(write: FileWrite, undo: (() => Promise<unknown>)[]): Promise<() => Promise<unknown>> {
  const { path, before, after, mode } = write;
  if (after === null) {
    return () => {
      undo.push(() => putBack(path, before ?? '', mode));
      return rm(path);
    };
  }
  await makeFolder(dirname(path), undo);
  const draft = join(dirname(path), `.turnwire-${randomUUID()}`);
  undo.push(() => rm(draft, { force: true }));
  await writeFile(draft, after, { flag: 'wx' });
  if (mode !== undefined) await chmod(draft, mode & 0o7777);
  return () => {
    undo.push(() => (before === null ? rm(path, { force: true }) : putBack(path, before, mode)));
    return rename(draft, path);
  };
}

async function putBack(path: string, text: string, mode: number | undefined): Promise<void> {
  const draft = join(dirname(path), `.turnwire-${randomUUID()}`);
  await writeFile(draft, text, { flag: 'wx' });
  if (mode !== undefined) await chmod(draft, mode & 0o7777);
  await rename(draft, path);
}

async function makeFolder(folder: string, undo: (() => Promise<unknown>)[]): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  // Only folders that are empty again are taken away, from the innermost to the first that was made.
  undo.push(async () => {
    for (let made = folder; made.length >= first.length; made = dirname(made)) await rmdir(made);
  });
}
