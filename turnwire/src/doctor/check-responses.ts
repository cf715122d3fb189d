import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { isCompleteArguments } from '@turnwire/wire/internal/arguments';
import { validateOrder } from '@turnwire/wire/internal/responses/validate';
import { checkErrors } from './check-dialects.ts';
import { isHeartbeat, isSentinel, nameOfError, objectsIn } from './check-framing.ts';
import { when, type Finding } from './finding.ts';
import type { SseEvent } from './sse-reading.ts';

/** What the checks of the Responses wire look at; frames of a WebSocket too. */
export interface ResponsesStream {
  readonly reading: { readonly events: readonly SseEvent[]; readonly invalidUtf8?: boolean };
  readonly body: JsonObject;
}

export interface ResponsesFacts {
  readonly events: readonly SseEvent[];
  /** The events that are objects with a type. */
  readonly typed: readonly JsonObject[];
  /** Place of the terminal event among `events`; -1 if none. */
  readonly terminal: number;
  readonly response: JsonObject | undefined;
}

const TERMINAL = /^(response\.(completed|failed|incomplete|done|cancelled|error)|error)$/;

/** The type of an event, for people. */
export function typeOf(event: SseEvent | undefined): string {
  return nonEmpty(event?.json?.type) ?? 'not there';
}

/** Finds the end of a Responses stream. */
export function responsesFacts({ reading }: ResponsesStream): ResponsesFacts {
  const { events } = reading;
  const terminal = events.findIndex(({ json }) => TERMINAL.test(String(json?.type)));
  const last = events[terminal]?.json;
  return {
    events,
    typed: events.flatMap(({ json }) => (typeof json?.type === 'string' ? [json] : [])),
    terminal,
    response: isObject(last?.response) ? last.response : undefined,
  };
}

/** What is wrong with the events of a response. */
export function checkResponses(stream: ResponsesStream): readonly Finding[] {
  const facts = responsesFacts(stream);
  const nameless = facts.events.find(
    ({ name, json }) => isNamedByLine(name) && json !== undefined && json.type === undefined,
  );
  if (nameless !== undefined)
    return [{ quirk: 'type-in-event-line', seen: `no type beside event: ${nameless.name ?? ''}` }];
  const errors = checkStrange(facts);
  if (facts.typed.length === 0) return errors;
  const found = [...errors, ...checkEnd(stream, facts), ...checkTypes(facts)];
  if (facts.terminal < 0 || facts.events[facts.terminal]?.json?.type !== 'response.completed') return found;
  const shape = [...checkSequence(facts), ...checkItems(facts), ...checkCompleted(facts)];
  const order = shape.length > 0 || found.length > 0 || stream.reading.invalidUtf8 === true ? [] : checkOrder(facts);
  return [...found, ...shape, ...order];
}

/** Errors among what is no event of this wire. */
export function checkStrange({ events }: ResponsesFacts): readonly Finding[] {
  const objects = events.flatMap(({ json }) => (json === undefined ? [] : [json]));
  return checkErrors(objects.filter(({ type }) => nonEmpty(type) === undefined));
}

function isNamedByLine(name: string | undefined): boolean {
  return name?.startsWith('response.') === true;
}

/** The terminal event, and what follows it. */
function checkEnd(stream: ResponsesStream, facts: ResponsesFacts): readonly Finding[] {
  const { events, terminal, response } = facts;
  const end = events[terminal]?.json;
  const type = String(end?.type);
  const error = isObject(response?.error) ? response.error : undefined;
  const late = events.slice(terminal + 1).find(({ json }) => TERMINAL.test(String(json?.type)));
  return [
    ...when(type === 'error', nameOfError(end?.error), events[terminal]?.data.slice(0, 80) ?? ''),
    ...when(type === 'response.error', 'response-error', 'response.error for error'),
    ...when(type === 'response.done', 'response-done', 'response.done for response.completed'),
    ...when(type === 'response.cancelled', 'response-cancelled', 'response.cancelled'),
    ...checkStatus(type, response),
    ...when(type === 'response.failed', 'response-failed', `response.failed: ${String(error?.code)}`),
    ...(type === 'response.incomplete' ? checkIncomplete(stream, response) : []),
    ...when(terminal >= 0 && late !== undefined, 'late-error', `${String(late?.json?.type)} after ${type}`),
    ...when(events.some(isSentinel), 'sentinel-on-responses', 'a [DONE]'),
  ];
}

