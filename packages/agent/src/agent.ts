import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { InputMessage, Item } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import type { Usage } from '@turnwire/wire/internal/model/usage';
import { ElicitationDesk } from './approval/elicitation-desk.ts';
import type { Elicitor } from './approval/elicitation.ts';
import { ApprovalGate } from './approval/gate.ts';
import { OneByOne } from './approval/one-by-one.ts';
import type { ApprovalMode, Approver } from './approval/approval.ts';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import { EventChannel } from './turn/event-channel.ts';
import type { EditorFiles } from './editor-files.ts';
import type { AgentEvent } from './events.ts';
import { History, userMessage } from './thread/history.ts';
import { pastEvents } from './thread/past-events.ts';
import { serverOf, type ModelPort } from './model-port.ts';
import { SteeringQueue } from './turn/steering-queue.ts';
import { LenientJournal } from './thread/lenient-journal.ts';
import { takenBackText } from './patch/taken-back.ts';
import { createPatchMemory, type PatchStore, takeBack } from './patch/undo.ts';
import { noJournal, type AgentThread } from './thread/records.ts';
import type { ProjectDocs } from './project/project-docs.ts';
import type { AgentTool } from './tool.ts';
import type { PlanStep } from './events.ts';
import { toDocEvent } from './turn/near-docs.ts';
import { compactHistory, toModelError, Turn, type TurnDeps, type TurnEnd } from './turn/turn.ts';

/** What a request carries besides its input, instructions and tools. */
export type RequestOptions = Omit<ModelRequest, 'input' | 'instructions' | 'tools'>;

/** What an agent is made of. */
export interface AgentOptions {
  /** The model that answers: `sessionModel`, or one of your own. */
  readonly model: ModelPort;
  /** Tools that the model may call, from `createTools`, `defineTool` and `connectMcpServers`. Default: none. */
  readonly tools?: readonly AgentTool[];
  /** The system text. Default: none is sent. */
  readonly instructions?: string;
  /** Model name, reasoning effort, output schema, and the like. Default: as the provider and the server do. */
  readonly request?: RequestOptions;
  /** What happens to calls that need approval. Default `ask`. */
  readonly approvals?: ApprovalMode;
  /** Asks the person. Without one `ask` is `never`. */
  readonly approver?: Approver;
  /** Asks the person what MCP servers want to know. Without one they are told no. */
  readonly elicitor?: Elicitor;
  /** Number of requests that one turn may make; one more fails it. Default 100. */
  readonly maxRequests?: number;
  /** Size of the model's context window, in tokens. Absent: the history is compacted only when a server refuses it. */
  readonly contextWindow?: number;
  /** Where the conversation is kept. Absent: in memory only. */
  readonly thread?: AgentThread;
  /** The `AGENTS.md` files that the instructions quote, and that are told where tools work. Default: none. */
  readonly projectDocs?: ProjectDocs;
  /** The editor that `undo` writes through: that of the tools. Default: none. */
  readonly files?: EditorFiles;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
}

/** How one turn is run. */
export interface RunOptions {
  /** Aborting it interrupts the turn, like `interrupt()`. Without one only `interrupt()` does. */
  readonly signal?: AbortSignal;
}

/**
 * One conversation with a model that may use tools: the core under `exec`, the terminal and the editor.
 *
 * One turn runs at a time. Model, request options, instructions, tools and approval mode may be changed between turns.
 *
 * @example
 * ```ts
 * const agent = new Agent({ model, tools: await createTools({ cwd }), approver });
 * for await (const events of agent.run('Fix the failing test')) for (const event of events) show(event);
 * ```
 */
export class Agent {
  model: ModelPort;
  request: RequestOptions;
  instructions: string | undefined;
  tools: readonly AgentTool[];
  contextWindow: number | undefined;
  /** Messages typed while a turn runs. What is left in it when a turn ends goes into the next one. */
  readonly queue = new SteeringQueue();
  readonly threadId: string | undefined;
  /** Sum over the turns that the thread had when it was opened, as far as servers told it. */
  readonly usage: Usage | undefined;
  readonly #gate: ApprovalGate;
  readonly #elicitations: ElicitationDesk;
  readonly #history: History;
  readonly #journal: LenientJournal;
  readonly #clock: Clock;
  readonly #maxRequests: number;
  readonly #files: EditorFiles | undefined;
  readonly #docs: ProjectDocs | undefined;
  readonly #patches: PatchStore;
  #hasToldDocs = false;
  #untold: readonly string[] = [];
  #turns: number;
  #running: AbortController | undefined;

