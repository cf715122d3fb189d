import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { ApprovalNeed } from '../approval.ts';
import { defineTool, ToolInputError, type AgentTool, type ToolResult, type ToolRun } from '../tool.ts';
import { OutputTeller } from './output-teller.ts';
import { runProcess, type ProcessEnd } from './process.ts';
import { hasGluedPath, objectionTo, possiblePaths } from './read-only.ts';
import { simpleCommands, type Words } from './shell-words.ts';
import type { ToolsetContext } from './context.ts';
import type { Place, Workspace } from './workspace.ts';

const HEAD_BYTES = 16 * 1024;
const TAIL_BYTES = 16 * 1024;
const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_TIMEOUT_MS = 600_000;

const schema = z.strictObject({
  command: z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .describe('A shell command line; or a program with its arguments, which no shell reads.'),
  cwd: z.string().optional().describe('Folder to run it in. Default: the working directory.'),
  timeout_ms: z.number().int().min(1).max(MAX_TIMEOUT_MS).optional().describe(`Default ${DEFAULT_TIMEOUT_MS}.`),
});

type Argv = readonly [string, ...string[]];

/** `shell`: runs a command in a process group of its own, bounded in time and output. */
export function createShellTool(context: ToolsetContext): AgentTool {
  const shell = ['/bin/bash', '/usr/bin/bash'].find((path) => existsSync(path)) ?? '/bin/sh';
  return defineTool({
    name: 'shell',
    description:
      'Runs a command and gives its exit code and output (head and tail of a long one). Nothing that it starts outlives it. Use apply_patch to change files.',
    kind: 'execute',
    schema,
    async plan(args) {
      const place = await context.workspace.locate(args.cwd ?? '.');
      const isFolder = await stat(place.real).then(
        (info) => info.isDirectory(),
        () => false,
      );
      if (!isFolder) throw new ToolInputError(`cwd: ${place.path} is no folder`);
      const argv = argvOf(args.command, shell);
      const title = typeof args.command === 'string' ? args.command : args.command.join(' ');
      const approval = await needOf(args.command, place, context.workspace);
      return {
        title,
        locations: [{ path: place.real }],
        ...(approval === undefined ? {} : { approval }),
        run: (run) => runShell(argv, place.real, args.timeout_ms ?? DEFAULT_TIMEOUT_MS, context, run),
      };
    },
  });
}

function argvOf(command: string | readonly string[], shell: string): Argv {
  if (typeof command === 'string') return [shell, '-c', command];
  const [program = shell, ...args] = command;
  return [program, ...args];
}

/** What a command needs: nothing when all of it is read-only and within the working directory. */
async function needOf(
  command: string | readonly string[],
  place: Place,
  workspace: Workspace,
): Promise<ApprovalNeed | undefined> {
  const reason = await objection(command, place, workspace);
  return reason === undefined ? undefined : { reason, rules: [`shell:${JSON.stringify([place.real, command])}`] };
}

async function objection(
  command: string | readonly string[],
  place: Place,
  workspace: Workspace,
): Promise<string | undefined> {
  if (!place.inside) return `it runs in ${place.real}, outside the working directory`;
  const commands = commandsOf(command);
  if (commands === undefined) return 'it uses more of the shell than plain commands';
  for (const words of commands) {
    const bad = objectionTo(words) ?? (await pathOutside(words, place, workspace));
    if (bad !== undefined) return bad;
  }
  return undefined;
}

function commandsOf(command: string | readonly string[]): readonly Words[] | undefined {
  if (typeof command === 'string') return simpleCommands(command);
  const [program, option, script] = command;
  // `["bash", "-lc", "…"]`, as some models write it. A login shell reads more files, so only its words are trusted.
  if (command.length === 3 && script !== undefined && /^(ba)?sh$/.test(program ?? '') && /^-l?c$/.test(option ?? '')) {
    return simpleCommands(script);
  }
  return program === undefined ? undefined : [[program, ...command.slice(1)]];
}

async function pathOutside(words: Words, place: Place, workspace: Workspace): Promise<string | undefined> {
  if (hasGluedPath(words)) return 'it has an option with a path in it';
  for (const path of possiblePaths(words)) {
    const target = await workspace.locate(path, place.real);
    if (!target.inside) return `it may read ${target.real}, outside the working directory`;
  }
  return undefined;
}

async function runShell(
  argv: Argv,
  cwd: string,
  timeoutMs: number,
  context: ToolsetContext,
  run: ToolRun,
): Promise<ToolResult> {
  const teller = new OutputTeller(run);
  const { end, output } = await runProcess({
    argv,
    cwd,
    env: { ...context.env, ...quietEnvironment },
    timeoutMs,
    signal: run.signal,
    clock: context.clock,
    headBytes: HEAD_BYTES,
    tailBytes: TAIL_BYTES,
    endWithParent: true,
    onOutput: (stream, chunk) => teller.tell(stream, chunk),
  });
  const text = output.total === 0 ? '(no output)' : output.toString();
  const ok = end.type === 'exited' && end.code === 0;
  return {
    output: `${headline(end, timeoutMs)}\n${text}`,
    ok,
    ...(end.type === 'exited' ? { exitCode: end.code } : {}),
  };
}

/** No colours, no pagers, no question that nobody can answer; and git writes nothing while it only reads. */
const quietEnvironment = {
  NO_COLOR: '1',
  TERM: 'dumb',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  BASH_ENV: undefined,
  ENV: undefined,
};

function headline(end: ProcessEnd, timeoutMs: number): string {
  switch (end.type) {
    case 'exited':
      return `exit code ${end.code}`;
    case 'killed':
      return `ended by ${end.signal}`;
    case 'timeout':
      return `stopped: it ran longer than ${timeoutMs} ms`;
    case 'aborted':
      return 'stopped: the user interrupted the turn';
    case 'not_started':
      return `not started: ${end.message}`;
  }
}
