import { isObject, stringOf, type JsonObject } from '../base/json.ts';
import { reasoningParts, textIn } from '../dialects/reasoning-shapes.ts';

/** What takes the parts of a `content` that is a list. */
export interface PartSink {
  onText(text: string): void;
  onReasoning(text: string): void;
  /** Neither: an image, a reference. */
  onOther(part: JsonObject): void;
}

/** Hands on every part of `content` that says something. */
export function eachPart(content: unknown, sink: PartSink): void {
  if (!Array.isArray(content)) return;
  for (const part of content) {
    if (!isObject(part)) continue;
    const text = stringOf(part['text']);
    if (reasoningParts.has(part['type'])) sink.onReasoning(textIn(part));
    else if (text === undefined) sink.onOther(part);
    else sink.onText(text);
  }
}

const NONE: readonly unknown[] = [];

/** The fragments of `tool_calls`; the old single `function_call` is one without id or index. */
export function fragmentsOf(delta: JsonObject): readonly unknown[] {
  const calls = delta['tool_calls'];
  if (Array.isArray(calls) && calls.length > 0) return calls;
  const legacy = delta['function_call'];
  return isObject(legacy) ? [{ function: legacy }] : NONE;
}
