import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import type { McpAddress } from '@turnwire/agent';
import { signIn } from '@turnwire/agent/internal/mcp/sign-in';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import { visible } from '@turnwire/wire/internal/base/printable';
import { askYes } from './ask.ts';
import { canAsk } from './ask-line.ts';
import type { CommandScope } from './command-scope.ts';
import { Configuration, type ConfigurationFlags } from './configuration.ts';
import type { CliContext } from './context.ts';
import { exitCode, UsageError } from './exit.ts';
import { createCommand, flag } from './flags.ts';
import { McpCredentialFile } from './mcp-credentials.ts';
import { codexProfileFlag, trustProjectFlag } from './provider-flags.ts';
import { proxyFromEnv } from './proxy.ts';
import { withSubcommands } from './subcommands.ts';

/** What can be done with the MCP servers of the configuration beside using them. */
export function createMcpCommand(scope: CommandScope): Command {
  const command = createCommand('turnwire mcp', 'Signs in at MCP servers, and lists them.', examples.login);
  return withSubcommands(command, [createLoginCommand, createLogoutCommand, createListCommand], scope);
}

const examples = {
  login: 'turnwire mcp login tickets',
  logout: 'turnwire mcp logout tickets',
  list: 'turnwire mcp list',
};

function createLoginCommand({ cli, done }: CommandScope): Command {
  const command = createCommand('login', 'Signs in at an MCP server with OAuth, in the browser.', examples.login);
  return withFlags(command.argument('<name>', 'a server with a url')).action(
    async (name: string, flags: ConfigurationFlags) => {
      const server = await findServer(name, flags, cli);
      const ending = new AbortController();
      const stop = cli.onSignal('SIGINT', () => ending.abort());
      try {
        const present = (page: URL): Promise<void> => presentPage(cli, page);
        const credentials = await signIn(server, {
          present,
          proxy: proxyFromEnv(cli.env),
          signal: ending.signal,
          clock: systemClock,
        });
        await new McpCredentialFile(cli).write(server.url, credentials);
      } finally {
        stop();
      }
      cli.stderr.write(`turnwire mcp: signed in at ${quoteArgv([name])}\n`);
      done(exitCode.done);
    },
  );
}

function createLogoutCommand({ cli, done }: CommandScope): Command {
  const command = createCommand('logout', 'Forgets the sign-in at an MCP server.', examples.logout);
  return withFlags(command.argument('<name>', 'a server with a url')).action(
    async (name: string, flags: ConfigurationFlags) => {
      const { url } = await findServer(name, flags, cli);
      await new McpCredentialFile(cli).write(url, undefined);
      cli.stderr.write(`turnwire mcp: the sign-in at ${quoteArgv([name])} is forgotten here\n`);
      done(exitCode.done);
    },
  );
}

function createListCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand('list', 'Lists the MCP servers of the configuration.', examples.list);
  return withFlags(command).action(async (flags: ConfigurationFlags) => {
    const configuration = new Configuration(flags, cli);
    const { servers, notes } = await configuration.mcpServers();
    for (const note of [...configuration.takeNotes(), ...notes]) cli.stderr.write(`turnwire mcp: note: ${note}\n`);
    const file = new McpCredentialFile(cli);
    for (const server of servers) {
      const name = quoteArgv([server.name]);
      if ('url' in server) {
        const isSignedIn = (await file.read(server.url)) !== undefined;
        await out.write(`${name}\t${server.url}${isSignedIn ? '\tsigned in' : ''}\n`);
      } else await out.write(`${name}\t${quoteArgv([server.command, ...(server.args ?? [])])}\n`);
    }
    done(exitCode.done);
  });
}

function withFlags(command: Command): Command {
  return command
    .addOption(flag('--codex-config', 'read ~/.codex/config.toml instead of turnwire.toml', 'off'))
    .addOption(codexProfileFlag())
    .addOption(trustProjectFlag());
}

async function findServer(name: string, flags: ConfigurationFlags, cli: CliContext): Promise<McpAddress> {
  const configuration = new Configuration(flags, cli);
  const { servers, notes } = await configuration.mcpServers();
  for (const note of [...configuration.takeNotes(), ...notes]) cli.stderr.write(`turnwire mcp: note: ${note}\n`);
  const found = servers.find((server) => server.name === name);
  if (found === undefined) throw new UsageError(`no MCP server ${quoteArgv([name])} in the configuration`);
  if (!('url' in found))
    throw new UsageError(`the MCP server ${quoteArgv([name])} is a program: nobody signs in there`);
  return found;
}

/** The address is shown in any case: the browser may be on another machine. */
async function presentPage(cli: CliContext, page: URL): Promise<void> {
  cli.stderr.write(`Sign in at this page:\n\n  ${visible(page.href)}\n\n`);
  if (process.platform === 'win32' || !canAsk(cli)) return;
  if (!(await askYes(cli, `Open it (${page.host}) in the browser?`))) return;
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const browser = spawn(opener, [page.href], { stdio: 'ignore', detached: true });
  browser.on('error', () => cli.stderr.write(`turnwire mcp: note: there is no ${opener}: open the page yourself\n`));
  browser.unref();
}
