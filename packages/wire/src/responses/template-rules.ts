import type { TemplateRules } from '../sse/templates.ts';
import { inputDeltas, textDeltas } from './delta-types.ts';

/** Responses deltas: the text, the running number, and the padding against length analysis. */
export const templateRules: TemplateRules = {
  fields: [
    { path: ['delta'], kind: 'string' },
    { path: ['item_id'], kind: 'string', ofAnswer: true },
    { path: ['output_index'], kind: 'number', ofAnswer: true },
    { path: ['content_index'], kind: 'number', ofAnswer: true },
    { path: ['summary_index'], kind: 'number', ofAnswer: true },
    { path: ['sequence_number'], kind: 'number', unread: true },
    { path: ['obfuscation'], kind: 'string', unread: true },
  ],
  // Other events, or their items, travel on as they were parsed.
  accepts: ({ type }) => textDeltas.has(type) || inputDeltas.has(type),
};