/** What a response says of itself in an event that is called completed. */
function checkStatus(type: string, response: JsonObject | undefined): readonly Finding[] {
  if (type !== 'response.completed') return [];
  const status = String(response?.status);
  const seen = `response.completed with the status ${status}`;
  return [
    ...when(status === 'incomplete', 'completed-incomplete', seen),
    ...when(status === 'failed', 'completed-failed', seen),
  ];
}

function checkIncomplete({ body }: ResponsesStream, response: JsonObject | undefined): readonly Finding[] {
  const details = response?.incomplete_details;
  const reason = isObject(details) ? String(details.reason) : '';
  if (reason === 'content_filter') return [{ quirk: 'content-filter', seen: 'response.incomplete: content_filter' }];
  const usage = isObject(response?.usage) ? response.usage : {};
  const reached = Number(usage.output_tokens ?? 0) >= Number(body.max_output_tokens ?? Infinity) * 0.9;
  return when(!reached, 'incomplete', `response.incomplete: ${reason}`);
}

const KNOWN_TYPES =
  /^(error|codex\.rate_limits|response\.(metadata|created|in_progress|queued|completed|failed|incomplete|done|cancelled|error|output_item\.(added|done)|content_part\.(added|done)|output_text\.(delta|done|annotation\.added)|refusal\.(delta|done)|reasoning\.delta|reasoning_(text|summary_text)\.(delta|done)|reasoning_summary_part\.(added|done)|function_call_arguments\.(delta|done)|custom_tool_call_input\.(delta|done)|(web_search|file_search|code_interpreter|image_generation|mcp)_call.*|mcp_.*))$/;

const KNOWN_ITEMS =
  /^(message|reasoning|compaction|function_call|custom_tool_call|(local_shell|shell|apply_patch|web_search|file_search|code_interpreter|image_generation|computer|mcp|tool_search)_call|mcp_(list_tools|approval_request))$/;

function checkTypes({ typed }: ResponsesFacts): readonly Finding[] {
  const strange = typed.find((event) => !KNOWN_TYPES.test(String(event.type)) && !isHeartbeat(event));
  const items = typed.flatMap((event) => (isObject(event.item) ? [event.item] : []));
  const item = items.find(({ type }) => !KNOWN_ITEMS.test(String(type)));
  const malformed = items.find(isMalformed);
  const name = strange === undefined ? `item ${String(item?.type)}` : String(strange.type);
  return [
    ...when(strange !== undefined || item !== undefined, 'unknown-events', name),
    ...when(malformed !== undefined, 'malformed-item', JSON.stringify(malformed ?? {}).slice(0, 60)),
    ...checkCalls(items),
    ...checkReasoning(typed, items),
    ...when(
      typed.some(({ type }) => type === 'codex.rate_limits'),
      'ws-rate-limits',
      'codex.rate_limits',
    ),
    ...when(typed.some(carriesTurnState), 'turn-state', 'x-codex-turn-state in response.metadata'),
  ];
}

function checkCalls(items: readonly JsonObject[]): readonly Finding[] {
  const calls = items.filter(({ type }) => type === 'function_call');
  return [
    ...when(
      calls.some((call) => nonEmpty(call.call_id) === undefined),
      'tool-id-missing',
      'a call without a call_id',
    ),
    ...when(
      calls.some((call) => isObject(call.arguments)),
      'tool-args-object',
      'arguments are an object',
    ),
  ];
}

function checkReasoning(typed: readonly JsonObject[], items: readonly JsonObject[]): readonly Finding[] {
  const isText = items.some(
    ({ type, content, summary }) => type === 'reasoning' && [content, summary].some((one) => typeof one === 'string'),
  );
  const isNamed = typed.some(({ type }) => type === 'response.reasoning.delta');
  return [
    ...when(isText, 'reasoning-item', 'reasoning whose content is a text'),
    ...when(isNamed, 'reasoning-item', 'response.reasoning.delta for response.reasoning_text.delta'),
  ];
}

function carriesTurnState({ type, headers }: JsonObject): boolean {
  return type === 'response.metadata' && isObject(headers) && 'x-codex-turn-state' in headers;
}

