import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import { finishClass } from '@turnwire/wire/internal/dialects/finish-reasons';
import { chatFacts, choicesOf, type ChatFacts } from './chat-facts.ts';
import { checkTools, fragmentsOf } from './check-chat-tools.ts';
import { checkDialects } from './check-dialects.ts';
import { isBytewise, nameOfError } from './check-framing.ts';
import { counted, ms, when, type Finding } from './finding.ts';
import type { Sample } from './sample.ts';
import type { SseEvent } from './sse-reading.ts';

/** What is unusual about the chunks of an answer. */
export function checkChat(sample: Sample): readonly Finding[] {
  const facts = chatFacts(sample);
  if (facts.events.length === 0) return [];
  const failed = facts.error >= 0 && (facts.finish < 0 || facts.error <= facts.finish);
  return [
    ...checkReasons(sample, facts),
    ...checkChunks(facts),
    ...checkDeltas(facts),
    ...checkUsage(sample, facts),
    ...checkTools(facts),
    ...checkDialects(facts),
    ...checkLate(facts),
    ...when(
      failed,
      nameOfError(facts.events[facts.error]?.json?.error),
      facts.events[facts.error]?.data.slice(0, 80) ?? '',
    ),
  ];
}

function checkReasons(sample: Sample, { reasons, events }: ChatFacts): readonly Finding[] {
  const calls = events.some(({ json }) => fragmentsOf(json).length > 0);
  const [reason] = reasons;
  const empty = events.some(({ json }) => choicesOf(json).some((choice) => choice.finish_reason === ''));
  const cut = reason === 'length' && !limitReached(sample);
  return [
    ...when(empty, 'finish-empty', 'finish_reason "" before the end'),
    ...when(reason === 'error', 'finish-error', 'finish_reason "error"'),
    ...when(/^tool_(use|call)$/.test(reason ?? ''), 'finish-tool-use', `finish_reason "${reason ?? ''}"`),
    ...when(reason === 'stop' && calls, 'stop-with-tools', 'tool calls, then finish_reason "stop"'),
    ...when(cut && calls, 'length-mid-call', 'finish_reason "length" in the middle of a call'),
    ...when(cut && !calls, 'length', `finish_reason "length", far from the limit of ${limitOf(sample)} tokens`),
    ...when(reason === 'content_filter', 'content-filter', 'finish_reason "content_filter"'),
    ...when(finishClass(reason ?? 'stop') === 'other', 'finish-unknown', `finish_reason "${reason ?? ''}"`),
    ...checkChoices(events),
  ];
}

function checkChoices(events: readonly SseEvent[]): readonly Finding[] {
  const indexes = new Set(events.flatMap(({ json }) => choicesOf(json).map((choice) => choice.index)));
  return when(indexes.size > 1, 'finish-per-choice', `${indexes.size} choices, one was asked for`);
}

function limitOf({ body }: Sample): number {
  return Number(body.max_tokens ?? body.max_completion_tokens ?? body.max_output_tokens ?? Infinity);
}

/** The limit that we set may have been reached; when the server does not count, we do, in events. */
function limitReached(sample: Sample): boolean {
  const usage = sample.reading.events.map(({ json }) => json?.usage).findLast(isObject);
  const tokens = Number(usage?.completion_tokens ?? 0) || sample.reading.events.length;
  return tokens >= limitOf(sample) * 0.9;
}

/** The chunks themselves: ids, choices. */
function checkChunks({ events }: ChatFacts): readonly Finding[] {
  const chunks = events.flatMap(({ json }) => (json !== undefined && Array.isArray(json.choices) ? [json] : []));
  const ids = new Set(chunks.map(({ id }) => id).filter((id) => typeof id === 'string' && id !== ''));
  const empty = chunks.find((chunk) => choicesOf(chunk).length === 0 && !isObject(chunk.usage));
  const choices = chunks.flatMap(choicesOf);
  const messages = choices.filter((choice) => isObject(choice.message) && !isObject(choice.delta));
  return [
    ...when(ids.size > 1, 'chat-id-changes', `${ids.size} ids in one answer`),
    ...when(chunks.length > 0 && ids.size === 0, 'chat-id-missing', 'chunks without an id'),
    ...when(empty !== undefined, 'empty-choices', 'a chunk with "choices":[] and no usage'),
    ...when(messages.length > 0, 'message-not-delta', 'choices[0].message in a chunk'),
  ];
}

