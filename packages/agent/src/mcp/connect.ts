import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type { ProxyOptions } from '@turnwire/client';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { AgentTool } from '../tool.ts';
import { McpCalls } from './calls.ts';
import type { McpServerConfig } from './config.ts';
import { openMcpAddress } from './http.ts';
import { mcpTool, type ListedTool } from './mcp-tool.ts';
import { withOwnSignal } from './own-signal.ts';
import { McpServerProcess, type McpCaller } from './server.ts';
import { McpServerSession } from './server-session.ts';
import { startMcpProgram } from './stdio.ts';

/** The servers that are running, and those that are still starting. */
export interface McpConnections {
  /** The tools of all servers that are up: more, once another one is. */
  readonly tools: readonly AgentTool[];
  /** One line per server that could not be used, or was not up in time. */
  readonly warnings: readonly string[];
  /** Calls `listener` for each server that was not up in time, once it is, or cannot be used: what the person should know then. */
  onLate(listener: (notes: readonly string[]) => void): void;
  /** Ends the servers. */
  close(): Promise<void>;
}

/** How MCP servers are started. */
export interface McpOptions {
  /** The session's working directory. */
  readonly cwd: string;
  /** Aborting it gives up on servers that are still starting. Without one they have their startup timeout. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which servers that are still starting are not waited for: they join later. Default: all are waited for. */
  readonly patienceMs?: number | undefined;
  /** Proxies on the way to servers with an address. Default: none. */
  readonly proxy?: ProxyOptions | undefined;
  /** Default: the clock of the system. */
  readonly clock?: Clock | undefined;
}

const STARTUP_MS = 10_000;
const TOOL_MS = 120_000;
const MAX_TOOLS = 200;

/** Starts all servers at once. Never rejects: what cannot be used is a warning, and the rest works. */
export async function connectMcpServers(
  configs: readonly McpServerConfig[],
  options: McpOptions,
): Promise<McpConnections> {
  const starting = new StartingServers(configs, options);
  await starting.inTime(options);
  const { doubled } = withoutDoubles(starting.tools);
  const warnings = [...starting.warnings, ...doubled];
  starting.beginLate();
  return {
    get tools() {
      return withoutDoubles(starting.tools).tools;
    },
    warnings,
    onLate: (listener) => starting.onLate(listener),
    close: () => starting.close(),
  };
}

/** All servers of a session, in the order of their configuration, whichever is up first. */
class StartingServers {
  readonly #names: readonly string[];
  readonly #up: (ConnectedServer | undefined)[];
  readonly #connecting: readonly Promise<ConnectedServer>[];
  readonly #ending = new AbortController();
  #unheard: readonly string[] = [];
  readonly #listeners: ((notes: readonly string[]) => void)[] = [];

