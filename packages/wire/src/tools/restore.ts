import type { JsonObject } from '../base/json.ts';
import type { ModelEvent, ToolCallInputDeltaEvent } from '../model/events.ts';
import { isFunctionCall, type FunctionCall, type OutputItem } from '../model/items.ts';
import type { ToolTarget } from './kinds/client-tool.ts';
import { builtInTools, clientTools, isBuiltInKind } from './client-tools.ts';
import { InputExtractor, inputOfArguments } from './input-extractor.ts';
import type { ToolMap } from './tool-map.ts';

/** Turns the upstream's function calls back into the client's own calls. One per response. */
export interface ToolRestorer {
  /** The events of one batch; the same array when nothing in it is to be changed. */
  restore(events: readonly ModelEvent[]): readonly ModelEvent[];
  /** The same for an item outside a stream. */
  restoreItem(item: OutputItem): OutputItem;
}

interface OpenCall {
  readonly target: ToolTarget;
  readonly itemId: string | undefined;
  readonly extractor: InputExtractor | undefined;
}

/** A restorer for one response. */
export function createToolRestorer(map: ToolMap): ToolRestorer {
  if (!map.changed) return { restore: (events) => events, restoreItem: (item) => item };
  const open = new Map<string, OpenCall>();
  return {
    restore: (events) => {
      if (!events.some(concernsCalls)) return events;
      return events.flatMap((event) => restoreEvent(map, open, event));
    },
    restoreItem: (item) => restoreItem(map, item),
  };
}

/** Whole items, for a body that was not streamed. */
export function restoreItem(map: ToolMap, item: OutputItem): OutputItem {
  if (!isFunctionCall(item)) return item;
  const target = map.targetOf(item.name);
  return target === undefined ? item : restoredCall(target, item, undefined);
}

function concernsCalls(event: ModelEvent): boolean {
  switch (event.type) {
    case 'output_item.added':
    case 'output_item.done':
      return event.item.type === 'function_call';
    case 'tool_call_input.delta':
      return true;
    case 'completed':
      return event.dropped_tool_calls !== undefined;
    default:
      return false;
  }
}

function restoreEvent(map: ToolMap, open: Map<string, OpenCall>, event: ModelEvent): ModelEvent | ModelEvent[] {
  switch (event.type) {
    case 'output_item.added':
      return added(map, open, event);
    case 'tool_call_input.delta':
      return delta(open, event);
    case 'output_item.done':
      return done(map, open, event);
    case 'completed':
      return event.dropped_tool_calls === undefined
        ? event
        : { ...event, dropped_tool_calls: event.dropped_tool_calls.map((call) => renamed(map, call)) };
    default:
      return event;
  }
}

function renamed<T extends { readonly name?: string }>(map: ToolMap, call: T): T {
  const target = call.name === undefined ? undefined : map.targetOf(call.name);
  return target === undefined ? call : { ...call, name: target.name };
}

function added(
  map: ToolMap,
  open: Map<string, OpenCall>,
  event: Extract<ModelEvent, { type: 'output_item.added' }>,
): ModelEvent | ModelEvent[] {
  const item = event.item;
  if (!isFunctionCall(item)) return event;
  const target = map.targetOf(item.name);
  if (target === undefined) return event;
  const itemId = restoredId(target, item.id);
  const call: OpenCall = { target, itemId, extractor: target.kind === 'custom' ? new InputExtractor() : undefined };
  open.set(item.call_id, call);
  // Their arguments mean nothing before they are whole, so they are added when they are done.
  if (isBuiltInKind(target.kind)) return [];
  const opened = restoredCall(target, item, undefined);
  if (call.extractor === undefined) return { type: 'output_item.added', item: opened };
  call.extractor.push(item.arguments);
  return { type: 'output_item.added', item: { ...opened, input: '', status: 'in_progress' } as OutputItem };
}

function delta(open: Map<string, OpenCall>, event: ToolCallInputDeltaEvent): ModelEvent | ModelEvent[] {
  const call = open.get(event.call_id);
  if (call === undefined) return event;
  switch (call.target.kind) {
    case 'function':
      return event.name === undefined ? event : { ...event, name: call.target.name };
    case 'custom': {
      const text = call.extractor?.push(event.delta) ?? '';
      return text === '' ? [] : inputDelta(call, event.call_id, text);
    }
    default:
      return [];
  }
}

function inputDelta(call: OpenCall, callId: string, text: string): ToolCallInputDeltaEvent {
  return {
    type: 'tool_call_input.delta',
    call_id: callId,
    name: call.target.name,
    ...(call.itemId === undefined ? {} : { item_id: call.itemId }),
    delta: text,
  };
}

function done(
  map: ToolMap,
  open: Map<string, OpenCall>,
  event: Extract<ModelEvent, { type: 'output_item.done' }>,
): ModelEvent | ModelEvent[] {
  const item = event.item;
  if (!isFunctionCall(item)) return event;
  const call = open.get(item.call_id);
  const target = call?.target ?? map.targetOf(item.name);
  if (target === undefined) return event;
  open.delete(item.call_id);
  const restored = restoredCall(target, item, call);
  const events: ModelEvent[] = [];
  if (call !== undefined && isBuiltInKind(target.kind)) {
    events.push({ type: 'output_item.added', item: { ...restored, status: 'in_progress' } as OutputItem });
  }
  if (call?.extractor !== undefined)
    events.push(...lastDelta(call, item.call_id, String((restored as JsonObject).input)));
  events.push({ type: 'output_item.done', item: restored });
  return events;
}

/** What of the input was not streamed: all of it, where the arguments were no `{"input": …}`. */
function lastDelta(call: OpenCall, callId: string, input: string): ModelEvent[] {
  const streamed = call.extractor?.text ?? '';
  if (streamed.length >= input.length || !input.startsWith(streamed)) return [];
  return [inputDelta(call, callId, input.slice(streamed.length))];
}

function restoredCall(target: ToolTarget, item: FunctionCall, call: OpenCall | undefined): OutputItem {
  const { kind } = target;
  if (kind === 'function') return { ...item, ...namesOf(target) };
  const id = restoredId(target, item.id);
  const head = { ...(id === undefined ? {} : { id }), call_id: item.call_id };
  const status = item.status ?? 'completed';
  if (isBuiltInKind(kind)) return builtInTools[kind].toCall(item.arguments, { ...head, status }) ?? item;
  const carried = item.carried === undefined ? {} : { carried: item.carried };
  return { type: 'custom_tool_call', ...head, ...namesOf(target), input: inputText(item, call), status, ...carried };
}

function namesOf({ name, namespace }: ToolTarget): Pick<ToolTarget, 'name' | 'namespace'> {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

/** The streamed text stands for the whole, when as much was streamed as the item has. */
function inputText(item: FunctionCall, call: OpenCall | undefined): string {
  const extractor = call?.extractor;
  if (extractor?.streaming !== true || extractor.taken !== item.arguments.length)
    return inputOfArguments(item.arguments);
  return extractor.text;
}

/** Ids tell their item's type by their prefix; the same id comes of the same one on `added` and `done`. */
function restoredId(target: ToolTarget, id: string | undefined): string | undefined {
  if (id === undefined || target.kind === 'function') return id;
  const ours = clientTools.function.idPrefix;
  return clientTools[target.kind].idPrefix + (id.startsWith(ours) ? id.slice(ours.length) : id);
}
