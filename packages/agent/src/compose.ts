import { Agent, type AgentOptions } from './agent.ts';
import type { EditorFiles } from './editor-files.ts';
import { instructionsFor } from './instructions.ts';
import { serverOf } from './model-port.ts';
import type { McpServerConfig } from './mcp/config.ts';
import { connectMcpServers } from './mcp/connect.ts';
import { PROJECT_DOC_BYTES, ProjectDocs } from './project/project-docs.ts';
import { noteOfServer } from './thread/model-server.ts';
import type { StoredThread, ThreadStore } from './thread/store.ts';
import type { AgentTool } from './tool.ts';
import { createToolSets, type ToolSelection, type ToolsetOptions } from './tools/toolset.ts';

/** What a toolbox is opened with: besides these, what `createTools` takes. */
export interface ToolboxOptions extends ToolsetOptions {
  /** Started with the toolbox; their tools are there only where all tools are. Default: none. */
  readonly mcpServers?: readonly McpServerConfig[];
  /** Milliseconds after which MCP servers that are still starting are not waited for: they join later. Default: all are waited for. */
  readonly mcpPatienceMs?: number;
  /** Aborting it gives up on MCP servers that are still starting. Without one they have their startup timeout. */
  readonly signal?: AbortSignal;
}

/** What agents work with in one folder: the built-in tools in their sandbox, and MCP servers. */
export interface Toolbox {
  /** Its folder. */
  readonly cwd: string;
  /** What it was opened for. */
  readonly selection: ToolSelection;
  /** What the person should know, one line each: MCP servers that cannot be used. */
  readonly notes: readonly string[];
  /** The tools of a selection, never more than the toolbox was opened for. Default: all of those. */
  tools(selection?: ToolSelection): readonly AgentTool[];
  /** Calls `listener` when an MCP server joins late, or cannot be used after all: what the person should know then. */
  onLate?(listener: (notes: readonly string[]) => void): void;
  /** The editor that it was opened for. */
  readonly files?: EditorFiles;
  /** Ends the MCP servers. */
  close(): Promise<void>;
}

/** Opens the tools of one folder. Fails when the folder does not exist; an MCP server that cannot be used is a note. */
export async function openToolbox({
  mcpServers = [],
  mcpPatienceMs,
  signal,
  ...options
}: ToolboxOptions): Promise<Toolbox> {
  const selection = options.select ?? 'all';
  const sets = await createToolSets({ ...options, select: selection });
  const mcp = await connectMcpServers(selection === 'all' ? mcpServers : [], {
    cwd: options.cwd,
    ...(signal === undefined ? {} : { signal }),
    patienceMs: mcpPatienceMs,
    proxy: options.web?.proxy,
    clock: options.clock,
  });
  return {
    cwd: options.cwd,
    selection,
    notes: mcp.warnings,
    tools: (wanted = selection) => (wanted === 'all' ? [...sets.all, ...mcp.tools] : sets[wanted]),
    ...(options.files === undefined ? {} : { files: options.files }),
    onLate: (listener) => mcp.onLate(listener),
    close: () => mcp.close(),
  };
}

/** Which conversation an agent has. `last`: the one that was used last, of the same folder if there is one. */
export type Conversation =
  { readonly type: 'new' } | { readonly type: 'resume' | 'fork'; readonly id: 'last' | (string & {}) };

/** What an agent is put together from: besides these, what `Agent` takes. */
export interface OpenAgentOptions extends Omit<AgentOptions, 'tools' | 'thread' | 'projectDocs' | 'files'> {
  /**
   * What it works with. A toolbox that is given is shared, and its owner closes it; one that is opened here, once the
   * conversation is had, is closed with the agent.
   */
  readonly toolbox: Toolbox | (() => Promise<Toolbox>);
  /** The working directory of a new conversation; an absolute path. */
  readonly cwd: string;
  /** Those that the toolbox was opened with: told to the model, and kept with a new conversation. Default: none. */
  readonly additionalDirectories?: readonly string[];
  /** Where conversations are kept. */
  readonly threads: ThreadStore;
  /** Default: a new one. */
  readonly conversation?: Conversation;
  /** How much of the project's `AGENTS.md` files the model is told, in bytes; 0: nothing. Default 32 KiB. */
  readonly projectDocBytes?: number;
}

