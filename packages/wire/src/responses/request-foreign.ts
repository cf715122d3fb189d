import { isObject, omit, type JsonObject } from '../base/json.ts';
import { isStateMember } from '../chat/carried.ts';
import type { Item } from '../model/items.ts';
import type { UnsendablePart } from '../request-body.ts';

/** The parts that this wire knows. */
const KNOWN_PARTS: ReadonlySet<unknown> = new Set([
  ...['input_text', 'input_image', 'input_file', 'input_audio', 'output_text', 'refusal', 'summary_text'],
  ...['reasoning_text', 'encrypted_content', 'computer_screenshot'],
]);

/** Wires whose members are told: those of Messages blocks are marks for its caches, and blocks that have a form here. */
const TOLD: ReadonlySet<unknown> = new Set(['chat']);

const WRAPPERS: ReadonlySet<string> = new Set(['function', 'image_url', 'file']);

/** What of another wire this one has no form for. */
export class LeftOut {
  unsendable: UnsendablePart | undefined;
  readonly #notes: string[];
  readonly #names = new Set<string>();

  constructor(notes: string[]) {
    this.#notes = notes;
  }

  /** Members that an item, a part or a tool had there, each name once. A server's own state is for that server alone. */
  members(value: unknown): void {
    const carried = isObject(value) && isObject(value['carried']) ? value['carried'] : undefined;
    if (carried === undefined || !TOLD.has(carried['wire']) || !isObject(carried['members'])) return;
    for (const name of namesOf(carried['members'])) {
      if (isStateMember(name) || this.#names.has(name)) continue;
      this.#names.add(name);
      this.#notes.push(`${name}: left out, a Responses request has no place for it`);
    }
  }

  /** A part that only the other wire knows: what the model said can go without, what it is asked cannot. */
  part({ type }: JsonObject, param: string, wasSaid: boolean): void {
    const what = `a part of type ${JSON.stringify(type)} that a Responses request has no form for`;
    if (wasSaid) this.#notes.push(`${param}: left out, ${what}`);
    else this.unsendable ??= { param, what };
  }
}

/** Names of members, also of those inside of what the part or the tool wraps. */
function namesOf(members: JsonObject): readonly string[] {
  return Object.entries(members).flatMap(([name, value]) =>
    WRAPPERS.has(name) && isObject(value) ? Object.keys(value) : [name],
  );
}

/** The item as this wire has it: its parts without what they carry of another, and without those that are another's alone. */
export function ofThisWire(item: Item, place: number, left: LeftOut): Item {
  left.members(item);
  const fields = item as JsonObject;
  const name = ['content', 'output'].find((field) => hasCarried(fields[field]));
  if (name === undefined) return item;
  const wasSaid = fields['role'] === 'assistant';
  const parts = (fields[name] as readonly unknown[]).flatMap((part, at) => {
    if (!isObject(part) || !isObject(part['carried'])) return [part];
    left.members(part);
    if (KNOWN_PARTS.has(part['type'])) return [omit(part, 'carried')];
    left.part(part, `input[${place}].${name}[${at}]`, wasSaid);
    return [];
  });
  return { ...fields, [name]: parts };
}

function hasCarried(value: unknown): boolean {
  return Array.isArray(value) && value.some((part) => isObject(part) && 'carried' in part);
}
