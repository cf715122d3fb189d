import { isObject, type JsonObject } from '../base/json.ts';
import type { CarriedMembers } from '../model/items.ts';

/** The wire that what is carried here goes back to, to where it stood. */
const WIRE = 'messages';

/** What a block of a client has beyond what is read of it (`cache_control`, `citations`, what is new), to go back to its place. */
export interface Carried {
  carried?: CarriedMembers;
}

/** The members of a block but for the known ones. */
export function carriedFrom(block: JsonObject, known: readonly string[]): Carried {
  const members = Object.fromEntries(Object.entries(block).filter(([name]) => !known.includes(name)));
  return Object.keys(members).length === 0 ? {} : carriedWhole(members);
}

/** A whole block, with its type, for the wire that has a form for it. */
export function carriedWhole(block: JsonObject): { carried: CarriedMembers } {
  return { carried: { wire: WIRE, members: block } };
}

/** What an item, a part or a tool gives back to this wire; it has a `type` where it is the whole block. */
export function membersOf(value: unknown): JsonObject {
  const carried = isObject(value) ? value['carried'] : undefined;
  return isObject(carried) && carried['wire'] === WIRE && isObject(carried['members']) ? carried['members'] : {};
}
