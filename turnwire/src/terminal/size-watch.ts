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
  /** The terminal has the latest frame: the next one may come. */
  readonly arrived: () => void;
  /**
   * The terminal had another size than the latest frame is for, when it got its beginning (`first`) or its end. `cursorRow`: where
   * the cursor was, from 0, when that was an erasure.
   */
  readonly mistaken: (first: Size, last: Size, cursorRow: number | undefined) => void;
}

/** A frame that is on its way, and the size that it was drawn for. */
interface Sent {
  readonly size: Size;
  readonly timer: Timer;
  /** How many times it asks, and what was answered. */
  readonly questions: number;
  readonly told: readonly Size[];
}

/** How a terminal tells its size: rows first as xterm, columns first as tmux 3.3a, or in a way that cannot be told. */
type Order = 'rows first' | 'columns first' | 'unknown';

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
/** How long the answers are waited for before somebody else has the terminal. */
const HUSH_MS = 500;
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
  /** Questions that were not answered yet, and for what they were asked. */
  #asked: readonly ('frame' | 'erasure' | 'cursor')[] = [];
  #sent: Sent | undefined;
  #cursorRow: number | undefined;
  /** Undefined before the first answer. */
  #order: Order | undefined;
  #tellsCursor = true;
  #disagreed = 0;
  /** Called once all is answered; nothing is asked meanwhile. */
  #hushed: (() => void) | undefined;
  #attributes: string | undefined;

  constructor(options: SizeWatchOptions) {
    this.#options = options;
  }

  /** Nothing may be drawn. */
  get isResizing(): boolean {
    return this.#step !== undefined;
  }

  /** A frame is on its way: what comes behind it has to wait. */
  get isArriving(): boolean {
    return this.#sent !== undefined;
  }

  /** What the terminal answered to the question what it is, e.g. `84;0;0`. */
  get attributes(): string | undefined {
    return this.#attributes;
  }

  /** The questions that a terminal is asked at the start, and when it comes back. */
  begin(): string {
    this.#asked = [];
    this.#hushed = undefined;
    if (this.#tellsSize) return ASK_ATTRIBUTES;
    this.#order = undefined;
    return `${ASK_SIZE}${ASK_ATTRIBUTES}`;
  }

  /** What a frame asks, so that it is known which size it met; nothing where that is not told. */
  get question(): string {
    return this.#tellsSize && this.#hushed === undefined ? ASK_SIZE : '';
  }

  /**
   * Asks nothing more before `begin`, and waits until all is answered, 0.5 s at most: what comes later is read by whoever has the
   * terminal next.
   */
  async hush(): Promise<void> {
    this.#stopStep();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#hushed = () => resolve(undefined);
    const timer = this.#options.clock.after(HUSH_MS, this.#hushed);
    this.#checkHushed();
    await promise;
    timer.cancel();
  }

  /** A frame for that size is about to be written, in which the question is so many times. */
  send(size: Size, questions: number): void {
    if (questions > 0) this.#send('frame', size, questions);
  }

  /** Asks what an erasure for that size meets: the cursor as well. To be written before it; nothing where the size is not told. */
  askErased(size: Size): string {
    if (this.question === '') return '';
    this.#send('erasure', size, 1);
    return `${ASK_CURSOR}${ASK_SIZE}`;
  }

  #send(kind: 'frame' | 'erasure', size: Size, questions: number): void {
    this.#stopSent();
    const timer = this.#options.clock.after(ANSWER_MS, () => this.#unanswered());
    this.#sent = { size, timer, questions, told: [] };
    this.#asked = [...this.#asked, ...Array.from({ length: questions }, () => kind)];
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
    const [, first, second] = SIZE.exec(data) ?? [];
    if (first !== undefined) {
      this.#takeSize(Number(first), Number(second));
      this.#checkHushed();
      return true;
    }
    const cursor = this.#asked.some((kind) => kind !== 'frame') ? CURSOR.exec(data)?.[1] : undefined;
    if (cursor === undefined) return false;
    this.#cursorRow = Number(cursor) - 1;
    if (!this.#tellsSize) {
      this.#asked = this.#asked.slice(1);
      this.#answered(this.#heard());
    }
    this.#checkHushed();
    return true;
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#stopStep();
    this.#stopSent();
  }

  #heard(): Size {
    const { terminal } = this.#options;
    return { width: terminal.columns, rows: terminal.rows };
  }

  #checkHushed(): void {
    if (this.#asked.length === 0) this.#hushed?.();
  }

  #stopStep(): void {
    this.#step?.timer.cancel();
    this.#step = undefined;
  }

  #stopSent(): void {
    this.#sent?.timer.cancel();
    this.#sent = undefined;
  }

  #settle(ms: number): void {
    this.#stopStep();
    const size = this.#heard();
    this.#step = { name: 'settling', size, timer: this.#options.clock.after(ms, () => this.#ask(size)) };
  }

  #ask(size: Size): void {
    if (this.notice(size)) return;
    if (!this.#tellsCursor || this.#hushed !== undefined) {
      this.#settled(undefined);
      return;
    }
    this.#asked = [...this.#asked, 'cursor'];
    this.#step = { name: 'asking', size, timer: this.#options.clock.after(ANSWER_MS, () => this.#unanswered()) };
    this.#options.terminal.write(`${ASK_CURSOR}${this.#tellsSize ? ASK_SIZE : ''}`);
  }

  get #tellsSize(): boolean {
    return this.#order === 'rows first' || this.#order === 'columns first';
  }

  #takeSize(first: number, second: number): void {
    if (this.#order === undefined) {
      this.#order = orderOf(first, second, this.#heard());
      return;
    }
    const [kind, ...rest] = this.#asked;
    if (!this.#tellsSize || kind === undefined) return;
    this.#asked = rest;
    const told = this.#order === 'rows first' ? { rows: first, width: second } : { rows: second, width: first };
    if (kind === 'cursor') this.#answered(told);
    else this.#frameCame(told);
  }

  #frameCame(told: Size): void {
    const left = this.#asked.filter((kind) => kind !== 'cursor').length;
    // Else it is the answer to a frame before.
    if (this.#sent === undefined || left >= this.#sent.questions) return;
    this.#sent = { ...this.#sent, told: [...this.#sent.told, told] };
    if (left > 0) return;
    const { size, told: all } = this.#sent;
    this.#stopSent();
    if (all.every((one) => isSame(one, size))) {
      this.#options.arrived();
      return;
    }
    this.#options.mistaken(all[0] ?? told, told, this.#cursorRow);
    if (this.#step === undefined) this.#settle(SETTLE_MS);
  }

  /** An answer to a question before the latest one may be of another size. */
  #answered(told: Size): void {
    if (this.#step?.name !== 'asking' || this.#asked.includes('cursor')) return;
    const { size } = this.#step;
    if (this.notice(size)) return;
    // The terminal has the next size already, of which the system has not told yet.
    if (!isSame(told, size) && ++this.#disagreed < DISAGREEMENTS) this.#settle(SETTLE_MS);
    else this.#settled(this.#cursorRow);
  }

  /** What does not answer in time is not waited for again. */
  #unanswered(): void {
    this.#order = 'unknown';
    this.#asked = this.#asked.filter((kind) => kind === 'cursor');
    this.#stopSent();
    if (this.#step?.name !== 'asking') {
      this.#options.arrived();
      return;
    }
    this.#tellsCursor = this.#cursorRow !== undefined;
    this.#settled(undefined);
  }

  #settled(cursorRow: number | undefined): void {
    this.#stopStep();
    if (this.#disagreed >= DISAGREEMENTS) this.#order = 'unknown';
    this.#disagreed = 0;
    this.#options.settled(cursorRow);
  }
}

/** `size`: what the system says. Some terminals mean something else. */
function orderOf(first: number, second: number, { width, rows }: Size): Order {
  if (width === rows) return 'unknown';
  if (first === rows && second === width) return 'rows first';
  return first === width && second === rows ? 'columns first' : 'unknown';
}

function isSame(one: Size, other: Size): boolean {
  return one.width === other.width && one.rows === other.rows;
}
