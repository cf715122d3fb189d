import { describe, expect, it } from 'vitest';
import { mcpServersIn, withVariables } from '../../turnwire/src/cli/mcp-servers.ts';
import { McpCredentialFile } from '../../turnwire/src/cli/mcp-credentials.ts';
import { UsageError } from '../../turnwire/src/cli/exit.ts';
import type { ConfigFile } from '../../turnwire/src/cli/config-file.ts';

type Table = Readonly<Record<string, unknown>>;

function fileWith(table: unknown, about: Partial<ConfigFile> = {}): ConfigFile {
  return { path: 'c.toml', dialect: 'turnwire', sha256: '', toml: { mcp_servers: { files: table } }, ...about };
}

/** The line for the person. */
function complaint(table: unknown, about: Partial<ConfigFile> = {}): string {
  try {
    mcpServersIn(fileWith(table, about));
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'nothing';
}

describe('[mcp_servers.NAME]', () => {
  it('is read whole, in the folder of the project whose file it is', () => {
    const table = {
      command: 'node',
      args: ['server.js', ''],
      env: { A: '1' },
      cwd: 'sub',
      enabled: true,
      startup_timeout_sec: 0.25,
      tool_timeout_ms: 7,
      tool_timeout_sec: 9,
    };
    const server = { name: 'files', command: 'node', args: ['server.js', ''], env: { A: '1' } };
    const times = { startupTimeoutMs: 250, toolTimeoutMs: 7 };
    expect(mcpServersIn(fileWith(table))).toEqual([{ ...server, cwd: 'sub', ...times }]);
    expect(mcpServersIn(fileWith(table, { projectFolder: '/p' }))).toEqual([{ ...server, cwd: '/p/sub', ...times }]);
  });

  it.each<[unknown, string]>([
    ['node', ' must be a table'],
    [{}, '.command must be a string'],
    [{ command: '' }, '.command must not be empty'],
    [{ command: 'x', args: 'y' }, '.args must be a list of strings'],
    [{ command: 'x', args: ['y', 1] }, '.args.1 must be a string'],
    [{ command: 'x', env: { A: 1 } }, '.env.A must be a string'],
    [{ command: 'x', env: ['A'] }, '.env must be a table of strings'],
    [{ command: 'x', cwd: 1 }, '.cwd must be a string'],
    [{ command: 'x', enabled: 'no' }, '.enabled must be true or false'],
    [{ command: 'x', tool_timeout_ms: 0 }, '.tool_timeout_ms must be at least 1'],
    [{ command: 'x', tool_timeout_ms: 1.5 }, '.tool_timeout_ms must be a whole number of milliseconds'],
    [{ command: 'x', startup_timeout_sec: 0 }, '.startup_timeout_sec must be positive'],
    [{ command: 'x', startup_timeout_sec: NaN }, '.startup_timeout_sec must be a number of seconds'],
    [{ command: 'x', arguments: [] }, ': unknown key "arguments"; did you mean args?'],
    [{ command: 'x', bearer_token: 's' }, ': unknown key "bearer_token"'],
    [{ command: 'x', comand: 'y' }, ': unknown key "comand"; did you mean command?'],
    [{ comand: 'y' }, ': unknown key "comand"; did you mean command?'],
    [{ url: 'http://h', command: 'x' }, ': unknown key "command"'],
    [{ command: 'x', http_headers: {} }, ': unknown key "http_headers"'],
    [{ url: '' }, '.url must not be empty'],
    [{ url: 'ftp://h' }, '.url must be an http:// or https:// URL'],
    [
      { url: 'http://u:secret@h' },
      '.url must not hold a user or password: a key comes from an environment variable (--env-key, env_key)',
    ],
    [{ url: 'http://h', bearer_token_env_var: '' }, '.bearer_token_env_var must not be empty'],
    [{ url: 'http://h', http_headers: { 'a b': 'x' } }, '.http_headers has a name that no header can have'],
    [{ url: 'http://h', http_headers: { a: 'x\ny' } }, '.http_headers has a value that no header can have'],
    [{ url: 'http://h', env_http_headers: { a: 1 } }, '.env_http_headers.a must be a string'],
  ])('that cannot be used is told in one line: %j', (table, line) => {
    expect(complaint(table)).toBe(`c.toml: mcp_servers.files${line}`);
  });

  it('with an address has headers of the file and of variables', () => {
    const table = {
      url: 'https://h/mcp',
      bearer_token_env_var: 'KEY',
      http_headers: { 'x-a': 'plain' },
      env_http_headers: { 'x-b': 'B', 'x-c': 'UNSET' },
      startup_timeout_sec: 1,
    };
    const tables = mcpServersIn(fileWith(table));
    const server = { name: 'files', url: 'https://h/mcp', startupTimeoutMs: 1000, toolTimeoutMs: undefined };
    const headers = { 'x-a': 'plain', 'x-b': 'of b', authorization: 'Bearer sesame' };
    const variables = ['B', 'UNSET', 'KEY'];
    const credentials = new McpCredentialFile({ env: {}, home: '/nowhere' });
    expect(withVariables(tables, { KEY: ' sesame\n', B: 'of b' }, credentials)).toEqual({
      servers: [{ ...server, headers, credentials }],
      notes: [],
      variables,
    });
    const unused = 'the MCP server files is not used:';
    expect(withVariables(tables, { B: 'of b' }, credentials)).toEqual({
      servers: [],
      notes: [`${unused} the environment variable KEY is not set`],
      variables,
    });
    const notes = [`${unused} has a value that no header can have`];
    expect(withVariables(tables, { KEY: 'a\0b' }, credentials)).toEqual({ servers: [], notes, variables });
  });

  it.each<[Table, number, string]>([
    [{ command: 'x', bearer_token: 's' }, 1, 'nothing'],
    [{ experimental: true }, 0, 'nothing'],
    [{ command: 'x', enabled: false }, 0, 'nothing'],
    [{ command: 'x', args: [1] }, 0, 'c.toml: mcp_servers.files.args.0 must be a string'],
  ])("in Codex' own file may have keys that are not ours: %j", (table, count, line) => {
    expect(complaint(table, { dialect: 'codex' })).toBe(line);
    if (line === 'nothing') expect(mcpServersIn(fileWith(table, { dialect: 'codex' }))).toHaveLength(count);
  });
});
