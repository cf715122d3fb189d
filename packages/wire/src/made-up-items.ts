import type { OutputItem } from './model/items.ts';

/** The call of a piece of input that nobody announced. */
export function madeUpCall(callId: string, name: string | undefined, id: string | undefined): OutputItem {
  return { type: 'function_call', ...withId(id), call_id: callId, name: name ?? '', arguments: '' };
}

/** The same of a text. */
export function madeUpMessage(id: string | undefined): OutputItem {
  return { type: 'message', ...withId(id), role: 'assistant', status: 'in_progress', content: [] };
}

/** The same of a thought. */
export function madeUpReasoning(id: string | undefined): OutputItem {
  return { type: 'reasoning', ...withId(id), summary: [] };
}

function withId(id: string | undefined): { id?: string } {
  return id === undefined ? {} : { id };
}
