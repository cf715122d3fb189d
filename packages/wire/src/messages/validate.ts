import { isCompleteArguments } from '../arguments.ts';
import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import type { OrderValidator, OrderViolation } from '../responses/validate.ts';
import { isOwnReason } from './stop-reasons.ts';

type Say = (rule: string, message: string) => void;

interface OpenBlock {
  readonly type: string;
  readonly index: number;
  open: boolean;
  readonly input: TextBuffer;
  signed: boolean;
}

interface State {
  count: number;
  started: boolean;
  /** The last stop_reason that was told. */
  stopReason: string | undefined;
  terminal: string | undefined;
  readonly blocks: Map<number, OpenBlock>;
  /** Blocks that are open, by index. */
  readonly open: Set<OpenBlock>;
  next: number;
  readonly callIds: Set<string>;
}

type Check = (state: State, event: JsonObject, say: Say) => void;

/**
 * A validator of the order that the Messages API has and its clients count on: `message_start` first; one block at a time, with
 * indexes from 0 on without gaps; blocks that begin empty, have only deltas of their own kind, and stop; `message_delta` with a
 * stop_reason and usage; `message_stop` last. A `ping` may come anywhere; an `error` ends the stream.
 *
 * @example
 * ```ts
 * const validator = createMessagesValidator();
 * for (const event of events) for (const broken of validator.accept(event)) console.error(broken.message);
 * validator.end();
 * ```
 */
export function createMessagesValidator(): OrderValidator {
  const state: State = {
    count: 0,
    started: false,
    stopReason: undefined,
    terminal: undefined,
    blocks: new Map(),
    open: new Set(),
    next: 0,
    callIds: new Set(),
  };
  return {
    accept: (event) => saying(state.count++, (say) => accept(state, event, say)),
    end: () => saying(state.count, (say) => end(state, say)),
  };
}

/** All violations of a whole Messages stream. */
export function validateMessagesOrder(events: Iterable<unknown>): OrderViolation[] {
  const validator = createMessagesValidator();
  const violations: OrderViolation[] = [];
  for (const event of events) violations.push(...validator.accept(event));
  return [...violations, ...validator.end()];
}

function saying(at: number, check: (say: Say) => void): OrderViolation[] {
  const violations: OrderViolation[] = [];
  check((rule, message) => void violations.push({ rule, message, at }));
  return violations;
}

function accept(state: State, event: unknown, say: Say): void {
  const type = isObject(event) ? nonEmpty(event.type) : undefined;
  if (!isObject(event) || type === undefined) {
    say('shape', 'an event is not an object with a type');
    return;
  }
  if (state.terminal !== undefined) say('after_terminal', `${type} after ${state.terminal}`);
  if (type === 'ping') return;
  const check = checks.get(type);
  if (check === undefined) {
    say('unknown_event', `an event of the type ${type}, on which some clients fail`);
    return;
  }
  if (!state.started && type !== 'message_start' && type !== 'error')
    say('start_first', `${type} before message_start`);
  check(state, event, say);
}

function end(state: State, say: Say): void {
  if (state.terminal === undefined) say('no_terminal', 'the stream ended without message_stop');
}

function onMessageStart(state: State, { message }: JsonObject, say: Say): void {
  if (state.started) say('start_once', 'a second message_start');
  state.started = true;
  if (!isObject(message) || nonEmpty(message.id) === undefined)
    say('shape', 'message_start without a message with an id');
  else checkUsage('message_start', message.usage, ['input_tokens', 'output_tokens'], say);
}

/** The SDK and others fail on a usage without its numbers. */
function checkUsage(where: string, usage: unknown, names: readonly string[], say: Say): void {
  for (const name of names) {
    if (!isObject(usage) || typeof usage[name] !== 'number') say('usage', `${where} without usage.${name}`);
  }
}

function onBlockStart(state: State, event: JsonObject, say: Say): void {
  const { index, content_block: block } = event;
  const type = isObject(block) ? nonEmpty(block.type) : undefined;
  if (!isObject(block) || type === undefined) {
    say('shape', 'content_block_start without a block with a type');
    return;
  }
  if (state.stopReason !== undefined) say('after_stop_reason', 'a block begins after the stop_reason');
  if (state.open.size > 0) say('overlap', 'a block begins before the one before it stopped');
  const at = typeof index === 'number' ? index : state.next;
  if (index !== state.next) say('index', `the block has the index ${String(index)}, expected ${state.next}`);
  const reused = state.blocks.get(at);
  if (reused !== undefined) state.open.delete(reused);
  checkBlock(state, type, block, say);
  const opened: OpenBlock = { type, index: at, open: true, input: new TextBuffer(), signed: false };
  state.blocks.set(at, opened);
  state.open.add(opened);
  state.next = Math.max(state.next, at + 1);
}

