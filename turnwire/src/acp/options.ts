import type {
  McpServerConfig,
  ModelServer,
  RequestOptions,
  Sandbox,
  SandboxOptions,
  ThreadStore,
  WebAccess,
} from '@turnwire/agent';
import type { PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import type { Skill } from '@turnwire/agent/internal/project/skills';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { AcpModel } from './settings.ts';

/** Where a session works: absolute paths. */
export type SessionFolders = Required<Pick<SandboxOptions, 'cwd' | 'additionalDirectories'>>;

export interface AcpAgentOptions {
  /**
   * Opens the model server of a session: the one that its conversation remembers, else that of the configuration. Asked for
   * each session; what it answered before may be answered again. Fails with an error of one line that says what a person has
   * to do, such as to set the variable of its key.
   */
  readonly openModel: (remembered?: ModelServer) => Promise<AcpModel>;
  readonly threads: ThreadStore;
  /** Version of turnwire, for the editor. */
  readonly version: string;
  /** What walls the commands of a session in. Default: the one that `createTools` finds. */
  readonly openSandbox?: (folders: SessionFolders, env: AcpModel['env']) => Promise<Sandbox>;
  readonly request?: RequestOptions;
  /** Default: a text that explains the tools. */
  readonly instructions?: string;
  /** Requests in one turn. Default: the agent's. */
  readonly maxRequests?: number;
  /** How much of the project's `AGENTS.md` files the model is told, in bytes; 0: nothing. Default: the agent's. */
  readonly projectDocBytes?: number;
  /** MCP servers of the configuration; the editor's own come on top. */
  readonly mcpServers?: readonly McpServerConfig[];
  /** Milliseconds that a session waits for MCP servers which are starting; they join later. Default: until they are up. */
  readonly mcpPatienceMs?: number;
  /** Commands that are prompts, beside the agent's own; none has a name of these. Default: none. */
  readonly commands?: readonly PromptCommand[];
  /** What the model may read with `read_skill`. Default: nothing. */
  readonly skills?: readonly Skill[];
  /** How `fetch_url` gets to the web. Default: as that of `createTools`. */
  readonly web?: WebAccess;
  /** What the person should know of the configuration, one line each: sent at the first prompt of a session. */
  readonly notes?: readonly string[];
  /** Default: the clock of the system. */
  readonly clock?: Clock;
}
