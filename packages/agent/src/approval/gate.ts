import type { ApprovalDecision, ApprovalMode, ApprovalRequest, Approver } from './approval.ts';
import type { AgentEvent } from '../events.ts';
import type { OneByOne } from './one-by-one.ts';

export type GateAnswer =
  | { readonly type: 'allowed' }
  | { readonly type: 'denied'; readonly message: string }
  | { readonly type: 'interrupted' };

export interface GateOptions {
  readonly mode: ApprovalMode;
  readonly approver?: Approver | undefined;
  readonly person: OneByOne;
}

/**
 * Decides whether a call may run. One gate belongs to one session: what was allowed or refused "for this session" is in
 * it and nowhere else, so it cannot cross into another.
 *
 * A person is asked about one call at a time, in the order of asking, and the rules are looked at again when a call's
 * turn comes: a yes to the first of two equal calls answers the second.
 */
export class ApprovalGate {
  mode: ApprovalMode;
  readonly #approver: Approver | undefined;
  readonly #allowed = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #person: OneByOne;
  #count = 0;

  constructor(options: GateOptions) {
    this.mode = options.mode;
    this.#approver = options.approver;
    this.#person = options.person;
  }

  /** Ends with the person's answer or, when `signal` aborts, with `interrupted`. Never rejects. */
  async decide(
    request: Omit<ApprovalRequest, 'approvalId'>,
    signal: AbortSignal,
    emit: (event: AgentEvent) => void,
  ): Promise<GateAnswer> {
    const known = this.#withoutAsking(request);
    if (known !== undefined) return known;
    return this.#person.next(() => this.#ask(request, signal, emit));
  }

  #withoutAsking(request: Omit<ApprovalRequest, 'approvalId'>): GateAnswer | undefined {
    if (request.rules.some((rule) => this.#refused.has(rule))) {
      return { type: 'denied', message: 'not run: the user said no to this for the whole session' };
    }
    if (this.mode === 'always' || this.#isAllowed(request.rules)) return { type: 'allowed' };
    if (this.mode === 'ask' && this.#approver !== undefined) return undefined;
    const message = `not run: it needs approval (${request.reason}), and nobody can be asked`;
    return { type: 'denied', message };
  }

  #isAllowed(rules: readonly string[]): boolean {
    return rules.length > 0 && rules.every((rule) => this.#allowed.has(rule));
  }

  async #ask(
    request: Omit<ApprovalRequest, 'approvalId'>,
    signal: AbortSignal,
    emit: (event: AgentEvent) => void,
  ): Promise<GateAnswer> {
    if (signal.aborted) return { type: 'interrupted' };
    const known = this.#withoutAsking(request);
    if (known !== undefined) return known;
    const approvalId = `ap_${++this.#count}`;
    emit({
      type: 'approval.requested',
      approval_id: approvalId,
      call_id: request.callId,
      name: request.name,
      title: request.title,
      reason: request.reason,
      rules: request.rules,
      ...(request.changes === undefined ? {} : { changes: request.changes }),
    });
    const decision = await this.#answerOf({ ...request, approvalId }, signal);
    const resolved = decision === 'interrupted' ? decision : decision.type;
    emit({ type: 'approval.resolved', approval_id: approvalId, call_id: request.callId, decision: resolved });
    return this.#apply(decision, request.rules);
  }

  #apply(decision: ApprovalDecision | 'interrupted', rules: readonly string[]): GateAnswer {
    if (decision === 'interrupted') return { type: 'interrupted' };
    switch (decision.type) {
      case 'once':
        return { type: 'allowed' };
      case 'session':
        for (const rule of rules) this.#allowed.add(rule);
        return { type: 'allowed' };
      case 'deny': {
        if (decision.forSession === true) for (const rule of rules) this.#refused.add(rule);
        const why = decision.reason === undefined || decision.reason === '' ? '' : `: ${decision.reason}`;
        return { type: 'denied', message: `not run: the user said no${why}` };
      }
    }
  }

  async #answerOf(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalDecision | 'interrupted'> {
    const interrupted = Promise.withResolvers<'interrupted'>();
    const onAbort = (): void => interrupted.resolve('interrupted');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const asked = this.#approver?.(request, { signal }) ?? Promise.resolve<ApprovalDecision>({ type: 'deny' });
      return await Promise.race([asked, interrupted.promise]);
    } catch {
      // A front end that cannot ask has not said yes.
      return signal.aborted ? 'interrupted' : { type: 'deny', reason: 'the question could not be asked' };
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
