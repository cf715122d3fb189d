import type { Terminal } from '@earendil-works/pi-tui';
import type { Agent } from '@turnwire/agent/internal/agent';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ChatBackend, OpenWhat } from './backend.ts';
import { choicesFor } from './choices.ts';
import { ChatCommands } from './chat-commands.ts';
import { ChatKeys } from './chat-keys.ts';
import { ChatScreen } from './chat-screen.ts';
import { ChatTurns } from './chat-turns.ts';
import { ChatView } from './chat-view.ts';
import { parseSubmitted } from './commands.ts';
import { createCompletions } from './completions.ts';
import { Conversation } from './conversation.ts';
import type { Screen } from './screen.ts';
import { createTheme } from './theme.ts';
import { placeFacts, sandboxFacts, statusFacts } from './status-facts.ts';
import type { ViewState } from './view-state.ts';

export interface ChatOptions {
  readonly terminal: Terminal;
  readonly backend: ChatBackend;
  readonly clock: Clock;
  readonly colour: boolean;
  /** The terminal is known to have links (OSC 8). Default false. */
  readonly links?: boolean;
  /** The variable `TERM`, for terminals that do not tell what they are. Default: one that does. */
  readonly term?: string | undefined;
  /** Default: a new conversation. */
  readonly open?: OpenWhat;
  /** Shows a text on the terminal, which is free meanwhile, until the person has read it. Absent: nothing can be paged. */
  readonly page?: (text: string) => Promise<void>;
  /** A file with the image that is in the clipboard, if one is. Absent: none can be had. Does not fail. */
  readonly clipboardImage?: () => Promise<string | undefined>;
  /** Stops the process, for Ctrl-Z: calls `suspend`, and `resume` afterwards. Default: Ctrl-Z does nothing. */
  readonly stop?: () => void;
}

/** How a chat ended. */
export type ChatEnd = 'done' | 'interrupted';

/**
 * The terminal chat: keys in, agent events to cells, cells to the screen. One conversation at a time; everything that it
 * draws comes from the view state.
 */
export class ChatApp {
  readonly #options: ChatOptions;
  readonly #view: ChatView;
  readonly #screen: ChatScreen;
  readonly #keys: ChatKeys;
  readonly #talk: Conversation;
  readonly #turns: ChatTurns;
  readonly #commands: ChatCommands;
  readonly #end = Promise.withResolvers<ChatEnd>();
  #isPaging = false;

