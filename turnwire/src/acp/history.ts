import type { SessionUpdate } from '@agentclientprotocol/sdk';
import { isObject, parseJson, stringOf } from '@turnwire/wire/internal/base/json';
import { visible } from '@turnwire/wire/internal/base/printable';
import { isAssistantMessage, isReasoning, isToolCall, type Item } from '@turnwire/wire/internal/model/items';
import { chunk, textContent, textUpdates } from './updates.ts';
import type { ToolIds } from './tool-ids.ts';

/** A conversation from disk, as the updates that an editor would have got while it happened. */
export function historyUpdates(items: readonly Item[], ids: ToolIds): readonly SessionUpdate[] {
  return items.flatMap((item): readonly SessionUpdate[] => {
    if (item.type === 'message' && item.role === 'user') return [chunk('user_message_chunk', userText(item.content))];
    if (isToolCall(item)) {
      const raw = item.type === 'function_call' ? (parseJson(item.arguments) ?? item.arguments) : item.input;
      const toolCallId = ids.begin(item.call_id);
      return [{ sessionUpdate: 'tool_call', toolCallId, title: visible(item.name), status: 'pending', rawInput: raw }];
    }
    if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
      const content = [textContent(userText(item.output))];
      const toolCallId = ids.of(stringOf(item.call_id) ?? '');
      return [{ sessionUpdate: 'tool_call_update', toolCallId, status: 'completed', content }];
    }
    return isAssistantMessage(item) || isReasoning(item) ? textUpdates(item) : [];
  });
}

function userText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (isObject(part) ? (stringOf(part.text) ?? '[image]') : '')).join('');
}
