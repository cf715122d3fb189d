import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { isCompleteArguments } from '@turnwire/wire/internal/arguments';
import { nameOfPart, uncarriedFields } from '@turnwire/wire/internal/dialects/answer-extras';
import { reasoningParts } from '@turnwire/wire/internal/dialects/reasoning-shapes';
import { errorBesideChoices, errorInEvent } from '@turnwire/wire/internal/dialects/error-shapes';
import { finishClass, isOwnWord } from '@turnwire/wire/internal/dialects/finish-reasons';
import { fragmentsOf } from './check-chat-tools.ts';
import { choicesOf, type ChatFacts } from './chat-facts.ts';
import { when, type Finding } from './finding.ts';

/** What a chat stream says in words and shapes of its server's own. */
export function checkDialects({ events, reasons, finish }: ChatFacts): readonly Finding[] {
  const seen = finish < 0 ? events : events.slice(0, finish + 1);
  const chunks = seen.flatMap(({ json }) => (json === undefined ? [] : [json]));
  const all = events.flatMap(({ json }) => (json === undefined ? [] : [json]));
  const odd = reasons.find((reason) => !isOwnWord(reason) && finishClass(reason) !== 'other' && !USUAL.has(reason));
  return [
    ...when(odd !== undefined, 'finish-spelling', `finish_reason "${odd ?? ''}"`),
    ...checkCalls(chunks.flatMap(fragmentsOf)),
    ...checkChoiceErrors(chunks),
    ...checkErrors(chunks.filter((chunk) => !Array.isArray(chunk.choices))),
    ...when(chunks.some(hasThinkingPart), 'mistral-thinking', 'content with a part of type thinking'),
    ...when(all.some(hasOtherUsage), 'usage-names', 'usage under other names'),
    ...checkBesideText(chunks),
  ];
}

/** These have findings of their own. */
const USUAL: ReadonlySet<string> = new Set(['tool_use', 'tool_call', 'error']);

function checkCalls(fragments: readonly JsonObject[]): readonly Finding[] {
  const opened = fragments.filter((one) => nameOf(one) !== '');
  const later = fragments.filter((one) => nameOf(one) === '');
  const indexes = new Set(opened.map(({ index }) => index));
  const ids = new Set(opened.map(({ id }) => id));
  const shared = opened.some(({ id, index }) =>
    opened.some((other) => typeof id === 'string' && id !== '' && other.id === id && other.index !== index),
  );
  const changes = later.some(({ id }) => typeof id === 'string' && id !== '' && !ids.has(id));
  const renamed = opened.some((one, place) => isRenamed(one, opened[place - 1]));
  const late = opened.some(({ index }) => index === undefined) && later.some(({ index }) => index !== undefined);
  const stray = later.some(({ index }) => index !== undefined && !indexes.has(index)) && !late;
  return [
    ...when(changes || renamed, 'tool-id-changes', 'a later fragment of a call has another id'),
    ...when(shared, 'tool-id-shared', 'two calls with one id'),
    ...when(late, 'tool-index-late', 'the index comes after the first fragment'),
    ...when(stray, 'tool-index-stray', 'fragments at an index without a call'),
    ...when(fragments.some(isDoubled), 'tool-args-doubled', 'the same arguments twice'),
  ];
}

/** A fragment with the name and at the index of the one before it, of which neither has whole arguments: they are of one call. */
function isRenamed(one: JsonObject, before: JsonObject | undefined): boolean {
  if (before === undefined || one.id === before.id || one.index !== before.index) return false;
  return nameOf(one) === nameOf(before) && !hasWhole(one) && !hasWhole(before);
}

function hasWhole(fragment: JsonObject): boolean {
  const { arguments: args } = functionOf(fragment);
  return isObject(args) || isCompleteArguments(stringOf(args) ?? '');
}

function functionOf(fragment: JsonObject): JsonObject {
  return isObject(fragment.function) ? fragment.function : {};
}

function nameOf(fragment: JsonObject): string {
  return stringOf(functionOf(fragment).name) ?? '';
}

function isDoubled(fragment: JsonObject): boolean {
  const args = stringOf(functionOf(fragment).arguments) ?? '';
  return args.startsWith('{') && args.endsWith('}') && args === args.slice(0, args.length / 2).repeat(2);
}

function checkChoiceErrors(chunks: readonly JsonObject[]): readonly Finding[] {
  const inChoice = chunks.some((chunk) => choicesOf(chunk).some((choice) => errorBesideChoices(choice) !== undefined));
  return when(inChoice, 'choice-error', 'an error inside of a choice');
}

/** Errors in shapes of their servers' own, among events that are none of the wire. */
export function checkErrors(strange: readonly JsonObject[]): readonly Finding[] {
  const failed = strange.filter((event) => !('error' in event) && errorInEvent(event) !== undefined);
  return [
    ...when(failed.some(isBaseResp), 'base-resp', 'an error in base_resp'),
    ...when(
      failed.some((event) => !isBaseResp(event)),
      'error-flat',
      'an error without the member error',
    ),
  ];
}

function isBaseResp(chunk: JsonObject): boolean {
  return isObject(chunk.base_resp);
}

function hasThinkingPart(chunk: JsonObject): boolean {
  return choicesOf(chunk).some(({ delta }) => {
    const content = isObject(delta) ? delta.content : undefined;
    return Array.isArray(content) && content.some((part) => isObject(part) && part.type === 'thinking');
  });
}

/** What stands beside the text, the reasoning and the calls. */
function checkBesideText(chunks: readonly JsonObject[]): readonly Finding[] {
  const names = new Set(
    chunks.flatMap((chunk) => [...listed(chunk, ['citations']), ...choicesOf(chunk).flatMap(besideText)]),
  );
  return when(names.size > 0, 'beside-text', [...names].join(', '));
}

function besideText({ delta, logprobs }: JsonObject): readonly string[] {
  const probed = isObject(logprobs) ? ['logprobs'] : [];
  if (!isObject(delta)) return probed;
  const parts: unknown[] = Array.isArray(delta.content) ? delta.content : [];
  const others = parts
    .map(nameOfPart)
    .filter((name) => name !== undefined && name !== 'text' && !reasoningParts.has(name));
  const fields = uncarriedFields.filter((field) => isThere(delta[field]));
  return [...probed, ...listed(delta, ['annotations']), ...fields, ...others.map(String)];
}

/** Those of the members that are lists with something in them. */
function listed(object: JsonObject, names: readonly string[]): readonly string[] {
  return names.filter((name) => Array.isArray(object[name]) && (object[name] as unknown[]).length > 0);
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

const OTHER_NAMES = [
  ...['input_tokens', 'cached_tokens', 'prompt_cache_hit_tokens', 'cache_read_input_tokens', 'reasoning_tokens'],
];

function hasOtherUsage({ usage, x_groq: groq }: JsonObject): boolean {
  return (isObject(groq) && isObject(groq.usage)) || (isObject(usage) && OTHER_NAMES.some((name) => name in usage));
}
