import { fateOfPending } from '../arguments.ts';
import { finishClass } from '../dialects/finish-reasons.ts';
import type { CallSlot } from './tool-calls.ts';

/** `completed.finish_reason`, as the server wrote it: one that wants tools run if any choice has it, else that of the lowest choice. */
export function overallFinish(choices: readonly { index: number; finish: string | undefined }[]): string | undefined {
  const forTools = choices.find(({ finish }) => finish !== undefined && wantsCalls(finish));
  if (forTools !== undefined) return forTools.finish;
  return choices.reduce((low, choice) => (choice.index < low.index ? choice : low), choices[0] ?? NONE).finish;
}

const NONE = { index: 0, finish: undefined } as const;

/** True for a finish that wants tools run, in any spelling. */
export function wantsCalls(finish: string): boolean {
  return finishClass(finish) === 'calls';
}

export type CallFate = 'emit' | 'stop' | 'no_name' | 'incomplete';

/**
 * What becomes of a call at the end of its choice.
 *
 * @param finish the choice's finish_reason; `undefined` when a sentinel or a close ended it
 * @param onStop what a finish other than for tools means for pending calls
 */
export function fateOf(slot: CallSlot, finish: string | undefined, onStop: 'drop' | 'promote'): CallFate {
  const forTools = finish !== undefined && wantsCalls(finish);
  if (finish !== undefined && !forTools && onStop === 'drop') return 'stop';
  if (forTools) return slot.name === undefined ? 'no_name' : 'emit';
  return fateOfPending({ kind: slot.kind, name: slot.name, input: slot.input.toString() });
}
