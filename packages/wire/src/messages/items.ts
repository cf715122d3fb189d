import { isObject, nonEmpty, parseJson, type JsonObject } from '../base/json.ts';
import type { Annotation, AssistantMessage, FunctionCall, ItemStatus, ReasoningItem } from '../model/items.ts';
import type { Call, Carried, Message, Thinking } from './blocks.ts';
import { toAnnotation } from './citations.ts';
import { sealThinking } from '../sealed-thinking.ts';

export function messageItem({ id = '', text, citations }: Message, status: ItemStatus): AssistantMessage {
  const said = text.toString();
  const annotations = citations.map(({ value, block }) =>
    toAnnotation(value, { start: block?.start ?? 0, end: block?.end ?? said.length }),
  ) as unknown[] as Annotation[];
  const content: AssistantMessage['content'] = said === '' ? [] : [{ type: 'output_text', text: said, annotations }];
  return { type: 'message', id, role: 'assistant', status, content };
}

/** Reasoning; whole and signed or redacted, with its block sealed for the way back. */
export function reasoningItem(thinking: Thinking, status: ItemStatus): ReasoningItem {
  const text = thinking.text.toString();
  const block = status === 'completed' ? sealableBlock(thinking) : undefined;
  return {
    type: 'reasoning',
    id: thinking.id ?? '',
    summary: [],
    content: text === '' ? [] : [{ type: 'reasoning_text', text }],
    ...(block === undefined ? {} : { encrypted_content: sealThinking(block) }),
    status,
  };
}

/** The block as it was put together, with its members in the order in which they came; without a signature it proves nothing. */
function sealableBlock({ block, redacted, text, signature }: Thinking): JsonObject | undefined {
  if (redacted) return block;
  return signature === '' ? undefined : { ...block, thinking: text.toString(), signature };
}

/** True for a block that says or proves something; any other is nothing. */
export function isRedactedData(block: JsonObject): boolean {
  return block['type'] === 'redacted_thinking' && nonEmpty(block['data']) !== undefined;
}

export function callItem(call: Call, status: ItemStatus): FunctionCall {
  const text = status === 'in_progress' ? '' : argumentsOf(call);
  const { id = '', callId, name = '' } = call;
  return { type: 'function_call', id, call_id: callId, name, arguments: text, status };
}

/** What its deltas said; without any, what it began with. */
export function argumentsOf({ input, block }: Call): string {
  if (input.length > 0) return input.toString();
  const whole = block['input'];
  // Some servers put the text there that the deltas should have had.
  if (typeof whole === 'string')
    return isObject(parseJson(whole)) || whole === '' ? whole || '{}' : JSON.stringify(whole);
  return JSON.stringify(whole ?? {});
}

/** The block as it was put together; an input that is no JSON stays the text that it is. */
export function carriedItem({ block, input }: Carried): JsonObject {
  if (input.length === 0) return block;
  const text = input.toString();
  return { ...block, input: parseJson(text) ?? text };
}
