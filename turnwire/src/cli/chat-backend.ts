import { sep } from 'node:path';
import type { ChatBackend } from '../terminal/backend.ts';
import { toolFolder } from './agent-flags.ts';
import { CapturedOutput } from './captured-output.ts';
import type { ChatBackendOptions, ChatSources } from './chat-sources.ts';
import { Configuration } from './configuration.ts';
import { withStderr, type CliContext } from './context.ts';
import { NO_MCP_SERVERS } from './mcp-servers.ts';
import { openModel } from './open-model.ts';
import { findRemembered, type Remembered } from './remembered-server.ts';
import { usableCommands, usableSkills } from './usable-texts.ts';
import { version } from './version.ts';

/** What the terminal chat stands on: model servers, tools, MCP servers, conversations on disk. */
export interface OpenBackend extends ChatBackend {
  close(): Promise<void>;
}

/** Fails with `UsageError` for flags and files that cannot be used. */
export async function openChatBackend(options: ChatBackendOptions): Promise<OpenBackend> {
  const { cli, name, flags, resume } = options;
  const said = new CapturedOutput();
  const quiet = withStderr(cli, said.stream);
  // Asks on the terminal itself, before the chat has it.
  const configuration = new Configuration(flags, cli);
  const cwd = toolFolder(flags, cli);
  const found = resume === undefined ? undefined : await findThread(resume, cli, cwd);
  const opening = { cli: quiet, configuration, name, apiKey: undefined, remembered: found?.server };
  const model = await openModel(flags, opening);
  const mcpServers = flags.tools === 'all' ? await configuration.mcpServers() : NO_MCP_SERVERS;
  const web = await configuration.webAccess(flags);
  const projectDoc = await configuration.projectDoc(flags);
  const prompts = await usableCommands(flags, cli);
  const skills = flags.tools === 'none' ? { texts: [], notes: [] } : await usableSkills(flags, cli);
  for (const note of [...configuration.takeNotes(), ...mcpServers.notes, ...prompts.notes, ...skills.notes])
    said.stream.write(`${name}: note: ${note}\n`);
  const rest = { cli: quiet, model, cwd, said, configuration, mcpServers, web, projectDoc, skills: skills.texts };
  let loading: Promise<ChatSources> | undefined;
  const load = async (): Promise<ChatSources> => {
    // The agent, its tools and what speaks to the server: some 300 files, which are read once one can type.
    const { ChatSources } = await import('./chat-sources.ts');
    return new ChatSources({ ...options, ...rest });
  };
  const sources = (): Promise<ChatSources> => (loading ??= load());
  return {
    provider: model.provider.name,
    model: model.provider.model,
    contextWindow: model.provider.contextWindow,
    cwd,
    folder: shortFolder(cwd, cli.home),
    version,
    commands: prompts.texts,
    greeting: said.take(`${name}: `),
    open: async (what, approver, elicitor) => (await sources()).open(what, approver, elicitor),
    openProvider: async (provider) => (await sources()).openProvider(provider),
    models: async () => (await sources()).models(),
    providers: async () => (await sources()).providers(),
    runCommand: async (command, run) => (await sources()).runCommand(command, run),
    threads: async () => (await sources()).threads(),
    async close() {
      await (loading === undefined ? model : await loading).close();
    },
  };
}

async function findThread(resume: string, cli: CliContext, cwd: string): Promise<Remembered | undefined> {
  const { threadStore } = await import('./thread-store.ts');
  return findRemembered(resume, threadStore(cli), cwd);
}

/** With `~` for the folder of the person. */
function shortFolder(path: string, home: string): string {
  if (path === home) return '~';
  return path.startsWith(home + sep) ? `~${path.slice(home.length)}` : path;
}
