import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ApprovalDecision, ApprovalRequest, Approver } from '@turnwire/agent/internal/approval/approval';
import { GUARD_MS, meaningOf, type PromptChoice } from './choice-keys.ts';
import type { LineEnd, LineTaker } from './line-taker.ts';

export interface OpenQuestion {
  readonly request: ApprovalRequest;
  readonly selected: number;
}

interface Waiting extends OpenQuestion {
  readonly since: number;
  readonly answer: (decision: ApprovalDecision) => void;
}

export const approvalChoices: readonly PromptChoice[] = [
  { key: 'y', label: 'once' },
  { key: 's', label: 'for this session' },
  { key: 'n', label: 'deny' },
  { key: 'w', label: 'deny and say why' },
];

/**
 * The question about one tool call. The answer belongs to that question alone: it ends with it, with its signal, or
 * with the turn.
 */
export class ApprovalPrompt implements LineTaker {
  #waiting: Waiting | undefined;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #askWhy: () => void;

  /** `askWhy`: the person wants to type a reason, which is for `take`. */
  constructor(options: { readonly clock: Clock; readonly changed: () => void; readonly askWhy: () => void }) {
    this.#clock = options.clock;
    this.#changed = options.changed;
    this.#askWhy = options.askWhy;
  }

  get question(): OpenQuestion | undefined {
    return this.#waiting;
  }

  readonly approver: Approver = (request, { signal }) =>
    new Promise<ApprovalDecision>((resolve) => {
      const end = (decision: ApprovalDecision): void => {
        signal.removeEventListener('abort', onAbort);
        if (this.#waiting?.request === request) this.#waiting = undefined;
        this.#changed();
        resolve(decision);
      };
      const onAbort = (): void => end({ type: 'deny' });
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting = { request, selected: 0, since: this.#clock.now(), answer: end };
      if (signal.aborted) onAbort();
      this.#changed();
    });

  /** True when the key was for the question. */
  handleKey(data: string): boolean {
    const waiting = this.#waiting;
    if (waiting === undefined) return false;
    const meant = meaningOf(data, approvalChoices, waiting.selected);
    if (meant === undefined) return false;
    if (meant.type === 'select') {
      this.#waiting = { ...waiting, selected: meant.at };
      this.#changed();
    } else if (this.#clock.now() - waiting.since >= GUARD_MS) this.#choose(waiting, meant.at);
    return true;
  }

  /** The reason for a denial. */
  take(reason: string): LineEnd {
    const waiting = this.#waiting;
    if (waiting === undefined) return 'gone';
    waiting.answer(reason === '' ? { type: 'deny' } : { type: 'deny', reason });
    return 'taken';
  }

  /** The question stands as it was. */
  leave(): void {
    this.#changed();
  }

  #choose(waiting: Waiting, choice: number): void {
    if (choice === 0) waiting.answer({ type: 'once' });
    else if (choice === 1) waiting.answer({ type: 'session' });
    else if (choice === 2) waiting.answer({ type: 'deny' });
    else this.#askWhy();
  }
}
