import { sep } from 'node:path';
import { Writable } from 'node:stream';
import {
  openAgent,
  ThreadError,
  type Approver,
  type Elicitor,
  type OpenAgentOptions,
  type OpenedAgent as OpenedConversation,
  type ToolResult,
  type ToolRun,
  type WebAccess,
} from '@turnwire/agent';
import type { Skill } from '@turnwire/agent/internal/project/skills';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { ChatBackend, ModelChoice, OpenedAgent, OpenedProvider, OpenWhat } from '../terminal/index.ts';
import { threadStore, toolEnvironment, toolFolder, type AgentFlags } from './agent-flags.ts';
import { providersIn } from './config-file.ts';
import { Configuration } from './configuration.ts';
import { withStderr, type CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import { NO_MCP_SERVERS, type McpServers } from './mcp-servers.ts';
import { windowOf, type OpenModel } from './model.ts';
import { describeSandbox, MCP_PATIENCE_MS, openTools, type OpenTools } from './open-tools.ts';
import { openModel } from './open-model.ts';
import { usableCommands, usableSkills } from './usable-texts.ts';
import type { ProviderFlags } from './provider-flags.ts';
import { version } from './version.ts';
import { findRemembered } from './remembered-server.ts';

export interface ChatBackendOptions {
  readonly cli: CliContext;
  readonly name: string;
  readonly flags: ProviderFlags & AgentFlags & { readonly maxRequests: number };
  /** Default: a text that explains the tools. */
  readonly instructions: string | undefined;
  /** The conversation that is opened first: `last`, or its id. Its server is the one where flags name none. */
  readonly resume?: string | undefined;
  /** Of the tools and of the wait for MCP servers. Default: the clock of the system. */
  readonly clock?: Clock;
}

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
  const found = resume === undefined ? undefined : await findRemembered(resume, threadStore(cli), cwd);
  const opening = { cli: quiet, configuration, name, apiKey: undefined, remembered: found?.server };
  const model = await openModel(flags, opening);
  const mcpServers = flags.tools === 'all' ? await configuration.mcpServers() : NO_MCP_SERVERS;
  const web = await configuration.webAccess(flags);
  const projectDoc = await configuration.projectDoc(flags);
  const prompts = await usableCommands(flags, cli);
  const skills = flags.tools === 'none' ? { texts: [], notes: [] } : await usableSkills(flags, cli);
  for (const note of [...configuration.takeNotes(), ...mcpServers.notes, ...prompts.notes, ...skills.notes])
    said.stream.write(`${name}: note: ${note}\n`);
  const sources = new Sources(
    { ...options, cli: quiet, configuration, mcpServers, web, projectDoc, skills: skills.texts },
    model,
    cwd,
    said,
  );
  return {
    provider: model.provider.name,
    model: model.provider.model,
    contextWindow: model.provider.contextWindow,
    cwd,
    folder: shortFolder(cwd, cli.home),
    version,
    commands: prompts.texts,
    greeting: said.take(`${name}: `),
    open: (what, approver, elicitor) => sources.open(what, approver, elicitor),
    openProvider: (provider) => sources.openProvider(provider),
    models: () => sources.models(),
    providers: () => sources.providers(),
    runCommand: (command, run) => sources.runCommand(command, run),
    threads: () => threadStore(cli).list(),
    close: () => sources.close(),
  };
}

interface SourcesOptions extends ChatBackendOptions {
  readonly configuration: Configuration;
  readonly mcpServers: McpServers;
  readonly skills: readonly Skill[];
  readonly web: WebAccess;
  readonly projectDoc: Pick<OpenAgentOptions, 'projectDocBytes'>;
}

/** The tools and servers that all conversations of one chat share. */
class Sources {
  readonly #options: SourcesOptions;
  /** The one that answers now. */
  #model: OpenModel;
  readonly #cwd: string;
  readonly #said: CapturedOutput;
  readonly #models: OpenModel[];
  #toolbox: OpenTools | undefined;
  /** The conversation on the screen. */
  #conversation: OpenedConversation | undefined;

  constructor(options: SourcesOptions, model: OpenModel, cwd: string, said: CapturedOutput) {
    this.#options = options;
    this.#model = model;
    this.#models = [model];
    this.#cwd = cwd;
    this.#said = said;
  }

