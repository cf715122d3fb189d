import { resolve } from 'node:path';
import type { McpServerConfig } from '@turnwire/agent';
import { isObject } from '@turnwire/wire/internal/base/json';
import {
  checkKeys,
  optional,
  positiveNumber,
  requireBoolean,
  requireString,
  requireStringList,
  requireStrings,
  requireTable,
  requireText,
  wholeNumber,
} from '@turnwire/client/internal/provider/config-fields';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import { withUsageErrors, type ConfigFile } from './config-file.ts';
import { UsageError } from './exit.ts';

const milliseconds = optional(wholeNumber({ min: 1, unit: 'milliseconds' }));
const seconds = optional(positiveNumber('seconds'));

/** Codex' own keys of `[mcp_servers.NAME]`, and times in milliseconds as everywhere else here. */
const keys = [
  'command',
  'args',
  'env',
  'cwd',
  'enabled',
  'startup_timeout_ms',
  'tool_timeout_ms',
  'startup_timeout_sec',
  'tool_timeout_sec',
] as const;

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
  return withUsageErrors(() => ({
    servers: local.flatMap(([name, server]) => parseServer(name, server, file)),
    notes,
  }));
}

function parseServer(name: string, value: unknown, { path, dialect, projectFolder }: ConfigFile): McpServerConfig[] {
  const where = `${path}: mcp_servers.${name}`;
  const table = requireTable(value, where);
  // Codex has more kinds of servers and keys than we need to know.
  if (dialect === 'turnwire') checkKeys(`${where}:`, table, keys);
  else if (table.command === undefined) return [];
  const at = (key: (typeof keys)[number]) => [table[key], `${where}.${key}`] as const;
  const command = requireText(...at('command'));
  const args = optional(requireStringList)(...at('args'));
  const env = optional(requireStrings)(...at('env'));
  const cwd = optional(requireString)(...at('cwd'));
  const enabled = optional(requireBoolean)(...at('enabled'));
  const startup = { ms: milliseconds(...at('startup_timeout_ms')), sec: seconds(...at('startup_timeout_sec')) };
  const tool = { ms: milliseconds(...at('tool_timeout_ms')), sec: seconds(...at('tool_timeout_sec')) };
  if (enabled === false) return [];
  const folder = projectFolder === undefined ? cwd : resolve(projectFolder, cwd ?? '.');
  return [{ name, command, args, env, cwd: folder, startupTimeoutMs: inMs(startup), toolTimeoutMs: inMs(tool) }];
}

function inMs({ ms, sec }: { readonly ms: number | undefined; readonly sec: number | undefined }): number | undefined {
  return ms ?? (sec === undefined ? undefined : Math.ceil(sec * 1000));
}
