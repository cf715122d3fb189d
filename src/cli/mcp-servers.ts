import { resolve } from 'node:path';
import { z } from 'zod';
import type { McpServerConfig } from '../agent/index.ts';
import { isObject } from '../base/json.ts';
import { quoteArgv } from '../platform/quote-argv.ts';
import type { ConfigFile } from './config-file.ts';
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

/** MCP servers that may be started, and what the person should know of the others. */
export interface McpServers {
  readonly servers: readonly McpServerConfig[];
  /** One line each. */
  readonly notes: readonly string[];
}

/**
 * The MCP servers of a file. Those of a project are started in its folder, so that what a person says yes to does not
 * depend on where it runs.
 *
 * @throws UsageError for a table that cannot be used
 */
export function mcpServersIn(file: ConfigFile): McpServers {
  const tables = file.toml.mcp_servers ?? {};
  if (!isObject(tables)) throw new UsageError(`${file.path}: mcp_servers must be a table of servers`);
  const entries = Object.entries(tables);
  const remote = entries.filter(([, server]) => isObject(server) && 'url' in server && server.enabled !== false);
  const notes = remote.map(
    ([name]) =>
      `the MCP server ${quoteArgv([name])} of ${file.path} is not used: only servers on stdin and stdout can be`,
  );
  const local = entries.filter(([, server]) => !isObject(server) || !('url' in server));
  return { servers: local.flatMap(([name, server]) => serverOf(name, server, file)), notes };
}

function serverOf(name: string, server: unknown, file: ConfigFile): McpServerConfig[] {
  // Codex has more kinds of servers and keys than we need to know.
  const shape = file.dialect === 'codex' ? z.looseObject(table.partial().shape) : table;
  const parsed = shape.safeParse(server);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = ['mcp_servers', name, ...(issue?.path ?? [])].join('.');
    throw new UsageError(`${file.path}: ${where}: ${issue?.message ?? 'cannot be used'}`);
  }
  const { command, args, env, cwd, enabled, ...times } = parsed.data;
  if (command === undefined || enabled === false) return [];
  const startupTimeoutMs = times.startup_timeout_ms ?? inMs(times.startup_timeout_sec);
  const toolTimeoutMs = times.tool_timeout_ms ?? inMs(times.tool_timeout_sec);
  const folder = file.projectFolder === undefined ? cwd : resolve(file.projectFolder, cwd ?? '.');
  return [{ name, command, args, env, cwd: folder, startupTimeoutMs, toolTimeoutMs }];
}

function inMs(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.ceil(value * 1000);
}