/** An agent that was put together, and what belongs to it. */
export interface OpenedAgent {
  /** The agent; what it is set to at first may be changed between turns. */
  readonly agent: Agent;
  /** The one that was given or opened. */
  readonly toolbox: Toolbox;
  /** Absent when the conversation cannot be kept: a note says why. */
  readonly thread?: StoredThread;
  /** What the person should know of the conversation and of a toolbox that was opened here, one line each. */
  readonly notes: readonly string[];
  /** From the next turn on: other tools of the toolbox, and the instructions that fit them. */
  select(selection: ToolSelection): void;
  /** When no turn runs: ends what was opened here, and lets others go on with the conversation. */
  close(): Promise<void>;
}

/**
 * Puts an agent together: its conversation, claimed so that no other process writes to it, its tools, and instructions
 * that explain these. Fails with `ThreadError` for a conversation that cannot be had, else as `toolbox` does; nothing
 * stays open then.
 *
 * @example
 * ```ts
 * const toolbox = () => openToolbox({ cwd });
 * const opened = await openAgent({ model, cwd, threads, toolbox, conversation: { type: 'resume', id: 'last' } });
 * for await (const events of opened.agent.run('What did we find out?')) show(events);
 * await opened.close();
 * ```
 */
export async function openAgent(options: OpenAgentOptions): Promise<OpenedAgent> {
  const { toolbox: given, cwd, threads, conversation = { type: 'new' }, projectDocBytes, ...others } = options;
  const { additionalDirectories = [], ...rest } = others;
  const { thread, notes } = await openThread(threads, conversation, options);
  try {
    const toolbox = await toolboxOf(given);
    const docs = await docsFor(toolbox, projectDocBytes);
    const isOwn = toolbox !== given;
    const textFor = (tools: ToolSelection): string | undefined =>
      instructionsFor({ cwd, additionalDirectories, tools, text: rest.instructions, docs: docs?.first ?? [] });
    let { selection } = toolbox;
    const instructions = textFor(selection);
    const agent = new Agent({
      ...rest,
      tools: toolbox.tools(),
      ...(toolbox.files === undefined ? {} : { files: toolbox.files }),
      ...(instructions === undefined ? {} : { instructions }),
      ...(docs === undefined ? {} : { projectDocs: docs }),
      ...(thread === undefined ? {} : { thread }),
    });
    toolbox.onLate?.((late) => {
      agent.tools = toolbox.tools(selection);
      for (const note of late) agent.tell(note);
    });
    return {
      agent,
      toolbox,
      ...(thread === undefined ? {} : { thread }),
      notes: [...notes, ...(isOwn ? toolbox.notes : [])],
      select: (wanted) => {
        selection = wanted;
        agent.tools = toolbox.tools(selection);
        agent.instructions = textFor(selection);
      },
      close: async () => {
        if (isOwn) await toolbox.close();
        await thread?.release();
      },
    };
  } catch (error) {
    await thread?.release();
    throw error;
  }
}

/** Nobody works in the project without tools: its files then are nobody's business. */
async function docsFor({ cwd, selection }: Toolbox, bytes = PROJECT_DOC_BYTES): Promise<ProjectDocs | undefined> {
  if (selection === 'none' || bytes === 0) return undefined;
  // A folder that has gone in the meantime has none.
  return ProjectDocs.open(cwd, bytes).catch(() => undefined);
}

async function toolboxOf(given: OpenAgentOptions['toolbox']): Promise<Toolbox> {
  return typeof given === 'function' ? given() : given;
}

async function openThread(
  threads: ThreadStore,
  conversation: Conversation,
  options: Pick<OpenAgentOptions, 'cwd' | 'additionalDirectories' | 'model' | 'request'>,
): Promise<{ readonly thread?: StoredThread; readonly notes: readonly string[] }> {
  if (conversation.type === 'new') {
    const problem = await threads.prepare();
    if (problem !== undefined) return { notes: [`the conversation is not kept: ${problem}`] };
    return { thread: threads.create(options.cwd, options), notes: [] };
  }
  const id = conversation.id === 'last' ? await threads.last(options.cwd) : conversation.id;
  const change = noteOfServer({ before: await threads.serverOf(id), now: serverOf(options), id });
  const thread = await (conversation.type === 'fork' ? threads.fork(id) : threads.resume(id));
  if (conversation.type === 'resume') await thread.claim();
  return { thread, notes: [...thread.notes, ...change] };
}
