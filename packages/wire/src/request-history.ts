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

/**
 * The history with an id for every call that no other call has, and outputs under the ids of their calls: servers refuse
 * repeated ids, and some clients send empty ones, which are paired by their order.
 *
 * @param form - makes an id that the server takes of one that it may not take; the same for the same id
 */
export function withCallIds(items: readonly Item[], form: (id: string) => string = (id) => id): readonly Item[] {
  const used = new Set<string>();
  /** Ids of the calls with one given id, oldest first, and how many of them have their output. */
  const calls = new Map<string, { readonly ids: string[]; answered: number }>();
  const named = items.map((item, place) => {
    const given = (item as JsonObject).call_id;
    if (typeof given !== 'string') return item;
    const same = calls.get(given) ?? { ids: [], answered: 0 };
    if (isCallOutput(item)) return withCallId(item, same.ids[same.answered++] ?? given);
    if (toolOfCall(item) === undefined) return item;
    const id = given === '' ? freeId(`call_${place}`, 0, used, form) : freeId(given, same.ids.length, used, form);
    used.add(id);
    same.ids.push(id);
    calls.set(given, same);
    return withCallId(item, id);
  });
  return named.every((item, place) => item === items[place]) ? items : named;
}

/** @param before - so many calls had the same id */
function freeId(given: string, before: number, used: ReadonlySet<string>, form: (id: string) => string): string {
  for (let nth = before + 1; ; nth++) {
    const id = form(nth === 1 ? given : `${given}-${nth}`);
    if (!used.has(id)) return id;
  }
}

function withCallId(item: Item, call_id: string): Item {
  return (item as JsonObject).call_id === call_id ? item : { ...item, call_id };
}

const NINE = /^[A-Za-z0-9]{9}$/;

/** An id of nine letters or digits, the same for the same id. */
export function nineLetterId(id: string): string {
  if (NINE.test(id)) return id;
  let [low, high] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at);
    low = Math.imul(low ^ unit, 2654435761);
    high = Math.imul(high ^ unit, 1597334677);
  }
  return ((high >>> 0) * 4294967296 + (low >>> 0)).toString(36).slice(-9).padStart(9, '0');
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
