import { isObject, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { HeadTail } from '../process/head-tail.ts';
import { runProcess, type ProcessEnd } from '../process/process.ts';
import { ToolInputError } from '../tool.ts';
import { aroundMatch, type WalkRequest, type WalkResult } from './search-walk.ts';

/** Of what it says of one line, which it says in JSON: that of a longer one is not kept. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 4096;

/** What is searched for, as our own walk takes it. */
export type RipgrepQuery = Pick<WalkRequest, 'pattern' | 'glob' | 'ignoreCase' | 'maxResults'>;

export interface RipgrepOptions {
  /** The command line of ripgrep, in its sandbox, `ripgrepArgs` among it. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly maxResults: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** In JSON it says where in a line the match is. */
export function ripgrepArgs({ pattern, glob, ignoreCase }: RipgrepQuery): string[] {
  return [
    '--no-config',
    '--json',
    '--sort=path',
    // As our own walk: `.gitignore` counts also without a repository, and `.github` is looked into.
    '--no-require-git',
    '--hidden',
    '--glob=!.git',
    ...(ignoreCase ? ['--ignore-case'] : []),
    ...(glob === undefined ? [] : [`--glob=${glob}`]),
    '-e',
    pattern,
  ];
}

/** The same as our own walk gives. `undefined` when ripgrep is not there. Fails for a bad pattern. */
export async function runRipgrep({ maxResults, signal, ...options }: RipgrepOptions): Promise<WalkResult | undefined> {
  const full = new AbortController();
  const matches = new RipgrepMatches(maxResults, () => full.abort());
  const errors = new HeadTail(MAX_ERROR_BYTES, 0);
  const { end } = await runProcess({
    ...options,
    signal: AbortSignal.any([signal, full.signal]),
    headBytes: 0,
    tailBytes: 0,
    onOutput: (stream, chunk) => {
      if (stream === 'stdout') matches.take(chunk);
      else errors.append(chunk);
    },
  });
  signal.throwIfAborted();
  const said = errors.toString().trim();
  // A link to a program that the sandbox does not show is as good as none.
  if (end.type === 'not_started' || said.startsWith('bwrap: ')) return undefined;
  const lines = matches.end();
  if (end.type === 'exited' && end.code > 1 && lines.length === 0) throw new ToolInputError(`search failed: ${said}`);
  const note = [...matches.notes, ...notesOn(end, options.timeoutMs), ...(said === '' ? [] : [`[… ${said} …]`])];
  return { lines, ...(note.length === 0 ? {} : { note: note.join('\n') }) };
}

function notesOn(end: ProcessEnd, timeoutMs: number): readonly string[] {
  return end.type === 'timeout' ? [`[… stopped after ${timeoutMs} ms …]`] : [];
}

/** Lines that match, out of ripgrep's JSON, in bounded memory. */
class RipgrepMatches {
  readonly #most: number;
  readonly #full: () => void;
  readonly #lines: string[] = [];
  /** Of the file that is being searched: it may turn out to be no text. */
  #ofFile: string[] = [];
  /** The beginning of an event whose end has not come. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #tooLong = 0;

  /** `full` is called when there are as many as are wanted. */
  constructor(most: number, full: () => void) {
    this.#most = most;
    this.#full = full;
  }

  get notes(): readonly string[] {
    if (this.#tooLong === 0) return [];
    return [
      `[… matching lines of more than ${MAX_EVENT_BYTES / 1024 / 1024} MiB, which are not shown: ${this.#tooLong} …]`,
    ];
  }

  take(chunk: Buffer): void {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      this.#begin(chunk.subarray(from, to));
      this.#endEvent();
      from = to + 1;
    }
    this.#begin(chunk.subarray(from));
  }

  /** All of them: nothing more comes. */
  end(): readonly string[] {
    return [...this.#lines, ...this.#ofFile];
  }

  #begin(part: Buffer): void {
    this.#begunBytes += part.length;
    if (this.#begunBytes > MAX_EVENT_BYTES) this.#begun = [];
    else if (part.length > 0) this.#begun.push(part);
  }

  #endEvent(): void {
    if (this.#begunBytes > MAX_EVENT_BYTES) this.#tooLong += 1;
    else this.#takeEvent(parseJson(Buffer.concat(this.#begun).toString('utf8')));
    this.#begun = [];
    this.#begunBytes = 0;
  }

  #takeEvent(event: unknown): void {
    if (!isObject(event) || !isObject(event.data)) return;
    const { type, data } = event;
    if (type === 'end') {
      // What has a NUL is no text.
      if (typeof data.binary_offset !== 'number') this.#lines.push(...this.#ofFile);
      this.#ofFile = [];
    }
    if (type !== 'match') return;
    this.#ofFile.push(toLine(data));
    if (this.#lines.length + this.#ofFile.length >= this.#most) this.#full();
  }
}

function toLine(data: JsonObject): string {
  const line = bytesOf(data.lines);
  const path = bytesOf(data.path).toString('utf8').replace(/^\.\//, '');
  const first: unknown = Array.isArray(data.submatches) ? data.submatches[0] : undefined;
  const start = isObject(first) && typeof first.start === 'number' ? first.start : 0;
  const text = line.toString('utf8').replace(/\n$/, '');
  return `${path}:${Number(data.line_number)}:${aroundMatch(text, line.toString('utf8', 0, start).length)}`;
}

/** What is no UTF-8 comes in base64. */
function bytesOf(data: unknown): Buffer {
  if (!isObject(data)) return Buffer.alloc(0);
  const text = stringOf(data.text);
  return text === undefined ? Buffer.from(stringOf(data.bytes) ?? '', 'base64') : Buffer.from(text);
}
