import type { AgentEvent } from '@turnwire/agent/internal/events';
import { isToolCall, type InputMessage, type Item, type OutputItem } from '@turnwire/wire/internal/model/items';

/** The events that would have shown a history: what a resumed conversation looks like. */
export function eventsOfHistory(items: readonly Item[]): AgentEvent[] {
  return items.flatMap(eventsOfItem);
}

function eventsOfItem(item: Item): AgentEvent[] {
  if (item.type === 'message' && (item.role === 'user' || item.role === 'system' || item.role === 'developer')) {
    return item.role === 'user' ? [{ type: 'input.accepted', item: item as InputMessage }] : [];
  }
  if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
    const output = typeof item.output === 'string' ? item.output : '[images]';
    const callId = String(item.call_id);
    return [{ type: 'tool.finished', call_id: callId, name: '', status: 'completed', output, duration_ms: 0 }];
  }
  const done: AgentEvent = { type: 'output_item.done', item: item as OutputItem };
  return isToolCall(item) ? [done] : [done, COMPLETED];
}

/** Ends the response, so that ids may come again. */
const COMPLETED: AgentEvent = { type: 'completed', response_id: '', ended_by: 'response.completed' };
