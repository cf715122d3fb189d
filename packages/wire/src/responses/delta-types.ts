import type { PartKind } from '../item-parts.ts';

/** Events with a piece of text, and of which kind of part it is. */
export const textDeltas: ReadonlyMap<unknown, PartKind> = new Map([
  ['response.output_text.delta', 'output_text'],
  ['response.refusal.delta', 'refusal'],
  ['response.reasoning_text.delta', 'reasoning_text'],
  ['response.reasoning.delta', 'reasoning_text'],
  ['response.reasoning_summary_text.delta', 'summary_text'],
]);

/** The types of items whose input is streamed. */
export type CallType = 'function_call' | 'custom_tool_call';

/** Events with a piece of a call's input, and of which type of item it is. */
export const inputDeltas: ReadonlyMap<unknown, CallType> = new Map([
  ['response.function_call_arguments.delta', 'function_call'],
  ['response.custom_tool_call_input.delta', 'custom_tool_call'],
]);