  constructor(options: ChatOptions) {
    const { terminal, backend, clock } = options;
    this.#options = options;
    const theme = createTheme(options);
    const redraw = (): void => this.#screen.redraw();
    const sources = { backend, outputs: () => this.#view.state.outputs };
    this.#view = new ChatView({ clock, changed: redraw });
    this.#screen = new ChatScreen({
      terminal,
      clock,
      theme,
      view: this.#view,
      bottom: () => ({
        ...this.#keys.bottom,
        queue: this.#turns.waiting,
        provider: this.#talk.provider,
        model: this.#talk.model,
        contextWindow: this.#talk.contextWindow,
        folder: backend.folder,
      }),
      input: (width) => this.#keys.editor.view(width),
      term: options.term ?? '',
    });
    this.#keys = new ChatKeys({
      tui: this.#screen.screen,
      clock,
      theme,
      completions: createCompletions(sources),
      redraw,
      submit: (text) => this.#submit(text),
      stopTurn: () => this.#turns.interrupt(),
      // Before the first conversation is open there is nothing to stop.
      isBusy: () => this.#turns.isBusy && this.#talk.agent !== undefined,
      fold: () => this.#screen.fold(),
      pasteImage: () => void this.#pasteImage(),
      showOutput: () => this.#commands.showOutput(''),
      leave: (how) => this.leave(how),
      suspend: () => options.stop?.(),
      unqueue: () => this.#talk.unqueue(),
    });
    this.#talk = new Conversation({
      backend,
      approver: this.#keys.approver,
      elicitor: this.#keys.elicitor,
      notice: (level, text) => this.#view.notice(level, text),
      opened: (agent, what) => this.#opened(agent, what),
      queueChanged: redraw,
    });
    this.#turns = new ChatTurns({
      runCommand: (command, run) => backend.runCommand(command, run),
      cwd: backend.cwd,
      talk: this.#talk,
      view: this.#view,
      clock,
      redraw,
      giveBack: (text) => this.#keys.editor.setText(text),
      ended: () => this.#keys.endQuestion(),
    });
    this.#commands = new ChatCommands({
      talk: this.#talk,
      turns: this.#turns,
      view: this.#view,
      leave: () => this.leave('done'),
      choices: (name) => choicesFor(name, '', sources),
      pick: (name) => this.#keys.pick(name),
      page: (text) => void this.#page(text),
      prompts: backend.commands ?? [],
      status: () => statusFacts(this.#talk, backend, this.#view.state),
    });
  }

  /** Runs until the person leaves or `signal` aborts; the turn that runs then is interrupted and waited for. */
  async run(signal?: AbortSignal): Promise<ChatEnd> {
    const onAbort = (): void => this.leave('interrupted');
    signal?.addEventListener('abort', onAbort, { once: true });
    this.screen.setFocus(this.#keys.component());
    this.screen.start();
    try {
      this.#begin();
      this.#turns.do(() => this.#open());
      const end = await this.#end.promise;
      await this.#turns.stop();
      return end;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#talk.close();
      await this.screen.hush();
      this.#screen.leave();
    }
  }

  /** Ends `run`. */
  leave(how: ChatEnd): void {
    this.#end.resolve(how);
  }

  /** What Ctrl-C does: stops the turn; else clears the line; else leaves when it comes twice in two seconds. */
  interrupt(): void {
    // The keys are the pager's, and so are its signals.
    if (!this.#isPaging) this.#keys.interrupt();
  }

  /** Gives the terminal to the shell: the process is about to be stopped. */
  async suspend(): Promise<void> {
    if (this.#isPaging) return;
    await this.screen.hush();
    this.screen.stop();
  }

  /** Takes the terminal again, after the process was stopped. */
  resume(): void {
    if (!this.#isPaging) this.screen.resume();
  }

  /** The conversation that can be resumed: one that is kept, with at least one turn. */
  get threadId(): string | undefined {
    return this.#talk.threadId;
  }

  /** For tests and measurements. */
  get view(): ViewState {
    return this.#view.state;
  }

  /** More has come than is drawn; the next frames draw it. */
  get isBehind(): boolean {
    return this.#screen.isBehind;
  }

  /** A turn or a command runs. */
  get isBusy(): boolean {
    return this.#turns.isBusy;
  }

  get screen(): Screen {
    return this.#screen.screen;
  }

  #submit(text: string): void {
    const meant = parseSubmitted(text, this.#options.backend.commands ?? []);
    if (meant.type === 'nothing') {
      this.#turns.sendQueued();
      return;
    }
    this.#keys.editor.addToHistory(text);
    if (meant.type === 'unknown') {
      this.#view.notice('warning', `There is no command /${meant.name}; /help lists them.`);
    } else if (meant.type === 'command') this.#commands.run(meant.name, meant.argument);
    else if (meant.type === 'shell') this.#turns.runOwn(meant.command);
    else this.#turns.send(meant.text);
  }

  /** The terminal is the pager's until the person leaves it; what happens meanwhile is drawn then. */
  async #page(text: string): Promise<void> {
    const { page } = this.#options;
    if (page === undefined || this.#isPaging) return;
    this.#isPaging = true;
    try {
      await this.screen.lend(() => page(text));
    } catch (error) {
      this.#view.fail(error);
    } finally {
      this.#isPaging = false;
    }
  }

  /** The image's file is named where one types: with the message goes what it names. */
  async #pasteImage(): Promise<void> {
    const path = await this.#options.clipboardImage?.();
    if (path === undefined)
      this.#view.notice('info', 'There is no image in the clipboard, or nothing here that gives it.');
    else this.#keys.editor.insertTextAtCursor(`${path} `);
    this.#screen.redraw();
  }

  #begin(): void {
    const { version, greeting } = this.#options.backend;
    if (version !== undefined) this.#view.begin(version, placeFacts(this.#talk, this.#options.backend));
    for (const line of greeting) this.#view.notice('info', line);
  }

  async #open(): Promise<void> {
    // One can type from here on: what opens a conversation takes as long to read as all that was read before it.
    this.screen.renderNow();
    await this.#talk.open(this.#options.open ?? { type: 'new' }).finally(() => {
      this.#view.settle(sandboxFacts(this.#talk));
    });
  }

  #opened(agent: Agent, what: OpenWhat): void {
    agent.queue.toInput = (text) => this.#turns.messageOf(text);
    this.#view.next(what.type === 'resume' ? agent.past : []);
  }
}
