import { Writable } from 'node:stream';
import {
  Agent,
  connectMcpServers,
  defaultInstructions,
  ThreadError,
  type AgentTool,
  type Approver,
  type McpConnections,
  type McpServerConfig,
  type StoredThread,
} from '@turnwire/agent';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { ChatBackend, OpenedAgent, OpenedProvider, OpenWhat } from '../terminal/index.ts';
import { threadStore, toolEnvironment, toolFolder, type AgentFlags } from './agent-flags.ts';
import { providersIn } from './config-file.ts';
import { Configuration } from './configuration.ts';
import { withStderr, type CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import type { OpenModel } from './model.ts';
import { openTools } from './open-tools.ts';
import { openModel } from './open-model.ts';
import type { ProviderFlags } from './provider-flags.ts';

export interface ChatBackendOptions {
  readonly cli: CliContext;
  readonly name: string;
  readonly flags: ProviderFlags & AgentFlags & { readonly maxRequests: number };
  /** Default: a text that explains the tools. */
  readonly instructions: string | undefined;
}

/** What the terminal chat stands on: model servers, tools, MCP servers, conversations on disk. */
export interface OpenBackend extends ChatBackend {
  close(): Promise<void>;
}

/** Fails with `UsageError` for flags and files that cannot be used. */
export async function openChatBackend(options: ChatBackendOptions): Promise<OpenBackend> {
  const { cli, name, flags } = options;
  const said = new Said();
  const quiet = withStderr(cli, said.stream);
  // Asks on the terminal itself, before the chat has it.
  const configuration = new Configuration(flags, cli);
  const model = await openModel(flags, { cli: quiet, configuration, name, apiKey: undefined });
  const mcpServers = flags.tools === 'all' ? await configuration.mcpServers() : { servers: [], notes: [] };
  for (const note of [...configuration.takeNotes(), ...mcpServers.notes]) said.stream.write(`${name}: note: ${note}\n`);
  const cwd = toolFolder(flags, cli);
  const sources = new Sources(
    { ...options, cli: quiet, configuration, mcpServers: mcpServers.servers },
    model,
    cwd,
    said,
  );
  return {
    provider: model.provider.name,
    model: model.provider.model,
    cwd,
    greeting: said.take(`${name}: `),
    open: (what, approver) => sources.open(what, approver),
    openProvider: (provider) => sources.openProvider(provider),
    providers: () => sources.providers(),
    threads: () => threadStore(cli).list(),
    close: () => sources.close(),
  };
}

interface SourcesOptions extends ChatBackendOptions {
  readonly configuration: Configuration;
  readonly mcpServers: readonly McpServerConfig[];
}

/** The tools and servers that all conversations of one chat share. */
class Sources {
  readonly #options: SourcesOptions;
  readonly #model: OpenModel;
  readonly #cwd: string;
  readonly #said: Said;
  readonly #models: OpenModel[];
  #tools: readonly AgentTool[] | undefined;
  #mcp: McpConnections | undefined;
  /** Of the conversation on the screen. */
  #thread: StoredThread | undefined;

  constructor(options: SourcesOptions, model: OpenModel, cwd: string, said: Said) {
    this.#options = options;
    this.#model = model;
    this.#models = [model];
    this.#cwd = cwd;
    this.#said = said;
  }

  async open(what: OpenWhat, approver: Approver): Promise<OpenedAgent> {
    const { flags, name } = this.#options;
    const { thread, notes } = await this.#openThread(what);
    await this.#thread?.release();
    this.#thread = thread;
    this.#tools ??= await this.#openTools();
    const instructions = this.#options.instructions ?? defaultInstructions({ cwd: this.#cwd, tools: flags.tools });
    const agent = new Agent({
      model: this.#model.agentModel,
      tools: this.#tools,
      approvals: flags.approve,
      approver,
      maxRequests: flags.maxRequests,
      ...(instructions === undefined ? {} : { instructions }),
      ...(thread === undefined ? {} : { thread }),
    });
    return { agent, notes: [...notes, ...this.#said.take(`${name}: note: `)] };
  }

  async openProvider(provider: string): Promise<OpenedProvider> {
    const { cli, configuration, name } = this.#options;
    const model = await openModel({ provider }, { cli, configuration, name, apiKey: undefined });
    this.#models.push(model);
    return { name: model.provider.name, port: model.agentModel, model: model.provider.model };
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
    await this.#mcp?.close();
    await this.#thread?.release();
    for (const model of this.#models) await model.close();
  }

  async #openTools(): Promise<readonly AgentTool[]> {
    const { cli, flags, name } = this.#options;
    const env = toolEnvironment(cli.env, this.#model.provider);
    const tools = await openTools(flags, { cli, name, cwd: this.#cwd, env });
    if (flags.tools !== 'all') return tools;
    this.#mcp = await connectMcpServers(this.#options.mcpServers, { cwd: this.#cwd });
    for (const warning of this.#mcp.warnings) cli.stderr.write(`${name}: note: ${visible(warning)}\n`);
    return [...tools, ...this.#mcp.tools];
  }

  async #openThread(what: OpenWhat): Promise<{ thread?: StoredThread; notes: readonly string[] }> {
    const store = threadStore(this.#options.cli);
    if (what.type === 'new') {
      const problem = await store.prepare();
      if (problem === undefined) return { thread: store.create(this.#cwd), notes: [] };
      return { notes: [`the conversation is not kept: ${problem}`] };
    }
    const open = async () => {
      if (what.type === 'fork') return store.fork(what.id);
      const thread = await store.resume(what.id === 'last' ? await store.last(this.#cwd) : what.id);
      await thread.claim();
      return thread;
    };
    const thread = await open().catch((error: unknown) => {
      if (error instanceof ThreadError) throw new UsageError(error.message, { cause: error });
      throw error;
    });
    return { thread, notes: thread.notes };
  }
}

/** What commands without a screen say on stderr: here it is shown in the transcript. */
class Said {
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
