/** One place in a file: where it is, and what its lines become. */
export interface Chunk {
  /** Texts of `@@` headers, outermost first: lines above the place. */
  readonly headers: readonly string[];
  readonly lines: readonly ChunkLine[];
  /** The place is at the end of the file. */
  readonly atEnd: boolean;
}

export interface ChunkLine {
  readonly type: 'keep' | 'remove' | 'add';
  readonly text: string;
}

/** One file's section of a patch. */
export type Section =
  | { readonly type: 'add'; readonly path: string; readonly lines: readonly string[] }
  | { readonly type: 'delete'; readonly path: string }
  | { readonly type: 'update'; readonly path: string; readonly moveTo?: string; readonly chunks: readonly Chunk[] };

/** The patch is no patch, or does not fit: for the model, with the line that shows it. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

const BEGIN = '*** Begin Patch';
const END = '*** End Patch';
const ADD = '*** Add File: ';
const DELETE = '*** Delete File: ';
const UPDATE = '*** Update File: ';
const MOVE = '*** Move to: ';
const END_OF_FILE = '*** End of File';

/** Reads Codex' patch format. Fails with `PatchError`. */
export function parsePatch(text: string): readonly Section[] {
  const reader = new LineReader(splitLines(text));
  const sections: Section[] = [];
  while (!reader.isAtEnd) {
    if (reader.peek().trim() === '') reader.next();
    else sections.push(parseSection(reader));
  }
  if (sections.length === 0) throw new PatchError('the patch changes no file');
  return sections;
}

/** The lines between begin and end; a here-document around them, which models like to write, is taken off. */
function splitLines(text: string): readonly string[] {
  let lines = text.trim().split(/\r?\n/);
  const marker = /^(?:apply_patch\s+)?<<\s*(['"]?)(\w+)\1$/.exec(lines[0]?.trim() ?? '')?.[2];
  if (marker !== undefined && lines.at(-1)?.trim() === marker) lines = lines.slice(1, -1);
  if (lines[0]?.trim() !== BEGIN) throw new PatchError(`the first line of a patch is "${BEGIN}"`);
  if (lines.at(-1)?.trim() !== END) throw new PatchError(`the last line of a patch is "${END}"`);
  return lines.slice(1, -1);
}

function parseSection(reader: LineReader): Section {
  const line = reader.next();
  const header = line.trim();
  if (header.startsWith(ADD)) return { type: 'add', path: parsePath(header, ADD), lines: addedLines(reader) };
  if (header.startsWith(DELETE)) return { type: 'delete', path: parsePath(header, DELETE) };
  if (header.startsWith(UPDATE)) return parseUpdate(parsePath(header, UPDATE), reader);
  throw new PatchError(
    `line ${reader.number}: expected a file header such as "${UPDATE}path", found "${line.slice(0, 80)}"`,
  );
}

function parsePath(header: string, prefix: string): string {
  const path = header.slice(prefix.length).trim();
  if (path === '') throw new PatchError(`"${prefix.trim()}" without a path`);
  return path;
}

function addedLines(reader: LineReader): readonly string[] {
  const lines: string[] = [];
  while (!reader.isAtEnd && reader.peek().startsWith('+')) lines.push(reader.next().slice(1));
  return lines;
}

function parseUpdate(path: string, reader: LineReader): Section {
  const move =
    !reader.isAtEnd && reader.peek().trim().startsWith(MOVE) ? parsePath(reader.next().trim(), MOVE) : undefined;
  const chunks: Chunk[] = [];
  while (!reader.isAtEnd && !isFileHeader(reader.peek())) {
    if (reader.peek().trim() === '' && !hasChunkLine(reader)) reader.next();
    else chunks.push(parseChunk(reader, chunks.length === 0));
  }
  if (chunks.length === 0 && move === undefined) throw new PatchError(`the update of ${path} changes nothing`);
  return { type: 'update', path, ...(move === undefined ? {} : { moveTo: move }), chunks };
}

/** An empty line before the next chunk or file belongs to nothing. */
function hasChunkLine(reader: LineReader): boolean {
  const next = reader.peek(1);
  return next !== undefined && !isFileHeader(next) && !next.startsWith('@@');
}

function parseChunk(reader: LineReader, isFirst: boolean): Chunk {
  const headers: string[] = [];
  let sawHeader = false;
  while (!reader.isAtEnd && reader.peek().startsWith('@@')) {
    sawHeader = true;
    const header = parseHeader(reader.next());
    if (header !== '') headers.push(header);
  }
  if (!sawHeader && !isFirst) throw new PatchError(`line ${reader.number + 1}: a change begins with "@@"`);
  const lines: ChunkLine[] = [];
  for (let line = chunkLine(reader); line !== undefined; line = chunkLine(reader)) lines.push(line);
  const atEnd = !reader.isAtEnd && reader.peek().trim() === END_OF_FILE;
  if (atEnd) reader.next();
  if (lines.length === 0) {
    const found = reader.isAtEnd ? 'the end of the patch' : `"${reader.peek().slice(0, 80)}"`;
    throw new PatchError(`line ${reader.number + 1}: expected a line that begins with " ", "-" or "+", found ${found}`);
  }
  return { headers, lines, atEnd };
}

/** `@@ text`, also `@@ -1,2 +3,4 @@ text`: the numbers of a unified diff are not used. */
function parseHeader(line: string): string {
  return line
    .slice(2)
    .replace(/^\s*-\d+(,\d+)? \+\d+(,\d+)? @@/, '')
    .replace(/^ /, '')
    .trimEnd();
}

function chunkLine(reader: LineReader): ChunkLine | undefined {
  if (reader.isAtEnd) return undefined;
  const line = reader.peek();
  if (line === '') {
    if (!hasChunkLine(reader)) return undefined;
    reader.next();
    return { type: 'keep', text: '' }; // An editor took the trailing space off.
  }
  const type = ({ ' ': 'keep', '-': 'remove', '+': 'add' } as const)[line.charAt(0)];
  if (type === undefined) return undefined;
  reader.next();
  return { type, text: line.slice(1) };
}

function isFileHeader(line: string): boolean {
  return [ADD, DELETE, UPDATE].some((prefix) => line.startsWith(prefix));
}

class LineReader {
  /** Number of the line last read, counted from 1 at the begin marker. */
  number = 1;
  readonly #lines: readonly string[];
  #at = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#lines.length;
  }

  peek(): string;
  peek(ahead: number): string | undefined;
  peek(ahead = 0): string | undefined {
    return this.#lines[this.#at + ahead] ?? (ahead === 0 ? '' : undefined);
  }

  next(): string {
    const line = this.peek();
    this.#at += 1;
    this.number += 1;
    return line;
  }
}
