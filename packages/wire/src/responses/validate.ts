import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { checkItemDone, checkItemEvent, openItem, type ItemState } from './validate-item.ts';

/** One broken rule. */
export interface OrderViolation {
  /** Stable name of the rule, e.g. `sequence`, `item_unknown`, `after_terminal`. */
  readonly rule: string;
  readonly message: string;
  /** Place of the event in the stream, from 0; the number of events when the stream ended too early. */
  readonly at: number;
}

/** Checks the order of the events in one Responses stream. */
export interface OrderValidator {
  /** Takes the next event, parsed. Answers what it broke. */
  accept(event: unknown): OrderViolation[];
  /** To be called once, when the stream has ended. */
  end(): OrderViolation[];
}

/** Which order of events is expected. */
export interface OrderValidatorOptions {
  /** Items come as one `output_item.done` each, without `added` and deltas. Default false. */
  readonly finalOnly?: boolean;
}

type Say = (rule: string, message: string) => void;

interface State {
  readonly finalOnly: boolean;
  count: number;
  lastSequence: number;
  responseId: string | undefined;
  inProgress: boolean;
  terminal: string | undefined;
  readonly items: ItemState[];
  readonly byId: Map<string, ItemState>;
}

const TERMINAL: Readonly<Record<string, readonly unknown[]>> = {
  'response.completed': ['completed'],
  'response.failed': ['failed'],
  // The API has no event of its own for one that was cancelled.
  'response.incomplete': ['incomplete', 'cancelled'],
};

/** Events that belong to no item and have no place of their own in the order. */
const FREE = new Set(['response.heartbeat', 'response.metadata', 'response.queued', 'keepalive', 'codex.rate_limits']);

/**
 * A validator of the public event order: `created` first, then `in_progress`; an item is added before its
 * parts and deltas; deltas add up to the done text; one done per item; `completed.output` is the done items;
 * `sequence_number` only grows; one terminal event, and nothing after it.
 *
 * @example
 * ```ts
 * const validator = createOrderValidator();
 * for (const event of events) for (const broken of validator.accept(event)) console.error(broken.message);
 * validator.end();
 * ```
 */
export function createOrderValidator(options: OrderValidatorOptions = {}): OrderValidator {
  const state: State = {
    finalOnly: options.finalOnly ?? false,
    count: 0,
    lastSequence: -1,
    responseId: undefined,
    inProgress: false,
    terminal: undefined,
    items: [],
    byId: new Map(),
  };
  return {
    accept: (event) => accept(state, event),
    end: () =>
      state.terminal === undefined
        ? [{ rule: 'no_terminal', message: 'the stream ended without a terminal event', at: state.count }]
        : [],
  };
}

/** All violations of a whole stream. */
export function validateOrder(events: Iterable<unknown>, options?: OrderValidatorOptions): OrderViolation[] {
  const validator = createOrderValidator(options);
  const violations: OrderViolation[] = [];
  for (const event of events) violations.push(...validator.accept(event));
  return [...violations, ...validator.end()];
}

function accept(state: State, event: unknown): OrderViolation[] {
  const violations: OrderViolation[] = [];
  const at = state.count++;
  const say: Say = (rule, message) => void violations.push({ rule, message, at });
  if (!isObject(event) || nonEmpty(event.type) === undefined) {
    say('shape', 'an event is not an object with a type');
    return violations;
  }
  if (state.terminal !== undefined) say('after_terminal', `${String(event.type)} after ${state.terminal}`);
  checkSequence(state, event, say);
  dispatch(state, event, say);
  return violations;
}

function checkSequence(state: State, event: JsonObject, say: Say): void {
  const number = event.sequence_number;
  if (typeof number !== 'number') {
    if (!FREE.has(String(event.type)) && !state.finalOnly)
      say('sequence', `${String(event.type)} without a sequence_number`);
    return;
  }
  if (number <= state.lastSequence) say('sequence', `sequence_number ${number} after ${state.lastSequence}`);
  state.lastSequence = number;
}

function dispatch(state: State, event: JsonObject, say: Say): void {
  const type = String(event.type);
  if (type === 'response.created') {
    created(state, event, say);
    return;
  }
  if (type === 'error') {
    failedBare(state, event, say);
    return;
  }
  if (FREE.has(type)) return;
  if (state.responseId === undefined) say('created_first', `${type} before response.created`);
  if (type === 'response.in_progress') {
    inProgress(state, event, say);
    return;
  }
  if (TERMINAL[type] !== undefined) {
    terminal(state, event, say);
    return;
  }
  if (type === 'response.output_item.added') {
    itemAdded(state, event, say);
    return;
  }
  if (type === 'response.output_item.done') {
    itemDone(state, event, say);
    return;
  }
  if (event.item_id !== undefined || event.output_index !== undefined) insideItem(state, event, say);
}

function created(state: State, event: JsonObject, say: Say): void {
  if (state.responseId !== undefined) say('created_once', 'a second response.created');
  const response = responseOf(event, say);
  const id = nonEmpty(response.id);
  if (id === undefined) say('shape', 'response.created without response.id');
  if (!Array.isArray(response.output)) say('shape', 'response.created without response.output');
  state.responseId = id ?? '';
}

