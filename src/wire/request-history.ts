import { nonEmpty, type JsonObject } from '../base/json.ts';
import type { Item } from '../model/items.ts';

/** Stands in for the output of a call that never got one: every server wants each call answered. */
export const ABORTED = 'aborted';

const callTypes = new Set<unknown>([
  'function_call',
  'custom_tool_call',
  'local_shell_call',
  'tool_search_call',
  'shell_call',
  'apply_patch_call',
]);
const outputTypes = new Set<unknown>([
  'function_call_output',
  'custom_tool_call_output',
  'local_shell_call_output',
  'tool_search_output',
  'shell_call_output',
  'apply_patch_call_output',
]);

/** Which output answers which call, by their places in a history. */
export interface CallPairs {
  /** Place of a call to the place of its output; a call without one is absent. */
  readonly outputOf: ReadonlyMap<number, number>;
  /** Place of an output to the place of its call; an orphan is absent. */
  readonly callOf: ReadonlyMap<number, number>;
}

/** True for a call that the client runs itself, and that therefore needs an output in the history. */
export function isClientCall(item: Item): boolean {
  if (!callTypes.has(item.type) || pairingId(item) === undefined) return false;
  return runsAtClient(item);
}

/** True for the output of such a call. */
export function isCallOutput(item: Item): boolean {
  return outputTypes.has(item.type) && runsAtClient(item);
}

/**
 * Pairs calls with outputs. An output answers the oldest call before it with its id that has none yet, since ids may
 * come again in a long conversation (`tool-call-0` of a server that gives none). A second output of one call, and one
 * without a call before it, is an orphan.
 */
export function pairCalls(items: readonly Item[]): CallPairs {
  /** Places of the calls with one id, oldest first, and how many of them have their output. */
  const calls = new Map<string, { readonly places: number[]; answered: number }>();
  const outputOf = new Map<number, number>();
  const callOf = new Map<number, number>();
  for (const [place, item] of items.entries()) {
    const id = pairingId(item);
    if (id === undefined) continue;
    const same = calls.get(id);
    if (isClientCall(item)) {
      if (same === undefined) calls.set(id, { places: [place], answered: 0 });
      else same.places.push(place);
    } else if (isCallOutput(item)) {
      const call = same?.places[same.answered];
      if (same === undefined || call === undefined) continue;
      same.answered++;
      outputOf.set(call, place);
      callOf.set(place, call);
    }
  }
  return { outputOf, callOf };
}

/** The history with `aborted` right after every call that has no output, and without outputs that have no call. */
export function withPairedCalls(items: readonly Item[], notes: string[]): Item[] {
  const { outputOf, callOf } = pairCalls(items);
  return items.flatMap((item, place) => {
    if (isCallOutput(item) && !callOf.has(place)) {
      notes.push(orphanNote(place));
      return [];
    }
    return isClientCall(item) && !outputOf.has(place) ? [item, abortedOutput(item)] : [item];
  });
}

/** What is told about an output that was left out. */
export function orphanNote(place: number): string {
  return `input[${place}]: left out, an output without a call before it`;
}

/** A tool search may have run at the server; its call and output are then a pair of the server's own. */
function runsAtClient(item: Item): boolean {
  const search = item.type === 'tool_search_call' || item.type === 'tool_search_output';
  return !search || item.execution === 'client';
}

function pairingId(item: Item): string | undefined {
  const fields = item as JsonObject;
  return (
    nonEmpty(fields.call_id) ?? (item.type?.toString().startsWith('local_shell') ? nonEmpty(fields.id) : undefined)
  );
}

function abortedOutput(call: Item): Item {
  const call_id = pairingId(call) ?? '';
  if (call.type === 'custom_tool_call') return { type: 'custom_tool_call_output', call_id, output: ABORTED };
  if (call.type === 'tool_search_call') {
    return { type: 'tool_search_output', call_id, status: 'completed', execution: 'client', tools: [] };
  }
  if (call.type === 'shell_call') {
    const output = [{ stdout: '', stderr: ABORTED, outcome: { type: 'exit', exit_code: 1 } }];
    return { type: 'shell_call_output', call_id, output };
  }
  if (call.type === 'apply_patch_call') {
    return { type: 'apply_patch_call_output', call_id, status: 'failed', output: ABORTED };
  }
  return { type: 'function_call_output', call_id, output: ABORTED };
}
