import { PatchError, type Chunk } from './parse.ts';
import { commonEnd, joinLines, splitLines, type TextLine } from './text-lines.ts';

/** How two lines are compared: from exact to forgiving. A patch is tried with each in turn, for the whole chunk. */
const comparisons: readonly ((line: string) => string)[] = [
  (line) => line,
  (line) => line.trimEnd(),
  (line) => line.trim(),
  plainPunctuation,
];

/** Byte order mark: about the file, and so no part of its first line, which a patch may replace. */
const BOM = '\ufeff';

/**
 * The text of a file after the chunks of its section, in order. Lines that a chunk keeps stay as the file has them, also
 * where they were matched forgivingly; a byte order mark stays. Fails with `PatchError` when a chunk's lines are not
 * there.
 */
export function applyChunks(text: string, chunks: readonly Chunk[], path: string): string {
  const mark = text.startsWith(BOM) ? BOM : '';
  const changed = changeLines(text.slice(mark.length), chunks, path);
  return changed.startsWith(BOM) ? changed : mark + changed;
}

function changeLines(text: string, chunks: readonly Chunk[], path: string): string {
  const lines = splitLines(text);
  const end = commonEnd(lines);
  const parts: (readonly TextLine[])[] = [];
  let from = 0;
  for (const chunk of chunks) {
    const at = findPlace(chunk, lines, from, path);
    parts.push(lines.slice(from, at.start), replaced(chunk, lines, at.start, end));
    from = at.end;
  }
  return joinLines([...parts.flat(), ...lines.slice(from)], end);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function findPlace(chunk: Chunk, lines: readonly TextLine[], from: number, path: string): Span {
  let start = from;
  for (const header of chunk.headers) {
    const found = seek(lines, [header], start, false);
    if (found === undefined) throw new PatchError(`${path}: the line of "@@ ${header}" is not there`);
    start = found + 1;
  }
  const old = oldLines(chunk);
  if (old.length === 0) {
    const at = chunk.headers.length > 0 && !chunk.atEnd ? start : lines.length;
    return { start: at, end: at };
  }
  // A header may be repeated as the first line of the context.
  const lowest = chunk.headers.length > 0 ? Math.max(from, start - 1) : start;
  const found = seek(lines, old, start, chunk.atEnd) ?? seek(lines, old, lowest, chunk.atEnd);
  if (found === undefined) throw new PatchError(`${path}: these lines are not there:\n${old.slice(0, 20).join('\n')}`);
  return { start: found, end: found + old.length };
}

function oldLines(chunk: Chunk): string[] {
  return chunk.lines.filter((line) => line.type !== 'add').map((line) => line.text);
}

/**
 * A new line ends like the line that it follows or takes the place of: a file of mixed line ends keeps them, and one
 * without a last line break stays so when its last line is replaced.
 */
function replaced(chunk: Chunk, lines: readonly TextLine[], start: number, end: '\n' | '\r\n'): TextLine[] {
  const result: TextLine[] = [];
  let at = start;
  const above = lines[start - 1]?.end ?? '';
  let near: TextLine['end'] = above === '' ? end : above;
  for (const line of chunk.lines) {
    if (line.type === 'add') {
      result.push({ text: line.text, end: near });
      continue;
    }
    const own = lines[at];
    at += 1;
    if (own === undefined) continue;
    near = line.type === 'keep' && own.end === '' ? end : own.end;
    if (line.type === 'keep') result.push(own);
  }
  return result;
}

/** Index of the first place at or after `from` where `wanted` stands; at the end of the file first, when `atEnd`. */
function seek(lines: readonly TextLine[], wanted: readonly string[], from: number, atEnd: boolean): number | undefined {
  const last = lines.length - wanted.length;
  for (const normal of comparisons) {
    const pattern = wanted.map(normal);
    const matches = (at: number): boolean =>
      pattern.every((line, index) => normal(lines[at + index]?.text ?? '') === line);
    if (atEnd && last >= from && matches(last)) return last;
    for (let at = from; at <= last; at += 1) if (matches(at)) return at;
  }
  return undefined;
}

/** Typographic quotes, dashes and spaces as their plain forms: models write one for the other. */
function plainPunctuation(line: string): string {
  return line
    .trim()
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[\u2018-\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/[\u00a0\u2002-\u200a\u202f\u205f\u3000]/g, ' ');
}
