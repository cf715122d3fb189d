import { isObject, nonEmpty, otherMembers, type JsonObject } from '../base/json.ts';
import { JsonEnd } from '../base/json-end.ts';
import type { Repair } from '../repairs.ts';
import { CallInput } from './call-input.ts';

/** A tool call as far as it has come. */
export interface CallSlot {
  /** The order of first sight in the whole response, from 0. */
  readonly order: number;
  /** As first told; until the call is announced a later fragment may still say `custom`. */
  kind: 'function' | 'custom';
  id: string | undefined;
  name: string | undefined;
  /** Where its fragments stand; a call that came without an index has the next free one. */
  readonly index: number;
  /** The index is not the server's. */
  guessed: boolean;
  /** Which list of fragments it began in. */
  readonly list: number;
  readonly input: CallInput;
  /** The item's minted id once it was announced. */
  itemId: string | undefined;
  /** What else its fragments had. */
  members: JsonObject | undefined;
}

/** One fragment of `delta.tool_calls`, reduced to what the rules look at. */
export interface CallFragment {
  readonly id: string | undefined;
  readonly index: number | undefined;
  readonly custom: boolean;
  readonly name: string | undefined;
  readonly input: string;
  /** The input came as an object instead of JSON text. */
  readonly isObject: boolean;
  /** What else it has, such as a signature. */
  readonly members: JsonObject | undefined;
}

const KNOWN_MEMBERS: ReadonlySet<string> = new Set(['id', 'index', 'type', 'function', 'custom']);

const EMPTY: JsonObject = {};

/** Reads a fragment; anything of the wrong type counts as absent. `undefined`: not an object at all. */
export function readFragment(value: unknown): CallFragment | undefined {
  if (!isObject(value)) return undefined;
  const custom = value['type'] === 'custom' || (typeof value['type'] !== 'string' && isObject(value['custom']));
  const body = custom ? value['custom'] : value['function'];
  const fields = isObject(body) ? body : EMPTY;
  const input = custom ? fields['input'] : fields['arguments'];
  return {
    id: nonEmpty(value['id']),
    index: parseIndex(value['index']),
    custom,
    name: nonEmpty(fields['name']),
    input: toInput(input),
    isObject: typeof input === 'object' && input !== null,
    members: otherMembers(value, KNOWN_MEMBERS),
  };
}

