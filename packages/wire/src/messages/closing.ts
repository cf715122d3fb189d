import { fateOfPending, isCompleteArguments } from '../arguments.ts';
import { isObject, stringOf } from '../base/json.ts';
import type { DroppedToolCall, ModelEvent } from '../model/events.ts';
import type { OutputItem } from '../model/items.ts';
import type { Repair } from '../repairs.ts';
import type { Block, Call, Message, Slot } from './blocks.ts';
import { argumentsOf, callItem, carriedItem, messageItem, reasoningItem } from './items.ts';

/** What is told of items that end. */
export interface ClosingSink {
  deliver(event: ModelEvent): void;
  repaired(repair: Repair): void;
}

/** The items of one answer, each told as done once it is settled and all that began before it are: docs/contract.md 8.7. */
export class ItemsInOrder {
  /** Calls that are not handed on. */
  readonly dropped: DroppedToolCall[] = [];
  readonly #sink: ClosingSink;
  readonly #slots: Slot[] = [];
  /** Slots before this one were told. */
  #told = 0;

  constructor(sink: ClosingSink) {
    this.#sink = sink;
  }

  /** It began: what began later is told behind it. */
  add(slot: Slot): void {
    this.#slots.push(slot);
  }

  /** Nothing more comes to it. */
  close(block: Block): void {
    block.open = false;
    switch (block.kind) {
      case 'text':
        block.end = block.message.text.length;
        return;
      case 'thinking':
        this.#settle(block, block.id === undefined ? undefined : reasoningItem(block, 'completed'));
        break;
      case 'carried':
        this.#settle(block, carriedItem(block));
        break;
      case 'call':
        // One whose arguments are not JSON waits for what the end says.
        if (isCompleteArguments(argumentsOf(block))) this.#settleCall(block, true);
    }
    this.#tell();
  }

  /** Nothing more comes to its text. */
  closeMessage(message: Message): void {
    this.#settle(message, message.id === undefined ? undefined : messageItem(message, 'completed'));
    this.#tell();
  }

  #settle(slot: Slot, item: OutputItem | undefined): void {
    slot.settled = true;
    slot.item = item;
  }

  /** @param asItCame - it is handed on though its arguments are no JSON; else it is told as dropped then */
  #settleCall(call: Call, asItCame: boolean): void {
    const fate = fateOfPending({ kind: 'function', name: call.name, input: argumentsOf(call) });
    if (fate === 'emit' || (fate === 'incomplete' && asItCame)) {
      if (call.input.length === 0 && hasMembers(call.block['input'])) this.#sink.repaired('whole_block');
      this.#settle(call, callItem(call, 'completed'));
      return;
    }
    this.#settle(call, undefined);
    this.dropped.push({
      call_id: call.callId,
      ...(call.name === undefined ? {} : { name: call.name }),
      arguments: argumentsOf(call),
      reason: fate,
    });
  }

  /** A good end: what is open is closed, and everything told. The message is closed already. */
  closeAll(forTools: boolean): void {
    for (let n = this.#told; n < this.#slots.length; n++) {
      const slot = this.#slots[n];
      if (slot === undefined || slot.settled || slot.kind === 'message') continue;
      if (slot.open) this.#closeUnstopped(slot);
      if (slot.kind === 'call' && !isSettled(slot)) this.#settleCall(slot, forTools);
    }
    this.#tell();
  }

  #closeUnstopped(block: Block): void {
    this.#sink.repaired('no_block_stop');
    this.close(block);
  }

  /** A bad end: what is open counts as incomplete. */
  cut(): void {
    for (let n = this.#told; n < this.#slots.length; n++) {
      const slot = this.#slots[n];
      if (slot === undefined || slot.settled) continue;
      this.#settle(slot, slot.id === undefined ? undefined : cutItem(slot));
    }
    this.#tell();
  }

  /** Tells what is settled, up to the first that is not. */
  #tell(): void {
    for (let slot = this.#slots[this.#told]; slot?.settled === true; slot = this.#slots[++this.#told]) {
      if (slot.item !== undefined) this.#sink.deliver({ type: 'output_item.done', item: slot.item });
    }
  }
}

/** What a failure leaves of an item: text, but never a call. */
function cutItem(slot: Slot): OutputItem | undefined {
  switch (slot.kind) {
    case 'message':
      return messageItem(slot, 'incomplete');
    case 'thinking':
      return reasoningItem(slot, 'incomplete');
    case 'call':
    case 'carried':
      return undefined;
  }
}

function isSettled({ settled }: Slot): boolean {
  return settled;
}

function hasMembers(input: unknown): boolean {
  return isObject(input) ? Object.keys(input).length > 0 : stringOf(input) !== undefined;
}
