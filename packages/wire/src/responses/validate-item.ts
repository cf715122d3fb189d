import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';

/** Says one broken rule of the item that an event speaks about. */
export type Complain = (rule: string, message: string) => void;

/** One stream of text inside an item: deltas that a `*.done` event closes and the item repeats. */
interface TextRun {
  readonly buffer: TextBuffer;
  /** Set by the `*.done` event. */
  done: string | undefined;
}

/** A part of `content` or of `summary`. */
interface Part {
  readonly type: string;
  closed: boolean;
  readonly run: TextRun;
}

interface Parts {
  readonly list: Part[];
  /** Parts that are added and not done. */
  open: number;
}

/** What the validator knows of one output item between its `added` and its `done`. */
export interface ItemState {
  readonly id: string;
  readonly type: string;
  readonly callId: string | undefined;
  readonly outputIndex: number;
  /** Undefined until `output_item.done`. */
  done: JsonObject | undefined;
  readonly content: Parts;
  readonly summary: Parts;
  readonly reasoning: TextRun[];
  /** Function arguments or custom input. */
  readonly input: TextRun;
}

/** The state of an item that has just been added. */
export function openItem(item: JsonObject, outputIndex: number): ItemState {
  return {
    id: stringOf(item.id) ?? '',
    type: stringOf(item.type) ?? '',
    callId: stringOf(item.call_id),
    outputIndex,
    done: undefined,
    content: { list: [], open: 0 },
    summary: { list: [], open: 0 },
    reasoning: [],
    input: newRun(),
  };
}

type Rule = (state: ItemState, event: JsonObject, complain: Complain) => void;

/** What each event inside an item has to obey. */
const RULES: Readonly<Record<string, Rule>> = {
  'response.content_part.added': (state, event, complain) => addPart(state.content, event, 'content_index', complain),
  'response.content_part.done': (state, event, complain) => closePart(state.content, event, 'content_index', complain),
  'response.reasoning_summary_part.added': (state, event, complain) =>
    addPart(state.summary, event, 'summary_index', complain),
  'response.reasoning_summary_part.done': (state, event, complain) =>
    closePart(state.summary, event, 'summary_index', complain),
  'response.output_text.delta': (state, event, complain) =>
    delta(partRun(state.content, event, 'content_index', 'output_text', complain), event, complain),
  'response.output_text.done': (state, event, complain) =>
    finish(partRun(state.content, event, 'content_index', 'output_text', complain), event.text, complain),
  'response.refusal.delta': (state, event, complain) =>
    delta(partRun(state.content, event, 'content_index', 'refusal', complain), event, complain),
  'response.refusal.done': (state, event, complain) =>
    finish(partRun(state.content, event, 'content_index', 'refusal', complain), event.refusal, complain),
  'response.reasoning_summary_text.delta': (state, event, complain) =>
    delta(partRun(state.summary, event, 'summary_index', 'summary_text', complain), event, complain),
  'response.reasoning_summary_text.done': (state, event, complain) =>
    finish(partRun(state.summary, event, 'summary_index', 'summary_text', complain), event.text, complain),
  'response.reasoning_text.delta': (state, event, complain) => delta(reasoningRun(state, event), event, complain),
  'response.reasoning_text.done': (state, event, complain) => finish(reasoningRun(state, event), event.text, complain),
  'response.function_call_arguments.delta': (state, event, complain) =>
    delta(callRun(state, event, complain), event, complain),
  'response.function_call_arguments.done': (state, event, complain) =>
    finish(callRun(state, event, complain), event.arguments, complain),
  'response.custom_tool_call_input.delta': (state, event, complain) =>
    delta(callRun(state, event, complain), event, complain),
  'response.custom_tool_call_input.done': (state, event, complain) =>
    finish(callRun(state, event, complain), event.input, complain),
};

/** Checks one event inside an open item. Events of kinds without a rule pass. */
export function checkItemEvent(state: ItemState, event: JsonObject, complain: Complain): void {
  const type = String(event.type);
  if (Object.hasOwn(RULES, type)) RULES[type]?.(state, event, complain);
}

/** Checks the `output_item.done` of an item against what was streamed of it. */
export function checkItemDone(state: ItemState, item: JsonObject, complain: Complain): void {
  if (item.id !== state.id) complain('item_identity', `item ${state.id} is done under the id ${String(item.id)}`);
  if (item.type !== state.type) complain('item_identity', `item ${state.id} changed its type`);
  if (stringOf(item.call_id) !== state.callId) complain('item_identity', `item ${state.id} changed its call_id`);
  checkParts(state, item.content, state.content, 'content', complain);
  checkParts(state, item.summary, state.summary, 'summary', complain);
  state.reasoning.forEach((run, index) =>
    checkRun(run, textAt(item.content, index), `${state.id} reasoning`, complain),
  );
  const input = item.type === 'custom_tool_call' ? item.input : item.arguments;
  if (state.type === 'function_call' || state.type === 'custom_tool_call') {
    checkRun(state.input, stringOf(input), `${state.id} input`, complain);
  }
}

