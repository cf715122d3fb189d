import { isToolCall, type Item } from '@turnwire/wire/internal/model/items';
import { HeadTail } from '../process/head-tail.ts';
import type { ToolCall, ToolCallOutput } from '../thread/records.ts';

const MAX_INPUT_BYTES = 500;

/**
 * The calls at the end of a conversation whose outputs no answer has followed yet, for a summary in their place: of their outputs the
 * beginnings and ends, of `maxBytes` in all. Empty when there are none.
 */
export function textOfOpenCalls(items: readonly Item[], maxBytes: number): string {
  const outputs = openOutputs(items);
  if (outputs.length === 0) return '';
  const calls = new Map(items.filter(isToolCall).map((call) => [call.call_id, call]));
  const each = Math.floor(maxBytes / outputs.length);
  return outputs
    .map((output) => `${describeCall(calls.get(output.call_id))}\n${quoted(bounded(textOf(output), each))}`)
    .join('\n\n');
}

/** What was typed meanwhile stands behind them. */
function openOutputs(items: readonly Item[]): readonly ToolCallOutput[] {
  const end = items.findLastIndex((item) => !isUserMessage(item)) + 1;
  const start = items.findLastIndex((item, at) => at < end && !isOutput(item)) + 1;
  return items.slice(start, end).filter(isOutput);
}

function isUserMessage(item: Item): boolean {
  return item.type === 'message' && item.role === 'user';
}

function isOutput(item: Item): item is ToolCallOutput {
  return item.type === 'function_call_output' || item.type === 'custom_tool_call_output';
}

function describeCall(call: ToolCall | undefined): string {
  if (call === undefined) return 'a call';
  return `${call.name} ${bounded(call.type === 'function_call' ? call.arguments : call.input, MAX_INPUT_BYTES)}`;
}

function textOf({ output }: ToolCallOutput): string {
  if (typeof output === 'string') return output;
  return output.map((part) => (part.type === 'input_text' ? part.text : '[an image]')).join('\n');
}

/** The summary is a message of the user, and what a tool gave is none: the text cannot end its own quotation. */
function quoted(text: string): string {
  return `<output>\n${text.replaceAll(/<(?=\/?output)/gi, '&lt;')}\n</output>`;
}

function bounded(text: string, maxBytes: number): string {
  const kept = new HeadTail(Math.ceil(maxBytes / 2), Math.floor(maxBytes / 2));
  kept.append(Buffer.from(text));
  return kept.toString();
}
