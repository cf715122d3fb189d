import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import type { ApprovalNeed } from '../approval/approval.ts';
import { sandboxHint } from '../sandbox/hint.ts';
import type { Argv, Sandbox, SandboxLevel } from '../sandbox/sandbox.ts';
import { defineTool, ToolInputError, type AgentTool, type ToolResult, type ToolRun } from '../tool.ts';
import { commandText, exitHeadline } from './command-text.ts';
import { OutputTeller } from './output-teller.ts';
import { processPlatform, type ProcessPlatform } from '../process/platform.ts';
import { runProcess, type ProcessEnd } from '../process/process.ts';
import { judge, type ShellCommand } from './read-only/command.ts';
import type { ToolsetContext } from '../tool-context.ts';
import type { Place } from '../workspace.ts';

const HEAD_BYTES = 16 * 1024;
const TAIL_BYTES = 16 * 1024;
const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_TIMEOUT_MS = 600_000;

const schema = z.strictObject({
  command: z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .describe('A shell command line; or a program with its arguments, which no shell reads.'),
  cwd: z.string().optional().describe('Folder to run it in. Default: the working directory.'),
  sandbox: z
    .literal('off')
    .optional()
    .describe('To run it outside of the sandbox, when it needs the network or writes elsewhere. The user is asked.'),
  reason: z.string().max(300).optional().describe('With sandbox: why it has to be outside. The user reads it.'),
  timeout_ms: z.number().int().min(1).max(MAX_TIMEOUT_MS).optional().describe(`Default ${DEFAULT_TIMEOUT_MS}.`),
});

type Args = z.output<typeof schema>;

/** `shell`: runs a command in a process group of its own, bounded in time and output. */
export function createShellTool(context: ToolsetContext): AgentTool {
  const platform = processPlatform();
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
      const verdict = await judge(args.command, place, context, platform);
      const leaves = args.sandbox === 'off' && context.sandbox.works;
      const free = verdict.type === 'free' && !leaves ? verdict : undefined;
      const command = free ?? { argv: toArgv(args.command, platform), env: context.env };
      const level = levelOf(context.sandbox, leaves, free !== undefined);
      return {
        title: typeof args.command === 'string' ? args.command : quoteArgv(args.command),
        locations: [{ path: place.real }],
        sandbox: level,
        ...(free === undefined
          ? { approval: needOf(args, verdict.type === 'free' ? undefined : verdict.reason, place, context, leaves) }
          : {}),
        run: (run) =>
          runShell(
            { ...command, cwd: place.real, timeoutMs: args.timeout_ms ?? DEFAULT_TIMEOUT_MS, level },
            context,
            run,
          ),
      };
    },
  });
}

function toArgv(command: ShellCommand, { shellArgv }: ProcessPlatform): Argv {
  if (typeof command === 'string') return shellArgv(command);
  const [program = '', ...args] = command;
  return [program, ...args];
}

/** What nobody is asked about is walled in as far as it can be. */
function levelOf(sandbox: Sandbox, leaves: boolean, isFree: boolean): SandboxLevel {
  if (leaves || !sandbox.works) return 'off';
  return isFree ? 'read-only' : sandbox.level;
}

/**
 * The folder is part of what is asked when it is not the one that the person expects. A yes to a command in the sandbox
 * is none to the same command outside: its rule is another one.
 */
function needOf(
  args: Args,
  reason: string | undefined,
  place: Place,
  { workspace }: ToolsetContext,
  leaves: boolean,
): ApprovalNeed {
  const why = args.reason === undefined ? 'the model gives no reason' : `the model's reason: ${args.reason}`;
  const reasons = [...(leaves ? [`it runs OUTSIDE OF THE SANDBOX, with all your rights (${why})`] : []), reason ?? []];
  const elsewhere = place.real === workspace.cwd ? '' : `in the folder ${quoteArgv([place.real])}: `;
  return {
    reason: `${elsewhere}${reasons.flat().join('; ')}`,
    rules: [`${leaves ? 'shell-outside' : 'shell'}:${JSON.stringify([place.real, args.command])}`],
  };
}

interface Command {
  readonly argv: Argv;
  readonly env: ToolsetContext['env'];
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly level: SandboxLevel;
}

async function runShell(command: Command, context: ToolsetContext, run: ToolRun): Promise<ToolResult> {
  const { argv, env, cwd, timeoutMs, level } = command;
  const teller = new OutputTeller(run);
  const { end, output } = await runProcess({
    argv: context.sandbox.wrap(argv, { level, cwd }),
    cwd,
    env: { ...env, ...quietEnvironment },
    timeoutMs,
    signal: run.signal,
    clock: context.clock,
    headBytes: HEAD_BYTES,
    tailBytes: TAIL_BYTES,
    endWithParent: true,
    onOutput: (stream, chunk) => teller.tell(stream, chunk),
  });
  const text = output.toString();
  const ok = end.type === 'exited' && end.code === 0;
  const hint = ok ? undefined : sandboxHint(text, level, env['HOME']);
  return {
    output: [commandText(headline(end, timeoutMs), text), ...(hint === undefined ? [] : [hint])].join('\n'),
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
      return exitHeadline(end.code);
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
