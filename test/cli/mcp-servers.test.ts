import { describe, expect, it } from 'vitest';
import { mcpServersIn } from '../../turnwire/src/cli/mcp-servers.ts';
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
    expect(mcpServersIn(fileWith(table))).toEqual({ servers: [{ ...server, cwd: 'sub', ...times }], notes: [] });
    const { servers } = mcpServersIn(fileWith(table, { projectFolder: '/p' }));
    expect(servers).toEqual([{ ...server, cwd: '/p/sub', ...times }]);
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
  ])('that cannot be used is told in one line: %j', (table, line) => {
    expect(complaint(table)).toBe(`c.toml: mcp_servers.files${line}`);
  });

  it.each<[Table, number, string]>([
    [{ command: 'x', bearer_token: 's' }, 1, 'nothing'],
    [{ experimental: true }, 0, 'nothing'],
    [{ command: 'x', enabled: false }, 0, 'nothing'],
    [{ command: 'x', args: [1] }, 0, 'c.toml: mcp_servers.files.args.0 must be a string'],
  ])("in Codex' own file may have keys that are not ours: %j", (table, count, line) => {
    expect(complaint(table, { dialect: 'codex' })).toBe(line);
    if (line === 'nothing') expect(mcpServersIn(fileWith(table, { dialect: 'codex' })).servers).toHaveLength(count);
  });
});
