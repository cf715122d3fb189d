import {
  noSandbox,
  openSandbox,
  openToolbox,
  type McpServerConfig,
  type Sandbox,
  type SandboxLevel,
  type Toolbox,
  type WebAccess,
} from '@turnwire/agent';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Skill } from '@turnwire/agent/internal/project/skills';
import type { AgentFlags } from './agent-flags.ts';
import type { CliContext } from './context.ts';
import { describeSystemError, UsageError } from './exit.ts';

/** How long a person waits for MCP servers that are starting; a server that takes longer joins later. */
export const MCP_PATIENCE_MS = 2000;

export interface SandboxScope {
  readonly cli: Pick<CliContext, 'stderr'>;
  /** How messages on stderr begin. */
  readonly name: string;
  readonly cwd: string;
  /** As of a toolbox. */
  readonly additionalDirectories?: readonly string[];
  /** Environment of commands. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As it was asked for; absent: the best that can be had. */
  readonly level: SandboxLevel | undefined;
}

export interface ToolsScope extends Omit<SandboxScope, 'level'> {
  readonly mcpServers: readonly McpServerConfig[];
  readonly skills: readonly Skill[];
  readonly web: WebAccess;
  /** As of a toolbox. */
  readonly mcpPatienceMs?: number;
  /** Default: the clock of the system. */
  readonly clock?: Clock | undefined;
}

/** A toolbox, and what walls its commands in. */
export interface OpenTools extends Toolbox {
  readonly sandbox: Sandbox;
}

/**
 * The tools in the sandbox that the flags ask for, and MCP servers. What is missing of the sandbox is said on stderr, an MCP
 * server that cannot be used is a note of the toolbox.
 *
 * @throws UsageError for a folder that cannot be used, and for a sandbox that was asked for and cannot be had
 */
export async function openTools(flags: Pick<AgentFlags, 'tools' | 'sandbox'>, scope: ToolsScope): Promise<OpenTools> {
  const { cwd, env, mcpServers, skills, web, mcpPatienceMs, clock } = scope;
  const patience = { ...(mcpPatienceMs !== undefined && { mcpPatienceMs }), ...(clock && { clock }) };
  try {
    const sandbox = await sandboxFor(flags, scope);
    return {
      ...(await openToolbox({ cwd, select: flags.tools, env, sandbox, mcpServers, skills, web, ...patience })),
      sandbox,
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--cwd: cannot work in ${cwd}: ${describeSystemError(error)}`, { cause: error });
  }
}

/** What the model's commands may do, in a few words; nothing where there are none. */
export function describeSandbox({ selection, sandbox }: OpenTools): string | undefined {
  if (selection !== 'all') return selection === 'none' ? undefined : 'no commands, only looking at files';
  if (!sandbox.works || sandbox.level === 'off') return 'none: commands have all your rights';
  return `${sandbox.level}: ${sandbox.level === 'workspace' ? 'commands write in the folder alone' : 'commands write nothing'}, no network`;
}

async function sandboxFor(
  { tools, sandbox: level }: Pick<AgentFlags, 'tools' | 'sandbox'>,
  scope: Omit<SandboxScope, 'level'>,
): Promise<Sandbox> {
  if (tools === 'none') return noSandbox();
  const sandbox = await chosenSandbox({ ...scope, level });
  if (tools === 'all') sayWhyNot(sandbox, scope);
  return sandbox;
}

/** Fails with `UsageError` when a level was asked for that cannot be had. */
export async function chosenSandbox({ level, ...scope }: SandboxScope): Promise<Sandbox> {
  const sandbox = await openSandbox({ ...scope, ...(level === undefined ? {} : { level }) });
  if (level !== undefined && level !== 'off' && !sandbox.works) {
    throw new UsageError(`--sandbox ${level}: no sandbox can be had: ${sandbox.problem ?? ''}`);
  }
  return sandbox;
}

/** Nothing when the sandbox works, or is off because the person wants it so. */
export function sayWhyNot({ problem }: Sandbox, { cli, name }: Pick<SandboxScope, 'cli' | 'name'>): void {
  if (problem === undefined) return;
  cli.stderr.write(`${name}: note: commands run without a sandbox, and fewer of them without a question: ${problem}\n`);
}
