import { resolve } from 'node:path';
import type { McpAddress, McpCredentialStore, McpProgram, McpServerConfig } from '@turnwire/agent';
import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import {
  checkKeys,
  ConfigError,
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
import { readHttpAddress } from '@turnwire/client/internal/platform/http-address';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import { requireHeaderNames, requireHeaders } from '@turnwire/client/internal/provider/provider';
import type { CliContext } from './context.ts';
import { withUsageErrors, type ConfigFile } from './config-file.ts';
import { UsageError } from './exit.ts';

const milliseconds = optional(wholeNumber({ min: 1, unit: 'milliseconds' }));
const seconds = optional(positiveNumber('seconds'));

/** Codex' own keys of `[mcp_servers.NAME]`, and times in milliseconds as everywhere else here. */
const commonKeys = [
  'enabled',
  'startup_timeout_ms',
  'tool_timeout_ms',
  'startup_timeout_sec',
  'tool_timeout_sec',
] as const;
const programKeys = ['command', 'args', 'env', 'cwd', ...commonKeys] as const;
const addressKeys = ['url', 'bearer_token_env_var', 'http_headers', 'env_http_headers', ...commonKeys] as const;
type Key = (typeof programKeys | typeof addressKeys)[number];

/** A server with an address, and the variables whose values go into its headers, by header. */
export interface McpAddressTable extends McpAddress {
  readonly headers: Readonly<Record<string, string>>;
  /** Left out when the variable is unset or blank, as a model server's. */
  readonly envHeaders: Readonly<Record<string, string>>;
  /** The variable of `Authorization: Bearer`; the server cannot be used without its value. */
  readonly bearerVariable: string | undefined;
}

/** An MCP server as its file has it: without the values of variables. */
export type McpTable = McpProgram | McpAddressTable;

/** MCP servers that may be started, and what the person should know of the others. */
export interface McpServers {
  readonly servers: readonly McpServerConfig[];
  /** One line each. */
  readonly notes: readonly string[];
  /** The variables whose values are for servers alone. */
  readonly variables: readonly string[];
}

export const NO_MCP_SERVERS: McpServers = { servers: [], notes: [], variables: [] };

/**
 * The MCP servers of a file. Those of a project are started in its folder, so that what a person says yes to does not
 * depend on where it runs.
 *
 * @throws UsageError for a table that cannot be used
 */
export function mcpServersIn(file: ConfigFile): readonly McpTable[] {
  const tables = file.toml.mcp_servers ?? {};
  if (!isObject(tables)) throw new UsageError(`${file.path}: mcp_servers must be a table of servers`);
  return withUsageErrors(() => Object.entries(tables).flatMap(([name, server]) => parseServer(name, server, file)));
}

/** The servers with the values of their variables, and with where credentials for them are. */
export function withVariables(
  tables: readonly McpTable[],
  env: CliContext['env'],
  credentials: McpCredentialStore,
): McpServers {
  const made = tables.map((table) => ('url' in table ? addressOf(table, env, credentials) : table));
  const addresses = tables.filter((table) => 'url' in table);
  return {
    servers: made.filter((server) => typeof server !== 'string'),
    notes: made.filter((server) => typeof server === 'string'),
    variables: addresses.flatMap(({ envHeaders, bearerVariable }) => [
      ...Object.values(envHeaders),
      ...(bearerVariable === undefined ? [] : [bearerVariable]),
    ]),
  };
}

/** Or why it cannot be used. */
function addressOf(
  table: McpAddressTable,
  env: CliContext['env'],
  credentials: McpCredentialStore,
): McpAddress | string {
  const { headers, envHeaders, bearerVariable, ...address } = table;
  const given = Object.entries(envHeaders).map(([header, variable]) => [header, env[variable]?.trim() ?? ''] as const);
  const bearer = bearerVariable === undefined ? undefined : (env[bearerVariable]?.trim() ?? '');
  const unused = `the MCP server ${quoteArgv([table.name])} is not used:`;
  if (bearer === '') return `${unused} the environment variable ${quoteArgv([bearerVariable ?? ''])} is not set`;
  const all = {
    ...headers,
    ...Object.fromEntries(given.filter(([, value]) => value !== '')),
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
  };
  try {
    return { ...address, headers: requireHeaders(all, unused), credentials };
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

function parseServer(name: string, value: unknown, file: ConfigFile): McpTable[] {
  const where = `${file.path}: mcp_servers.${name}`;
  const table = requireTable(value, where);
  const isAddress = table.url !== undefined;
  // Codex has more kinds of servers and keys than we need to know.
  if (file.dialect === 'turnwire') checkKeys(`${where}:`, table, keysOf(table));
  else if (table.command === undefined && !isAddress) return [];
  const at = (key: Key) => [table[key], `${where}.${key}`] as const;
  const server = isAddress ? parseAddress(at) : parseProgram(at, file);
  const enabled = optional(requireBoolean)(...at('enabled'));
  const startup = { ms: milliseconds(...at('startup_timeout_ms')), sec: seconds(...at('startup_timeout_sec')) };
  const tool = { ms: milliseconds(...at('tool_timeout_ms')), sec: seconds(...at('tool_timeout_sec')) };
  if (enabled === false) return [];
  return [{ name, ...server, startupTimeoutMs: inMs(startup), toolTimeoutMs: inMs(tool) }];
}

/** A table without either is told to have a command. */
function keysOf(table: JsonObject): readonly string[] {
  if (table.url !== undefined) return addressKeys;
  return table.command === undefined ? [...programKeys, 'url'] : programKeys;
}

type At = (key: Key) => readonly [unknown, string];

function parseProgram(at: At, { projectFolder }: ConfigFile): Omit<McpProgram, 'name'> {
  const command = requireText(...at('command'));
  const args = optional(requireStringList)(...at('args'));
  const env = optional(requireStrings)(...at('env'));
  const cwd = optional(requireString)(...at('cwd'));
  return { command, args, env, cwd: projectFolder === undefined ? cwd : resolve(projectFolder, cwd ?? '.') };
}

function parseAddress(at: At): Omit<McpAddressTable, 'name'> {
  const address = readHttpAddress(requireText(...at('url')));
  if ('wrong' in address) throw new ConfigError(`${at('url')[1]} ${address.wrong}`);
  return {
    url: address.url.href,
    bearerVariable: optional(requireText)(...at('bearer_token_env_var')),
    headers: optional(requireHeaders)(...at('http_headers')) ?? {},
    envHeaders: optional(requireHeaderNames)(...at('env_http_headers')) ?? {},
  };
}

function inMs({ ms, sec }: { readonly ms: number | undefined; readonly sec: number | undefined }): number | undefined {
  return ms ?? (sec === undefined ? undefined : Math.ceil(sec * 1000));
}
