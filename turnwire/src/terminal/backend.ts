import type { Agent } from '@turnwire/agent/internal/agent';
import type { Approver } from '@turnwire/agent/internal/approval/approval';
import type { Elicitor } from '@turnwire/agent/internal/approval/elicitation';
import type { ModelPort } from '@turnwire/agent/internal/model-port';
import type { PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import type { RunCommand } from './own-command.ts';
import type { ThreadSummary } from '@turnwire/agent/internal/thread/store';

/** Which conversation to open. */
export type OpenWhat =
  | { readonly type: 'new' }
  /** `last`, or a thread's id. */
  | { readonly type: 'resume'; readonly id: string }
  | { readonly type: 'fork'; readonly id: string };

export interface OpenedAgent {
  readonly agent: Agent;
  /** What the model's commands may do, in short. Absent: there are none. */
  readonly sandbox?: string;
  /** The conversation brought its own server with it. */
  readonly provider?: OpenedProvider;
  /** For the person: what was not as it should be, one line each. */
  readonly notes: readonly string[];
}

export interface OpenedProvider {
  readonly name: string;
  readonly port: ModelPort;
  /** The provider's own model. */
  readonly model: string | undefined;
  /** Tokens, where the provider knows it. */
  readonly contextWindow?: number | undefined;
}

/** A model that the server has. */
export interface ModelChoice {
  readonly id: string;
  /** Tokens, where the server tells. */
  readonly contextWindow?: number | undefined;
}

/** What the chat needs of its starter, which composes agents, threads and providers. */
export interface ChatBackend {
  /** Fails with an error whose message is one line for the person. */
  open(what: OpenWhat, approver: Approver, elicitor: Elicitor): Promise<OpenedAgent>;
  /** Another model server by its name in the configuration. Fails like `open`. */
  openProvider(name: string): Promise<OpenedProvider>;
  /** Models of the server that answers now, for `/model`; none where it has no list. Fails like `open`. */
  models(): Promise<readonly ModelChoice[]>;
  /** Names for `/provider`. */
  providers(): Promise<readonly string[]>;
  /** Conversations for `/resume`, newest first. */
  threads(): Promise<readonly ThreadSummary[]>;
  /** Runs a command of the person's own as the model's are run, in their sandbox. Fails like `open` where there are none. */
  readonly runCommand: RunCommand;
  /** Commands that are prompts, beside the chat's own; none has a name of these. Default: none. */
  readonly commands?: readonly PromptCommand[];
  /** The provider that `open` uses at first. */
  readonly provider: string;
  readonly model: string | undefined;
  /** Tokens of the model's window, where the provider knows it. */
  readonly contextWindow?: number | undefined;
  /** Folder for `@file`, absolute. */
  readonly cwd: string;
  /** The same for people: `~/project`. */
  readonly folder?: string;
  /** Of turnwire, for the beginning of the chat. Absent: the chat begins without a word. */
  readonly version?: string;
  /** Said at the start, e.g. that the answers are scripted. */
  readonly greeting: readonly string[];
}
