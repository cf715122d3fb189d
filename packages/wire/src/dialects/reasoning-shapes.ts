import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';

/**
 * The fields of a delta or a message that have reasoning, by the order in which they are asked (docs/contract.md 3.9). Whose they are:
 * `seen/sources.ts`.
 */
export const reasoningFields = [
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'thinking_blocks',
  'thinking',
] as const;

/** The types of parts of `content` that are reasoning: Mistral (litellm#16272, req_llm#742), and gateways like it. */
export const reasoningParts: ReadonlySet<unknown> = new Set(['thinking', 'reasoning']);

/** What a delta (or a whole `message`) says of the model's reasoning: one source, the first with a text. */
export function reasoningOf(delta: JsonObject): string {
  const { reasoning, reasoning_content: usual } = delta;
  if (reasoning !== undefined) {
    const text = textIn(reasoning);
    if (text !== '') return text;
  }
  if (typeof usual === 'string' && usual !== '') return usual;
  // Most deltas have none of the others: they cost one look at each, and no loop.
  const rare = delta['reasoning_details'] ?? delta['thinking_blocks'] ?? delta['thinking'];
  return rare === undefined || rare === null ? '' : firstText(delta);
}

function firstText(delta: JsonObject): string {
  for (const field of reasoningFields) {
    const text = textIn(delta[field]);
    if (text !== '') return text;
  }
  return '';
}

const TEXTS = ['text', 'thinking', 'summary', 'content', 'reasoning'];

/** A text, or the texts in a list or an object of any of these shapes. */
export function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(textIn).join('');
  if (!isObject(value)) return '';
  for (const key of TEXTS) {
    const text = nonEmpty(textIn(value[key]));
    if (text !== undefined) return text;
  }
  return '';
}
