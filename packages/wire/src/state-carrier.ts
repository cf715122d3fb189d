import { isObject, nonEmpty, parseJson, type JsonObject } from './base/json.ts';
import type { CarriedMembers, Item } from './model/items.ts';

/**
 * What a server wants back of one answer, on its way through a client whose wire has no place for it: in the
 * `encrypted_content` of a reasoning item, which clients keep and send back unread (docs/contract.md section 3.12).
 */
export interface CarriedState {
  /** The wire that it came on. */
  readonly wire: string;
  /** Whose server made it. */
  readonly maker?: string | undefined;
  /** Members of the message, or of the answer where there is no message. */
  readonly message: JsonObject;
  /** Members of the calls, by `call_id`. */
  readonly calls: Readonly<Record<string, JsonObject>>;
}

const PREFIX = 'turnwire-state:';

/** The text that clients carry: `turnwire-state:MAKER:JSON`. */
export function stateText({ wire, maker, message, calls }: CarriedState): string {
  return `${PREFIX}${maker ?? ''}:${JSON.stringify({ wire, message, calls })}`;
}

/** The state in such a text; undefined for what somebody else encrypted, and for a text that was damaged. */
export function readState(text: unknown): CarriedState | undefined {
  if (!isStateText(text)) return undefined;
  const brace = text.indexOf('{');
  const value = brace < 0 ? undefined : parseJson(text.slice(brace));
  const wire = isObject(value) ? nonEmpty(value['wire']) : undefined;
  if (!isObject(value) || wire === undefined) return undefined;
  const calls = isObject(value['calls']) ? Object.entries(value['calls']) : [];
  return {
    wire,
    maker: nonEmpty(text.slice(PREFIX.length, brace - 1)),
    message: isObject(value['message']) ? value['message'] : {},
    calls: Object.fromEntries(calls.filter((entry): entry is [string, JsonObject] => isObject(entry[1]))),
  };
}

function isStateText(text: unknown): text is string {
  return typeof text === 'string' && text.startsWith(PREFIX);
}

/** The items with each state back where it stood, and without the texts that carried it: no server knows those. */
export function withStateRestored(items: readonly Item[]): readonly Item[] {
  if (!items.some((item) => isStateText((item as JsonObject)['encrypted_content']))) return items;
  const calls = new Map<string, CarriedMembers>();
  const unpacked = items.flatMap((item) => unpackedItem(item, calls));
  return unpacked.map((item) => {
    const carried = calls.get(nonEmpty((item as JsonObject)['call_id']) ?? '');
    return carried === undefined || isOutput(item) ? item : { ...item, carried };
  });
}

/** @param calls - takes what belongs to calls, by `call_id` */
function unpackedItem(item: Item, calls: Map<string, CarriedMembers>): Item[] {
  const { encrypted_content: text, ...rest } = item as JsonObject;
  if (!isStateText(text)) return [item];
  const state = readState(text);
  const carried = (members: JsonObject): CarriedMembers => ({
    wire: state?.wire ?? '',
    ...(state?.maker === undefined ? {} : { maker: state.maker }),
    members,
  });
  for (const [id, members] of Object.entries(state?.calls ?? {})) calls.set(id, carried(members));
  if (state === undefined || Object.keys(state.message).length === 0) return saysSomething(rest) ? [rest] : [];
  return [{ ...rest, carried: carried(state.message) }];
}

function saysSomething({ summary, content }: JsonObject): boolean {
  return [summary, content].some((list) => Array.isArray(list) && list.length > 0);
}

function isOutput(item: Item): boolean {
  return typeof item.type === 'string' && item.type.endsWith('_output');
}
