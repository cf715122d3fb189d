import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { openSummary, SUMMARY_ASK, SUMMARY_HEAD } from '@turnwire/wire/internal/model/summary';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { InvalidFieldError } from '@turnwire/wire/internal/request-fields';
import { isCallOutput, pairCalls } from '@turnwire/wire/internal/request-history';
import { messageOfOutput } from './context-items.ts';

/** The item that asks for the conversation before it to be made shorter. */
export const COMPACTION_TRIGGER: Item = { type: 'compaction_trigger' };

/**
 * The items without the trigger at their end, and whether there was one.
 *
 * @throws InvalidFieldError for one that stands elsewhere
 */
export function withoutTrigger(items: readonly Item[]): {
  readonly items: readonly Item[];
  readonly compacts: boolean;
} {
  const place = items.findIndex(({ type }) => type === COMPACTION_TRIGGER.type);
  if (place < 0) return { items, compacts: false };
  if (place === items.length - 1) return { items: items.slice(0, -1), compacts: true };
  throw new InvalidFieldError(`input[${place}]`, 'a compaction_trigger has to be the last item');
}

/** Compactions that a bridge made as messages, which every server understands; those of others stay. */
export function withSummaries(items: readonly Item[]): readonly Item[] {
  return items.some(isCompaction) ? items.map((item) => messageOfSummary(item) ?? item) : items;
}

/** The name that Codex had for these items stays known. */
function isCompaction({ type }: Item): boolean {
  return type === 'compaction' || type === 'compaction_summary';
}

function messageOfSummary(item: Item): Item | undefined {
  const text = isCompaction(item) ? openSummary((item as JsonObject).encrypted_content) : undefined;
  return text === undefined ? undefined : message('user', `${SUMMARY_HEAD}\n\n${text}`);
}

/**
 * The request for a summary of a conversation. No tools are offered, and calls and their outputs are told as text: servers refuse calls
 * of tools that are not there (Anthropic's Messages), and a model that sees calls makes one.
 */
export function summaryRequest(request: ModelRequest, conversation: readonly Item[]): ModelRequest {
  const { model, instructions, maxOutputTokens, reasoning } = request;
  return {
    input: [...withSummaries(conversation).flatMap(asMessages(conversation)), message('user', SUMMARY_ASK)],
    ...(model === undefined ? {} : { model }),
    ...(instructions === undefined ? {} : { instructions }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

/** What of an item can be told in a message; tools that stand in the input, and what only its own server can read, cannot. */
function asMessages(conversation: readonly Item[]): (item: Item, place: number) => readonly Item[] {
  const { outputOf, callOf } = pairCalls(conversation);
  return (item, place) => {
    if (item.type === 'message') return [item];
    if (outputOf.has(place) || isCall(item)) return [message('assistant', `Called ${nameOf(item)}: ${inputOf(item)}`)];
    if (!isCallOutput(item)) return [];
    const call = conversation[callOf.get(place) ?? -1];
    return [messageOfOutput(readable(item), `Output of ${call === undefined ? 'a tool' : nameOf(call)}`)];
  };
}

function isCall({ type }: Item): boolean {
  return typeof type === 'string' && type.endsWith('_call');
}

function nameOf(item: Item): string {
  return nonEmpty((item as JsonObject).name) ?? String(item.type).replace(/_call$/, '');
}

/** What a call was given, in the field of its kind. */
function inputOf(item: Item): string {
  const { arguments: text, input, action, operation, query } = item as JsonObject;
  const given = text ?? input ?? action ?? operation ?? query ?? {};
  return typeof given === 'string' ? given : JSON.stringify(given);
}

/** An output whose parts are those of a message; that of a shell is told as JSON. */
function readable(item: Item): JsonObject {
  const { output } = item as JsonObject;
  const isText = typeof output === 'string';
  const isParts =
    Array.isArray(output) && output.every((part) => isObject(part) && String(part.type).startsWith('input_'));
  return { output: isText || isParts ? output : JSON.stringify(output ?? '') };
}

function message(role: 'user' | 'assistant', text: string): Item {
  const part = role === 'user' ? { type: 'input_text', text } : { type: 'output_text', text, annotations: [] };
  return { type: 'message', role, content: [part] };
}
