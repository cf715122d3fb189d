import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Timer } from '@turnwire/wire/internal/base/clock';
import { defineTool, ToolInputError, type AgentTool, type ToolResult } from '../tool.ts';
import { findProgram, trustedFolders } from '../sandbox/paths.ts';
import { outsideNeed } from './read-file.ts';
import { ripgrepArgs, runRipgrep, type RipgrepQuery } from './ripgrep.ts';
import type { WalkRequest, WalkResult } from './search-walk.ts';
import type { ToolsetContext } from '../tool-context.ts';
import type { Place } from '../workspace.ts';

const DEFAULT_RESULTS = 100;
const MAX_RESULTS = 1000;
const MAX_BYTES = 64 * 1024;
const TIMEOUT_MS = 30_000;

const schema = z.strictObject({
  pattern: z.string().min(1).describe('A regular expression, matched line by line.'),
  path: z.string().min(1).optional().describe('File or folder. Default: the working directory.'),
  glob: z.string().min(1).optional().describe('Only files whose name matches, e.g. *.ts'),
  ignore_case: z.boolean().optional(),
  max_results: z.number().int().min(1).max(MAX_RESULTS).optional().describe(`Default ${DEFAULT_RESULTS}.`),
});

type Query = z.output<typeof schema>;

/** `search`: lines that match, through ripgrep where it is installed, else through a bounded walk of our own. */
export function createSearchTool(context: ToolsetContext): AgentTool {
  return defineTool({
    name: 'search',
    description:
      'Searches files for lines that match a regular expression. Gives path:line:text. What .gitignore names is left out, unless it is the path.',
    kind: 'search',
    schema,
    async plan(query) {
      const place = await context.workspace.locate(query.path ?? '.');
      const approval = outsideNeed('search', place);
      return {
        title: `search ${query.pattern} in ${context.workspace.show(place.real)}`,
        locations: [{ path: place.real }],
        ...(approval === undefined ? {} : { approval }),
        run: ({ signal }) => search(query, place, context, signal),
      };
    },
  });
}

async function search(query: Query, place: Place, context: ToolsetContext, signal: AbortSignal): Promise<ToolResult> {
  const found = (await withRipgrep(query, place, context, signal)) ?? (await withWalk(query, place, context, signal));
  const limit = query.max_results ?? DEFAULT_RESULTS;
  const wanted = found.lines.slice(0, limit);
  const lines = withinBytes(wanted);
  if (lines.length === 0)
    return { output: ['(nothing found)', ...(found.note === undefined ? [] : [found.note])].join('\n'), ok: true };
  const notes = [
    lines.length < wanted.length
      ? `[… cut: these lines have ${MAX_BYTES / 1024} KiB, and more lines match …]`
      : undefined,
    found.lines.length > limit ? `[… more than ${limit} lines match …]` : undefined,
    found.note,
  ];
  return { output: [...lines, ...notes.filter((note) => note !== undefined)].join('\n'), ok: true };
}

/** The first of them. */
function withinBytes(lines: readonly string[]): readonly string[] {
  let left = MAX_BYTES;
  const end = lines.findIndex((line) => (left -= Buffer.byteLength(line) + 1) < 0);
  return end < 0 ? lines : lines.slice(0, end);
}

/** `undefined` when ripgrep is not there. */
async function withRipgrep(
  query: Query,
  place: Place,
  context: ToolsetContext,
  signal: AbortSignal,
): Promise<WalkResult | undefined> {
  const { cwd, roots } = context.workspace;
  const program = findProgram('rg', trustedFolders(context.env.PATH, roots));
  // Without a sandbox nothing hides keys from it; our own walk passes them by.
  if (program === undefined || (!context.sandbox.works && context.workspace.hasSecretsBelow(place.real)))
    return undefined;
  const request = requestOf(query);
  const argv = [program, ...ripgrepArgs(request), '--', context.workspace.show(place.real)] as const;
  return runRipgrep({
    // What lies outside was approved, and is not visible inside.
    argv: place.inside ? context.sandbox.wrap(argv, { level: 'read-only', cwd }) : argv,
    cwd,
    env: context.env,
    maxResults: request.maxResults,
    timeoutMs: TIMEOUT_MS,
    signal,
    clock: context.clock,
  });
}

/** One more than is shown tells that there are more. */
function requestOf({ pattern, glob, ignore_case, max_results = DEFAULT_RESULTS }: Query): RipgrepQuery {
  return { pattern, glob, ignoreCase: ignore_case === true, maxResults: max_results + 1 };
}

/**
 * In a clone the thread has to be told to take the other packages as their sources: what its parent knows of that is not handed on. Nor are
 * other flags: there are some that no thread takes.
 */
function startWorker(workerData: WalkRequest): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  return new Worker(new URL(`./search-worker.${isSource ? 'ts' : 'js'}`, import.meta.url), {
    workerData,
    env: {},
    ...(isSource ? { execArgv: ['--conditions=@turnwire/source'] } : {}),
  });
}

/** In a thread of its own, because a bad pattern can keep the regular expression engine busy for ever. */
async function withWalk(query: Query, place: Place, context: ToolsetContext, signal: AbortSignal): Promise<WalkResult> {
  const request: WalkRequest = {
    root: place.real,
    cwd: context.workspace.cwd,
    secrets: place.inside ? context.workspace.secrets : [],
    ...requestOf(query),
  };
  const worker = startWorker(request);
  const result = Promise.withResolvers<WalkResult>();
  const onAbort = (): void => result.reject(new Error('stopped: the user interrupted the turn'));
  let timer: Timer | undefined;
  try {
    signal.addEventListener('abort', onAbort, { once: true });
    timer = context.clock.after(TIMEOUT_MS, () =>
      result.resolve({ lines: [], note: `stopped after ${TIMEOUT_MS} ms` }),
    );
    worker.once('message', (message: WalkResult | { error: string }) => {
      if ('error' in message) result.reject(new ToolInputError(message.error));
      else result.resolve(message);
    });
    worker.once('error', (error) => result.reject(error));
    return await result.promise;
  } finally {
    timer?.cancel();
    signal.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}
