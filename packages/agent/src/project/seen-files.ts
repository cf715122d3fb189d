import { createHash } from 'node:crypto';
import { constants, type Dirent } from 'node:fs';
import { open, opendir, readlink } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { smallTextIn, type SmallText } from './read-text.ts';

/** A file as it was when it was looked at. */
export interface SeenFile {
  /** Relative to the folder, with `/` between its parts. */
  readonly name: string;
  /** The SHA-256 of its bytes, in hexadecimal; of a symbolic link, where it leads: no file has the same. */
  readonly content: string;
}

const MAX_FILES = 200;
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * All files below a folder, by name: at most 200, with the folders that they are in, of 8 MiB in all. No link is followed. Fails with one
 * line for a folder with more in it, or with what can be no part of a project: a pipe, a device.
 */
export async function seeFiles(folder: string): Promise<readonly SeenFile[]> {
  const seen: SeenFile[] = [];
  let left = MAX_BYTES;
  for (const { path, entry } of await entriesBelow(folder)) {
    const name = nameIn(folder, path);
    if (entry.isSymbolicLink()) {
      seen.push({ name, content: `link to ${await readlink(path)}` });
      continue;
    }
    const hash = createHash('sha256');
    left -= await readBytes(path, left, (chunk) => hash.update(chunk));
    if (left < 0) throw new Error(`the files in its folder have more than ${MAX_BYTES / 1024 / 1024} MiB`);
    seen.push({ name, content: hash.digest('hex') });
  }
  return seen.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The beginning of a text file, and whether the file is one of those that were seen, and as it was then. */
export interface SeenText extends SmallText {
  readonly isAsSeen: boolean;
}

/** As `readSmallText`, of a file below `folder`: what is compared are the bytes that are read, which may change at any time. */
export async function readSeenText(
  files: readonly SeenFile[],
  folder: string,
  path: string,
  maxBytes: number,
): Promise<SeenText | undefined> {
  const seen = files.find(({ name }) => name === nameIn(folder, path));
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  try {
    await readBytes(path, MAX_BYTES, (chunk) => {
      hash.update(chunk);
      chunks.push(chunk);
    });
  } catch {
    return undefined; // it is gone by now
  }
  const read = smallTextIn(Buffer.concat(chunks), maxBytes);
  return read && { ...read, isAsSeen: hash.digest('hex') === seen?.content };
}

interface Found {
  readonly path: string;
  readonly entry: Dirent;
}

/** Files and links. */
async function entriesBelow(folder: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  const folders = [folder];
  // Grows while it is gone through: the folders of the folders come behind them.
  for (const each of folders) {
    for await (const entry of await opendir(each)) {
      const path = join(each, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() || entry.isSymbolicLink()) found.push({ path, entry });
      else throw new Error(`${nameIn(folder, path)} in its folder is neither a file nor a folder`);
      if (found.length + folders.length - 1 > MAX_FILES)
        throw new Error(`there are more than ${MAX_FILES} files in its folder`);
    }
  }
  return found;
}

/** Answers how many bytes it has, reading no further than one more than `most`. */
async function readBytes(path: string, most: number, take: (chunk: Buffer) => void): Promise<number> {
  // What took its place in the meantime is neither followed nor waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    let bytes = 0;
    for await (const chunk of file.createReadStream({ end: most, autoClose: false }) as AsyncIterable<Buffer>) {
      take(chunk);
      bytes += chunk.length;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

function nameIn(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}
