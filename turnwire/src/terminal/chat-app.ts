import { matchesKey, type Component, type Terminal } from '@earendil-works/pi-tui';
import type { Agent } from '@turnwire/agent/internal/agent';
import type { AgentEvent } from '@turnwire/agent/internal/events';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import { ApprovalPrompt } from './approval-prompt.ts';
import type { ChatBackend, OpenWhat } from './backend.ts';
import { questionLines, queueLines, statusLine, type BottomView } from './bottom-lines.ts';
import { cellLines } from './cell-lines.ts';
import { helpText, parseSubmitted } from './commands.ts';
import { createCompletions } from './completions.ts';
import { Conversation, viewOfNext, withFailure } from './conversation.ts';
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
  readonly #talk: Conversation;
  readonly #end = Promise.withResolvers<ChatEnd>();
  #view: ViewState = emptyView;
  #asksWhy = false;
  /** The line that was being typed when the question for a reason came. */
  #draft = '';
  #unfolded = false;
  #hint: string | undefined;
  #lastCtrlC = -Infinity;
  #busy = false;
  #leaving = false;
  #tick: Timer | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#theme = createTheme({ colour: options.colour });
    const screen = new Screen({
      terminal: options.terminal,
      clock: options.clock,
      compose: (frame) => this.#compose(frame),
    });
    this.#screen = screen;
    this.#editor = new InputLine(screen, this.#theme);
    this.#editor.onSubmit = (text) => this.#submit(text);
    this.#editor.setAutocompleteProvider(createCompletions(options.backend));
    this.#prompt = new ApprovalPrompt({
      clock: options.clock,
      changed: () => this.#redraw(),
      askWhy: () => this.#askWhy(),
    });
    this.#talk = new Conversation({
      backend: options.backend,
      approver: this.#prompt.approver,
      notice: (level, text) => this.#notice(level, text),
      opened: (agent, what) => this.#opened(agent, what),
      queueChanged: () => this.#redraw(),
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
      this.#do(() => this.#talk.open(this.#options.open ?? { type: 'new' }));
      const end = await this.#end.promise;
      this.#talk.agent?.interrupt();
      await this.#work;
      return end;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#leaving = true;
      this.#talk.close();
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
    this.#talk.agent?.interrupt();
    this.#hint = 'Ctrl-C again to leave';
    this.#redraw();
  }

  /** The conversation that can be resumed: one that is kept, with at least one turn. */
  get threadId(): string | undefined {
    return this.#talk.threadId;
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
    else this.#talk.agent?.interrupt();
  }

  #fold(): void {
    this.#unfolded = !this.#unfolded;
    this.#redraw();
  }

  /** Takes the last queued message back into the input line. */
  #unqueue(): boolean {
    const last = this.#talk.agent?.queue.messages.at(-1);
    if (last === undefined || this.#talk.agent?.queue.remove(last.id) !== true) return false;
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
      if (!this.#busy && (this.#talk.agent?.queue.messages.length ?? 0) > 0) this.#do(() => this.#turn(undefined));
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
    if (this.#talk.agent === undefined) {
      // It is still being opened.
      void this.#work.then(() => this.#send(text));
      return;
    }
    if (this.#talk.agent.queue.add(text) !== undefined) return;
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
        this.#talk.setModel(argument);
        return;
      case 'provider':
        await this.#talk.setProvider(argument);
        return;
      case 'new':
        await this.#talk.open({ type: 'new' });
        return;
      case 'resume':
        await this.#talk.resume(argument);
        return;
      case 'fork':
        await this.#talk.fork();
        return;
      case 'compact':
        if (this.#talk.agent !== undefined) await this.#show(this.#talk.agent.compact());
        return;
    }
  }

  #opened(agent: Agent, what: OpenWhat): void {
    this.#view = viewOfNext(this.#view, emptyView);
    if (what.type === 'resume') this.#take(eventsOfHistory(agent.items));
    this.#view = viewOfNext(this.#view, emptyView);
  }

  async #turn(prompt: string | undefined): Promise<void> {
    if (this.#talk.agent === undefined) {
      // The one that was asked for could not be opened.
      this.#editor.setText(prompt ?? '');
      this.#notice('warning', 'No conversation is open: /new begins one, /resume goes on with another one.');
      return;
    }
    await this.#show(this.#talk.agent.run(prompt));
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
      .catch((error: unknown) => {
        this.#view = withFailure(this.#view, error);
      })
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
      queue: this.#talk.agent?.queue.messages ?? [],
      question: this.#prompt.question,
      asksWhy: this.#asksWhy,
      isTyping: this.#editor.getText() !== '',
      rows: this.#options.terminal.rows,
      provider: this.#talk.provider,
      model: this.#talk.model,
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

function costText({ total, requests }: ViewState): string {
  if (total === undefined) return requests === 0 ? 'Nothing was asked yet.' : 'The server tells no usage.';
  const { input_tokens: input, output_tokens: output } = total;
  const cached = total.input_tokens_details.cached_tokens;
  const reasoning = total.output_tokens_details.reasoning_tokens;
  return `${requests} requests: ${shortCount(input)} tokens in (${shortCount(cached)} cached), ${shortCount(output)} out (${shortCount(reasoning)} reasoning).`;
}
