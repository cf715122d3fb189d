import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { IgnoreRules } from '../project/ignore-rules.ts';
import { readProjectFolder } from '../project/project-files.ts';

export interface WalkRequest {
  /** Absolute, real. */
  readonly root: string;
  /** Paths are shown relative to it. */
  readonly cwd: string;
  /** Not gone into nor read. Absolute, real. */
  readonly secrets: readonly string[];
  readonly pattern: string;
  readonly glob: string | undefined;
  readonly ignoreCase: boolean;
  readonly maxResults: number;
}

export interface WalkResult {
  /** `path:line:text`. */
  readonly lines: readonly string[];
  /** What was left out, for the model. */
  readonly note?: string;
}

const MAX_FILES = 20_000;
const MAX_FILE_BYTES = 2 * 1024 * 1024;
/** Where a large file that is no text has a NUL. */
const BINARY_BYTES = 8192;
const MAX_LINE_CHARS = 300;
/** Files that were not searched. */
const MAX_NAMED = 5;

/** Searches below `root`, without following links. Synchronous: it runs in a worker. Fails for a bad pattern. */
export function walk(request: WalkRequest): WalkResult {
  const pattern = new RegExp(request.pattern, request.ignoreCase ? 'iu' : 'u');
  const glob = request.glob === undefined ? undefined : globToRegExp(request.glob);
  const lines: string[] = [];
  const large: string[] = [];
  let files = 0;
  for (const path of filesBelow(request.root, new Set(request.secrets))) {
    const name = relative(request.cwd, path);
    if (glob !== undefined && !glob.test(basename(path)) && !glob.test(name)) continue;
    if (++files > MAX_FILES)
      return resultOf(lines, [`[… only the first ${MAX_FILES} files were searched …]`, ...notesOn(large)]);
    const shown = name.startsWith('..') ? path : name;
    const read = readText(path);
    if (read.type === 'too_large') large.push(shown);
    if (read.type === 'text') addMatches(read.text, shown, pattern, lines, request.maxResults);
    if (lines.length >= request.maxResults) break;
  }
  return resultOf(lines, notesOn(large));
}

function resultOf(lines: readonly string[], notes: readonly string[]): WalkResult {
  return { lines, ...(notes.length === 0 ? {} : { note: notes.join('\n') }) };
}

function notesOn(large: readonly string[]): readonly string[] {
  if (large.length === 0) return [];
  const more = large.length > MAX_NAMED ? [`${large.length - MAX_NAMED} more`] : [];
  const names = [...large.slice(0, MAX_NAMED), ...more].join(', ');
  return [`[… not searched, for it is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB: ${names} …]`];
}

function* filesBelow(root: string, secrets: ReadonlySet<string>): Generator<string> {
  if (statSync(root).isDirectory()) yield* filesIn(root, IgnoreRules.at(root), secrets);
  else yield root;
}

function* filesIn(folder: string, rules: IgnoreRules, secrets: ReadonlySet<string>): Generator<string> {
  for (const { path, isFolder } of readProjectFolder(folder, rules)) {
    if (secrets.has(path)) continue;
    if (isFolder) yield* filesIn(path, rules.in(path), secrets);
    else yield path;
  }
}

function addMatches(text: string, name: string, pattern: RegExp, lines: string[], max: number): void {
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    const match = pattern.exec(line);
    if (match === null) continue;
    lines.push(`${name}:${number}:${aroundMatch(line, match.index)}`);
    if (lines.length >= max) return;
  }
}

/** Of a long line what stands around the match, which may be far from its beginning. */
export function aroundMatch(line: string, index: number): string {
  if (line.length <= MAX_LINE_CHARS) return line;
  const from = index < MAX_LINE_CHARS / 2 ? 0 : index - MAX_LINE_CHARS / 3;
  const to = from + MAX_LINE_CHARS;
  return `${from > 0 ? '[…] ' : ''}${line.slice(from, to)}${to < line.length ? ' […]' : ''}`;
}

/** `none` for what is binary or not readable. */
type ReadText = { readonly type: 'text'; readonly text: string } | { readonly type: 'too_large' | 'none' };

function readText(path: string): ReadText {
  try {
    const stat = statSync(path);
    const { size } = stat;
    // Opening a pipe would block.
    if (!stat.isFile()) return { type: 'none' };
    const isTooLarge = size > MAX_FILE_BYTES;
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(isTooLarge ? BINARY_BYTES : size);
      const bytes = buffer.subarray(0, readSync(file, buffer));
      if (bytes.includes(0)) return { type: 'none' };
      return isTooLarge ? { type: 'too_large' } : { type: 'text', text: bytes.toString('utf8') };
    } finally {
      closeSync(file);
    }
  } catch {
    return { type: 'none' };
  }
}

/** `*`, `**`, `?` and `{a,b}`. */
function globToRegExp(glob: string): RegExp {
  const source = glob.replace(/\*\*\/?|[*?{},]|[^*?{},]+/g, (part) => {
    if (part.startsWith('**')) return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part === '{') return '(?:';
    if (part === '}') return ')';
    if (part === ',') return '|';
    return part.replace(/[.+^$()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${source}$`);
}
