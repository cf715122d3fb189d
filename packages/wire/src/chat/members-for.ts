import type { JsonObject } from '../base/json.ts';
import { namedMakers } from '../quirks.ts';
import { carriedOf, isStateMember, stateMembers } from './carried.ts';

/**
 * The members that an item, or a part, gives back to one server.
 *
 * @param maker - whose server it is; undefined: nobody knows, and all of it goes
 */
export function membersFor(item: unknown, maker: string | undefined): JsonObject {
  const carried = carriedOf(item);
  if (carried === undefined) return {};
  const { maker: madeBy, members } = carried;
  if (maker === undefined) return members;
  if (madeBy !== undefined) return madeBy === maker ? members : {};
  return Object.fromEntries(Object.entries(members).filter(([name]) => isTaken(name, maker)));
}

/** A client does not say who made a state: servers that are known take their own, others are given all of it. */
function isTaken(name: string, maker: string): boolean {
  if (!isStateMember(name) || !namedMakers.has(maker)) return true;
  return stateMembers[name] === maker;
}
