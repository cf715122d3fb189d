import type { JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import type {
  Annotation,
  AssistantMessage,
  CarriedMembers,
  CustomToolCall,
  FunctionCall,
  ItemStatus,
  ReasoningItem,
  TokenLogprob,
} from '../model/items.ts';
import type { ChatState } from './carried.ts';
import type { CallSlot } from './tool-calls.ts';

/** An item whose text is still coming. */
export interface OpenText {
  readonly id: string;
  readonly text: TextBuffer;
  readonly refusal: TextBuffer;
}

export function openText(id: string): OpenText {
  return { id, text: new TextBuffer(), refusal: new TextBuffer() };
}

export function reasoningItem(open: OpenText, status: ItemStatus): ReasoningItem {
  const text = open.text.toString();
  return {
    type: 'reasoning',
    id: open.id,
    summary: [],
    content: text === '' ? [] : [{ type: 'reasoning_text', text }],
    status,
  };
}

/** @param annotations - as the server gave them: their shape is its own affair */
export function messageItem(
  open: OpenText,
  status: ItemStatus,
  annotations: readonly JsonObject[] = [],
  logprobs: readonly TokenLogprob[] = [],
): AssistantMessage {
  const item: AssistantMessage = { type: 'message', id: open.id, role: 'assistant', status, content: [] };
  const text = open.text.toString();
  const refusal = open.refusal.toString();
  if (text !== '') {
    item.content.push({
      type: 'output_text',
      text,
      annotations: annotations as readonly unknown[] as Annotation[],
      ...(logprobs.length > 0 && { logprobs: [...logprobs] }),
    });
  }
  if (refusal !== '') item.content.push({ type: 'refusal', refusal });
  return item;
}

export function callItem(slot: CallSlot, status: ItemStatus, maker?: string): FunctionCall | CustomToolCall {
  const input = status === 'in_progress' ? '' : slot.input.toString();
  const shared = { id: slot.itemId ?? '', call_id: slot.id ?? '', name: slot.name ?? '' };
  const carried = carriedBy(maker, slot.members);
  if (slot.kind === 'custom') return { type: 'custom_tool_call', ...shared, input, status, ...carried };
  return { type: 'function_call', ...shared, arguments: input, status, ...carried };
}

/** A member of items that have something to carry. */
export interface Carried {
  readonly carried?: CarriedMembers;
}

/** What stood beside a text goes with it, and with the reasoning where there is none. */
export function stateOf(
  kind: 'reasoning' | 'message',
  { message, state }: { readonly message: OpenText | undefined; readonly state: ChatState },
): JsonObject | undefined {
  if (kind === 'message') return state.message;
  if (message !== undefined || state.message === undefined) return state.reasoning;
  return { ...state.message, ...state.reasoning };
}

/** @param maker - whose server answers, where somebody knows */
export function carriedBy(maker: string | undefined, members: JsonObject | undefined): Carried {
  if (members === undefined) return {};
  return { carried: { wire: 'chat', ...(maker === undefined ? {} : { maker }), members } };
}