function checkDeltas({ events }: ChatFacts): readonly Finding[] {
  const deltas = events.flatMap(({ json }) => choicesOf(json).map(({ delta }) => delta)).filter(isObject);
  const parts = deltas.filter(({ content }) => Array.isArray(content));
  const nulls = deltas.filter((delta) => delta.content === null && Object.keys(delta).length > 1);
  const roles = deltas.filter(({ role }) => typeof role === 'string');
  const field = deltas.map(reasoningField).find((name) => name !== undefined);
  return [
    ...when(parts.length > 0, 'content-parts', 'delta.content is an array'),
    ...when(nulls.length > 1 || roles.length > 1, 'null-content', `content null in ${counted(nulls.length, 'chunk')}`),
    ...when(field !== undefined && field !== 'reasoning_content', 'reasoning-shape', `reasoning as ${field ?? ''}`),
  ];
}

/** Where a delta has its reasoning. */
export function reasoningField(delta: JsonObject): string | undefined {
  const {
    reasoning,
    reasoning_content: content,
    reasoning_details: details,
    thinking_blocks: blocks,
    thinking,
  } = delta;
  const usual = typeof content === 'string' && content !== '';
  if (typeof reasoning === 'string' && reasoning !== '') return usual ? 'reasoning and reasoning_content' : 'reasoning';
  if (isObject(reasoning)) return `reasoning.${Object.keys(reasoning)[0] ?? ''}`;
  if (Array.isArray(details) && details.length > 0) return 'reasoning_details';
  if (Array.isArray(blocks) && blocks.length > 0) return 'thinking_blocks';
  if (thinking !== undefined && thinking !== null && thinking !== '') return 'thinking';
  return usual ? 'reasoning_content' : undefined;
}

/** Usage that comes later than this after the finish is as good as none, in milliseconds. */
const USAGE_WAIT = 250;

function checkUsage(sample: Sample, { events, finish }: ChatFacts): readonly Finding[] {
  const { body, answer, stayedMs } = sample;
  // Whoever left early, or got it byte by byte, cannot tell.
  const waited = answer.end === 'end' || (answer.end === 'left' && stayedMs >= USAGE_WAIT);
  const asked = isObject(body.stream_options);
  const top = events.filter(({ json }) => isObject(json?.usage));
  const inChoice = events.some(({ json }) => choicesOf(json).some(({ usage }) => isObject(usage)));
  const counts = top.filter(({ json }) => hasNumbers(json?.usage));
  const finished = events[finish];
  if (finished === undefined) return [];
  const late = counts.at(-1);
  const delay = late === undefined ? 0 : late.ms - finished.ms;
  return [
    ...when(asked && waited && top.length === 0 && !inChoice, 'usage-never', 'no usage, although it was asked for'),
    ...when(!asked && (top.length > 0 || inChoice), 'usage-unasked', 'usage, although nobody asked'),
    ...when(inChoice, 'usage-in-choice', 'choices[0].usage'),
    ...when(top.length >= 3, 'usage-every-chunk', `usage in ${top.length} of ${counted(events.length, 'chunk')}`),
    ...when(top.length > 0 && counts.length === 0, 'usage-zeros', 'usage of nothing but zeros'),
    ...when(counts.length > 0 && top.length < 3 && late === finished, 'usage-on-finish', 'usage on the finish chunk'),
    ...when(delay >= 50 && !isBytewise(sample), 'usage-late', `usage ${ms(delay)} after the finish`),
  ];
}

/** What follows the finish. */
function checkLate({ events, finish, error }: ChatFacts): readonly Finding[] {
  if (finish < 0) return [];
  const late = events.slice(finish + 1).find(({ json }) => choicesOf(json).some(saysSomething));
  return [
    ...when(late !== undefined, 'late-delta', 'text after the finish'),
    ...when(error > finish, 'late-error', `after the finish: ${events[error]?.data.slice(0, 60) ?? ''}`),
  ];
}

function saysSomething({ delta }: JsonObject): boolean {
  return isObject(delta) && typeof delta.content === 'string' && delta.content !== '';
}

function hasNumbers(usage: unknown): boolean {
  return isObject(usage) && Object.values(usage).some((value) => typeof value === 'number' && value > 0);
}
