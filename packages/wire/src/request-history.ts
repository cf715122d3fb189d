import { nonEmpty, type JsonObject } from './base/json.ts';
import type { Item } from './model/items.ts';
import type { ClientTool } from './tools/kinds/client-tool.ts';
import { toolOfCall, toolOfOutput } from './tools/client-tools.ts';

/** Which output answers which call, by their places in a history. */
export interface CallPairs {
  /** Place of a call to the place of its output; a call without one is absent. */
  readonly outputOf: ReadonlyMap<number, number>;
  /** Place of an output to the place of its call; an orphan is absent. */
  readonly callOf: ReadonlyMap<number, number>;
}

/** True for a call that the client runs itself, and that therefore needs an output in the history. */
export function isClientCall(item: Item): boolean {
  return pairingId(item) !== undefined && ranAtClient(toolOfCall(item), item);
}

/** True for the output of such a call. */
export function isCallOutput(item: Item): boolean {
  return ranAtClient(toolOfOutput(item), item);
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
    const isOpen = isClientCall(item) && !outputOf.has(place);
    const aborted = isOpen ? toolOfCall(item)?.aborted(pairingId(item) ?? '') : undefined;
    return aborted === undefined ? [item] : [item, aborted];
  });
}

/** What is told about an output that was left out. */
export function orphanNote(place: number): string {
  return `input[${place}]: left out, an output without a call before it`;
}

/** What ran at the server is a pair of the server's own. */
function ranAtClient(tool: ClientTool | undefined, item: Item): boolean {
  return tool !== undefined && tool.ranAtClient?.(item as JsonObject) !== false;
}

function pairingId(item: Item): string | undefined {
  const fields = item as JsonObject;
  const tool = toolOfCall(item) ?? toolOfOutput(item);
  return nonEmpty(fields.call_id) ?? (tool?.pairsById === true ? nonEmpty(fields.id) : undefined);
}
