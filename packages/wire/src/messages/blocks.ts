import type { JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import type { OutputItem } from '../model/items.ts';

/** What has a place in the order of the answer. */
interface Placed {
  /** Nothing of it changes any more. */
  settled: boolean;
  /** What is told once it is settled; none: nothing. */
  item: OutputItem | undefined;
  /** The id of its item, once that was announced. */
  id: string | undefined;
}

/** One message: the texts of adjacent text blocks. */
export interface Message extends Placed {
  readonly kind: 'message';
  readonly text: TextBuffer;
  readonly citations: Citation[];
}

/** A place in the text of its message, where citations say that it is from. */
export interface TextBlock {
  readonly kind: 'text';
  open: boolean;
  readonly message: Message;
  readonly start: number;
  /** Unknown while the block is open. */
  end: number | undefined;
}

/** Where a text is from, as the server gave it. */
export interface Citation {
  readonly value: JsonObject;
  readonly block: TextBlock | undefined;
}

/** Thinking that can be read, or a redacted block. */
export interface Thinking extends Placed {
  readonly kind: 'thinking';
  readonly redacted: boolean;
  readonly block: JsonObject;
  open: boolean;
  readonly text: TextBuffer;
  /** The last one that said something. */
  signature: string;
}

export interface Call extends Placed {
  readonly kind: 'call';
  readonly block: JsonObject;
  open: boolean;
  readonly callId: string;
  readonly name: string | undefined;
  readonly input: TextBuffer;
}

/** A block of a server's own tool, or of a kind that is not known: it goes on as it came. */
export interface Carried extends Placed {
  readonly kind: 'carried';
  readonly block: JsonObject;
  open: boolean;
  readonly input: TextBuffer;
}

export type Block = TextBlock | Thinking | Call | Carried;

/** What is told in the order in which it began. */
export type Slot = Message | Thinking | Call | Carried;

const unplaced = { settled: false, item: undefined, id: undefined } as const;

export function newMessage(): Message {
  return { ...unplaced, kind: 'message', text: new TextBuffer(), citations: [] };
}

export function newThinking(block: JsonObject): Thinking {
  const redacted = block['type'] === 'redacted_thinking';
  return { ...unplaced, kind: 'thinking', redacted, block, open: true, text: new TextBuffer(), signature: '' };
}

export function newCall(block: JsonObject, callId: string, name: string | undefined): Call {
  return { ...unplaced, kind: 'call', block, open: true, callId, name, input: new TextBuffer() };
}

export function newCarried(block: JsonObject): Carried {
  return { ...unplaced, kind: 'carried', block, open: true, input: new TextBuffer() };
}

/** The blocks of one answer by their indexes, and which of them are open: the rules of docs/contract.md 8.5. */
export class BlockTable {
  readonly #latest = new Map<number, Block>();
  readonly #open: Block[] = [];
  readonly #openThinking: Thinking[] = [];
  readonly #openCalls: Call[] = [];

  add(block: Block, index: number | undefined): void {
    if (index !== undefined) this.#latest.set(index, block);
    this.#open.push(block);
    if (block.kind === 'thinking' && !block.redacted) this.#openThinking.push(block);
    if (block.kind === 'call') this.#openCalls.push(block);
  }

  /** The latest block of an index; without an index the last open one. */
  at(index: number | undefined): Block | undefined {
    return index === undefined ? lastOpen(this.#open) : this.#latest.get(index);
  }

  get lastOpenThinking(): Thinking | undefined {
    return lastOpen(this.#openThinking);
  }

  get lastOpenCall(): Call | undefined {
    return lastOpen(this.#openCalls);
  }
}

/** Each block is looked at once when it is closed: what is closed at the end of the list goes. */
function lastOpen<T extends Block>(blocks: T[]): T | undefined {
  while (blocks.at(-1)?.open === false) blocks.pop();
  return blocks.at(-1);
}

/** An index as the wire has it: a whole number from 0 on. */
export function indexOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}
