import { isObject, type JsonObject } from '../base/json.ts';
import { usageIn } from '../dialects/usage-names.ts';
import { readErrorBesideChoices } from '../model/classify.ts';
import { readFragment } from './tool-calls.ts';

/** What a chunk says that says but one thing. */
export type OnlyText =
  | { readonly kind: 'content' | 'reasoning'; readonly choice: JsonObject; readonly fragment?: undefined }
  /** A fragment of the call at its index. */
  | { readonly kind: 'input'; readonly choice: JsonObject; readonly fragment: JsonObject };

const kinds: Readonly<Record<string, 'content' | 'reasoning'>> = {
  content: 'content',
  reasoning: 'reasoning',
  reasoning_content: 'reasoning',
};

/** Reads a chunk of which nothing counts but one text, or one more piece of a call's arguments; `undefined` for any other. */
export function onlyTextOf(chunk: JsonObject): OnlyText | undefined {
  const choices = chunk['choices'];
  if (!Array.isArray(choices) || choices.length !== 1 || saysMore(chunk) || !isNone(usageIn(chunk))) return undefined;
  const choice: unknown = choices[0];
  if (!isObject(choice) || saysMore(choice) || !isNone(choice['finish_reason'])) return undefined;
  if (isObject(choice['logprobs']) || isObject(choice['message']) || choice['usage'] !== undefined) return undefined;
  return isObject(choice['delta']) ? textOfDelta(choice, choice['delta']) : undefined;
}

function saysMore(holder: JsonObject): boolean {
  return holder['citations'] !== undefined || readErrorBesideChoices(holder) !== undefined;
}

function textOfDelta(choice: JsonObject, delta: JsonObject): OnlyText | undefined {
  const [said, ...others] = Object.keys(delta).filter((name) => name !== 'role' && !isNothing(delta[name]));
  if (said === undefined || others.length > 0) return undefined;
  const value = delta[said];
  const kind = kinds[said];
  if (kind !== undefined) return typeof value === 'string' ? { kind, choice } : undefined;
  const fragment: unknown = said === 'tool_calls' && Array.isArray(value) && value.length === 1 ? value[0] : undefined;
  return isObject(fragment) && isMore(fragment) ? { kind: 'input', choice, fragment } : undefined;
}

/** It goes on with the call at its index, whose id and name were told before. */
function isMore(value: JsonObject): boolean {
  const fragment = readFragment(value);
  if (fragment?.index === undefined || fragment.custom || fragment.isObject) return false;
  return fragment.id === undefined && fragment.name === undefined && fragment.members === undefined;
}

function isNone(value: unknown): boolean {
  return value === null || value === undefined;
}

/** What a member has that means nothing where it stands. */
function isNothing(value: unknown): boolean {
  return isNone(value) || (Array.isArray(value) && value.length === 0);
}