/** Fields of a known type with values that no client expects. */
function isMalformed(item: JsonObject): boolean {
  if (item.id !== undefined && typeof item.id !== 'string') return true;
  if (item.type === 'message') return item.content !== undefined && !Array.isArray(item.content);
  const { arguments: given } = item;
  return item.type === 'function_call' && given !== undefined && typeof given !== 'string' && !isObject(given);
}

/** Created, indexes, numbers. */
function checkSequence({ typed }: ResponsesFacts): readonly Finding[] {
  const created = typed.findIndex(({ type }) => type === 'response.created');
  const free = typed.findIndex(({ type }) => /^response\.(output_item|content_part|output_text)\./.test(String(type)));
  const inItems = typed.filter((event) => event.item !== undefined || event.item_id !== undefined);
  const indexed = inItems.filter(({ output_index: index }) => typeof index === 'number');
  const numbers = typed.map(({ sequence_number: number }) => number).filter((number) => typeof number === 'number');
  const falls = numbers.some((number, i) => i > 0 && number <= (numbers[i - 1] ?? -1));
  return [
    ...when(created < 0, 'no-created', `the stream begins with ${String(typed[0]?.type)}`),
    ...when(created >= 0 && free >= 0 && free < created, 'out-of-order', 'an item before response.created'),
    ...when(inItems.length > 0 && indexed.length === 0, 'no-indexes', 'no output_index'),
    ...when(indexed.length > 0 && numbers.length === 0, 'sequence', 'no sequence_number'),
    ...when(falls && created <= free, 'sequence', 'sequence_number does not grow'),
  ];
}

/** Items: added, streamed, done, each once and under one id. */
function checkItems(facts: ResponsesFacts): readonly Finding[] {
  const { typed } = facts;
  const ofType = (pattern: RegExp): JsonObject[] => typed.filter(({ type }) => pattern.test(String(type)));
  const added = ofType(/^response\.output_item\.added$/);
  const done = ofType(/^response\.output_item\.done$/);
  const deltas = ofType(/\.delta$/);
  const output = objectsIn(facts.response?.output);
  const calls = objectsIn(done.map(({ item }) => item)).filter(({ type }) => type === 'function_call');
  const noDone = done.length === 0 && deltas.length > 0;
  return [
    ...when(deltas.length === 0 && done.length > 0, 'final-only', `${done.length} finished items, no delta`),
    ...when(
      deltas.length + done.length === 0 && output.length > 0,
      'only-completed',
      'items in response.completed alone',
    ),
    ...when(noDone, 'no-item-done', 'deltas, and no output_item.done'),
    ...when(deltas.length > 0 && added.length === 0, 'delta-without-added', 'deltas, and no output_item.added'),
    ...when(
      done.length > 0 && output.length === 0 && !isBare(facts),
      'output-empty',
      'output [] in response.completed',
    ),
    ...checkIds(added, done, deltas),
    ...when(sharesCallId(done), 'tool-id-shared', 'two calls with one call_id'),
    ...when(
      isErased(deltas, done, 'message', /^response\.output_text\.delta$/),
      'done-empty',
      'a text was streamed, its item is empty',
    ),
    ...when(
      isErased(deltas, done, 'function_call', /^response\.function_call_arguments\.delta$/),
      'args-done-empty',
      'arguments were streamed, their call has none',
    ),
    ...when(calls.some(isHalfWritten), 'tool-args-invalid', 'arguments that are no JSON'),
    ...when(isLateAdded(typed), 'out-of-order', 'an item or part is announced after its deltas'),
  ];
}

/** An item of the type that something was streamed for, and that is done with nothing in it. */
function isErased(deltas: readonly JsonObject[], done: readonly JsonObject[], type: string, delta: RegExp): boolean {
  const streamed = new Set(deltas.filter((one) => delta.test(String(one.type))).map(({ item_id: id }) => id));
  const items = done.flatMap(({ item }) => (isObject(item) && item.type === type ? [item] : []));
  return items.some(({ id, content, arguments: input }) => {
    const isEmpty = type === 'message' ? Array.isArray(content) && content.length === 0 : input === '';
    return isEmpty && id !== undefined && streamed.has(id);
  });
}

