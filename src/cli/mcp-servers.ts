import { join } from 'node:path';
import { z } from 'zod';
import type { ApprovalMode, Approver, McpServerConfig } from '../agent/index.ts';
import { readToml } from './config-file.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';

const milliseconds = z.int('must be a whole number of milliseconds').min(1, 'must be at least 1');
const seconds = z.number('must be a number of seconds').positive('must be positive');

/** Codex' own keys of `[mcp_servers.NAME]`, and times in milliseconds as everywhere else here. */
const table = z.strictObject({
  command: z.string('must be a string').min(1, 'must not be empty'),
  args: z.array(z.string('must be a string')).optional(),
  env: z.record(z.string(), z.string('must be a string')).optional(),
  cwd: z.string('must be a string').optional(),
  enabled: z.boolean('must be true or false').optional(),
  startup_timeout_ms: milliseconds.optional(),
  tool_timeout_ms: milliseconds.optional(),
  startup_timeout_sec: seconds.optional(),
  tool_timeout_sec: seconds.optional(),
});

export interface McpOptions {
  readonly cli: CliContext;
  readonly codexConfig: boolean;
  readonly approvals: ApprovalMode;
  readonly approver: Approver | undefined;
  /** How messages on stderr begin. */
  readonly name: string;
}

/**
 * The MCP servers of the configuration files that may be started. Those of a project's `turnwire.toml` are commands of
 * whoever wrote the project: they need approval like any other command.
 *
 * @throws UsageError for a table that cannot be used
 */
export async function mcpServersFor(options: McpOptions): Promise<readonly McpServerConfig[]> {
  const { cli, codexConfig } = options;
  if (codexConfig) return serversOf(join(cli.home, '.codex', 'config.toml'), 'codex');
  const configHome = cli.env.XDG_CONFIG_HOME;
  const folder = configHome === undefined || configHome === '' ? join(cli.home, '.config') : configHome;
  const own = await serversOf(join(folder, 'turnwire', 'config.toml'), 'turnwire');
  const projects = await serversOf(join(cli.cwd, 'turnwire.toml'), 'turnwire');
  const allowed: McpServerConfig[] = [];
  for (const server of projects) if (await mayStart(server, options)) allowed.push(server);
  const names = new Set(allowed.map((server) => server.name));
  return [...allowed, ...own.filter((server) => !names.has(server.name))];
}

async function mayStart(server: McpServerConfig, { cli, approvals, approver, name }: McpOptions): Promise<boolean> {
  if (approvals === 'always') return true;
  if (approvals === 'ask' && approver !== undefined) {
    const title = [server.command, ...(server.args ?? [])].join(' ');
    const reason = `the project's turnwire.toml starts the MCP server ${server.name}`;
    const request = { approvalId: 'mcp', callId: 'mcp', name: 'MCP server', title, reason, rules: [] };
    return (await approver(request, { signal: new AbortController().signal })).type !== 'deny';
  }
  cli.stderr.write(
    `${name}: note: the MCP server ${server.name} of the project's turnwire.toml needs approval; it is not started\n`,
  );
  return false;
}

async function serversOf(path: string, dialect: 'turnwire' | 'codex'): Promise<readonly McpServerConfig[]> {
  const tables = (await readToml(path))?.mcp_servers;
  if (tables === undefined) return [];
  // Codex has more kinds of servers and keys than we need to know.
  const shape =
    dialect === 'codex' ? z.record(z.string(), z.looseObject(table.partial().shape)) : z.record(z.string(), table);
  const parsed = shape.safeParse(tables);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(`${path}: mcp_servers.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'cannot be used'}`);
  }
  return Object.entries(parsed.data).flatMap(([name, { command, args, env, cwd, enabled, ...times }]) => {
    if (command === undefined || enabled === false) return [];
    const startupTimeoutMs = times.startup_timeout_ms ?? inMs(times.startup_timeout_sec);
    const toolTimeoutMs = times.tool_timeout_ms ?? inMs(times.tool_timeout_sec);
    return [{ name, command, args, env, cwd, startupTimeoutMs, toolTimeoutMs }];
  });
}

function inMs(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.ceil(value * 1000);
}