  constructor(options: AgentOptions) {
    this.model = options.model;
    this.request = options.request ?? {};
    this.instructions = options.instructions;
    this.tools = options.tools ?? [];
    this.contextWindow = options.contextWindow;
    this.threadId = options.thread?.id;
    const person = new OneByOne();
    this.#gate = new ApprovalGate({ mode: options.approvals ?? 'ask', approver: options.approver, person });
    this.#elicitations = new ElicitationDesk(options.elicitor, person);
    this.#journal = new LenientJournal(options.thread ?? noJournal);
    this.#history = new History(options.thread?.items, this.#journal, options.thread);
    this.usage = options.thread?.usage;
    this.#turns = options.thread?.turns ?? 0;
    this.#docs = options.projectDocs;
    this.#patches = options.thread?.patches ?? createPatchMemory();
    this.#clock = options.clock ?? systemClock;
    this.#files = options.files;
    this.#maxRequests = options.maxRequests ?? 100;
  }

  /** The conversation, oldest first: a copy. Every call in it has its output. */
  get items(): readonly Item[] {
    return this.#history.items;
  }

  /** The events that would have shown the conversation so far: what was said, and every call as it was. */
  get past(): readonly AgentEvent[] {
    return pastEvents(this.#history);
  }

  /** The plan that the model keeps with `update_plan`; empty when it has none. */
  get plan(): readonly PlanStep[] {
    return this.#history.plan;
  }

  /**
   * Puts the conversation back to what it was: the model hears no more of what was said since. Only while no turn runs.
   * Fails when it cannot be written down.
   */
  async restore(items: readonly Item[]): Promise<void> {
    if (this.#running !== undefined) throw new Error('a turn is running');
    await this.#history.replace(items);
  }

  /** Turns so far, the running one included. */
  get turns(): number {
    return this.#turns;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get approvals(): ApprovalMode {
    return this.#gate.mode;
  }

  /** Counts from the next question on. */
  set approvals(mode: ApprovalMode) {
    this.#gate.mode = mode;
  }

  /** What the person should know, in one line: a `warning` at the beginning of the next turn. */
  tell(note: string): void {
    this.#untold = [...this.#untold, note];
  }

  /** Stops the running turn: its request, its tools, its questions. Nothing happens when none runs. */
  interrupt(): void {
    this.#running?.abort();
  }

  /**
   * Runs one turn and yields what happens, in order; see `AgentEvent` for the contract. Without a prompt it goes on from
   * the history as it is. Leaving the loop early interrupts the turn. Throws only when a turn runs already.
   */
  run(
    prompt?: string | InputMessage,
    options: RunOptions = {},
  ): AsyncGenerator<readonly AgentEvent[], void, undefined> {
    const message = typeof prompt === 'string' ? userMessage(prompt) : prompt;
    return this.#drive(options.signal, (deps) => this.#runTurn(message, deps));
  }

  /**
   * Summarises the conversation through the model, which makes room for more. Yields `history.compacting` and
   * `history.compacted`, or `warning` when it failed: the history is then as it was.
   */
  compact(options: RunOptions = {}): AsyncGenerator<readonly AgentEvent[], void, undefined> {
    return this.#drive(options.signal, async (deps) => {
      try {
        await compactHistory(deps, 'asked');
      } catch (error) {
        deps.channel.post({
          type: 'warning',
          message: `the history was not compacted: ${toModelError(error).message}`,
        });
      }
    });
  }

