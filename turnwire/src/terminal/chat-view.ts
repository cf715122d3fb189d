import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type { AgentEvent } from '@turnwire/agent/internal/events';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { addCell, addNotice, findCell, replaceCell } from './view-cells.ts';
import { viewAfter } from './view-reducer.ts';
import { startOwnCommand } from './view-tool.ts';
import { emptyView, type Fact, type NoticeCell, type StartCell, type ViewState } from './view-state.ts';

/** The view state of the chat, and who draws it when it changes. */
export class ChatView {
  state: ViewState = emptyView;
  #ownSince = 0;
  readonly #clock: Clock;
  readonly #changed: () => void;

  constructor(options: { readonly clock: Clock; readonly changed: () => void }) {
    this.#clock = options.clock;
    this.#changed = options.changed;
  }

  take(events: readonly AgentEvent[]): void {
    const now = this.#clock.now();
    for (const event of events) this.state = viewAfter(this.state, event, now);
    this.#changed();
  }

  /** The beginning of the chat. What is not known yet comes with `settle`. */
  begin(version: string, facts: readonly Fact[]): void {
    this.state = addCell(this.state, { type: 'start', open: true, version, facts });
    this.#changed();
  }

  /** Nothing more is going to be known of the beginning than `facts`. */
  settle(facts: readonly Fact[]): void {
    const start = findCell(this.state, (cell): cell is StartCell => cell.type === 'start' && cell.open);
    if (start === undefined) return;
    const whole = { ...start, open: false, facts: [...start.facts, ...facts] };
    this.state = replaceCell(this.state, start.key, () => whole);
    this.#changed();
  }

  /** A command of the person's own begins; the id of its call. */
  beginOwn(command: string): string {
    const callId = `! ${this.state.nextKey}`;
    this.#ownSince = this.#clock.now();
    this.state = { ...startOwnCommand(this.state, callId, command, this.#ownSince), phase: 'calling' };
    this.#changed();
    return callId;
  }

  /** Milliseconds since `beginOwn`. */
  elapsed(): number {
    return Math.round(this.#clock.now() - this.#ownSince);
  }

  notice(level: NoticeCell['level'], text: string): void {
    this.state = addNotice(this.state, level, text);
    this.#changed();
  }

  /** A failure in one line. */
  fail(error: unknown): void {
    this.notice('error', thrownText(error));
  }

  /** The turn is over, however it ended. */
  idle(): void {
    this.state = { ...this.state, phase: 'idle' };
  }

  /** Another conversation: the transcript goes on; what was counted belongs to the one before. */
  next(past: readonly AgentEvent[]): void {
    this.#forgetCounts();
    this.take(past);
    const { plan } = this.state;
    this.#forgetCounts();
    this.state = { ...this.state, plan };
  }

  /** Cells that have left the screen are the terminal's. */
  forget(keys: ReadonlySet<number>): void {
    this.state = { ...this.state, cells: this.state.cells.filter((cell) => !keys.has(cell.key)) };
  }

  #forgetCounts(): void {
    const { cells, nextKey, outputs } = this.state;
    this.state = { ...emptyView, cells, nextKey, outputs, responseKey: nextKey };
  }
}