function inProgress(state: State, event: JsonObject, say: Say): void {
  if (state.inProgress) say('in_progress_once', 'a second response.in_progress');
  if (state.items.length > 0) say('in_progress_first', 'response.in_progress after the first item');
  if (responseOf(event, say).id !== state.responseId) say('response_id', 'the response changed its id');
  state.inProgress = true;
}

function itemAdded(state: State, event: JsonObject, say: Say): void {
  if (!state.inProgress && !state.finalOnly) say('in_progress_first', 'an item before response.in_progress');
  const item = isObject(event.item) ? event.item : undefined;
  if (item === undefined || nonEmpty(item.id) === undefined || nonEmpty(item.type) === undefined) {
    say('shape', 'response.output_item.added without an item with id and type');
    return;
  }
  if (event.output_index !== state.items.length) {
    say('output_index', `output_index ${String(event.output_index)}, expected ${state.items.length}`);
  }
  const opened = openItem(item, state.items.length);
  if (state.byId.has(opened.id)) say('item_id', `the id ${opened.id} is used twice`);
  state.items.push(opened);
  state.byId.set(opened.id, opened);
}

function itemDone(state: State, event: JsonObject, say: Say): void {
  const item = isObject(event.item) ? event.item : undefined;
  if (item === undefined) {
    say('shape', 'response.output_item.done without an item');
    return;
  }
  if (state.finalOnly && !state.byId.has(stringOf(item.id) ?? '')) itemAdded(state, event, say);
  const known = state.byId.get(stringOf(item.id) ?? '') ?? state.items[Number(event.output_index)];
  if (known === undefined) {
    say('item_unknown', 'an item is done that was never added');
    return;
  }
  if (event.output_index !== known.outputIndex) say('output_index', `item ${known.id} moved to another output_index`);
  if (known.done !== undefined) say('done_twice', `item ${known.id} is done a second time`);
  else if (!state.finalOnly) checkItemDone(known, item, say);
  known.done = item;
}

function insideItem(state: State, event: JsonObject, say: Say): void {
  const known = state.byId.get(stringOf(event.item_id) ?? '');
  if (known === undefined) {
    say('item_unknown', `${String(event.type)} of an item that was never added`);
    return;
  }
  if (event.output_index !== known.outputIndex) say('output_index', `${String(event.type)} at another output_index`);
  if (known.done !== undefined) say('item_closed', `${String(event.type)} after its item was done`);
  checkItemEvent(known, event, say);
}

function terminal(state: State, event: JsonObject, say: Say): void {
  const type = String(event.type);
  const response = responseOf(event, say);
  if (response.id !== state.responseId) say('response_id', 'the response changed its id');
  if (TERMINAL[type]?.includes(response.status) !== true)
    say('status', `${type} with the status ${String(response.status)}`);
  checkEnd(state, type, response, say);
  checkUsage(response.usage, say);
  state.terminal ??= type;
}

function checkEnd(state: State, type: string, response: JsonObject, say: Say): void {
  const done = state.items.filter((item) => item.done !== undefined).map((item) => item.done);
  if (type === 'response.completed') {
    for (const item of state.items) {
      if (item.done === undefined) say('item_not_done', `item ${item.id} was added and never done`);
    }
    if (!sameJson(response.output, done)) say('output', 'response.output is not the list of the done items');
  }
  const error = response.error;
  if (
    type === 'response.failed' &&
    !(isObject(error) && nonEmpty(error.code) && stringOf(error.message) !== undefined)
  ) {
    say('shape', 'response.failed without error.code and error.message');
  }
  const details = response.incomplete_details;
  if (type === 'response.incomplete' && !(isObject(details) && nonEmpty(details.reason))) {
    say('shape', 'response.incomplete without incomplete_details.reason');
  }
}

/** Codex fails a whole turn on a usage without totals, or on details without their one field. */
function checkUsage(usage: unknown, say: Say): void {
  if (usage === undefined || usage === null) return;
  if (!isObject(usage)) {
    say('usage', 'usage is not an object');
    return;
  }
  for (const key of ['input_tokens', 'output_tokens', 'total_tokens']) {
    if (typeof usage[key] !== 'number') say('usage', `usage without ${key}`);
  }
  const details = { input_tokens_details: 'cached_tokens', output_tokens_details: 'reasoning_tokens' };
  for (const [key, field] of Object.entries(details)) {
    const detail = usage[key];
    if (isObject(detail) && typeof detail[field] !== 'number') say('usage', `usage.${key} without ${field}`);
  }
}

function failedBare(state: State, event: JsonObject, say: Say): void {
  const error = isObject(event.error) ? event.error : event;
  if (stringOf(error.message) === undefined) say('shape', 'an error event without a message');
  state.terminal ??= 'error';
}

function responseOf(event: JsonObject, say: Say): JsonObject {
  if (isObject(event.response)) return event.response;
  say('shape', `${String(event.type)} without a response`);
  return {};
}

/** Equality of JSON values; the order of keys does not matter. */
function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => sameJson(value, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => sameJson(left[key], right[key]));
}
