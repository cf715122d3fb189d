import { matchesKey, type Component, type Terminal } from '@earendil-works/pi-tui';
import type { Agent, RequestOptions } from '../agent/agent.ts';
import type { AgentEvent } from '../agent/events.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { ApprovalPrompt } from './approval-prompt.ts';
import type { ChatBackend, OpenWhat } from './backend.ts';
import { questionLines, queueLines, statusLine, type BottomView } from './bottom-lines.ts';
import { cellLines } from './cell-lines.ts';
import { helpText, parseSubmitted } from './commands.ts';
import { createCompletions } from './completions.ts';
import { eventsOfHistory } from './history-events.ts';
import { InputLine } from './input-line.ts';
import { Layout } from './layout.ts';
import { Screen, type ScreenDocument } from './screen.ts';
import { shortCount } from './text.ts';
import { createTheme, type Theme } from './theme.ts';
import { addNotice } from './view-cells.ts';
import { viewAfter } from './view-reducer.ts';
import { emptyView, type ViewState } from './view-state.ts';

export interface ChatOptions {
  readonly terminal: Terminal;
  readonly backend: ChatBackend;
  readonly clock: Clock;
  readonly colour: boolean;
  /** Default: a new conversation. */
  readonly open?: OpenWhat;
}

/** How a chat ended. */
export type ChatEnd = 'done' | 'interrupted';

const CTRL_C_MS = 2000;

/**
 * The terminal chat: keys in, agent events to cells, cells to the screen. One conversation at a time; everything that it
 * draws comes from the view state.
 */
