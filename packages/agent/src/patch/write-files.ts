import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, realpath, rename, rm, rmdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomHex } from '@turnwire/client/internal/platform/random';
import type { Entry, FileWrite } from '../file-write.ts';
import { editorOf, type EditorFiles } from '../editor-files.ts';
import { codeOf } from '../workspace.ts';
import { readEntry, sameEntry } from './entry.ts';

type FileEntry = Extract<Entry, { type: 'file' }>;
type Step = () => Promise<unknown>;

/** What is left to do at the end: `undo`, backwards, after a failure; `tidy` else. */
interface Rest {
  readonly undo: Step[];
  readonly tidy: Step[];
}

/**
 * Writes all files or none, those of an editor through it: first everything is written beside its place, then it is put there; when a step fails, what
 * was done is undone. Fails when a name does not stand any more for what it did, or with the system's error.
 *
 * Nothing follows a link at the last name, whatever was put there since the plan. A folder above that is made a link
 * between the check and the write would be followed: Node has no `openat`.
 */
export async function writeFiles(writes: readonly FileWrite[], files?: EditorFiles): Promise<void> {
  for (const write of writes) await assertUnchanged(write, files);
  const rest: Rest = { undo: [], tidy: [] };
  try {
    const staged: Step[] = [];
    for (const write of writes) staged.push(await stage(write, rest, files));
    for (const place of staged) await place();
  } catch (error) {
    for (const step of rest.undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
  for (const step of rest.tidy) await step().catch(() => undefined);
}

async function assertUnchanged({ path, before }: FileWrite, files: EditorFiles | undefined): Promise<void> {
  const now = await readEntry(path, path, files);
  if (!sameEntry(now, before))
    throw new Error(`${path} was changed by somebody else in the meantime; nothing was written`);
}

/** Writes the new content beside its place; the answer puts it there. Both say how to undo them. */
async function stage({ path, before, after }: FileWrite, rest: Rest, files: EditorFiles | undefined): Promise<Step> {
  if (after !== null) await makeFolder(dirname(path), rest);
  await assertSameFolder(dirname(path));
  if (after === null) return () => takeAway(path, rest);
  const editor = editorOf(files, path);
  if (editor !== undefined && after.type === 'file' && before?.type !== 'link')
    return () => writeThrough(editor, path, before, after, rest);
  const draft = draftFor(path);
  const dropDraft = (): Promise<void> => rm(draft, { force: true });
  rest.undo.push(dropDraft);
  rest.tidy.push(dropDraft);
  const replace = async (): Promise<void> => {
    await rename(draft, path);
    rest.undo.push(() => (before === null ? unlink(path) : putBack(path, before)));
  };
  if (before?.type !== 'file' || after.type !== 'file') {
    await makeEntry(draft, after);
    return replace;
  }
  const inPlace = (): Promise<void> => overwrite(path, before.text, after.text, rest);
  // The file may be writable in a folder that is not.
  await makeEntry(draft, after).catch(unless('EACCES'));
  // Nothing can be renamed over a mount point, such as a file that a container was given.
  return (await mayReplace(path, draft)) ? () => replace().catch(unless('EBUSY', inPlace)) : inPlace;
}

/** The editor has the text and saves it, so that what it shows and what is on the disk do not part. */
async function writeThrough(
  editor: EditorFiles,
  path: string,
  before: FileEntry | null,
  after: FileEntry,
  rest: Rest,
): Promise<void> {
  rest.undo.push(() => (before === null ? rm(path, { force: true }) : editor.write(path, before.text)));
  await editor.write(path, after.text);
  if (before === null && after.mode !== undefined) await chmod(path, after.mode);
}

/** Goes on with `otherwise` after the expected error of the system. */
function unless(code: string, otherwise?: Step): (error: unknown) => Promise<void> {
  return async (error) => {
    if (codeOf(error) !== code) throw error;
    await otherwise?.();
  };
}

/** In the same folder, since a rename cannot leave the file system. */
function draftFor(path: string): string {
  return join(dirname(path), `.turnwire-${randomHex(16)}`);
}

async function makeEntry(path: string, entry: Entry): Promise<void> {
  if (entry.type === 'link') return symlink(entry.target, path);
  // From its first moment no more open than what it takes the place of; the umask may take bits that it had.
  await writeFile(path, entry.text, { flag: 'wx', ...(entry.mode === undefined ? {} : { mode: entry.mode & 0o777 }) });
  if (entry.mode !== undefined) await chmod(path, entry.mode);
}

/** Out of the way first, and deleted when all else is done: what comes back is the same file, under all its names. */
async function takeAway(path: string, rest: Rest): Promise<void> {
  const away = draftFor(path);
  await rename(path, away);
  rest.undo.push(() => rename(away, path));
  rest.tidy.push(() => unlink(away));
}

async function putBack(path: string, entry: Entry): Promise<void> {
  const draft = draftFor(path);
  await makeEntry(draft, entry);
  await rename(draft, path);
}

/**
 * A rename is atomic: whoever looks, also after a crash, finds the old file or the new one. But it puts another file in
 * the place. Where that is a loss (the file has other names, or belongs to somebody else) it is written in place; the
 * draft stays until that is done, so that a crash in between loses nothing.
 */
async function mayReplace(path: string, draft: string): Promise<boolean> {
  const [old, fresh] = await Promise.all([lstat(path), lstat(draft).catch(() => undefined)]);
  return fresh !== undefined && old.nlink === 1 && old.uid === fresh.uid && old.gid === fresh.gid;
}

async function overwrite(path: string, before: string, after: string, rest: Rest): Promise<void> {
  rest.undo.push(() => writeInto(path, before));
  await writeInto(path, after);
}

/** Shortened last: at no time is the file empty. */
async function writeInto(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
    await file.truncate(bytes.length);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function makeFolder(folder: string, rest: Rest): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  // Only folders that are empty again are taken away, from the innermost to the first that was made.
  rest.undo.push(async () => {
    for (let made = folder; made.length >= first.length; made = dirname(made)) await rmdir(made);
  });
}

/** Fails when a part of the way has become a link since the path was resolved. */
async function assertSameFolder(folder: string): Promise<void> {
  if ((await realpath(folder)) !== folder) throw new Error(`${folder} leads elsewhere by now; nothing was written`);
}
