import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import { createHash } from 'node:crypto';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { splitFrontMatter, type FrontMatter } from './front-matter.ts';
import { readSmallText } from './read-text.ts';

/** What a folder of Markdown files holds. */
export interface TextFolder<T> {
  /** By name. */
  readonly texts: readonly T[];
  /** One line for each file that cannot be used. */
  readonly notes: readonly string[];
  /** Of the texts, in hexadecimal: what was asked about is what is used. */
  readonly sha256: string;
}

/** A Markdown file, and the name that its place gives it. */
export interface NamedText extends FrontMatter {
  readonly name: string;
  readonly path: string;
}

/** One kind of Markdown files that are kept in a folder. */
export interface TextKind<T> {
  /** As notes call one. */
  readonly called: string;
  readonly maxFiles: number;
  /** What is kept under a name in the folder; `undefined`: something else. */
  readonly fileOf: (entry: string) => { readonly name: string; readonly file: string } | undefined;
  /** Fails with one line for a text that cannot be used. */
  readonly make: (text: NamedText, options: ReadOptions) => T | Promise<T>;
}

/** How a folder of Markdown files is read. */
export interface ReadOptions {
  /** False for the folder of a project: neither it nor a file is read through a symbolic link, for whoever made the project made it. */
  readonly followLinks: boolean;
}

/** What a name may be, so that it is none of a path. */
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;
const MAX_BYTES = 64 * 1024;

/** The texts of a kind in a folder, of 64 KiB each at most. A folder that cannot be read has none. */
export async function readTextFolder<T>(
  folder: string,
  kind: TextKind<T>,
  options: ReadOptions,
): Promise<TextFolder<T>> {
  const { called, maxFiles } = kind;
  const files = await filesIn(folder, kind, options);
  const read = await Promise.all(files.slice(0, maxFiles).map((file) => readText(file, kind, options)));
  const texts = read.flatMap((one) => (one.type === 'text' ? [one.text] : []));
  const notes = [
    ...read.flatMap((one) => (one.type === 'note' ? [one.note] : [])),
    ...(files.length > maxFiles ? [`only the first ${maxFiles} ${called}s of ${folder} are used`] : []),
  ];
  return { texts, notes, sha256: createHash('sha256').update(JSON.stringify(texts)).digest('hex') };
}

type Read<T> = { readonly type: 'text'; readonly text: T } | { readonly type: 'note'; readonly note: string };

interface FoundFile {
  readonly name: string;
  readonly path: string;
}

async function filesIn<T>(folder: string, kind: TextKind<T>, options: ReadOptions): Promise<readonly FoundFile[]> {
  const entries = await readdir(folder).catch(() => []);
  const named = entries.sort().flatMap((entry) => {
    const found = kind.fileOf(entry);
    return found === undefined ? [] : [{ name: found.name, path: join(folder, found.file) }];
  });
  const isThere = await Promise.all(named.map(({ path }) => isReadable(path, options)));
  return named.filter((_, at) => isThere[at] === true);
}

async function isReadable(path: string, { followLinks }: ReadOptions): Promise<boolean> {
  const real = await realpath(path).catch(() => undefined);
  return real !== undefined && (followLinks || real === path);
}

/** The text in a file, or why there is none. */
async function readText<T>(
  { name, path }: FoundFile,
  { called, make }: TextKind<T>,
  options: ReadOptions,
): Promise<Read<T>> {
  try {
    if (!NAME.test(name)) throw new Error('a name is of lower-case letters, digits, - and _, and begins with a letter');
    const read = await readSmallText(path, MAX_BYTES);
    if (read === undefined) throw new Error('it is empty, no text, or cannot be read');
    if (read.isCut) throw new Error(`it is larger than ${MAX_BYTES / 1024} KiB`);
    const { fields, body } = await splitFrontMatter(read.text);
    if (body.trim() === '') throw new Error('it has no text');
    return { type: 'text', text: await make({ name, path, fields, body }, options) };
  } catch (error) {
    const why = thrownText(error);
    return { type: 'note', note: `the ${called} ${path} is not used: ${why}` };
  }
}
