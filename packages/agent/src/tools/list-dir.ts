import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineTool, ToolInputError, type AgentTool, type ToolResult } from '../tool.ts';
import { outsideNeed } from './read-file.ts';
import type { ToolsetContext } from '../tool-context.ts';
import { codeOf, type Place } from '../workspace.ts';

const MAX_SHOWN = 500;
/** Entries looked at in one folder, to be sorted. */
const MAX_READ = 10_000;
/** Listed, but not gone into. */
const NOT_ENTERED = new Set(['.git', 'node_modules']);

const schema = z.strictObject({
  path: z.string().min(1).optional().describe('Default: the working directory.'),
  depth: z.number().int().min(1).max(5).optional().describe('1: only the folder itself. Default 1.'),
});

/** `list_dir`: names in a folder, sorted; folders end in `/`, links in `@`. */
export function createListDirTool(context: ToolsetContext): AgentTool {
  return defineTool({
    name: 'list_dir',
    description: 'Lists a folder. Folders end in /, symbolic links in @.',
    kind: 'read',
    schema,
    async plan({ path = '.', depth = 1 }) {
      const place = await context.workspace.locate(path);
      const approval = outsideNeed('list', place);
      return {
        title: `list ${context.workspace.show(place.real)}`,
        locations: [{ path: place.real }],
        ...(approval === undefined ? {} : { approval }),
        run: ({ signal }) => list(place, depth, signal),
      };
    },
  });
}

async function list(place: Place, depth: number, signal: AbortSignal): Promise<ToolResult> {
  const lines: string[] = [];
  let complete: boolean;
  try {
    complete = await addEntries(place.real, '', depth, lines, signal);
  } catch (error) {
    throw new ToolInputError(`cannot list ${place.path}: ${codeOf(error) ?? 'unknown error'}`);
  }
  if (lines.length === 0) return { output: '(empty)', ok: true };
  const note = complete ? '' : `\n[… cut: there is more …]`;
  return { output: lines.join('\n') + note, ok: true };
}

/** False when not everything was listed. */
async function addEntries(
  folder: string,
  prefix: string,
  depth: number,
  lines: string[],
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted();
  const { entries, complete } = await readEntries(folder);
  let all = complete;
  for (const entry of entries) {
    if (lines.length >= MAX_SHOWN) return false;
    lines.push(prefix + entry.name + markOf(entry));
    // Links are not followed: they may lead outside.
    if (depth > 1 && entry.isDirectory() && !NOT_ENTERED.has(entry.name)) {
      const inner = await addEntries(
        join(folder, entry.name),
        `${prefix}${entry.name}/`,
        depth - 1,
        lines,
        signal,
      ).catch(() => false);
      all &&= inner;
    }
  }
  return all;
}

async function readEntries(folder: string): Promise<{ entries: Dirent[]; complete: boolean }> {
  const entries: Dirent[] = [];
  let complete = true;
  for await (const entry of await opendir(folder)) {
    if (entries.length >= MAX_READ) {
      complete = false;
      break;
    }
    entries.push(entry);
  }
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { entries, complete };
}

function markOf(entry: Dirent): string {
  if (entry.isDirectory()) return '/';
  return entry.isSymbolicLink() ? '@' : '';
}
