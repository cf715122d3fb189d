import type { TemplateRules } from '../sse/templates.ts';

/** Deltas only: other events, or their items, travel on as they were parsed. */
const DELTAS: ReadonlySet<unknown> = new Set([
  'response.output_text.delta',
  'response.refusal.delta',
  'response.reasoning_text.delta',
  'response.reasoning.delta',
  'response.reasoning_summary_text.delta',
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
]);

/** Responses deltas: the text, the running number, and the padding against length analysis. */
export const templateRules: TemplateRules = {
  fields: [
    { path: ['delta'], kind: 'string' },
    { path: ['sequence_number'], kind: 'number', unread: true },
    { path: ['obfuscation'], kind: 'string', unread: true },
  ],
  accepts: (value) => DELTAS.has(value['type']),
};
