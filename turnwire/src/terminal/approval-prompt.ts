import { matchesKey } from '@earendil-works/pi-tui';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ApprovalDecision, ApprovalRequest, Approver } from '@turnwire/agent/internal/approval/approval';

/** Keys pressed before a person can have read the question are no answer to it. */
const GUARD_MS = 400;

export interface OpenQuestion {
  readonly request: ApprovalRequest;
  readonly selected: number;
}

interface Waiting extends OpenQuestion {
  readonly since: number;
  readonly answer: (decision: ApprovalDecision) => void;
}

export const approvalChoices = ['once', 'for this session', 'deny', 'deny and say why'] as const;
export const approvalKeys: readonly string[] = ['y', 's', 'n', 'w'];

/**
 * The question about one tool call. The answer belongs to that question alone: it ends with it, with its signal, or
 * with the turn.
 */
export class ApprovalPrompt {
  #waiting: Waiting | undefined;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #askWhy: () => void;

  /** `askWhy`: the person wants to type a reason; `denyBecause` is then called with it. */
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
    const hotkey = approvalKeys.indexOf(data.toLowerCase());
    const isEnter = matchesKey(data, 'enter');
    if (matchesKey(data, 'up') || matchesKey(data, 'down')) this.#move(waiting, matchesKey(data, 'up') ? -1 : 1);
    else if (hotkey >= 0 || isEnter) {
      if (this.#clock.now() - waiting.since >= GUARD_MS) this.#choose(waiting, isEnter ? waiting.selected : hotkey);
    } else return false;
    return true;
  }

  /** The reason for a denial. False when the question is gone. */
  denyBecause(reason: string): boolean {
    const waiting = this.#waiting;
    if (waiting === undefined) return false;
    waiting.answer(reason === '' ? { type: 'deny' } : { type: 'deny', reason });
    return true;
  }

  #move(waiting: Waiting, by: number): void {
    const count = approvalChoices.length;
    this.#waiting = { ...waiting, selected: (waiting.selected + by + count) % count };
    this.#changed();
  }

  #choose(waiting: Waiting, choice: number): void {
    if (choice === 0) waiting.answer({ type: 'once' });
    else if (choice === 1) waiting.answer({ type: 'session' });
    else if (choice === 2) waiting.answer({ type: 'deny' });
    else this.#askWhy();
  }
}
