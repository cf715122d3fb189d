import type { Terminal } from '@earendil-works/pi-tui';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';

export interface Size {
  readonly width: number;
  readonly rows: number;
}

export interface SizeWatchOptions {
  readonly terminal: Pick<Terminal, 'columns' | 'rows' | 'write'>;
  readonly clock: Clock;
  /** The size stays as it is; the cursor's row in it, from 0; unknown when the terminal does not tell. */
  readonly settled: (cursorRow: number | undefined) => void;
}

type Step =
  /** Waits until the size stays as it is. */
  | { readonly name: 'settling'; readonly timer: Timer; readonly size: Size }
  /** The terminal was asked where its cursor is. */
  | { readonly name: 'asking'; readonly timer: Timer; readonly size: Size };

/**
 * How long the size has to stay the same. While somebody changes it again and again, twice as long as from one change to the
 * next, so that nothing is drawn while a window is dragged: what is drawn for a size that is no more is cut.
 */
const SETTLE_MS = 300;
const LONGEST_SETTLE_MS = 1000;
/** How long a terminal may take to answer. One that never did is not waited for again. */
const ANSWER_MS = 3000;
/** A terminal that gives another size than the system so many times in a row means something else by it. */
const DISAGREEMENTS = 10;
/** XTWINOPS 18: "Report the size of the text area in characters" (xterm, ctlseqs.txt). */
const ASK_SIZE = '\x1b[18t';
const ASK_CURSOR = '\x1b[6n';
const ASK_ATTRIBUTES = '\x1b[>c';

/* eslint-disable no-control-regex -- they are control sequences */
const ATTRIBUTES = /^\x1b\[>([\d;]+)c$/;
const CURSOR = /^\x1b\[(\d+);\d+R$/;
const SIZE = /^\x1b\[8;(\d+);(\d+)t$/;
/* eslint-enable no-control-regex */

/**
 * Finds the moment to draw after the terminal's size has changed. A program hears of a change late: from tmux up to 250 ms
 * (`server_client_check_pane_resize`), on a busy machine longer. So a terminal that tells its size is asked for it together with the
 * cursor, and what it says counts only when that is the size which was heard of.
 */
export class SizeWatch {
  readonly #options: SizeWatchOptions;
  #step: Step | undefined;
  #changedAt = -Infinity;
  /** Questions for the cursor that were not answered yet: only the answer to the latest counts. */
  #asked = 0;
  #cursorRow: number | undefined;
  #tellsSize = false;
  #tellsCursor = true;
  #disagreed = 0;
  #attributes: string | undefined;

  constructor(options: SizeWatchOptions) {
    this.#options = options;
  }

  /** Nothing may be drawn. */
  get isResizing(): boolean {
    return this.#step !== undefined;
  }

  /** What the terminal answered to the question what it is, e.g. `84;0;0`. */
  get attributes(): string | undefined {
    return this.#attributes;
  }

  /** The questions that a terminal is asked at the start. */
  begin(): string {
    this.#asked = 0;
    return `${ASK_SIZE}${ASK_ATTRIBUTES}`;
  }

  /** Waits for the size to settle, from anew, when it is not the one that was `drawn` or is waited for. */
  notice(drawn: Size): boolean {
    const heard = this.#heard();
    if (isSame(this.#step?.size ?? drawn, heard)) return false;
    const now = this.#options.clock.now();
    const since = now - this.#changedAt;
    this.#changedAt = now;
    const isRepeated = since < LONGEST_SETTLE_MS;
    this.#settle(isRepeated ? Math.min(LONGEST_SETTLE_MS, Math.max(SETTLE_MS, 2 * since)) : SETTLE_MS);
    return true;
  }

  /** Takes what the terminal answered; false when `data` is something else. */
  take(data: string): boolean {
    const attributes = ATTRIBUTES.exec(data)?.[1];
    if (attributes !== undefined) {
      this.#attributes = attributes;
      return true;
    }
    const [, rows, width] = SIZE.exec(data) ?? [];
    if (rows !== undefined) {
      this.#takeSize({ width: Number(width), rows: Number(rows) });
      return true;
    }
    const cursor = this.#asked > 0 ? CURSOR.exec(data)?.[1] : undefined;
    if (cursor === undefined) return false;
    this.#asked--;
    this.#cursorRow = Number(cursor) - 1;
    if (!this.#tellsSize) this.#answered(this.#heard());
    return true;
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#step?.timer.cancel();
    this.#step = undefined;
  }

  #heard(): Size {
    const { terminal } = this.#options;
    return { width: terminal.columns, rows: terminal.rows };
  }

  #settle(ms: number): void {
    this.stop();
    const size = this.#heard();
    this.#step = { name: 'settling', size, timer: this.#options.clock.after(ms, () => this.#ask(size)) };
  }

  #ask(size: Size): void {
    if (this.notice(size)) return;
    if (!this.#tellsCursor) {
      this.#settled(undefined);
      return;
    }
    this.#asked++;
    this.#step = { name: 'asking', size, timer: this.#options.clock.after(ANSWER_MS, () => this.#unanswered()) };
    this.#options.terminal.write(`${ASK_CURSOR}${this.#tellsSize ? ASK_SIZE : ''}`);
  }

  #takeSize(size: Size): void {
    // The first answer, to the question of the start: some terminals give another size than the system.
    if (!this.#tellsSize && this.#cursorRow === undefined) this.#tellsSize = isSame(size, this.#heard());
    else this.#answered(size);
  }

  /** An answer to a question before the latest one may be of another size. */
  #answered(told: Size): void {
    if (this.#step?.name !== 'asking' || this.#asked > 0) return;
    const { size } = this.#step;
    if (this.notice(size)) return;
    // The terminal has the next size already, of which the system has not told yet.
    if (!isSame(told, size) && ++this.#disagreed < DISAGREEMENTS) this.#settle(SETTLE_MS);
    else this.#settled(this.#cursorRow);
  }

  #unanswered(): void {
    this.#tellsCursor = this.#cursorRow !== undefined;
    this.#settled(undefined);
  }

  #settled(cursorRow: number | undefined): void {
    this.stop();
    this.#tellsSize &&= this.#disagreed < DISAGREEMENTS;
    this.#disagreed = 0;
    this.#options.settled(cursorRow);
  }
}

function isSame(one: Size, other: Size): boolean {
  return one.width === other.width && one.rows === other.rows;
}
