import { ModelError } from '../model/errors.ts';
import { fateOfPending } from '../arguments.ts';
import type { CallSlot } from './tool-calls.ts';

/** The spellings of one finish: the model wants its tools run (docs/contract.md 3.5). */
const TOOL_FINISHES: ReadonlySet<string> = new Set(['tool_calls', 'function_call', 'tool_use', 'tool_call']);

/** True for a finish that wants tools run, in any spelling. */
export function isToolFinish(finish: string): boolean {
  return TOOL_FINISHES.has(finish);
}

/** True for one of these spellings that is not the wire's own. */
export function isOddToolFinish(finish: string): boolean {
  return finish !== 'tool_calls' && TOOL_FINISHES.has(finish);
}

/** Reasons that end a response in an error, worst first (docs/contract.md 3.3 and 3.6). */
const FAILING = ['content_filter', 'length', 'error'] as const;

/** `completed.finish_reason`: `tool_calls` if any choice has it, else that of the lowest choice. */
export function overallFinish(choices: readonly { index: number; finish: string | undefined }[]): string | undefined {
  if (choices.some(({ finish }) => finish !== undefined && isToolFinish(finish))) return 'tool_calls';
  const lowest = choices.reduce((low, choice) => (choice.index < low.index ? choice : low), choices[0] ?? NONE);
  return lowest.finish;
}

const NONE = { index: 0, finish: undefined } as const;

/** The error that a finish stands for, if it does. */
export function failureOf(finishes: readonly (string | undefined)[], tokenLimit: boolean): ModelError | undefined {
  const worst = FAILING.find((reason) => finishes.includes(reason));
  switch (worst) {
    case undefined:
      return undefined;
    case 'content_filter':
      return new ModelError({
        kind: 'content_filter',
        code: 'content_filter',
        message: "the server's content filter stopped the answer",
      });
    case 'error':
      return new ModelError({
        kind: 'server_error',
        message: 'the server ended the answer with finish_reason "error"',
      });
    case 'length':
      return tokenLimit
        ? new ModelError({
            kind: 'incomplete',
            code: 'max_output_tokens',
            message: 'the answer reached the token limit of the request',
          })
        : new ModelError({
            kind: 'context_window_exceeded',
            message: 'the conversation does not fit into the context window of the model',
          });
  }
}

export type CallFate = 'emit' | 'stop' | 'no_name' | 'incomplete';

/**
 * What becomes of a call at the end of its choice.
 *
 * @param finish the choice's finish_reason; `undefined` when a sentinel or a close ended it
 * @param onStop what a finish other than for tools means for pending calls
 */
export function fateOf(slot: CallSlot, finish: string | undefined, onStop: 'drop' | 'promote'): CallFate {
  const forTools = finish !== undefined && isToolFinish(finish);
  if (finish !== undefined && !forTools && onStop === 'drop') return 'stop';
  if (forTools) return slot.name === undefined ? 'no_name' : 'emit';
  return fateOfPending({ kind: slot.kind, name: slot.name, input: slot.input.toString() });
}