/** A call that is said to be done; empty arguments are whole. */
function isHalfWritten({ arguments: args }: JsonObject): boolean {
  return typeof args === 'string' && !isCompleteArguments(args);
}

function sharesCallId(done: readonly JsonObject[]): boolean {
  const calls = done.flatMap(({ item }) => (isObject(item) && item.type === 'function_call' ? [item] : []));
  const named = calls.filter(({ call_id: id }) => nonEmpty(id) !== undefined);
  const ids = new Map(named.map((call) => [call.id, call.call_id]));
  return new Set(ids.values()).size < ids.size;
}

function checkIds(
  added: readonly JsonObject[],
  done: readonly JsonObject[],
  deltas: readonly JsonObject[],
): readonly Finding[] {
  const idsOf = (events: readonly JsonObject[]): (string | undefined)[] =>
    events.map(({ item }) => (isObject(item) ? nonEmpty(item.id) : undefined));
  const doneIds = idsOf(done).filter((id) => id !== undefined);
  const addedIds = new Set(idsOf(added).filter((id) => id !== undefined));
  const missing = done.length + deltas.length > 0 && doneIds.length === 0 && deltas.every(({ item_id: id }) => !id);
  const fresh = addedIds.size > 0 && doneIds.some((id) => !addedIds.has(id)) && doneIds.length <= addedIds.size;
  return [
    ...when(missing, 'no-item-ids', 'no item and no event has an id'),
    ...when(new Set(doneIds).size < doneIds.length, 'duplicate-final', 'output_item.done twice for one item'),
    ...when(fresh, 'fresh-item-ids', 'output_item.done under another id than added'),
  ];
}

/** An item or part whose announcement comes after something inside it. */
function isLateAdded(typed: readonly JsonObject[]): boolean {
  const streamed = new Set<unknown>();
  for (const event of typed) {
    if (!KNOWN_TYPES.test(String(event.type))) continue;
    if (event.type === 'response.output_item.added' && isObject(event.item) && streamed.has(event.item.id)) return true;
    if (String(event.type).endsWith('.delta') && event.item_id !== undefined) streamed.add(event.item_id);
    if (event.type === 'response.content_part.added' && streamed.has(event.item_id)) return true;
  }
  return false;
}

function isBare({ response }: ResponsesFacts): boolean {
  return response === undefined || Object.keys(response).length === 0;
}

/** The response in the terminal event. */
function checkCompleted(facts: ResponsesFacts): readonly Finding[] {
  const { response } = facts;
  if (isBare(facts) || response === undefined)
    return [{ quirk: 'completed-bare', seen: 'response.completed without a response' }];
  const { usage } = response;
  if (!isObject(usage) && isObject(facts.events[facts.terminal]?.json?.usage))
    return [{ quirk: 'usage-beside', seen: 'usage beside the response' }];
  if (!isObject(usage)) return [{ quirk: 'usage-missing', seen: 'no usage' }];
  if ('prompt_tokens' in usage) return [{ quirk: 'usage-names', seen: 'usage with prompt_tokens' }];
  const details = [usage.input_tokens_details, usage.output_tokens_details];
  const hollow =
    isObject(details[0]) && isObject(details[1]) && Object.keys({ ...details[0], ...details[1] }).length === 0;
  return [
    ...when(nonEmpty(response.id) === undefined, 'completed-bare', 'response.completed without response.id'),
    ...when(details.includes(null), 'null-details', 'usage details are null'),
    ...when(
      typeof usage.total_tokens !== 'number' || hollow,
      'usage-without-total',
      'no total_tokens, or empty details',
    ),
  ];
}

/** The validator's word on what no check above has a name for. */
function checkOrder({ typed, events, terminal }: ResponsesFacts): readonly Finding[] {
  const beats = new Set(typed.filter((event) => isHeartbeat(event)));
  const upTo = events
    .slice(0, terminal + 1)
    .flatMap(({ json }) => (json === undefined || beats.has(json) ? [] : [json]));
  const [first, ...more] = validateOrder(upTo);
  if (first === undefined) return [];
  const rest = more.length === 0 ? '' : `, and ${more.length} more`;
  return [{ quirk: 'order', seen: `${first.message}${rest}` }];
}
