import type { Terminal } from '@earendil-works/pi-tui';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { currentPlanLines, questionLines, queueLines, statusLine, type BottomView } from './bottom-lines.ts';
import { cellLines } from './cell-lines.ts';
import type { ChatView } from './chat-view.ts';
import type { InputView } from './input-line.ts';
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
  readonly input: (width: number) => InputView;
  /** `TERM`. */
  readonly term: string;
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
    const { terminal, clock, term } = options;
    this.screen = new Screen({ terminal, clock, term, compose: ({ top, width }) => this.#compose(top, width) });
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
    do this.screen.drawLast();
    while (this.#layout.isBehind);
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
    const { first } = this.#layout;
    return this.#leaving ? { first, lines, bottom: [] } : { first, lines, ...this.#bottom(width) };
  }

  #forgetSealed(): void {
    const { sealed } = this.#layout;
    if (sealed.size < 64) return;
    this.#options.view.forget(sealed);
    this.#layout.forgetSealed();
  }

  /** The input line comes last: the cursor is in the last row then, and nothing below it is moved by a terminal that shrinks. */
  #bottom(width: number): Pick<ScreenDocument, 'bottom' | 'cursor'> {
    const { terminal, clock, theme, view, input } = this.#options;
    const bottom = { ...this.#options.bottom(), view: view.state, rows: terminal.rows, now: clock.now() };
    const { lines, cursor } = input(width);
    const above = [
      ...currentPlanLines(bottom, theme, width),
      ...questionLines(bottom, theme, width),
      ...queueLines(bottom, theme, width),
      '',
      statusLine(bottom, theme, width),
    ];
    return { bottom: [...above, ...lines], cursor: cursor && { ...cursor, line: above.length + cursor.line } };
  }
}