  constructor(configs: readonly McpServerConfig[], options: McpOptions) {
    const ends = [this.#ending.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const signal = AbortSignal.any(ends);
    this.#names = configs.map(({ name }) => name);
    this.#up = configs.map(() => undefined);
    this.#connecting = configs.map(async (config, at) => {
      const { cwd, proxy, clock = systemClock } = options;
      const server = await withOwnSignal(signal, (own) => connectOne(config, { cwd, proxy, clock, signal: own }));
      this.#up[at] = server;
      this.#tell(server.warnings);
      return server;
    });
  }

  get tools(): readonly AgentTool[] {
    return this.#up.flatMap((server) => server?.tools ?? []);
  }

  get warnings(): readonly string[] {
    return this.#up.flatMap(
      (server, at) =>
        server?.warnings ?? [`starting MCP server ${this.#names[at] ?? ''}: its tools join when it is up`],
    );
  }

  /** Ends when all are up or cannot be used, at the latest after `patienceMs`. */
  async inTime({ patienceMs, clock = systemClock }: McpOptions): Promise<void> {
    const late = Promise.withResolvers<undefined>();
    const timer = patienceMs === undefined ? undefined : clock.after(patienceMs, () => late.resolve(undefined));
    await Promise.race([Promise.all(this.#connecting), late.promise]);
    timer?.cancel();
  }

  /** What is not up by now is late. */
  beginLate(): void {
    this.#unheard = [];
  }

  /** The first listener hears also of what was late before it listened. */
  onLate(listener: (notes: readonly string[]) => void): void {
    this.#listeners.push(listener);
    if (this.#unheard.length > 0) listener(this.#unheard);
    this.#unheard = [];
  }

  #tell(notes: readonly string[]): void {
    if (this.#listeners.length === 0) this.#unheard = [...this.#unheard, ...notes];
    for (const listener of this.#listeners) listener(notes);
  }

  /** Gives up on those that are still starting. */
  async close(): Promise<void> {
    this.#listeners.length = 0;
    this.#ending.abort();
    await Promise.all(this.#connecting.map(async (server) => (await server).close()));
  }
}

interface ConnectedServer {
  readonly tools: readonly AgentTool[];
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** A server may list a tool twice: the first has the name. */
function withoutDoubles(tools: readonly AgentTool[]): { tools: AgentTool[]; doubled: string[] } {
  const byName = new Map<string, AgentTool>();
  const doubled: string[] = [];
  for (const tool of tools) {
    if (byName.has(tool.name)) doubled.push(`two MCP tools are called ${tool.name}; only the first can be used`);
    else byName.set(tool.name, tool);
  }
  return { tools: [...byName.values()], doubled };
}

async function connectOne(config: McpServerConfig, options: ConnectOptions): Promise<ConnectedServer> {
  const timeout = config.startupTimeoutMs ?? STARTUP_MS;
  try {
    const calls = new McpCalls(config.name, options.clock);
    const { client, server } = await openServer(config, calls, { ...options, timeout });
    const close = (): Promise<void> => server.close();
    const listed = await listTools(client, { timeout, signal: options.signal }).catch(async (error: unknown) => {
      await close();
      throw error;
    });
    const timeoutMs = config.toolTimeoutMs ?? TOOL_MS;
    const caller: McpCaller = (request, call) =>
      calls.run(call, timeoutMs, (signal) => server.call(request, { ...call, signal }));
    return { tools: listed.map((tool) => mcpTool(config.name, tool, caller)), warnings: [], close };
  } catch (error) {
    const why = thrownText(error);
    const warnings = [`the MCP server ${config.name} cannot be used: ${why}`];
    return { tools: [], warnings, close: () => Promise.resolve() };
  }
}

interface ConnectOptions {
  readonly cwd: string;
  readonly proxy: ProxyOptions | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Whatever a server is reached by, it is called so. */
interface CalledServer {
  readonly call: McpCaller;
  close(): Promise<void>;
}

async function openServer(
  config: McpServerConfig,
  calls: McpCalls,
  { cwd, proxy, signal, clock, timeout }: ConnectOptions & { readonly timeout: number },
): Promise<{ readonly client: Client; readonly server: CalledServer }> {
  if ('url' in config) {
    const longestMs = Math.max(timeout, config.toolTimeoutMs ?? TOOL_MS);
    const open = (ending?: AbortSignal) =>
      openMcpAddress(config, calls, { timeout, signal: ending, clock, longestMs, proxy });
    const session = await open(signal);
    return { client: session.client, server: new McpServerSession(config, session, open) };
  }
  const start = (ending?: AbortSignal) => startMcpProgram(config, cwd, calls, { timeout, signal: ending });
  const client = await start(signal);
  return { client, server: new McpServerProcess(config.name, client, start) };
}

async function listTools(client: Client, request: { timeout: number; signal: AbortSignal }): Promise<ListedTool[]> {
  const tools: ListedTool[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor }, request);
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor !== undefined && tools.length < MAX_TOOLS);
  return tools.slice(0, MAX_TOOLS);
}
