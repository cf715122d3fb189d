import { isAbsolute } from 'node:path';
import {
  agent as createApp,
  PROTOCOL_VERSION,
  RequestError,
  type AgentApp,
  type AgentContext,
  type McpServer,
} from '@agentclientprotocol/sdk';
import {
  openAgent,
  openToolbox,
  ThreadError,
  type Conversation,
  type McpServerConfig,
  type ModelPort,
  type RequestOptions,
  type Sandbox,
  type ThreadStore,
  type Toolbox,
} from '@turnwire/agent';
import { isModeId, modeState } from './modes.ts';
import { AcpSession } from './session.ts';

export interface AcpAgentOptions {
  readonly model: ModelPort;
  readonly threads: ThreadStore;
  /** Version of turnwire, for the editor. */
  readonly version: string;
  /** Environment of the model's commands. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What walls the commands of a session in. Default: the one that `createTools` finds. */
  readonly openSandbox?: (cwd: string) => Promise<Sandbox>;
  readonly request?: RequestOptions;
  /** Default: a text that explains the tools. */
  readonly instructions?: string;
  /** Requests in one turn. Default: the agent's. */
  readonly maxRequests?: number;
  /** In tokens. */
  readonly contextWindow?: number;
  /** How much of the project's `AGENTS.md` files the model is told, in bytes; 0: nothing. Default: the agent's. */
  readonly projectDocBytes?: number;
  /** MCP servers of the configuration; the editor's own come on top. */
  readonly mcpServers?: readonly McpServerConfig[];
  /** What the person should know of the configuration, one line each: sent at the first prompt of a session. */
  readonly notes?: readonly string[];
}

export interface AcpAgent {
  /** Connect it to a stream (`ndJsonStream` on stdio) or, in a test, to a client app. One connection only. */
  readonly app: AgentApp;
  /** Resolves when the connection was closed and every session after it: its tools ended, its turn written down. */
  readonly ended: Promise<unknown>;
}

/**
 * An agent for editors: the Agent Client Protocol, version 1.
 *
 * @example
 * ```ts
 * import { Readable, Writable } from 'node:stream';
 * import { ndJsonStream } from '@agentclientprotocol/sdk';
 *
 * const { app, ended } = createAcpAgent({ model, threads, version: '1.0.0' });
 * app.connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
 * await ended;
 * ```
 */
export function createAcpAgent(options: AcpAgentOptions): AcpAgent {
  const sessions = new Sessions(options);
  const ended = Promise.withResolvers<undefined>();
  const app = createApp({ name: 'turnwire' })
    .onRequest('initialize', () => ({
      protocolVersion: PROTOCOL_VERSION,
      agentInfo: { name: 'turnwire', title: 'turnwire', version: options.version },
      agentCapabilities: {
        loadSession: true,
        promptCapabilities: { image: true, embeddedContext: true },
        sessionCapabilities: { list: {}, close: {} },
      },
      authMethods: [],
    }))
    .onRequest('authenticate', () => ({}))
    .onRequest('session/new', async ({ params, client }) => {
      const { id, session } = await sessions.create(params.cwd, params.mcpServers, client);
      return { sessionId: id, modes: modeState(session.mode) };
    })
    .onRequest('session/load', async ({ params, client }) => {
      const session = await sessions.load(params.sessionId, params.cwd, params.mcpServers, client);
      await session.tellHistory();
      return { modes: modeState(session.mode) };
    })
    .onRequest('session/list', ({ params }) => sessions.list(params.cwd ?? undefined))
    .onRequest('session/set_mode', ({ params }) => {
      if (!isModeId(params.modeId)) throw RequestError.invalidParams(undefined, `there is no mode "${params.modeId}"`);
      sessions.get(params.sessionId).setMode(params.modeId);
      return {};
    })
    .onRequest('session/prompt', ({ params, signal }) => sessions.get(params.sessionId).prompt(params.prompt, signal))
    .onNotification('session/cancel', ({ params }) => sessions.find(params.sessionId)?.cancel())
    .onRequest('session/close', async ({ params }) => {
      await sessions.close(params.sessionId);
      return {};
    })
    .onConnect(
      (connection) => void connection.closed.then(() => sessions.closeAll()).then(() => ended.resolve(undefined)),
    );
  return { app, ended: ended.promise };
}

