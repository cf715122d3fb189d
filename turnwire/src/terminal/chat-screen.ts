import type { Terminal } from '@earendil-works/pi-tui';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { questionLines, queueLines, statusLine, type BottomView } from './bottom-lines.ts';
import { cellLines } from './cell-lines.ts';
import type { ChatView } from './chat-view.ts';
import { Layout } from './layout.ts';
import { Screen, type ScreenDocument } from './screen.ts';
import type { Theme } from './theme.ts';

export interface ChatScreenOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly theme: Theme;
  readonly view: ChatView;
  /** What stands below the transcript, without what is known here. */
  readonly bottom: () => Omit<BottomView, 'view' | 'rows' | 'now'>;
  readonly inputLines: (width: number) => readonly string[];
}

/** The transcript above, question, queue, input line and status below: the document that the screen shows the end of. */
export class ChatScreen {
  readonly screen: Screen;
  readonly #options: ChatScreenOptions;
  readonly #layout = new Layout();
  #unfolded = false;
  #leaving = false;

  constructor(options: ChatScreenOptions) {
    this.#options = options;
    const { terminal, clock } = options;
    this.screen = new Screen({ terminal, clock, compose: ({ top, width }) => this.#compose(top, width) });
  }

  /** More has come than is drawn; the next frames draw it. */
  get isBehind(): boolean {
    return this.#layout.isBehind;
  }

  redraw(): void {
    this.screen.requestRender();
  }

  /** Folds or unfolds what can be folded. */
  fold(): void {
    this.#unfolded = !this.#unfolded;
    this.redraw();
  }

  /** Draws all that is left of the transcript, and gives the terminal back. */
  leave(): void {
    this.#leaving = true;
    while (this.#layout.isBehind) this.screen.renderNow();
    this.screen.renderNow();
    this.screen.stop();
  }

  #compose(top: number, width: number): ScreenDocument {
    const { theme, view } = this.#options;
    const look = { theme, width, unfolded: this.#unfolded };
    const lines = this.#layout.update(view.state.cells, {
      render: (cell) => cellLines(cell, look),
      width,
      look: String(this.#unfolded),
      top,
      voidMark: theme.yellow('⟲ What stands above of this answer is void.'),
    });
    this.#forgetSealed();
    if (this.#layout.isBehind) this.redraw();
    return { first: this.#layout.first, lines: this.#leaving ? lines : [...lines, ...this.#bottomLines(width)] };
  }

  #forgetSealed(): void {
    const { sealed } = this.#layout;
    if (sealed.size < 64) return;
    this.#options.view.forget(sealed);
    this.#layout.forgetSealed();
  }

  #bottomLines(width: number): string[] {
    const { terminal, clock, theme, view, inputLines } = this.#options;
    const bottom = { ...this.#options.bottom(), view: view.state, rows: terminal.rows, now: clock.now() };
    return [
      ...questionLines(bottom, theme, width),
      ...queueLines(bottom, theme, width),
      ...inputLines(width),
      statusLine(bottom, theme, width),
    ];
  }
}
