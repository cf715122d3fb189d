import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { editorOf, type EditorFiles } from '../editor-files.ts';
import type { ApprovalNeed } from '../approval/approval.ts';
import { defineTool, ToolInputError, type AgentTool, type ToolResult } from '../tool.ts';
import type { ToolsetContext } from '../tool-context.ts';
import { codeOf, type Place } from '../workspace.ts';

const MAX_LINES = 2000;
const MAX_CHARS = 64 * 1024;
const MAX_LINE_CHARS = 2000;
/** A larger file is read from the disk: no editor hands it over line by line. */
const MAX_EDITED_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** How far into a file an offset may look. */
const MAX_SCANNED_BYTES = 256 * 1024 * 1024;

const schema = z.strictObject({
  path: z.string().min(1),
  offset: z.number().int().min(1).optional().describe('First line, counted from 1. Default 1.'),
  limit: z.number().int().min(1).max(MAX_LINES).optional().describe(`Lines at most. Default ${MAX_LINES}.`),
});

/** `read_file`: lines of a text file, as they are. */
export function createReadFileTool(context: ToolsetContext): AgentTool {
  return defineTool({
    name: 'read_file',
    description: 'Reads lines of a text file.',
    kind: 'read',
    schema,
    async plan({ path, offset = 1, limit = MAX_LINES }) {
      const place = await context.workspace.locate(path);
      const approval = outsideNeed('read', place);
      return {
        title: `read ${context.workspace.show(place.real)}`,
        locations: [{ path: place.real, line: offset }],
        ...(approval === undefined ? {} : { approval }),
        run: ({ signal }) => readLines(place, offset, limit, { signal, files: context.workspace.files }),
      };
    },
  });
}

/** Looking at what lies outside the working directory is asked for, place by place. */
export function outsideNeed(verb: string, place: Place): ApprovalNeed | undefined {
  if (place.inside) return undefined;
  return { reason: `${place.real} is ${place.where}`, rules: [`${verb}:${place.real}`] };
}

interface ReadOptions {
  readonly signal: AbortSignal;
  readonly files: EditorFiles | undefined;
}

async function readLines(
  place: Place,
  offset: number,
  limit: number,
  { signal, files }: ReadOptions,
): Promise<ToolResult> {
  const file = await openRegular(place);
  try {
    const text = await edited(place, file, files);
    return text === undefined ? await linesOf(file, offset, limit, signal) : linesOfText(text, offset, limit);
  } finally {
    await file.close();
  }
}

/** The text that the editor has; `undefined` where it has none: it does not open what is large or no text. */
async function edited({ real }: Place, file: FileHandle, files: EditorFiles | undefined): Promise<string | undefined> {
  const editor = editorOf(files, real);
  if (editor === undefined || (await file.stat()).size > MAX_EDITED_BYTES) return undefined;
  return editor.read(real).catch(() => undefined);
}

function linesOfText(text: string, offset: number, limit: number): ToolResult {
  const window = new LineWindow(offset, limit);
  window.push(text);
  return { output: window.isFull ? window.cut() : window.finish(''), ok: true };
}

/** Fails with `ToolInputError` when it cannot be opened or is no regular file. */
async function openRegular(place: Place): Promise<FileHandle> {
  let file: FileHandle;
  try {
    // The path was resolved when it was judged: a link that took its place since is not followed. A pipe must not block.
    file = await open(place.real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw new ToolInputError(`cannot read ${place.path}: ${codeOf(error) ?? 'unknown error'}`);
  }
  const stat = await file.stat();
  if (stat.isFile()) return file;
  await file.close();
  throw new ToolInputError(`${place.path} is ${stat.isDirectory() ? 'a folder: use list_dir' : 'not a regular file'}`);
}

async function linesOf(file: FileHandle, offset: number, limit: number, signal: AbortSignal): Promise<ToolResult> {
  const window = new LineWindow(offset, limit);
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let scanned = 0;
  while (!window.isFull && scanned < MAX_SCANNED_BYTES) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return { output: window.finish(decoder.decode()), ok: true };
    const chunk = buffer.subarray(0, bytesRead);
    if (chunk.includes(0))
      return { output: `a binary file of ${(await file.stat()).size} bytes: not shown`, ok: false };
    window.push(decoder.decode(chunk, { stream: true }));
    scanned += bytesRead;
  }
  return { output: window.isFull ? window.cut() : window.stop(), ok: true };
}

/** Keeps the lines from `offset` on, within the bounds, of text that comes in chunks. */
class LineWindow {
  readonly #first: number;
  readonly #limit: number;
  readonly #lines: string[] = [];
  #chars = 0;
  /** Number of the line that is being read, from 1. */
  #number = 1;
  #line = '';
  #lineChars = 0;

  constructor(first: number, limit: number) {
    this.#first = first;
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#lines.length >= this.#limit || this.#chars >= MAX_CHARS;
  }

  push(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0 && !this.isFull; end = text.indexOf('\n', start)) {
      this.#extend(text.slice(start, end));
      this.#endLine();
      start = end + 1;
    }
    if (!this.isFull) this.#extend(text.slice(start));
  }

  finish(rest: string): string {
    this.#extend(rest);
    if (this.#lineChars > 0) this.#endLine();
    if (this.#lines.length > 0) return this.#lines.join('\n');
    const count = this.#number - 1;
    return count === 0 ? '(the file is empty)' : `(the file has only ${count} lines)`;
  }

  cut(): string {
    const next = this.#first + this.#lines.length;
    return `${this.#lines.join('\n')}\n[… cut: there is more, from line ${next} on …]`;
  }

  /** More of the file is not looked at, whatever line that is in. */
  stop(): string {
    if (this.#number >= this.#first && this.#lineChars > 0) this.#endLine();
    const note = `[… cut: no more than the first ${MAX_SCANNED_BYTES / 1024 / 1024} MiB of a file are looked at …]`;
    return [...this.#lines, note].join('\n');
  }

  #extend(text: string): void {
    this.#lineChars += text.length;
    if (this.#number >= this.#first) this.#line += text.slice(0, Math.max(0, MAX_LINE_CHARS - this.#line.length));
  }

  #endLine(): void {
    if (this.#number >= this.#first) {
      const cut = this.#lineChars - this.#line.length;
      this.#lines.push(cut > 0 ? `${this.#line}[… ${cut} characters …]` : this.#line);
      this.#chars += this.#line.length + 1;
    }
    this.#number += 1;
    this.#line = '';
    this.#lineChars = 0;
  }
}
