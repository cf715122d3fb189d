import type { JsonObject } from '../base/json.ts';
import type { ModelError } from '../model/errors.ts';
import type { CompletedEvent } from '../model/events.ts';
import type { Usage } from '../model/usage.ts';

/** How an answer ends on this wire; the reasons are those that every client knows. */
export interface StopFields {
  readonly stop_reason:
    | 'end_turn'
    | 'max_tokens'
    | 'stop_sequence'
    | 'tool_use'
    | 'pause_turn'
    | 'refusal'
    | 'model_context_window_exceeded';
  readonly stop_sequence: string | null;
  readonly stop_details?: JsonObject;
}

/** The end of a good answer. Calls that were handed on are to be run, whatever ended it. */
export function stopOfCompleted({ end_turn, stop_sequence = '' }: CompletedEvent, hasCalls: boolean): StopFields {
  if (hasCalls) return { stop_reason: 'tool_use', stop_sequence: null };
  if (end_turn === false) return { stop_reason: 'pause_turn', stop_sequence: null };
  if (stop_sequence !== '') return { stop_reason: 'stop_sequence', stop_sequence };
  return { stop_reason: 'end_turn', stop_sequence: null };
}

/**
 * The end of an answer that was cut, where this wire has a reason for it; undefined where it is an error.
 *
 * @param begun - something of the answer has gone out
 */
export function stopOfError({ kind, message }: ModelError, begun: boolean): StopFields | undefined {
  switch (kind) {
    case 'incomplete':
      return { stop_reason: 'max_tokens', stop_sequence: null };
    case 'context_window_exceeded':
      return begun ? { stop_reason: 'model_context_window_exceeded', stop_sequence: null } : undefined;
    case 'content_filter':
      return refusal(message);
    case 'policy':
      return begun ? refusal(message) : undefined;
    default:
      return undefined;
  }
}

function refusal(explanation: string): StopFields {
  return {
    stop_reason: 'refusal',
    stop_sequence: null,
    stop_details: { type: 'refusal', category: null, explanation },
  };
}

/** Usage in this wire's shape: its input leaves out what was read from the cache or written to it. Unknown: 0. */
export function messagesUsageOf(usage: Usage | undefined): JsonObject {
  const cached = usage?.input_tokens_details.cached_tokens ?? 0;
  const written = usage?.input_tokens_details.cache_write_tokens ?? 0;
  return {
    input_tokens: Math.max(0, (usage?.input_tokens ?? 0) - cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: usage?.output_tokens ?? 0,
    output_tokens_details: { thinking_tokens: usage?.output_tokens_details.reasoning_tokens ?? 0 },
  };
}