class Sessions {
  readonly #options: AcpAgentOptions;
  readonly #sessions = new Map<string, AcpSession>();

  constructor(options: AcpAgentOptions) {
    this.#options = options;
  }

  find(id: string): AcpSession | undefined {
    return this.#sessions.get(id);
  }

  get(id: string): AcpSession {
    const session = this.find(id);
    if (session === undefined) throw RequestError.sessionNotFound(id);
    return session;
  }

  async create(
    cwd: string,
    servers: readonly McpServer[],
    client: AgentContext,
  ): Promise<{ id: string; session: AcpSession }> {
    const session = await this.#open({ type: 'new' }, cwd, servers, client);
    return { id: session.id, session };
  }

  async load(id: string, cwd: string, servers: readonly McpServer[], client: AgentContext): Promise<AcpSession> {
    try {
      // First, so that what its turn still had to say is read.
      await this.close(id);
      return await this.#open({ type: 'resume', id }, cwd, servers, client);
    } catch (error) {
      if (!(error instanceof ThreadError)) throw error;
      if (error.problem === 'not_found') throw RequestError.sessionNotFound(id);
      throw RequestError.invalidRequest(undefined, error.message);
    }
  }

  async list(cwd: string | undefined) {
    const threads = await this.#options.threads.list();
    return {
      sessions: threads
        .filter((thread) => cwd === undefined || thread.cwd === cwd)
        .map((thread) => ({
          sessionId: thread.id,
          cwd: thread.cwd,
          title: thread.preview,
          updatedAt: thread.updatedAt,
        })),
    };
  }

  async close(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    await session?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.allSettled([...this.#sessions.keys()].map((id) => this.close(id)));
  }

  async #open(
    conversation: Conversation,
    cwd: string,
    servers: readonly McpServer[],
    client: AgentContext,
  ): Promise<AcpSession> {
    if (!isAbsolute(cwd)) throw RequestError.invalidParams(undefined, 'cwd must be an absolute path');
    const { model, threads, request, instructions, maxRequests, projectDocBytes, contextWindow } = this.#options;
    const opened = await openAgent({
      model,
      cwd,
      threads,
      conversation,
      toolbox: () => toolboxFor(cwd, servers, this.#options),
      approver: (question, options) => session.ask(question, options),
      ...(instructions === undefined ? {} : { instructions }),
      ...(request === undefined ? {} : { request }),
      ...(maxRequests === undefined ? {} : { maxRequests }),
      ...(projectDocBytes === undefined ? {} : { projectDocBytes }),
      ...(contextWindow === undefined ? {} : { contextWindow }),
    });
    const session: AcpSession = new AcpSession({ client, opened, notes: this.#options.notes ?? [] });
    this.#sessions.set(session.id, session);
    return session;
  }
}

async function toolboxFor(cwd: string, servers: readonly McpServer[], options: AcpAgentOptions): Promise<Toolbox> {
  const { env, openSandbox, mcpServers = [] } = options;
  try {
    const sandbox = await openSandbox?.(cwd);
    return await openToolbox({
      cwd,
      mcpServers: [...mcpServers, ...servers.flatMap(toConfig)],
      ...(env === undefined ? {} : { env }),
      ...(sandbox === undefined ? {} : { sandbox }),
    });
  } catch (error) {
    // Of the system; or of the sandbox that was asked for.
    const why = error instanceof Error && !('code' in error) ? error.message : 'no such folder';
    throw RequestError.invalidParams(undefined, `cannot work in ${cwd}: ${why}`);
  }
}

/** Servers on HTTP are not offered by `initialize`, so an editor sends none. */
function toConfig(server: McpServer): McpServerConfig[] {
  if (!('command' in server)) return [];
  const env = Object.fromEntries(server.env.map(({ name, value }) => [name, value]));
  return [{ name: server.name, command: server.command, args: server.args, env }];
}
