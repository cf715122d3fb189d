import { constants, type Stats } from 'node:fs';
import { access, lstat, open, readlink } from 'node:fs/promises';
import type { Entry } from '../file-write.ts';
import { editorOf, type EditorFiles } from '../editor-files.ts';
import { codeOf } from '../workspace.ts';
import { PatchError } from './parse.ts';

const MAX_FILE_BYTES = 8 * 1024 * 1024;

/**
 * What stands at `path`, without following a link there; `null` for nothing. `shown` is the path for people, and `files` has the
 * texts that an editor has. Fails with
 * `PatchError` for what cannot be patched: a folder, a pipe, a file too large or not of UTF-8 text.
 */
export async function readEntry(path: string, shown: string, files?: EditorFiles): Promise<Entry | null> {
  try {
    const info = await lstat(path);
    return info.isSymbolicLink()
      ? { type: 'link', target: await readlink(path) }
      : await readRegular(path, info, shown, files);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return null;
    if (code !== undefined) throw new PatchError(`${shown}: ${code}`);
    throw error;
  }
}

async function readRegular(path: string, info: Stats, shown: string, files?: EditorFiles): Promise<Entry> {
  if (!info.isFile()) throw new PatchError(`${shown} is not a regular file`);
  if (info.size > MAX_FILE_BYTES) throw new PatchError(`${shown} is too large to be patched (${info.size} bytes)`);
  // O_NOFOLLOW: a link that was put here since is an error. (Windows has no such flag: there it counts for nothing.)
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const text = decodeText(await file.readFile(), shown);
    const edited = await editorOf(files, path)?.read(path).catch(refuse(shown));
    return { type: 'file', text: edited ?? text, mode: info.mode & 0o7777 };
  } finally {
    await file.close();
  }
}

function refuse(shown: string): (error: unknown) => never {
  return (error) => {
    throw new PatchError(`${shown}: the editor does not give its text: ${String(error)}`, { cause: error });
  };
}

function decodeText(bytes: Uint8Array, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new PatchError(`${shown} is not UTF-8 text: it cannot be patched`);
  }
}

/** Mode bits aside. */
export function sameEntry(one: Entry | null, other: Entry | null): boolean {
  return one?.type === other?.type && contentOf(one) === contentOf(other);
}

/** A link's content is its target, as in git. */
export function contentOf(entry: Entry | null): string | null {
  if (entry === null) return null;
  return entry.type === 'file' ? entry.text : entry.target;
}

/** `name`, and where it leads if it is a link: for people. */
export function labelOf(name: string, entry: Entry | null): string {
  return entry?.type === 'link' ? `${name} (link to ${entry.target})` : name;
}

/**
 * Fails with `PatchError` for a file that is read-only. The mode says it to the superuser too, whom the system would let
 * write: no write bit at all is somebody's word that the file stays as it is.
 */
export async function assertWritable(path: string, entry: Entry | null, shown: string): Promise<void> {
  if (entry?.type !== 'file') return;
  const allowed = access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (((entry.mode ?? 0o200) & 0o222) === 0 || !(await allowed)) {
    throw new PatchError(`${shown} is read-only: change its mode first, if it shall be written`);
  }
}