  /**
   * Takes the last patch of the conversation back, and tells the model so; the one before it comes next. Answers its title, or
   * `undefined` when there is none. Fails, and changes nothing, while a turn runs, and when a file of it was changed since.
   */
  async undo(): Promise<string | undefined> {
    if (this.isRunning) throw new Error('a turn is running: stop it before you take a patch back');
    const patch = await this.#patches.last();
    if (patch === undefined) return undefined;
    await takeBack(patch, this.#files);
    await this.#patches.drop();
    await this.#history.addInput(userMessage(takenBackText(patch)));
    return patch.title;
  }

  /** Runs `work` beside the reader of its events; when the reader leaves, the work is aborted and waited for. */
  async *#drive(
    signal: AbortSignal | undefined,
    work: (deps: TurnDeps) => Promise<void>,
  ): AsyncGenerator<readonly AgentEvent[], void, undefined> {
    if (this.#running !== undefined) throw new Error('a turn is running already');
    const running = new AbortController();
    const channel = new EventChannel<AgentEvent>();
    const deps = this.#turnDeps(channel, running.signal);
    this.#journal.beginTurn((message) => channel.post({ type: 'warning', message }));
    this.#running = running;
    const onAbort = (): void => running.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) running.abort();
    const done = work(deps).finally(() => {
      deps.model.end?.();
      channel.end();
    });
    try {
      yield* channel.read();
    } finally {
      running.abort();
      channel.end();
      signal?.removeEventListener('abort', onAbort);
      await done.finally(() => {
        this.#running = undefined;
      });
    }
  }

  async #runTurn(prompt: InputMessage | undefined, deps: TurnDeps): Promise<void> {
    this.#turns += 1;
    const turn = this.#turns;
    deps.channel.post({
      type: 'turn.started',
      ...(this.threadId === undefined ? {} : { thread_id: this.threadId }),
      turn,
    });
    for (const message of this.#untold) deps.channel.post({ type: 'warning', message });
    this.#untold = [];
    this.#tellDocs(deps);
    const end = await this.#endOf(prompt, deps, turn);
    deps.channel.post(eventOf(end));
  }

  /** Those of the instructions; once, for every turn has the same. */
  #tellDocs({ channel, docs }: TurnDeps): void {
    if (this.#hasToldDocs || docs === undefined) return;
    this.#hasToldDocs = true;
    for (const doc of docs.first) channel.post(toDocEvent(doc));
  }

  async #endOf(prompt: InputMessage | undefined, deps: TurnDeps, turn: number): Promise<TurnEnd> {
    try {
      const server = serverOf(this);
      await this.#journal.append({ type: 'turn.started', turn, at: timestamp(), ...(server && { server }) });
      const end = await new Turn(deps).run(prompt);
      const usage = end.usage === undefined ? {} : { usage: end.usage };
      const at = timestamp();
      await this.#journal.append({ type: 'turn.ended', status: end.status, at, ...usage }, { durable: true });
      return end;
    } catch (error) {
      return { status: 'failed', error: toModelError(error), usage: undefined };
    }
  }

  #turnDeps(channel: EventChannel<AgentEvent>, signal: AbortSignal): TurnDeps {
    const definitions = this.tools.map(({ name, description, parameters }) => ({
      type: 'function' as const,
      name,
      description,
      parameters,
      strict: false,
    }));
    return {
      model: this.model.openTurn(this.threadId),
      history: this.#history,
      journal: this.#journal,
      tools: new Map(this.tools.map((tool) => [tool.name, tool])),
      gate: this.#gate,
      elicitations: this.#elicitations,
      queue: this.queue,
      clock: this.#clock,
      channel,
      signal,
      patches: this.#patches,
      // Without tools nobody works in the project, and the instructions do not speak of it.
      docs: this.tools.length > 0 ? this.#docs : undefined,
      request: {
        ...this.request,
        ...(this.instructions === undefined ? {} : { instructions: this.instructions }),
        ...(definitions.length === 0 ? {} : { tools: definitions }),
      },
      maxRequests: this.#maxRequests,
      contextWindow: this.contextWindow,
    };
  }
}

function eventOf(end: TurnEnd): AgentEvent {
  const usage = end.usage === undefined ? {} : { usage: end.usage };
  switch (end.status) {
    case 'completed':
      return { type: 'turn.completed', ...usage, requests: end.requests };
    case 'failed':
      return { type: 'turn.failed', error: end.error.toJSON(), ...usage };
    case 'interrupted':
      return { type: 'turn.interrupted', ...usage };
  }
}
