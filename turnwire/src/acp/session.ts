import type {
  AgentContext,
  AvailableCommand,
  ContentBlock,
  PromptResponse,
  SessionConfigOption,
  SessionModeState,
} from '@agentclientprotocol/sdk';
import type { Approver, Elicitor, OpenedAgent } from '@turnwire/agent';
import type { PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { nextTurn } from '@turnwire/client/internal/platform/wait';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { EditorAbilities } from './abilities.ts';
import { availableCommands } from './commands.ts';
import { Outbox } from './outbox.ts';
import { SessionSettings, type AcpModel, type ListedModel } from './settings.ts';
import { ToolIds } from './tool-ids.ts';
import { SessionTurns } from './turns.ts';
import { chunk, UpdateMapper, userUpdates } from './updates.ts';

export interface SessionOptions {
  readonly client: AgentContext;
  readonly editor: EditorAbilities;
  /** Fires when the connection is closed. */
  readonly gone: AbortSignal;
  /** Belongs to the session; its approver is `ask`, its elicitor asks with `elicit`. */
  readonly opened: OpenedAgent;
  /** As the editor named them. */
  readonly additionalDirectories: readonly string[];
  readonly model: AcpModel;
  /** What the person should know, one line each. */
  readonly notes: readonly string[];
  /** Commands that are prompts. */
  readonly prompts: readonly PromptCommand[];
  readonly clock: Clock;
}

/** What an editor is told of a session at its beginning. */
export interface SessionState {
  readonly modes: SessionModeState;
  readonly configOptions: SessionConfigOption[];
}

/** One conversation of the editor: its agent, and what the editor has seen of it. */
export class AcpSession {
  readonly id: string;
  readonly additionalDirectories: readonly string[];
  readonly ask: Approver;
  readonly elicit: Elicitor['ask'];
  readonly #opened: OpenedAgent;
  readonly #editor: EditorAbilities;
  readonly #settings: SessionSettings;
  readonly #outbox: Outbox;
  readonly #mapper: UpdateMapper;
  readonly #ids = new ToolIds();
  readonly #turns: SessionTurns;
  readonly #commands: AvailableCommand[];
  /** Said at the beginning of the first answer: that it comes from no model, say. */
  #opening: string | undefined;
  #notes: readonly string[];

  constructor({ client, editor, gone, opened, additionalDirectories, model, notes, prompts, clock }: SessionOptions) {
    const { agent, thread } = opened;
    // A conversation that is not kept needs a name all the same.
    this.id = thread?.id ?? randomHex(16);
    this.additionalDirectories = additionalDirectories;
    this.#opened = opened;
    this.#editor = editor;
    this.#settings = new SessionSettings(opened, model);
    this.#mapper = new UpdateMapper(this.#ids, editor);
    const outbox = new Outbox({ client, sessionId: this.id, gone, clock });
    this.#outbox = outbox;
    const told = { outbox, ids: this.#ids, mapper: this.#mapper, prompts };
    this.#commands = availableCommands(prompts);
    this.#turns = new SessionTurns({ sessionId: this.id, client, agent, ...told, begin: () => this.#tellNotes() });
    this.ask = (request, options) => this.#turns.ask(request, options);
    this.elicit = (request, options) => this.#turns.elicit(request, options);
    this.#notes = [...new Set([...notes, ...(model.notes ?? []), ...opened.notes])];
    this.#opening = model.warning;
  }

  get state(): SessionState {
    return { modes: this.#settings.modeState, configOptions: this.#settings.options };
  }

  /**
   * What an editor is told once it knows the session, which it does after the answer to `session/new` and the like; that
   * goes out in this turn of the event loop. Never rejects: an editor that is gone is told nothing.
   */
  async introduce(models: Promise<readonly ListedModel[]>): Promise<void> {
    try {
      await nextTurn();
      await this.#outbox.send({ sessionUpdate: 'available_commands_update', availableCommands: this.#commands });
      if (this.#editor.notices) await this.#tellNotes();
      const listed = await models;
      if (listed.length === 0) return;
      this.#settings.setListed(listed);
      await this.#tellOptions();
    } catch {
      // The end of the connection ends the session too.
    }
  }

  /** Fails with a `RequestError` for a mode that is none. */
  async setMode(mode: string): Promise<void> {
    this.#settings.setMode(mode);
    await this.#tellOptions();
  }

  /** Fails with a `RequestError` for an option or a value that is none. */
  async setOption(id: string, value: unknown): Promise<SessionConfigOption[]> {
    const { mode } = this.#settings;
    this.#settings.set(id, value);
    const { mode: currentModeId, options } = this.#settings;
    if (currentModeId !== mode) await this.#outbox.send({ sessionUpdate: 'current_mode_update', currentModeId });
    return options;
  }

  /** Sends the editor what was said before: the updates that it would have got while it happened. */
  async tellPast(): Promise<void> {
    for (const event of this.#opened.agent.past) {
      const updates = event.type === 'input.accepted' ? userUpdates(event.item) : this.#mapper.take(event);
      for (const update of updates) await this.#outbox.send(update);
    }
    await this.#outbox.flush();
  }

  /** One turn, or a command. Fails with a `RequestError` for a prompt that cannot be taken, and when the model failed. */
  async prompt(blocks: readonly ContentBlock[], signal: AbortSignal): Promise<PromptResponse> {
    return { stopReason: await this.#turns.prompt(blocks, signal) };
  }

  cancel(): void {
    this.#turns.cancel();
  }

  /** Ends when a running turn has ended and is written down. */
  async close(): Promise<void> {
    this.cancel();
    await this.#turns.ended();
    await this.#opened.close();
  }

  async #tellNotes(): Promise<void> {
    const [notes, opening] = [this.#notes, this.#opening];
    this.#notes = [];
    this.#opening = undefined;
    for (const note of notes) await this.#outbox.send(this.#mapper.notice('warning', note));
    if (opening !== undefined) await this.#outbox.send(chunk('agent_message_chunk', `[${opening}]\n\n`));
  }

  async #tellOptions(): Promise<void> {
    await this.#outbox.send({ sessionUpdate: 'config_option_update', configOptions: this.#settings.options });
  }
}