  async open(what: OpenWhat, approver: Approver, elicitor: Elicitor): Promise<OpenedAgent> {
    const provider = what.type === 'new' ? undefined : await this.#goBackTo(what.id);
    const { cli, flags, name, instructions, projectDoc } = this.#options;
    const toolbox = (this.#toolbox ??= await this.#openTools());
    const opened = await openAgent({
      model: this.#model.agentModel,
      cwd: this.#cwd,
      threads: threadStore(cli),
      conversation: what,
      toolbox,
      approvals: flags.approve,
      approver,
      elicitor,
      maxRequests: flags.maxRequests,
      ...projectDoc,
      ...windowOf(this.#model.provider),
      ...(instructions === undefined ? {} : { instructions }),
    }).catch((error: unknown) => {
      if (error instanceof ThreadError) throw new UsageError(error.message, { cause: error });
      throw error;
    });
    await this.#conversation?.close();
    this.#conversation = opened;
    return {
      agent: opened.agent,
      ...withSandbox(describeSandbox(toolbox)),
      ...(provider && { provider }),
      notes: [...opened.notes, ...this.#said.take(`${name}: note: `)],
    };
  }

  async openProvider(provider: string): Promise<OpenedProvider> {
    const { cli, configuration, name } = this.#options;
    const model = await openModel({ provider }, { cli, configuration, name, apiKey: undefined });
    this.#use(model);
    return toOpened(model);
  }

  /** While the answers are scripted, a conversation that was with a real server brings that server back. */
  async #goBackTo(resume: string): Promise<OpenedProvider | undefined> {
    const { cli, configuration, name } = this.#options;
    if (this.#model.agentModel.server?.is_scripted !== true) return undefined;
    const remembered = (await findRemembered(resume, threadStore(cli), this.#cwd))?.server;
    if (remembered === undefined || remembered.is_scripted === true) return undefined;
    const model = await openModel({}, { cli, configuration, name, apiKey: undefined, remembered });
    this.#use(model);
    return toOpened(model);
  }

  #use(model: OpenModel): void {
    this.#model = model;
    this.#models.push(model);
  }

  /** By the model's own tool, so in its sandbox; without a question, for who would be asked has typed it. */
  async runCommand(command: string, run: ToolRun): Promise<ToolResult> {
    const toolbox = (this.#toolbox ??= await this.#openTools());
    const shell = toolbox.tools().find(({ name }) => name === 'shell');
    if (shell === undefined)
      throw new UsageError('there are no commands: the chat was started with other --tools than all');
    const plan = await shell.plan({ type: 'json', value: { command } }, run);
    return plan.run(run);
  }

  /** Of the server that answers now. The scripted one takes any name. */
  models(): Promise<readonly ModelChoice[]> {
    return this.#model.agentModel.server?.is_scripted === true ? Promise.resolve([]) : this.#model.models();
  }

  async providers(): Promise<readonly string[]> {
    const names: string[] = [];
    for (const file of (await this.#options.configuration.providerFiles()).files) {
      try {
        names.push(...providersIn(file).providers.keys());
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
    }
    return [...new Set(names)];
  }

  async close(): Promise<void> {
    await this.#toolbox?.close();
    await this.#conversation?.close();
    for (const model of this.#models) await model.close();
  }

  async #openTools(): Promise<OpenTools> {
    const { cli, flags, name, mcpServers, skills, web, clock } = this.#options;
    const env = toolEnvironment(cli.env, this.#model.provider, mcpServers.variables);
    const toolbox = await openTools(flags, {
      cli,
      name,
      cwd: this.#cwd,
      env,
      mcpServers: mcpServers.servers,
      skills,
      web,
      mcpPatienceMs: MCP_PATIENCE_MS,
      clock,
    });
    for (const note of toolbox.notes) cli.stderr.write(`${name}: note: ${visible(note)}\n`);
    return toolbox;
  }
}

function withSandbox(sandbox: string | undefined): Pick<OpenedAgent, 'sandbox'> {
  return sandbox === undefined ? {} : { sandbox };
}

/** With `~` for the folder of the person. */
function shortFolder(path: string, home: string): string {
  if (path === home) return '~';
  return path.startsWith(home + sep) ? `~${path.slice(home.length)}` : path;
}

function toOpened({ provider: { name, model, contextWindow }, agentModel: port }: OpenModel): OpenedProvider {
  return { name, port, model, contextWindow };
}

/** What commands without a screen say on stderr: here it is shown in the transcript. */
class CapturedOutput {
  #text = '';
  readonly stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      this.#text += chunk.toString('utf8');
      done();
    },
  });

  /** The lines since the last call, without `prefix`. */
  take(prefix: string): string[] {
    const lines = this.#text.split('\n').filter((line) => line !== '');
    this.#text = '';
    return lines.map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line));
  }
}
