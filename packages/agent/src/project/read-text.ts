import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The beginning of a text file. */
export interface SmallText {
  readonly text: string;
  /** Of the file, as much as was read. */
  readonly bytes: number;
  /** The file is longer. */
  readonly isCut: boolean;
}

/**
 * The first `maxBytes` of a file of text. `undefined` for what cannot be read, is no regular file, is empty or has a NUL in it:
 * whoever asks looks for files that need not be there.
 */
export async function readSmallText(path: string, maxBytes: number): Promise<SmallText | undefined> {
  // O_NONBLOCK: a named pipe without a writer would hold us up for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const buffer = Buffer.alloc(maxBytes + 1);
    const bytes = await fill(buffer, (at) => file.read(buffer, at, buffer.length - at, at));
    return smallTextIn(buffer.subarray(0, bytes), maxBytes);
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/** The same of bytes that were read: all of the file, or more than `maxBytes`. */
export function smallTextIn(read: Buffer, maxBytes: number): SmallText | undefined {
  const isCut = read.length > maxBytes;
  const bytes = Math.min(read.length, maxBytes);
  // `stream`: half a character at the cut is left out.
  const text = new TextDecoder().decode(read.subarray(0, bytes), { stream: isCut });
  if (text.trim() === '' || text.includes('\0')) return undefined;
  return { text, bytes, isCut };
}

/** Reads until the buffer is full or nothing more comes; the number of bytes in it. */
async function fill(buffer: Buffer, read: (at: number) => Promise<{ readonly bytesRead: number }>): Promise<number> {
  let at = 0;
  for (let got = 1; got > 0 && at < buffer.length; at += got) got = (await read(at)).bytesRead;
  return at;
}
