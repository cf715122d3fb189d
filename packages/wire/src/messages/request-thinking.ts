import type { JsonObject } from '../base/json.ts';
import type { ModelRequest } from '../model/request.ts';
import type { ChatQuirks } from '../quirks.ts';

/** Tokens of thinking for each effort; those between two rows of `effortOfBudget` in `request-parse.ts`. */
const budgets: Readonly<Record<string, number>> = { low: 2048, medium: 8192, high: 16_384, xhigh: 31_999, max: 31_999 };

/** The least that the API takes. */
const LEAST = 1024;

/** What thinking depends on beside the wanted effort. */
export interface ThinkingLimits {
  readonly quirks: ChatQuirks;
  readonly maxTokens: number;
  /** No thinking can be asked for: the last turn lost its own, or a tool has to be called. */
  readonly off: boolean;
}

/** The fields of a request that say how much the model thinks; no temperature beside thinking, which the API refuses. */
export function thinkingFields(
  { reasoning, extra, temperature }: ModelRequest,
  { quirks, maxTokens, off }: ThinkingLimits,
  notes: string[],
): JsonObject {
  const effort = reasoning?.effort;
  // What a client of this wire said itself goes as it is.
  if (effort === undefined || extra?.['thinking'] !== undefined || extra?.['output_config'] !== undefined) return {};
  if (effort === 'none' || effort === 'minimal') return { thinking: { type: 'disabled' } };
  const budget = Math.min(budgets[effort] ?? budgets['medium'] ?? LEAST, maxTokens - 1);
  if (!quirks.adaptiveThinking && (off || budget < LEAST)) {
    notes.push('reasoning: left out, the server takes no thinking with this request');
    return {};
  }
  if (temperature !== undefined) notes.push('temperature: left out, the server takes none beside thinking');
  const fields = quirks.adaptiveThinking
    ? { thinking: { type: 'adaptive' }, output_config: { effort } }
    : { thinking: { type: 'enabled', budget_tokens: budget } };
  return temperature === undefined ? fields : { ...fields, temperature: undefined };
}
