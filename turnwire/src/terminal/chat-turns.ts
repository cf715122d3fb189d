import type { AgentEvent } from '@turnwire/agent/internal/events';
import { imagesNamedIn } from '@turnwire/agent/internal/project/image-mentions';
import type { InputMessage } from '@turnwire/wire/internal/model/items';
import type { QueuedMessage } from '@turnwire/agent/internal/turn/steering-queue';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import type { ChatView } from './chat-view.ts';
import type { Conversation } from './conversation.ts';
import { runOwnCommand, type RunCommand } from './own-command.ts';

export interface ChatTurnsOptions {
  readonly talk: Conversation;
  readonly view: ChatView;
  readonly clock: Clock;
  readonly redraw: () => void;
  readonly runCommand: RunCommand;
  /** Where names of files begin. */
  readonly cwd: string;
  /** A message that could not be sent: back into the input line. */
  readonly giveBack: (text: string) => void;
  /** A turn is over, or a summary. */
  readonly ended: () => void;
}

/** What the chat works at: one thing at a time, a turn or a command; messages that come meanwhile are queued. */
export class ChatTurns {
  readonly #options: ChatTurnsOptions;
  #isBusy = false;
  #work: Promise<void> = Promise.resolve();
  #tick: Timer | undefined;
  /** Ends the command of the person's own that runs. */
  #own: AbortController | undefined;
  /** Messages that came while the conversation was being opened. */
  #early: readonly QueuedMessage[] = [];

  constructor(options: ChatTurnsOptions) {
    this.#options = options;
  }

  /** A turn or a command runs. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Does nothing while something else is being done; a failure is told in one line. */
  do(work: () => Promise<void>): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#work = work()
      .catch((error: unknown) => this.#options.view.fail(error))
      .finally(() => {
        this.#isBusy = false;
        this.#tick?.cancel();
        this.#options.redraw();
      });
  }

  /** A message of the person: asked at once, or queued while the agent works. */
  send(text: string): void {
    const { talk, view, giveBack, redraw } = this.#options;
    if (!this.#isBusy) {
      this.do(() => this.#turn(text));
      return;
    }
    if (talk.agent === undefined) {
      // It is still being opened.
      this.#early = [...this.#early, { id: `early_${this.#early.length}`, text }];
      if (this.#early.length === 1) void this.#work.then(() => this.#sendEarly());
      redraw();
      return;
    }
    if (talk.agent.queue.add(text) !== undefined) return;
    giveBack(text);
    view.notice('warning', 'That cannot be queued now.');
  }

  /** What waits to be sent, the oldest first. */
  get waiting(): readonly QueuedMessage[] {
    return [...this.#early, ...(this.#options.talk.agent?.queue.messages ?? [])];
  }

  /** Sends what was left in the queue by a turn that was interrupted. */
  sendQueued(): void {
    if (!this.#isBusy && (this.#options.talk.agent?.queue.messages.length ?? 0) > 0) {
      this.do(() => this.#turn(undefined));
    }
  }

  /** Shows what the agent does until it is done. */
  async show(events: AsyncIterable<readonly AgentEvent[]>): Promise<void> {
    const { view, ended } = this.#options;
    this.#keepTime();
    for await (const batch of events) view.take(batch);
    view.idle();
    ended();
  }

  /** A command of the person's own. The model hears of it with the next message. */
  runOwn(command: string): void {
    const { talk, view, runCommand } = this.#options;
    if (this.#isBusy) {
      view.notice('warning', 'A command has to wait: Esc stops what is running.');
      return;
    }
    this.do(async () => {
      this.#own = new AbortController();
      this.#keepTime();
      talk.tellNext(await runOwnCommand({ view, command, run: runCommand, signal: this.#own.signal }));
      view.idle();
    });
  }

  /** Stops the turn, or the command, that runs. */
  interrupt(): void {
    this.#own?.abort();
    this.#options.talk.agent?.interrupt();
  }

  /** Interrupts what runs, and waits for its end. */
  async stop(): Promise<void> {
    this.interrupt();
    await this.#work;
  }

  #sendEarly(): void {
    const early = this.#early;
    this.#early = [];
    for (const { text } of early) this.send(text);
  }

  async #turn(prompt: string | undefined): Promise<void> {
    const { talk, view, giveBack } = this.#options;
    if (talk.agent === undefined) {
      // The one that was asked for could not be opened.
      giveBack(prompt ?? '');
      view.notice('warning', 'No conversation is open: /new begins one, /resume goes on with another one.');
      return;
    }
    const message = prompt === undefined ? undefined : await this.messageOf(prompt, talk.takeTold());
    await this.show(talk.agent.run(message));
  }

  /** What was typed, and the images that it names; `told` is for the model alone. Does not fail. */
  async messageOf(typed: string, told: readonly string[] = []): Promise<InputMessage> {
    const { view, cwd } = this.#options;
    const { parts, tooLarge } = await imagesNamedIn(typed, cwd);
    for (const name of tooLarge) view.notice('warning', `${name} is larger than 5 MB and is not sent.`);
    const text = (one: string) => ({ type: 'input_text', text: one }) as const;
    return { type: 'message', role: 'user', content: [text(typed), ...parts, ...told.map(text)] };
  }

  /** The seconds in the status line. */
  #keepTime(): void {
    this.#tick?.cancel();
    this.#tick = this.#options.clock.after(1000, () => {
      this.#options.redraw();
      if (this.#isBusy) this.#keepTime();
    });
  }
}
