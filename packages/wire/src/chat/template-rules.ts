import type { TemplateRules } from '../sse/templates.ts';

/** Chat chunks: the text, and what servers count or pad per chunk. No part of a chunk is ever kept. */
export const templateRules: TemplateRules = {
  fields: [
    { path: ['choices', 0, 'delta', 'content'], kind: 'string' },
    { path: ['choices', 0, 'delta', 'reasoning_content'], kind: 'string' },
    { path: ['choices', 0, 'delta', 'reasoning'], kind: 'string' },
    { path: ['choices', 0, 'delta', 'tool_calls', 0, 'function', 'arguments'], kind: 'string' },
    { path: ['choices', 0, 'delta', 'tool_calls', 0, 'index'], kind: 'number', steady: true },
    { path: ['choices', 0, 'delta', 'tool_calls', 0, 'id'], kind: 'string', steady: true },
    { path: ['choices', 0, 'delta', 'tool_calls', 0, 'function', 'name'], kind: 'string', steady: true },
    { path: ['choices', 0, 'index'], kind: 'number', steady: true },
    { path: ['id'], kind: 'string', ofAnswer: true },
    { path: ['model'], kind: 'string', ofAnswer: true },
    { path: ['system_fingerprint'], kind: 'string', ofAnswer: true, unread: true },
    { path: ['created'], kind: 'number', steady: true, unread: true },
    { path: ['obfuscation'], kind: 'string', unread: true },
    { path: ['usage', 'completion_tokens'], kind: 'number', steady: true },
    { path: ['usage', 'total_tokens'], kind: 'number', steady: true },
  ],
  accepts: (value) => Array.isArray(value['choices']) && value['choices'].length > 0,
};
