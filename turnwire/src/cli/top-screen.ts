import type { ListMessage } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { OutputStream } from './context.ts';
import { cutToWidth, tableLines } from './top-table.ts';

/** The terminal's other screen, without a cursor and without wrapping; and back to what was there before. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const LINE_END = '\x1b[K';
const SCREEN_END = '\x1b[J';
/** What a terminal is taken for that does not tell. */
const USUAL = { columns: 80, rows: 24 };

/** A table that is drawn anew each time, on a screen of its own. */
export class TopScreen implements Disposable {
  readonly #terminal: OutputStream;
  readonly #url: string;
  #list: ListMessage | undefined;
  #error: string | undefined;

  constructor(terminal: OutputStream, url: string) {
    this.#terminal = terminal;
    this.#url = url;
    terminal.write(ENTER);
    terminal.on('resize', this.#draw);
  }

  /** A bridge that is lost keeps its table, and says so above it. */
  show(told: ListMessage | { readonly error: string }): void {
    if ('error' in told) this.#error = told.error;
    else {
      this.#list = told;
      this.#error = undefined;
    }
    this.#draw();
  }

  [Symbol.dispose](): void {
    this.#terminal.off('resize', this.#draw);
    this.#terminal.write(LEAVE);
  }

  readonly #draw = (): void => {
    const { columns = USUAL.columns, rows = USUAL.rows } = this.#terminal;
    const heads = this.#heads.map((line) => cutToWidth(visible(line), columns));
    const lines = this.#list === undefined ? [] : tableLines(this.#list, { columns, rows: rows - heads.length });
    const text = [...heads, ...lines].slice(0, rows).map((line) => line + LINE_END);
    this.#terminal.write(HOME + text.join('\r\n') + SCREEN_END);
  };

  get #heads(): readonly string[] {
    const open = this.#list?.rows.filter(({ endedAt }) => endedAt === undefined).length ?? 0;
    const title = `turnwire top: ${this.#url}, ${open} open (Ctrl-C ends)`;
    return this.#error === undefined ? [title, ''] : [title, `no answer, trying again: ${this.#error}`];
  }
}