function checkParts(state: ItemState, parts: unknown, { list }: Parts, field: string, complain: Complain): void {
  const count = Array.isArray(parts) ? parts.length : 0;
  if (state.type === 'message' || field === 'summary') {
    if (count !== list.length) {
      complain('parts', `item ${state.id} is done with ${count} ${field} parts, ${list.length} were added`);
    }
  }
  list.forEach((part, index) => {
    if (!part.closed) complain('part_not_done', `${field} part ${index} of ${state.id} was not done before its item`);
    checkRun(part.run, textAt(parts, index), `${state.id} ${field} ${index}`, complain);
  });
}

/** A run that had deltas needs its `*.done`, and both equal the item's text. */
function checkRun(run: TextRun, text: string | undefined, where: string, complain: Complain): void {
  const streamed = run.buffer.toString();
  if (run.done === undefined && streamed !== '') complain('text_not_done', `${where}: deltas without their done event`);
  const said = run.done ?? streamed;
  if ((run.done !== undefined || streamed !== '') && text !== said) {
    complain('text', `${where}: the item's text is not the streamed one`);
  }
}

function addPart(parts: Parts, event: JsonObject, key: string, complain: Complain): void {
  const { list } = parts;
  if (event[key] !== list.length) complain('part_index', `${key} ${String(event[key])}, expected ${list.length}`);
  if (parts.open > 0) complain('part_order', 'a part was added while another is open');
  const part = event.part;
  const type = isObject(part) ? nonEmpty(part.type) : undefined;
  if (type === undefined) complain('shape', `${String(event.type)} without a typed part`);
  list.push({ type: type ?? '', closed: false, run: newRun() });
  parts.open++;
}

function closePart(parts: Parts, event: JsonObject, key: string, complain: Complain): void {
  const part = partAt(parts, event, key);
  if (part === undefined) {
    complain('part_unknown', `${String(event.type)} of a part that was never added`);
    return;
  }
  if (part.closed) complain('part_twice', `${key} ${String(event[key])} is done a second time`);
  if (part.run.done === undefined && part.run.buffer.length > 0) {
    complain('text_not_done', `${key} ${String(event[key])} is done before its text`);
  }
  const text = isObject(event.part) ? textOf(event.part) : undefined;
  const said = part.run.done ?? part.run.buffer.toString();
  if (part.type !== 'reasoning_text' && (text ?? '') !== said)
    complain('text', 'the text of a done part is not the streamed one');
  if (!part.closed) parts.open--;
  part.closed = true;
}

function delta(run: TextRun | undefined, event: JsonObject, complain: Complain): void {
  const text = event.delta;
  if (typeof text !== 'string') {
    complain('shape', `${String(event.type)} without a string delta`);
    return;
  }
  if (run === undefined) return;
  if (run.done !== undefined) complain('delta_after_done', `${String(event.type)} after its done event`);
  run.buffer.append(text);
}

function finish(run: TextRun | undefined, text: unknown, complain: Complain): void {
  if (run === undefined) return;
  if (typeof text !== 'string') {
    complain('shape', 'a done event without its text');
    return;
  }
  if (run.done !== undefined) complain('done_twice', 'a text is done a second time');
  if (run.buffer.length > 0 && run.buffer.toString() !== text)
    complain('text', 'the deltas do not add up to the done text');
  run.done = text;
}

function partRun(parts: Parts, event: JsonObject, key: string, type: string, complain: Complain): TextRun | undefined {
  const part = partAt(parts, event, key);
  if (part === undefined) {
    complain('part_unknown', `${String(event.type)} before its part was added`);
    return undefined;
  }
  if (part.closed) complain('part_closed', `${String(event.type)} after its part was done`);
  if (part.type !== type) complain('part_type', `${String(event.type)} in a part of type ${part.type}`);
  return part.run;
}

function reasoningRun(state: ItemState, event: JsonObject): TextRun {
  const index = typeof event.content_index === 'number' ? event.content_index : 0;
  while (state.reasoning.length <= index && state.reasoning.length < 10_000) state.reasoning.push(newRun());
  return state.reasoning[index] ?? newRun();
}

function callRun(state: ItemState, event: JsonObject, complain: Complain): TextRun {
  const custom = String(event.type).includes('custom_tool_call');
  if (state.type !== (custom ? 'custom_tool_call' : 'function_call')) {
    complain('item_type', `${String(event.type)} for an item of type ${state.type}`);
  }
  return state.input;
}

function partAt({ list }: Parts, event: JsonObject, key: string): Part | undefined {
  const index = event[key];
  return typeof index === 'number' ? list[index] : undefined;
}

function textAt(parts: unknown, index: number): string | undefined {
  const part: unknown = Array.isArray(parts) ? parts[index] : undefined;
  return isObject(part) ? textOf(part) : undefined;
}

function textOf(part: JsonObject): string | undefined {
  return stringOf(part.text) ?? stringOf(part.refusal);
}

function newRun(): TextRun {
  return { buffer: new TextBuffer(), done: undefined };
}
