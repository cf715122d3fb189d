import type { AutocompleteProvider, Component, TUI } from '@earendil-works/pi-tui';
import type { Approver } from '@turnwire/agent/internal/approval/approval';
import type { Elicitor } from '@turnwire/agent/internal/approval/elicitation';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { ApprovalPrompt } from './approval-prompt.ts';
import type { BottomView } from './bottom-lines.ts';
import { hasChoices } from './choices.ts';
import { ElicitationPrompt } from './elicitation-prompt.ts';
import { InputLine } from './input-line.ts';
import { KeyBursts } from './key-bursts.ts';
import type { LineTaker } from './line-taker.ts';
import { matchesKey } from './pi-tui.ts';
import type { Theme } from './theme.ts';

export interface ChatKeysOptions {
  readonly tui: TUI;
  readonly clock: Clock;
  readonly theme: Theme;
  readonly completions: AutocompleteProvider;
  readonly redraw: () => void;
  /** A line that was sent, as it was typed. */
  readonly submit: (text: string) => void;
  /** Stops the turn, if one runs. */
  readonly stopTurn: () => void;
  readonly isBusy: () => boolean;
  readonly fold: () => void;
  /** Shows the latest output of a tool. */
  readonly showOutput: () => void;
  /** Takes the image of the clipboard into the message. */
  readonly pasteImage: () => void;
  readonly leave: (how: 'done' | 'interrupted') => void;
  /** What Ctrl-Z does. */
  readonly suspend: () => void;
  /** Takes the last message out of the queue. */
  readonly unqueue: () => string | undefined;
}

const CTRL_C_MS = 2000;

/** What the keys mean: the input line, the answers to a question, and the keys of the chat itself. */
export class ChatKeys {
  readonly editor: InputLine;
  readonly #options: ChatKeysOptions;
  readonly #prompt: ApprovalPrompt;
  readonly #elicitation: ElicitationPrompt;
  /** The question that the line is for; absent: it is a message. */
  #taker: LineTaker | undefined;
  /** The line that was being typed when a question took its place. */
  #draft = '';
  #hint: string | undefined;
  #lastCtrlC = -Infinity;

  constructor(options: ChatKeysOptions) {
    this.#options = options;
    this.editor = new InputLine(options.tui, options.theme, (text) => this.#submit(text));
    this.editor.setAutocompleteProvider(options.completions);
    const { clock, redraw } = options;
    this.#prompt = new ApprovalPrompt({ clock, changed: redraw, askWhy: () => this.#askLines(this.#prompt) });
    this.#elicitation = new ElicitationPrompt({
      clock,
      changed: redraw,
      askLines: () => this.#askLines(this.#elicitation),
    });
  }

  get approver(): Approver {
    return this.#prompt.approver;
  }

  get elicitor(): Elicitor {
    return this.#elicitation.elicitor;
  }

  /** For the lines above and below the input line. */
  get bottom(): Pick<BottomView, 'question' | 'elicitation' | 'asksWhy' | 'isTyping' | 'hint'> {
    const isTyping = this.editor.getText() !== '';
    const asksWhy = this.#taker === this.#prompt;
    const { question } = this.#prompt;
    return { question, elicitation: this.#elicitation.question, asksWhy, isTyping, hint: this.#hint };
  }

  /** Lets the person choose what comes after a command. */
  pick(name: string): void {
    this.editor.setText(`/${name} `);
    this.#showList();
  }

  /** What Ctrl-C does: stops the turn; else clears the line; else leaves when it comes twice in two seconds. */
  interrupt(): void {
    const { clock, isBusy, stopTurn, leave, redraw } = this.#options;
    const now = clock.now();
    if (now - this.#lastCtrlC < CTRL_C_MS) {
      leave('interrupted');
      return;
    }
    if (!isBusy() && this.editor.getText() !== '') {
      this.editor.setText('');
      redraw();
      return;
    }
    this.#lastCtrlC = now;
    stopTurn();
    this.#hint = 'Ctrl-C again to leave';
    redraw();
  }

  /** A turn is over, and its questions are. */
  endQuestion(): void {
    this.#endLines();
  }

  /** What has the focus. */
  component(): Component & { focused: boolean } {
    const { editor } = this;
    const bursts = new KeyBursts(
      this.#options.clock,
      (key) => this.#key(key),
      () => editor.getText() === '',
    );
    return {
      get focused() {
        return editor.focused;
      },
      set focused(focused) {
        editor.focused = focused;
      },
      render: () => [],
      invalidate: () => undefined,
      handleInput: (data) => bursts.key(data),
    };
  }

  #key(data: string): void {
    if (matchesKey(data, 'ctrl+c')) {
      this.interrupt();
      return;
    }
    this.#hint = undefined;
    const isEmpty = this.editor.getText() === '';
    if (matchesKey(data, 'escape') && !this.editor.isShowingAutocomplete()) this.#escape();
    else if (matchesKey(data, 'ctrl+d') && isEmpty) this.#options.leave('done');
    else if (matchesKey(data, 'ctrl+z')) this.#options.suspend();
    else if (matchesKey(data, 'ctrl+o')) this.#options.fold();
    else if (matchesKey(data, 'ctrl+t')) this.#options.showOutput();
    else if (matchesKey(data, 'ctrl+v')) this.#options.pasteImage();
    else if (this.#taker === undefined && isEmpty && this.#answer(data)) return;
    else if (isEmpty && matchesKey(data, 'up') && this.#unqueue()) return;
    else this.#type(data);
  }

  /** What there is to choose after a command is shown once its name is whole. */
  #type(data: string): void {
    this.editor.handleInput(data);
    const [, name = ''] = /^\/(\w+) $/.exec(this.editor.getText()) ?? [];
    const isNew = matchesKey(data, 'tab') || data === ' ';
    if (isNew && hasChoices(name) && !this.editor.isShowingAutocomplete()) this.#showList();
  }

  #showList(): void {
    this.editor.handleInput('\t');
  }

  #escape(): void {
    if (this.#taker === undefined) this.#options.stopTurn();
    else {
      this.#taker.leave();
      this.#endLines();
    }
  }

  #answer(data: string): boolean {
    return this.#prompt.handleKey(data) || this.#elicitation.handleKey(data);
  }

  /** Takes the last queued message back into the input line. */
  #unqueue(): boolean {
    const text = this.#options.unqueue();
    if (text === undefined) return false;
    this.editor.setText(text);
    return true;
  }

  #askLines(taker: LineTaker): void {
    this.#taker = taker;
    this.#draft = this.editor.getText();
    this.editor.setText('');
    this.#options.redraw();
  }

  #endLines(): void {
    if (this.#taker === undefined) return;
    this.#taker = undefined;
    this.editor.setText(this.#draft);
    this.#options.redraw();
  }

  #submit(text: string): void {
    if (this.#taker === undefined) {
      this.#options.submit(text);
      return;
    }
    const end = this.#taker.take(text.trim());
    if (end === 'more') return;
    this.#endLines();
    // The question went away while the person typed: nothing typed is lost.
    if (end === 'gone') this.editor.setText(text);
  }
}