export class ChatApp {
  readonly #options: ChatOptions;
  readonly #theme: Theme;
  readonly #screen: Screen;
  readonly #editor: InputLine;
  readonly #layout = new Layout();
  readonly #prompt: ApprovalPrompt;
  readonly #end = Promise.withResolvers<ChatEnd>();
  #view: ViewState = emptyView;
  #agent: Agent | undefined;
  #provider: string;
  #model: string | undefined;
  #asksWhy = false;
  /** The line that was being typed when the question for a reason came. */
  #draft = '';
  #unfolded = false;
  #hint: string | undefined;
  #lastCtrlC = -Infinity;
  #busy = false;
  #leaving = false;
  #tick: Timer | undefined;
  #stopWatching: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#provider = options.backend.provider;
    this.#model = options.backend.model;
    this.#theme = createTheme({ colour: options.colour });
    const screen = new Screen({ terminal: options.terminal, compose: (frame) => this.#compose(frame) });
    this.#screen = screen;
    this.#editor = new InputLine(screen, this.#theme);
    this.#editor.onSubmit = (text) => this.#submit(text);
    this.#editor.setAutocompleteProvider(createCompletions(options.backend));
    this.#prompt = new ApprovalPrompt({
      clock: options.clock,
      changed: () => this.#redraw(),
      askWhy: () => this.#askWhy(),
    });
  }

  /** Runs until the person leaves or `signal` aborts; the turn that runs then is interrupted and waited for. */
  async run(signal?: AbortSignal): Promise<ChatEnd> {
    const onAbort = (): void => this.leave('interrupted');
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#screen.setFocus(this.#keys());
    this.#screen.start();
    try {
      for (const line of this.#options.backend.greeting) this.#notice('info', line);
      this.#do(() => this.#open(this.#options.open ?? { type: 'new' }));
      const end = await this.#end.promise;
      this.#agent?.interrupt();
      await this.#work;
      return end;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#leaving = true;
      this.#stopWatching();
      this.#tick?.cancel();
      while (this.#layout.isBehind) this.#screen.renderNow();
      this.#screen.renderNow();
      this.#screen.stop();
    }
  }

  /** Ends `run`. */
  leave(how: ChatEnd): void {
    this.#end.resolve(how);
  }

  /** What Ctrl-C does: stops the turn; else clears the line; else leaves when it comes twice in two seconds. */
  interrupt(): void {
    const now = this.#options.clock.now();
    if (now - this.#lastCtrlC < CTRL_C_MS) {
      this.leave('interrupted');
      return;
    }
    if (!this.#busy && this.#editor.getText() !== '') {
      this.#editor.setText('');
      this.#redraw();
      return;
    }
    this.#lastCtrlC = now;
    this.#agent?.interrupt();
    this.#hint = 'Ctrl-C again to leave';
    this.#redraw();
  }

  /** The conversation that can be resumed: one that is kept, with at least one turn. */
  get threadId(): string | undefined {
    return (this.#agent?.turns ?? 0) > 0 ? this.#agent?.threadId : undefined;
  }

  /** For tests and measurements. */
  get view(): ViewState {
    return this.#view;
  }

  /** More has come than is drawn; the next frames draw it. */
  get isBehind(): boolean {
    return this.#layout.isBehind;
  }

  /** A turn or a command runs. */
  get isBusy(): boolean {
    return this.#busy;
  }

  get screen(): Screen {
    return this.#screen;
  }

  #keys(): Component & { focused: boolean } {
    const editor = this.#editor;
    return {
      get focused() {
        return editor.focused;
      },
      set focused(focused) {
        editor.focused = focused;
      },
      render: () => [],
      invalidate: () => undefined,
      handleInput: (data) => this.#key(data),
    };
  }

  #key(data: string): void {
    if (matchesKey(data, 'ctrl+c')) {
      this.interrupt();
      return;
    }
    this.#hint = undefined;
    const isEmpty = this.#editor.getText() === '';
    if (matchesKey(data, 'escape') && !this.#editor.isShowingAutocomplete()) this.#escape();
    else if (matchesKey(data, 'ctrl+d') && isEmpty) this.leave('done');
    else if (matchesKey(data, 'ctrl+o')) this.#fold();
    else if (!this.#asksWhy && isEmpty && this.#prompt.handleKey(data)) return;
    else if (isEmpty && matchesKey(data, 'up') && this.#unqueue()) return;
    else this.#editor.handleInput(data);
  }

  #escape(): void {
    if (this.#asksWhy) this.#endWhy();
    else this.#agent?.interrupt();
  }

  #fold(): void {
    this.#unfolded = !this.#unfolded;
    this.#redraw();
  }

  /** Takes the last queued message back into the input line. */
  #unqueue(): boolean {
    const last = this.#agent?.queue.messages.at(-1);
    if (last === undefined || this.#agent?.queue.remove(last.id) !== true) return false;
    this.#editor.setText(last.text);
    return true;
  }

  #askWhy(): void {
    this.#asksWhy = true;
    this.#draft = this.#editor.getText();
    this.#editor.setText('');
    this.#redraw();
  }

  #endWhy(): void {
    this.#asksWhy = false;
    this.#editor.setText(this.#draft);
    this.#redraw();
  }

  #submit(text: string): void {
    if (this.#asksWhy) {
      const asked = this.#prompt.denyBecause(text.trim());
      this.#endWhy();
      if (asked) return;
      // The question went away while the person typed: nothing typed is lost.
      this.#editor.setText(text);
      return;
    }
    const meant = parseSubmitted(text);
    if (meant.type === 'nothing') {
      if (!this.#busy && (this.#agent?.queue.messages.length ?? 0) > 0) this.#do(() => this.#turn(undefined));
      return;
    }
    this.#editor.addToHistory(text);
    if (meant.type === 'unknown') this.#notice('warning', `There is no command /${meant.name}; /help lists them.`);
    else if (meant.type === 'command') this.#command(meant.name, meant.argument);
    else this.#send(meant.text);
  }

  #send(text: string): void {
    if (!this.#busy) {
      this.#do(() => this.#turn(text));
      return;
    }
    if (this.#agent === undefined) {
      // It is still being opened.
      void this.#work.then(() => this.#send(text));
      return;
    }
    if (this.#agent.queue.add(text) !== undefined) return;
    this.#editor.setText(text);
    this.#notice('warning', 'That cannot be queued now.');
  }

  #command(name: string, argument: string): void {
    if (name === 'help') this.#notice('info', helpText);
    else if (name === 'cost') this.#notice('info', costText(this.#view));
    else if (name === 'exit') this.leave('done');
    else if (this.#busy) this.#notice('warning', `/${name} has to wait: Esc stops what is running.`);
    else this.#do(() => this.#change(name, argument));
  }

  async #change(name: string, argument: string): Promise<void> {
    switch (name) {
      case 'model':
        this.#setModel(argument);
        return;
      case 'provider':
        await this.#setProvider(argument);
        return;
      case 'new':
        await this.#open({ type: 'new' });
        return;
      case 'resume':
        await this.#resume(argument);
        return;
      case 'fork':
        await this.#fork();
        return;
      case 'compact':
        if (this.#agent !== undefined) await this.#show(this.#agent.compact());
        return;
    }
  }

  #setModel(name: string): void {
    const agent = this.#agent;
    if (name === '')
      this.#notice('info', `The model is ${this.#model ?? "the provider's own"}. /model NAME changes it.`);
    else if (agent !== undefined) {
      agent.request = { ...agent.request, model: name };
      this.#model = name;
      this.#notice('info', `The model is ${name} from now on.`);
    }
  }

  async #setProvider(name: string): Promise<void> {
    const { backend } = this.#options;
    if (name === '') {
      const names = await backend.providers();
      const known = names.length === 0 ? 'turnwire.toml names none' : `there are ${names.join(', ')}`;
      this.#notice('info', `The provider is ${this.#provider}; ${known}.`);
      return;
    }
    const opened = await backend.openProvider(name);
    this.#provider = opened.name;
    this.#model = opened.model;
    if (this.#agent !== undefined) {
      this.#agent.model = opened.port;
      // The other server's models have other names.
      const { request } = this.#agent;
      this.#agent.request = opened.model === undefined ? withoutModel(request) : { ...request, model: opened.model };
    }
    this.#notice('info', `The provider is ${opened.name} from now on.`);
  }

  async #resume(id: string): Promise<void> {
    if (id !== '') {
      await this.#open({ type: 'resume', id });
      return;
    }
    const threads = (await this.#options.backend.threads()).slice(0, 10);
    const lines = threads.map((thread) => `  ${thread.id}  ${thread.preview}`);
    const text = ['Conversations, newest first; /resume ID or /resume last:', ...lines].join('\n');
    this.#notice('info', threads.length === 0 ? 'There is no conversation to resume yet.' : text);
  }

  async #fork(): Promise<void> {
    const id = this.#agent?.threadId;
    if (id === undefined || (this.#agent?.turns ?? 0) === 0) this.#notice('warning', 'There is nothing to fork yet.');
    else await this.#open({ type: 'fork', id });
  }

  async #open(what: OpenWhat): Promise<void> {
    const { agent, notes } = await this.#options.backend.open(what, this.#prompt.approver);
    const before = this.#agent;
    if (before !== undefined) {
      agent.model = before.model;
      if (this.#model !== undefined) agent.request = { ...agent.request, model: this.#model };
    }
    this.#stopWatching();
    this.#stopWatching = agent.queue.onChange(() => this.#redraw());
    this.#agent = agent;
    this.#view = { ...emptyView, cells: this.#view.cells, nextKey: this.#view.nextKey };
    if (before !== undefined || what.type !== 'new') this.#notice('info', openedText(what, agent));
    if (what.type === 'resume') this.#take(eventsOfHistory(agent.items));
    this.#view = { ...this.#view, phase: 'idle', requests: 0, usage: undefined, total: undefined };
    for (const note of notes) this.#notice('warning', note);
  }

  async #turn(prompt: string | undefined): Promise<void> {
    if (this.#agent === undefined) return;
    await this.#show(this.#agent.run(prompt));
  }

  async #show(events: AsyncIterable<readonly AgentEvent[]>): Promise<void> {
    this.#keepTime();
    for await (const batch of events) this.#take(batch);
    this.#view = { ...this.#view, phase: 'idle' };
    // A question for a reason has no question any more.
    if (this.#asksWhy) this.#endWhy();
  }

  #take(events: readonly AgentEvent[]): void {
    const now = this.#options.clock.now();
    for (const event of events) this.#view = viewAfter(this.#view, event, now);
    this.#redraw();
  }

  /** One thing at a time; a failure is told in one line. */
  #do(work: () => Promise<void>): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#work = work()
      .catch((error: unknown) => this.#notice('error', error instanceof Error ? error.message : String(error)))
      .finally(() => {
        this.#busy = false;
        this.#tick?.cancel();
        this.#redraw();
      });
  }

  /** The seconds in the status line. */
  #keepTime(): void {
    this.#tick?.cancel();
    this.#tick = this.#options.clock.after(1000, () => {
      this.#redraw();
      if (this.#busy) this.#keepTime();
    });
  }

  #notice(level: 'info' | 'warning' | 'error', text: string): void {
    this.#view = addNotice(this.#view, level, text);
    this.#redraw();
  }

  #redraw(): void {
    this.#screen.requestRender();
  }

  #compose({ top, width }: { top: number; width: number; rows: number }): ScreenDocument {
    const look = { theme: this.#theme, width, unfolded: this.#unfolded };
    const lines = this.#layout.update(this.#view.cells, {
      render: (cell) => cellLines(cell, look),
      width,
      look: String(this.#unfolded),
      top,
      voidMark: this.#theme.yellow('⟲ What stands above of this answer is void.'),
    });
    this.#forgetSealed();
    if (this.#layout.isBehind) this.#redraw();
    return { first: this.#layout.first, lines: this.#leaving ? lines : [...lines, ...this.#bottom(width)] };
  }

  /** Cells that have left the screen are the terminal's. */
  #forgetSealed(): void {
    const { sealed } = this.#layout;
    if (sealed.size < 64) return;
    this.#view = { ...this.#view, cells: this.#view.cells.filter((cell) => !sealed.has(cell.key)) };
    this.#layout.forgetSealed();
  }

  #bottom(width: number): string[] {
    const bottom: BottomView = {
      view: this.#view,
      queue: this.#agent?.queue.messages ?? [],
      question: this.#prompt.question,
      asksWhy: this.#asksWhy,
      isTyping: this.#editor.getText() !== '',
      rows: this.#options.terminal.rows,
      provider: this.#provider,
      model: this.#model,
      hint: this.#hint,
      now: this.#options.clock.now(),
    };
    const theme = this.#theme;
    return [
      ...questionLines(bottom, theme, width),
      ...queueLines(bottom, theme, width),
      ...this.#editor.render(width),
      statusLine(bottom, theme, width),
    ];
  }
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

function costText({ total, requests }: ViewState): string {
  if (total === undefined) return requests === 0 ? 'Nothing was asked yet.' : 'The server tells no usage.';
  const { input_tokens: input, output_tokens: output } = total;
  const cached = total.input_tokens_details.cached_tokens;
  const reasoning = total.output_tokens_details.reasoning_tokens;
  return `${requests} requests: ${shortCount(input)} tokens in (${shortCount(cached)} cached), ${shortCount(output)} out (${shortCount(reasoning)} reasoning).`;
}
