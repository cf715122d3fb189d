import type { Agent, RequestOptions } from '@turnwire/agent/internal/agent';
import type { Approver } from '@turnwire/agent/internal/approval/approval';
import type { Elicitor } from '@turnwire/agent/internal/approval/elicitation';
import type { ChatBackend, OpenWhat } from './backend.ts';
import type { NoticeCell } from './view-state.ts';

export interface ConversationOptions {
  readonly backend: ChatBackend;
  readonly approver: Approver;
  readonly elicitor: Elicitor;
  readonly notice: (level: NoticeCell['level'], text: string) => void;
  /** Another conversation is open from now on. */
  readonly opened: (agent: Agent, what: OpenWhat) => void;
  /** The queue of the conversation changed. */
  readonly queueChanged: () => void;
}

/** Which conversation is open, with which model: what the commands change. All failures are errors of one line. */
export class Conversation {
  agent: Agent | undefined;
  provider: string;
  model: string | undefined;
  /** Of the model, in tokens. */
  contextWindow: number | undefined;
  /** What the model's commands may do. */
  sandbox: string | undefined;
  /** Notes that were told, which a copy of the conversation need not tell again. */
  #told: readonly string[] = [];
  /** What happened beside the model, and belongs to this conversation. */
  #untold: readonly string[] = [];
  readonly #options: ConversationOptions;
  #stopWatching: () => void = () => undefined;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.provider = options.backend.provider;
    this.model = options.backend.model;
    this.contextWindow = options.backend.contextWindow;
  }

  /** The conversation that can be resumed: one that is kept, with at least one turn. */
  get threadId(): string | undefined {
    return (this.agent?.turns ?? 0) > 0 ? this.agent?.threadId : undefined;
  }

  async open(what: OpenWhat): Promise<void> {
    const { backend, approver, elicitor, notice, opened, queueChanged } = this.#options;
    const { agent, notes, provider, sandbox } = await backend.open(what, approver, elicitor);
    this.sandbox = sandbox;
    const before = this.agent;
    if (provider !== undefined) {
      this.provider = provider.name;
      this.model = provider.model;
      this.contextWindow = provider.contextWindow;
    } else if (before !== undefined) {
      agent.model = before.model;
      if (this.model !== undefined) agent.request = { ...agent.request, model: this.model };
    }
    this.close();
    this.#stopWatching = agent.queue.onChange(queueChanged);
    this.agent = agent;
    if (before !== undefined) this.#untold = [];
    if (before !== undefined || what.type !== 'new') notice('info', openedText(what, agent));
    opened(agent, what);
    for (const note of notes) {
      if (what.type !== 'fork' || !this.#told.includes(note)) notice('warning', note);
    }
    this.#told = notes;
  }

  /** For the model, with the next message. */
  tellNext(text: string): void {
    this.#untold = [...this.#untold, text];
  }

  /** What waits for the next message; it is told then. */
  takeTold(): readonly string[] {
    const untold = this.#untold;
    this.#untold = [];
    return untold;
  }

  /** Takes the last message out of the queue. */
  unqueue(): string | undefined {
    const last = this.agent?.queue.messages.at(-1);
    return last !== undefined && this.agent?.queue.remove(last.id) === true ? last.text : undefined;
  }

  /** Stops listening to the conversation. */
  close(): void {
    this.#stopWatching();
  }

  async setModel(name: string): Promise<void> {
    const { notice, backend } = this.#options;
    if (name === '') {
      notice('info', `The model is ${this.model ?? "the provider's own"}. /model NAME changes it.`);
      return;
    }
    if (this.agent !== undefined) this.agent.request = { ...this.agent.request, model: name };
    this.model = name;
    this.contextWindow = await windowOf(name, backend);
    if (this.agent !== undefined) this.agent.contextWindow = this.contextWindow;
    notice('info', `The model is ${name} from now on.`);
  }

  async setProvider(name: string): Promise<void> {
    const { backend, notice } = this.#options;
    if (name === '') {
      const names = await backend.providers();
      const known = names.length === 0 ? 'turnwire.toml names none' : `there are ${names.join(', ')}`;
      notice('info', `The provider is ${this.provider}; ${known}.`);
      return;
    }
    const { name: provider, port, model, contextWindow } = await backend.openProvider(name);
    this.provider = provider;
    this.model = model;
    this.contextWindow = contextWindow;
    if (this.agent !== undefined) {
      this.agent.model = port;
      this.agent.contextWindow = contextWindow;
      // The other server's models have other names.
      const { request } = this.agent;
      this.agent.request = model === undefined ? withoutModel(request) : { ...request, model };
    }
    notice('info', `The provider is ${provider} from now on.`);
  }

  async resume(id: string): Promise<void> {
    if (id !== '') {
      await this.open({ type: 'resume', id });
      return;
    }
    const threads = (await this.#options.backend.threads()).slice(0, 10);
    const lines = threads.map((thread) => `  ${thread.id}  ${thread.preview}`);
    const text = ['Conversations, newest first; /resume ID or /resume last:', ...lines].join('\n');
    this.#options.notice('info', threads.length === 0 ? 'There is no conversation to resume yet.' : text);
  }

  async fork(): Promise<void> {
    const id = this.threadId;
    if (id === undefined) this.#options.notice('warning', 'There is nothing to fork yet.');
    else await this.open({ type: 'fork', id });
  }
}

/** Of the model, where the server tells; else as the provider has it. A list that cannot be had is no reason not to go on. */
async function windowOf(name: string, backend: ChatBackend): Promise<number | undefined> {
  const models = await backend.models().catch(() => []);
  return models.find(({ id }) => id === name)?.contextWindow ?? backend.contextWindow;
}

function withoutModel(request: RequestOptions): RequestOptions {
  const rest: { model?: string } & RequestOptions = { ...request };
  delete rest.model;
  return rest;
}

function openedText(what: OpenWhat, agent: Agent): string {
  const id = agent.threadId === undefined ? '' : ` (${agent.threadId})`;
  switch (what.type) {
    case 'new':
      return `A new conversation${id}.`;
    case 'resume':
      return `Going on with a conversation${id}.`;
    case 'fork':
      return `Going on in a copy${id}.`;
  }
}
