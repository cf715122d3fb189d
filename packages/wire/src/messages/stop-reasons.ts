import { cutOf, errorOfCut, type Cut } from '../cut.ts';
import { finishClass } from '../dialects/finish-reasons.ts';
import type { ModelError } from '../model/errors.ts';
import type { Usage } from '../model/usage.ts';

/** The words that the wire itself has, and what they say beside their class (docs/contract.md 8.13). */
const stopReasons: Readonly<Record<string, { readonly endTurn?: boolean }>> = {
  end_turn: {},
  tool_use: {},
  stop_sequence: {},
  pause_turn: { endTurn: false },
  compaction: {},
  max_tokens: {},
  model_context_window_exceeded: {},
  refusal: {},
};

/** How an answer was finished. */
export interface Stop {
  /** As on the wire. */
  readonly reason: string;
  readonly sequence: string | undefined;
  /** Why it was refused, in the server's words. */
  readonly explanation: string | undefined;
  /** Why the reason stands for an error. */
  readonly cut: Cut | undefined;
}

export function stopOf(reason: string, sequence: string | undefined, explanation: string | undefined): Stop {
  return { reason, sequence, explanation, cut: cutOf([reason]) };
}

/** True for a word of the wire itself. */
export function isOwnReason(reason: string): boolean {
  return Object.hasOwn(stopReasons, reason);
}

/** `completed.end_turn`, where the reason says it. */
export function endTurnOf(reason: string): boolean | undefined {
  return isOwnReason(reason) ? stopReasons[reason]?.endTurn : undefined;
}

/** True for a stop that hands on calls whose arguments are not JSON: the agent tells the model so. */
export function wantsCalls(reason: string): boolean {
  return finishClass(reason) === 'calls';
}

/** The error that a cut answer ends in. A limit is always the request's: the wire has no request without one. */
export function errorOfStop(cut: Cut, explanation: string | undefined, usage: Usage | undefined): ModelError {
  const error = errorOfCut(cut, { tokenLimit: true, contextWindow: undefined, usage }).with({ usage });
  if (cut.class !== 'filter') return error;
  return error.with({ code: cut.reason, message: explanation ?? `the server refused to answer (${cut.reason})` });
}
