import { isObject, otherMembers, stringOf, type JsonObject } from '../base/json.ts';
import type { CarriedMembers } from '../model/items.ts';

/**
 * Members of a message in which servers keep a state of their own. The next request is refused, or the model forgets
 * what it thought, unless they come back as they were (docs/contract.md section 3.12).
 */
export const stateMembers = {
  /** Gemini's `google.thought_signature`, on a call or on a text: ai.google.dev/gemini-api/docs/thought-signatures. */
  extra_content: 'google',
  /** OpenRouter's reasoning, some of it encrypted: openrouter.ai/docs, "Preserving reasoning blocks". */
  reasoning_details: 'openrouter',
  /** Anthropic's signed and redacted thinking behind LiteLLM: docs.litellm.ai/docs/reasoning_content. */
  thinking_blocks: undefined,
} as const satisfies Readonly<Record<string, string | undefined>>;

type StateMember = keyof typeof stateMembers;

/** True for the name of a member that holds a server's state. */
export function isStateMember(name: string): name is StateMember {
  return Object.hasOwn(stateMembers, name);
}

/** Pieces of a list that come one by one: their texts belong together. */
const TEXTS = ['text', 'summary', 'thinking'] as const;

/** The state of one choice, put together from its deltas. */
export class ChatState {
  /** On the message, beside its text. */
  #message: JsonObject | undefined;
  /** On the message, beside its reasoning. */
  readonly #reasoning: Record<string, unknown[]> = {};

  get message(): JsonObject | undefined {
    return this.#message;
  }

  /** Nothing where all of it can be read: that goes back as reasoning, and need not be kept twice. */
  get reasoning(): JsonObject | undefined {
    const lists = Object.entries(this.#reasoning).filter(([, list]) => list.some(isSealed));
    return lists.length === 0 ? undefined : Object.fromEntries(lists);
  }

  /** Once for each delta: what it has is added, what it has not costs a look. */
  take(delta: JsonObject): void {
    const extra = delta['extra_content'];
    if (isObject(extra)) this.#message = { extra_content: { ...objectOf(this.#message?.['extra_content']), ...extra } };
    this.#takeList('reasoning_details', delta);
    this.#takeList('thinking_blocks', delta);
  }

  #takeList(name: Exclude<StateMember, 'extra_content'>, delta: JsonObject): void {
    const pieces = delta[name];
    if (!Array.isArray(pieces) || pieces.length === 0) return;
    const list = (this.#reasoning[name] ??= []);
    for (const piece of pieces) addPiece(list, piece);
  }
}

/** Signed or encrypted. */
function isSealed(piece: unknown): boolean {
  return isObject(piece) && (typeof piece['signature'] === 'string' || typeof piece['data'] === 'string');
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** A piece that goes on with the text of the last one becomes one with it; everything else stays a piece. */
function addPiece(list: unknown[], piece: unknown): void {
  const last = list.at(-1);
  const text = isObject(piece) ? TEXTS.find((name) => typeof piece[name] === 'string') : undefined;
  if (!isObject(piece) || text === undefined || !isObject(last) || !continues(last, piece, text)) list.push(piece);
  else
    list[list.length - 1] = {
      ...last,
      ...withoutNulls(piece),
      [text]: `${stringOf(last[text]) ?? ''}${String(piece[text])}`,
    };
}

/** A signature closes its text: what comes behind it is a text of its own. */
function continues(last: JsonObject, piece: JsonObject, text: string): boolean {
  if (last['type'] !== piece['type'] || last['index'] !== piece['index']) return false;
  return typeof last[text] === 'string' && typeof last['signature'] !== 'string';
}

function withoutNulls(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

/** What a client's object has beyond the members that are read, to be put back where it stood. */
export function carriedFrom(object: JsonObject, known: ReadonlySet<string>): { carried?: CarriedMembers } {
  const members = otherMembers(object, known);
  return members === undefined ? {} : { carried: { wire: 'chat', members } };
}

/**
 * The same of a part of a content, or of a tool, of which one member is an object with members of its own. A part always has
 * them: it is how one of this wire is known.
 */
export function carriedOfPart(part: JsonObject, inner: string, known: ReadonlySet<string>): CarriedMembers {
  const nested = isObject(part[inner]) ? otherMembers(part[inner], known) : undefined;
  const beside = otherMembers(part, new Set(['type', inner]));
  return { wire: 'chat', members: { ...beside, ...(nested === undefined ? {} : { [inner]: nested }) } };
}

/** True for a part, or a tool, that a chat client sent. */
export function isOfChat(value: unknown): boolean {
  return isObject(value) && isObject(value['carried']) && value['carried']['wire'] === 'chat';
}

/** What an item, or a part, carries of this wire. */
export function carriedOf(item: unknown): { readonly maker: unknown; readonly members: JsonObject } | undefined {
  const carried = isObject(item) && isObject(item['carried']) ? item['carried'] : undefined;
  if (carried?.['wire'] !== 'chat' || !isObject(carried['members'])) return undefined;
  return { maker: carried['maker'], members: carried['members'] };
}

/** The members that an item, or a part, gives back to whoever reads it. */
export function membersOf(item: unknown): JsonObject {
  return carriedOf(item)?.members ?? {};
}
