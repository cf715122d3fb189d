import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';

/** What a delta (or a whole `message`) says of the model's reasoning: one source, the first non-empty (docs/contract.md 3.9). */
export function reasoningOf(delta: JsonObject): string {
  const reasoning = delta['reasoning'];
  if (reasoning !== undefined) {
    const text =
      nonEmpty(reasoning) ??
      (isObject(reasoning) ? (nonEmpty(reasoning['text']) ?? nonEmpty(reasoning['content'])) : undefined);
    if (text !== undefined) return text;
  }
  const content = delta['reasoning_content'];
  if (typeof content === 'string' && content !== '') return content;
  const details = delta['reasoning_details'];
  return Array.isArray(details) ? details.map(textOf).join('') : '';
}

/** Calls back with every text of `content`: a string, or an array of parts with a `text`. */
export function eachText(content: unknown, take: (text: string) => void): void {
  if (typeof content === 'string') {
    if (content !== '') take(content);
    return;
  }
  if (!Array.isArray(content)) return;
  for (const part of content) {
    const text = textOf(part);
    if (text !== '') take(text);
  }
}

function textOf(part: unknown): string {
  return isObject(part) ? (stringOf(part['text']) ?? '') : '';
}

const NONE: readonly unknown[] = [];

/** The fragments of `tool_calls`; the old single `function_call` is one without id or index. */
export function fragmentsOf(delta: JsonObject): readonly unknown[] {
  const calls = delta['tool_calls'];
  if (Array.isArray(calls) && calls.length > 0) return calls;
  const legacy = delta['function_call'];
  return isObject(legacy) ? [{ function: legacy }] : NONE;
}
