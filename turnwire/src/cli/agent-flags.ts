import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { ApprovalMode, SandboxLevel, ToolSelection } from '@turnwire/agent';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { isSecretVariable } from '@turnwire/client/internal/platform/secret-names';
import { looksSecret } from '@turnwire/client/internal/platform/secret-text';
import type { CliContext } from './context.ts';
import { flag, listFlag } from './flags.ts';

/** What the model may do, and where. */
export interface AgentFlags {
  readonly tools: ToolSelection;
  readonly approve: ApprovalMode;
  /** Absent: `workspace` where a sandbox works, else `off`. */
  readonly sandbox?: SandboxLevel;
  readonly cwd?: string;
  /** False: the model is not told what the project's `AGENTS.md` files say. */
  readonly projectDoc?: boolean;
  /** Hosts of this machine or its network that `fetch_url` may read. */
  readonly allowPrivateHost?: readonly string[];
}

/** The flags of every command with an agent. */
export function addAgentFlags(command: Command, defaults: { readonly tools: ToolSelection }): Command {
  return command
    .addOption(
      new Option('--tools <which>', 'read: look at files; all: also commands, patches and MCP servers')
        .choices(['none', 'read', 'all'])
        .default(defaults.tools),
    )
    .addOption(
      new Option('--approve <how>', 'what needs approval: run nothing of it, ask (without a terminal: never), or all')
        .choices(['never', 'ask', 'always'])
        .default('ask'),
    )
    .addOption(sandboxFlag())
    .addOption(noProjectDocFlag())
    .addOption(privateHostFlag())
    .addOption(flag('--cwd <dir>', 'the folder that the tools work in', 'the current one'));
}

export function noProjectDocFlag(): Option {
  return flag('--no-project-doc', "do not tell the model what the project's AGENTS.md files say", 'it is told');
}

export function privateHostFlag(): Option {
  return listFlag('--allow-private-host <host>', 'a host of your network that fetch_url may read, repeatable');
}

export function sandboxFlag(): Option {
  return new Option(
    '--sandbox <level>',
    'what approved commands may write: read-only: nothing; workspace: the working directory; off: no sandbox (default: workspace where a sandbox works)',
  ).choices(['off', 'read-only', 'workspace']);
}

/** The folder that the tools work in, absolute. */
export function toolFolder(flags: Pick<AgentFlags, 'cwd'>, cli: CliContext): string {
  return resolve(cli.cwd, flags.cwd ?? '.');
}

/**
 * The environment of the model's commands: ours, without what the provider's configuration and MCP servers' (`mcpVariables`) name as a secret, what its
 * own name says is one, and what looks like one (an address with a password, say).
 */
export function toolEnvironment(
  env: CliContext['env'],
  provider: Pick<ProviderConfig, 'envKey' | 'envHttpHeaders'>,
  mcpVariables: readonly string[] = [],
): Record<string, string | undefined> {
  const named = new Set([provider.envKey, ...Object.values(provider.envHttpHeaders), ...mcpVariables]);
  const held = (name: string, value: string): boolean =>
    named.has(name) || isSecretVariable(name) || looksSecret(value);
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => !held(name, value ?? '')));
}
