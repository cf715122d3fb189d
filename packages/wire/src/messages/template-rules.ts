import { isObject } from '../base/json.ts';
import type { TemplateRules } from '../sse/templates.ts';

/** Deltas of text only, and where it is: a signature comes once, and what else there is travels on as it was parsed. */
export const textMembers: ReadonlyMap<unknown, string> = new Map([
  ['text_delta', 'text'],
  ['thinking_delta', 'thinking'],
  ['input_json_delta', 'partial_json'],
]);

/** Messages deltas: the text, the block that it is for, and the running estimate beside hidden thinking. */
export const templateRules: TemplateRules = {
  fields: [
    { path: ['delta', 'text'], kind: 'string' },
    { path: ['delta', 'partial_json'], kind: 'string' },
    { path: ['delta', 'thinking'], kind: 'string' },
    { path: ['delta', 'estimated_tokens'], kind: 'number', steady: true, unread: true },
    { path: ['index'], kind: 'number', steady: true },
  ],
  accepts: ({ type, delta }) => type === 'content_block_delta' && isObject(delta) && textMembers.has(delta['type']),
};
