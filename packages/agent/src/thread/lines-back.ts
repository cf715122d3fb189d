import { open } from 'node:fs/promises';

const CHUNK = 256 * 1024;
const LINE_END = 10;

/** One line of a file that is read from its end. */
export interface LineBack {
  /** Without its line end. */
  readonly text: string;
  /** Where it begins in the file, in bytes. */
  readonly at: number;
  /** Only the last line of a file can be one that was not written to its end. */
  readonly isWhole: boolean;
}

/** How much of a file is read. */
export interface LinesBackOptions {
  /** Bytes from its beginning that count as the file. Default: what it has when it is opened. */
  readonly size?: number;
  /** Bytes that are read at most; a line that goes on before them is left out. Default: all. */
  readonly maxBytes?: number;
}

/**
 * The lines of a file, the last one first. An empty line is left out. Reads no more of it than is asked for, and holds one line at a
 * time.
 */
export async function* linesBack(path: string, options: LinesBackOptions = {}): AsyncGenerator<LineBack> {
  const file = await open(path, 'r');
  try {
    let at = options.size ?? (await file.stat()).size;
    const stop = Math.max(0, at - (options.maxBytes ?? at));
    /** What was read of the line that goes on, its end first. */
    let parts: Buffer[] = [];
    let isWhole = false;
    const take = (begin: number): LineBack => {
      const line = { text: textOf(parts), at: begin, isWhole };
      parts = [];
      isWhole = true;
      return line;
    };
    while (at > stop) {
      const begin = Math.max(stop, at - CHUNK);
      const chunk = await readAll(file, begin, at - begin);
      let end = chunk.length;
      for (let next = chunk.lastIndexOf(LINE_END); next >= 0; next = lastBefore(chunk, next)) {
        parts.push(chunk.subarray(next + 1, end));
        end = next;
        const line = take(begin + next + 1);
        if (line.text !== '') yield line;
      }
      parts.push(chunk.subarray(0, end));
      at = begin;
    }
    if (stop > 0) return;
    const first = take(0);
    if (first.text !== '') yield first;
  } finally {
    await file.close();
  }
}

/** Most lines are one part, which is not copied. */
function textOf([last, ...before]: readonly Buffer[]): string {
  if (last === undefined) return '';
  return (before.length === 0 ? last : Buffer.concat([...before.toReversed(), last])).toString('utf8');
}

function lastBefore(chunk: Buffer, at: number): number {
  return at === 0 ? -1 : chunk.lastIndexOf(LINE_END, at - 1);
}

/** Another process may have cut the file in the meantime: what is not there any more is left out. */
async function readAll(file: Awaited<ReturnType<typeof open>>, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