function parseIndex(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function toInput(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : '';
}

/** The calls of one choice, and the rules for which call a fragment belongs to (docs/contract.md 3.4). */
export class CallTable {
  readonly slots: CallSlot[] = [];
  /** By every id that was seen: servers give several calls one id, or one call several. */
  readonly #byId = new Map<string, CallSlot[]>();
  readonly #latestByIndex = new Map<number, CallSlot>();
  readonly #repaired: (repair: Repair) => void;
  #last: CallSlot | undefined;
  #list = 0;
  #nextIndex = 0;

  constructor(repaired: (repair: Repair) => void) {
    this.#repaired = repaired;
  }

  /** A new list of fragments begins: two whole calls in one list are two, whatever their ids. */
  startList(): void {
    this.#list++;
  }

  /** @param nextOrder a new call's place in the whole response */
  slotFor(fragment: CallFragment, nextOrder: number): CallSlot {
    if (fragment.index === undefined) this.#repaired('no_tool_index');
    const slot = this.#find(fragment) ?? this.#create(fragment, nextOrder);
    if (fragment.id !== undefined) this.#takeId(slot, fragment.id);
    if (fragment.index === slot.index) slot.guessed = false;
    slot.name ??= fragment.name;
    if (fragment.members !== undefined) slot.members = { ...slot.members, ...fragment.members };
    if (fragment.custom && slot.itemId === undefined) slot.kind = 'custom';
    this.#last = slot;
    return slot;
  }

  /** The same for a list of one fragment that has neither an id nor a name; `undefined`: it has to be looked for. */
  goOnAt(index: unknown): CallSlot | undefined {
    const slot = typeof index === 'number' ? this.#latestByIndex.get(index) : undefined;
    if (slot === undefined) return undefined;
    this.startList();
    if (slot.index === index) slot.guessed = false;
    this.#last = slot;
    return slot;
  }

  #find(fragment: CallFragment): CallSlot | undefined {
    const { id, index } = fragment;
    const known = id === undefined ? undefined : this.#byId.get(id);
    if (known !== undefined) return this.#ofId(known, fragment);
    const latest = index === undefined ? this.#last : this.#latestByIndex.get(index);
    if (id !== undefined) return latest === undefined ? undefined : this.#underNewId(latest, fragment);
    if (latest === undefined) return this.#atStrayIndex(fragment);
    return this.#isAnother(latest, fragment) || isTaken(latest, fragment) ? undefined : latest;
  }

  /** Some servers give parallel calls one id, at an index for each. */
  #ofId(known: readonly CallSlot[], fragment: CallFragment): CallSlot | undefined {
    const { index, name } = fragment;
    const latest = known.at(-1);
    const here = index === undefined ? latest : known.find((slot) => slot.index === index);
    if (here !== undefined) return this.#isAnother(here, fragment) ? undefined : here;
    if (latest === undefined || latest.guessed || name === undefined) return latest;
    return latest.input.whole || (latest.input.isEmpty && latest.name !== name) ? undefined : latest;
  }

  /** Some servers give all calls one index; others mint an id for each fragment of one call. */
  #underNewId(latest: CallSlot, fragment: CallFragment): CallSlot | undefined {
    if (latest.id === undefined && fragment.index !== undefined && !this.#isAnother(latest, fragment)) {
      this.#repaired('late_call_id');
      return latest;
    }
    if (isOpen(latest) && continues(latest, fragment)) {
      this.#repaired(latest.id === undefined ? 'late_call_id' : 'changing_call_id');
      return latest;
    }
    if (fragment.index !== undefined && !latest.guessed) this.#repaired('reused_tool_index');
    return undefined;
  }

  /** Some servers count fragments instead of calls. */
  #atStrayIndex({ name }: CallFragment): CallSlot | undefined {
    const last = this.#last;
    if (name !== undefined || last === undefined || !isOpen(last)) return undefined;
    this.#repaired('stray_tool_index');
    return last;
  }

  /** A fragment in the place of a call that is whole, and yet a call of its own. */
  #isAnother(slot: CallSlot, { name, input, isObject: whole }: CallFragment): boolean {
    if (name === undefined || slot.name === undefined) return false;
    const sameList = slot.list === this.#list;
    if (slot.input.isEmpty) return sameList && name !== slot.name;
    return slot.input.whole && (name !== slot.name || (sameList && (whole || isWhole(input))));
  }

  #takeId(slot: CallSlot, id: string): void {
    const known = this.#byId.get(id);
    if (known === undefined) {
      this.#byId.set(id, [slot]);
      slot.id ??= id;
    } else if (!known.includes(slot)) {
      this.#repaired('shared_call_id');
      known.push(slot);
      slot.id ??= this.#mintId(id, known.length, slot);
    }
  }

  #mintId(id: string, number: number, slot: CallSlot): string {
    const minted = `${id}-${number}`;
    if (this.#byId.has(minted)) return this.#mintId(id, number + 1, slot);
    this.#byId.set(minted, [slot]);
    return minted;
  }

  #create({ index, custom }: CallFragment, order: number): CallSlot {
    const slot: CallSlot = {
      order,
      kind: custom ? 'custom' : 'function',
      id: undefined,
      name: undefined,
      index: index ?? this.#freeIndex(),
      guessed: index === undefined,
      list: this.#list,
      input: new CallInput(),
      itemId: undefined,
      members: undefined,
    };
    this.slots.push(slot);
    this.#latestByIndex.set(slot.index, slot);
    return slot;
  }

  #freeIndex(): number {
    while (this.#latestByIndex.has(this.#nextIndex)) this.#nextIndex++;
    return this.#nextIndex;
  }
}

/** The index was free when a call without one took it; now another call says it is its own. */
function isTaken({ guessed, name: own }: CallSlot, { index, name }: CallFragment): boolean {
  return guessed && index !== undefined && name !== undefined && own !== undefined && name !== own;
}

/** More of its arguments may come: there are none yet, or they have not ended. */
function isOpen(slot: CallSlot): boolean {
  return slot.kind === 'function' && !slot.input.whole;
}

/** A fragment under a new id that goes on with an open call: it names none, or the same and has a part of its arguments. */
function continues(slot: CallSlot, { name, input, isObject: whole }: CallFragment): boolean {
  if (name === undefined) return true;
  return name === slot.name && input !== '' && !whole && !isWhole(input);
}

function isWhole(input: string): boolean {
  return new JsonEnd().endIn(input) >= 0;
}
