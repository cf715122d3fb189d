import { join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { ThreadStore, type ApprovalMode, type ToolSelection } from '../agent/index.ts';
import type { CliContext } from './context.ts';
import { flag } from './flags.ts';

/** What the model may do, and where. */
export interface AgentFlags {
  readonly tools: ToolSelection;
  readonly approve: ApprovalMode;
  readonly cwd?: string;
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
    .addOption(flag('--cwd <dir>', 'the folder that the tools work in', 'the current one'));
}

/** The folder that the tools work in, absolute. */
export function toolFolder(flags: Pick<AgentFlags, 'cwd'>, cli: CliContext): string {
  return resolve(cli.cwd, flags.cwd ?? '.');
}

/** Where conversations are kept: `$XDG_STATE_HOME/turnwire/threads`, else below `~/.local/state`. */
export function threadStore(cli: CliContext): ThreadStore {
  const state = cli.env.XDG_STATE_HOME;
  const folder = state === undefined || state === '' ? join(cli.home, '.local', 'state') : state;
  return new ThreadStore(join(folder, 'turnwire', 'threads'));
}

/** Names of variables that hold secrets, as far as a name tells. */
const SECRET = /KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL/i;

/** The environment of the model's commands: ours, without what looks like a secret. */
export function toolEnvironment(
  env: CliContext['env'],
  keyName: string | undefined,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== keyName && !SECRET.test(name)));
}
