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
import type { ThreadSummary } from '@turnwire/agent/internal/thread/store';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { ModelChoice, OpenedAgent, OpenedProvider, OpenWhat } from '../terminal/backend.ts';
import { toolEnvironment, type AgentFlags } from './agent-flags.ts';
import type { CapturedOutput } from './captured-output.ts';
import { providersIn } from './config-file.ts';
import type { Configuration } from './configuration.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import type { McpServers } from './mcp-servers.ts';
import { windowOf, type OpenModel } from './model.ts';
import { openModel } from './open-model.ts';
import { describeSandbox, MCP_PATIENCE_MS, openTools, type OpenTools } from './open-tools.ts';
import type { ProviderFlags } from './provider-flags.ts';
import { findRemembered } from './remembered-server.ts';
import { threadStore } from './thread-store.ts';

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

export interface SourcesOptions extends ChatBackendOptions {
  /** The one that answers at first. */
  readonly model: OpenModel;
  /** Where the tools work. */
  readonly cwd: string;
  /** What was said on `cli.stderr`, for the transcript. */
  readonly said: CapturedOutput;
  readonly configuration: Configuration;
  readonly mcpServers: McpServers;
  readonly skills: readonly Skill[];
  readonly web: WebAccess;
  readonly projectDoc: Pick<OpenAgentOptions, 'projectDocBytes'>;
}

/** The tools and servers that all conversations of one chat share. */
export class ChatSources {
  readonly #options: SourcesOptions;
  /** The one that answers now. */
  #model: OpenModel;
  readonly #models: OpenModel[];
  #toolbox: OpenTools | undefined;
  /** The conversation on the screen. */
  #conversation: OpenedConversation | undefined;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#model = options.model;
    this.#models = [options.model];
  }

  async open(what: OpenWhat, approver: Approver, elicitor: Elicitor): Promise<OpenedAgent> {
    const provider = what.type === 'new' ? undefined : await this.#goBackTo(what.id);
    const { cli, flags, name, instructions, projectDoc, cwd, said } = this.#options;
    const toolbox = (this.#toolbox ??= await this.#openTools());
    const opened = await openAgent({
      model: await this.#model.agentModel(),
      cwd,
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
      notes: [...opened.notes, ...said.take(`${name}: note: `)],
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
    const { cli, configuration, name, cwd } = this.#options;
    if (this.#model.server.is_scripted !== true) return undefined;
    const remembered = (await findRemembered(resume, threadStore(cli), cwd))?.server;
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
    return this.#model.server.is_scripted === true ? Promise.resolve([]) : this.#model.models();
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

  /** Newest first. */
  threads(): Promise<readonly ThreadSummary[]> {
    return threadStore(this.#options.cli).list();
  }

  async close(): Promise<void> {
    await this.#toolbox?.close();
    await this.#conversation?.close();
    for (const model of this.#models) await model.close();
  }

  async #openTools(): Promise<OpenTools> {
    const { cli, flags, name, cwd, mcpServers, skills, web, clock } = this.#options;
    const env = toolEnvironment(cli.env, this.#model.provider, mcpServers.variables);
    const toolbox = await openTools(flags, {
      cli,
      name,
      cwd,
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

async function toOpened(opened: OpenModel): Promise<OpenedProvider> {
  const { name, model, contextWindow } = opened.provider;
  return { name, port: await opened.agentModel(), model, contextWindow };
}
