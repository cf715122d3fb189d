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
const MAX_LINE_CHARS = 300;

/** Searches below `root`, without following links. Synchronous: it runs in a worker. Fails for a bad pattern. */
export function walk(request: WalkRequest): WalkResult {
  const pattern = new RegExp(request.pattern, request.ignoreCase ? 'iu' : 'u');
  const glob = request.glob === undefined ? undefined : globToRegExp(request.glob);
  const lines: string[] = [];
  let files = 0;
  for (const path of filesBelow(request.root, new Set(request.secrets))) {
    const name = relative(request.cwd, path);
    if (glob !== undefined && !glob.test(basename(path)) && !glob.test(name)) continue;
    if (++files > MAX_FILES) return { lines, note: `[… only the first ${MAX_FILES} files were searched …]` };
    addMatches(path, name.startsWith('..') ? path : name, pattern, lines, request.maxResults);
    if (lines.length >= request.maxResults) break;
  }
  return { lines };
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

function addMatches(path: string, name: string, pattern: RegExp, lines: string[], max: number): void {
  const text = readText(path);
  if (text === undefined) return;
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    if (!pattern.test(line)) continue;
    lines.push(`${name}:${number}:${line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)} […]` : line}`);
    if (lines.length >= max) return;
  }
}

/** `undefined` for what is too large, binary, or not readable. */
function readText(path: string): string | undefined {
  try {
    const stat = statSync(path);
    const { size } = stat;
    // Opening a pipe would block.
    if (!stat.isFile() || size > MAX_FILE_BYTES) return undefined;
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(size);
      const bytes = buffer.subarray(0, readSync(file, buffer));
      return bytes.includes(0) ? undefined : bytes.toString('utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
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
