import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MockUsageError } from '../errors.ts';
import { parseTape, type TapedExchange, type TapeProblem } from './tape.ts';
import { TAPE_SUFFIX } from './writer.ts';

/** What one file or folder of tapes holds. */
export interface Tape {
  /** In the order in which they were recorded. */
  readonly exchanges: readonly TapedExchange[];
  /** Files that are torn or no tapes: what is whole of them is in `exchanges` all the same. */
  readonly problems: readonly TapeProblem[];
}

/**
 * Reads a tape, or every tape of a folder, into memory.
 *
 * Rejects with `MockUsageError` when there is no such file or no tape in the folder; what is wrong inside a file is
 * listed in `problems`.
 *
 * @example
 * ```ts
 * const { exchanges } = await readTape('tapes/0001-post-v1-chat-completions.tape.jsonl');
 * for (const { chunks } of exchanges) console.log(Buffer.concat(chunks.map(({ data }) => data)).toString('utf8'));
 * ```
 */
export async function readTape(path: string): Promise<Tape> {
  const files = await tapeFiles(path);
  const parsed = await Promise.all(files.map(async (file) => parseTape(basename(file), await readFile(file, 'utf8'))));
  return {
    exchanges: parsed.flatMap(({ exchange }) => (exchange === undefined ? [] : [exchange])),
    problems: parsed.flatMap(({ problems }) => problems),
  };
}

async function tapeFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new MockUsageError(`no such tape: ${path}`);
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith(TAPE_SUFFIX)).sort(byNumber);
  if (names.length === 0) throw new MockUsageError(`no tape in ${path}: their names end in ${TAPE_SUFFIX}`);
  return names.map((name) => join(path, name));
}

/** The numbers may have outgrown their zeros. */
function byNumber(a: string, b: string): number {
  const difference = Number.parseInt(a, 10) - Number.parseInt(b, 10);
  return Number.isNaN(difference) || difference === 0 ? (a < b ? -1 : 1) : difference;
}
