import { isToolCall, type InputMessage, type Item, type OutputItem } from '@turnwire/wire/internal/model/items';
import type { AgentEvent, PlanStep, ToolFinishedEvent, ToolStartedEvent } from '../events.ts';
import type { ToolCall } from './records.ts';
import { changeOfTold, planOf, type Told, type ToldCall } from './told.ts';

/** Ends a response, so that its ids may come again. */
const COMPLETED: AgentEvent = { type: 'completed', response_id: '', ended_by: 'response.completed' };

/**
 * The events that would have shown a conversation, oldest first: what was said, and every call as it was, with its
 * title, its diff and how it ended, and the plan where it changed. `unknown` are calls that a process began and did not live to finish.
 */
export function pastEvents(past: {
  readonly items: readonly Item[];
  readonly told: Told;
  readonly plan: readonly PlanStep[];
}): AgentEvent[] {
  const { items, told, plan } = past;
  /** Calls that wait for their output, by id: servers may give an id again. */
  const open = new Map<string, ToolCall>();
  const events = items.flatMap((item): AgentEvent[] => {
    if (item.type === 'message' && item.role !== 'assistant') return inputOf(item as InputMessage);
    if (isToolCall(item)) {
      open.set(item.call_id, item);
      return [{ type: 'output_item.done', item }, startedOf(item, told.get(item) ?? {})];
    }
    if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
      const call = open.get(String(item.call_id));
      return call === undefined ? [] : endOf(call, told.get(call) ?? {}, item.output);
    }
    return [{ type: 'output_item.done', item: item as OutputItem }, COMPLETED];
  });
  // A summary keeps the plan, and not the call that made it.
  return plan.length === 0 || plan === planOf(told) ? events : [...events, { type: 'plan.updated', steps: plan }];
}

function inputOf(item: InputMessage): AgentEvent[] {
  return item.role === 'user' ? [{ type: 'input.accepted', item }] : [];
}

function startedOf({ call_id: callId, name }: ToolCall, told: ToldCall): ToolStartedEvent {
  const { kind = 'other', title = name, locations, changes } = told;
  return {
    type: 'tool.started',
    call_id: callId,
    name,
    kind,
    title,
    ...(locations === undefined
      ? {}
      : { locations: locations.map(({ path, line }) => ({ path, ...(line === undefined ? {} : { line }) })) }),
    ...(changes === undefined ? {} : { changes: changes.map(changeOfTold) }),
  };
}

function endOf(call: ToolCall, told: ToldCall, output: unknown): AgentEvent[] {
  const { steps, status } = told;
  const planned: AgentEvent[] = steps === undefined || status !== 'completed' ? [] : [{ type: 'plan.updated', steps }];
  return [finishedOf(call, told, output), ...planned];
}

function finishedOf({ call_id: callId, name }: ToolCall, told: ToldCall, output: unknown): ToolFinishedEvent {
  const { status = 'completed', exit_code: exitCode, duration_ms: durationMs = 0 } = told;
  return {
    type: 'tool.finished',
    call_id: callId,
    name,
    status,
    output: typeof output === 'string' ? output : '[images]',
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    duration_ms: durationMs,
  };
}