/** Clients take what a block begins with for nothing, and tell calls apart by their ids. */
function checkBlock(state: State, type: string, block: JsonObject, say: Say): void {
  const full = [block.text, block.thinking].some((text) => nonEmpty(text) !== undefined);
  if (full) say('content_in_start', `the ${type} block begins with its content`);
  if (type !== 'tool_use') return;
  const { input, id, name } = block;
  if (isObject(input) ? Object.keys(input).length > 0 : input !== undefined) {
    say('content_in_start', 'the tool_use block begins with its input');
  }
  if (nonEmpty(id) === undefined) say('call_id', 'a tool_use block without an id');
  else if (state.callIds.has(String(id))) say('call_id', `the id ${String(id)} is used twice`);
  if (nonEmpty(name) === undefined) say('call_name', 'a tool_use block without a name');
  state.callIds.add(String(id));
}

/** The deltas that a block may have; a block of a type that is not here may have any. */
const deltasOf: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  redacted_thinking: [],
  tool_use: ['input_json_delta'],
};

function onBlockDelta(state: State, event: JsonObject, say: Say): void {
  const block = blockOf(state, event, say);
  const { delta } = event;
  const type = isObject(delta) ? nonEmpty(delta.type) : undefined;
  if (!isObject(delta) || type === undefined) say('shape', 'content_block_delta without a delta with a type');
  else if (block !== undefined) {
    if (Object.hasOwn(deltasOf, block.type) && deltasOf[block.type]?.includes(type) !== true) {
      say('delta_type', `${type} in a ${block.type} block`);
    }
    if (block.signed && type === 'thinking_delta') say('delta_type', 'thinking after its signature');
    block.signed ||= nonEmpty(delta.signature) !== undefined;
    block.input.append(stringOf(delta.partial_json) ?? '');
  }
}

function onBlockStop(state: State, event: JsonObject, say: Say): void {
  const block = blockOf(state, event, say);
  if (block === undefined) return;
  block.open = false;
  state.open.delete(block);
  if (block.type === 'thinking' && !block.signed) say('signature', 'a thinking block without a signature');
  if (block.type === 'tool_use' && !isCompleteArguments(block.input.toString())) {
    say('input', 'a tool_use block whose input is not JSON');
  }
}

function blockOf(state: State, { type, index }: JsonObject, say: Say): OpenBlock | undefined {
  const block = typeof index === 'number' ? state.blocks.get(index) : undefined;
  if (block === undefined) say('block_unknown', `${String(type)} of a block that never began`);
  else if (!block.open) say('block_closed', `${String(type)} after its block stopped`);
  return block;
}

function onMessageDelta(state: State, { delta, usage }: JsonObject, say: Say): void {
  if (state.open.size > 0) say('block_not_stopped', 'message_delta before every block stopped');
  const reason = isObject(delta) ? nonEmpty(delta.stop_reason) : undefined;
  if (reason !== undefined && !isOwnReason(reason))
    say('stop_reason', `the stop_reason ${JSON.stringify(reason)} is none`);
  state.stopReason = reason ?? state.stopReason;
  checkUsage('message_delta', usage, ['output_tokens'], say);
}

function onMessageStop(state: State, _event: JsonObject, say: Say): void {
  if (state.open.size > 0) say('block_not_stopped', 'message_stop before every block stopped');
  if (state.stopReason === undefined) say('stop_reason', 'message_stop without a stop_reason before it');
  state.terminal ??= 'message_stop';
}

function onError(state: State, { error }: JsonObject, say: Say): void {
  if (!isObject(error) || nonEmpty(error.type) === undefined || stringOf(error.message) === undefined) {
    say('shape', 'an error event without a type and a message');
  }
  state.terminal ??= 'error';
}

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['message_start', onMessageStart],
  ['content_block_start', onBlockStart],
  ['content_block_delta', onBlockDelta],
  ['content_block_stop', onBlockStop],
  ['message_delta', onMessageDelta],
  ['message_stop', onMessageStop],
  ['error', onError],
]);
