import type { DecoderOptions, MintId } from '../decoder.ts';
import { cutOf, type Cut } from '../cut.ts';
import { countingIds, WireMachine } from '../machine.ts';
import type { DroppedToolCall } from '../model/events.ts';
import type { ItemStatus } from '../model/items.ts';
import { BesideText } from './beside-text.ts';
import { ChatState } from './carried.ts';
import { fateOf, wantsCalls } from './finish.ts';
import {
  callItem,
  carriedBy,
  messageItem,
  openText,
  reasoningItem,
  stateOf,
  type Carried,
  type OpenText,
} from './items.ts';
import { Logprobs } from './logprobs.ts';
import { CallTable, readFragment, type CallSlot } from './tool-calls.ts';

export interface Choice {
  readonly index: number;
  reasoning: OpenText | undefined;
  message: OpenText | undefined;
  /** Made for the first of them. */
  calls: CallTable | undefined;
  /** What the server wants back as it was. */
  readonly state: ChatState;
  readonly logprobs: Logprobs;
  /** The first non-empty finish_reason. */
  finish: string | undefined;
}

export function hasCalls({ calls }: Choice): boolean {
  return calls !== undefined && calls.slots.length > 0;
}

/** What the deltas of each choice say -> items: announced with their first words, and closed when the answer is over. */
export abstract class ChoiceMachine extends WireMachine {
  protected readonly options: DecoderOptions;
  protected readonly choices = new Map<number, Choice>();
  /** Choices seen whose finish_reason has not come. */
  protected unfinished = 0;
  protected readonly beside = new BesideText();
  protected readonly dropped: DroppedToolCall[] = [];
  readonly #mintId: MintId;
  /** Every call of every choice in first-seen order. */
  readonly #calls: { readonly slot: CallSlot; readonly choice: Choice }[] = [];

  constructor(options: DecoderOptions) {
    super(options.repairs);
    this.options = options;
    this.#mintId = options.mintId ?? countingIds();
  }

  protected choiceAt(given: unknown, place: number): Choice {
    const index = Number.isInteger(given) ? (given as number) : place;
    let choice = this.choices.get(index);
    if (choice === undefined) {
      choice = {
        index,
        reasoning: undefined,
        message: undefined,
        calls: undefined,
        state: new ChatState(),
        logprobs: new Logprobs(),
        finish: undefined,
      };
      this.choices.set(index, choice);
      this.unfinished++;
    }
    return choice;
  }

  protected onReasoning(choice: Choice, delta: string): void {
    if (choice.reasoning === undefined) {
      choice.reasoning = openText(this.#mintId('rs'));
      this.deliver({ type: 'output_item.added', item: reasoningItem(choice.reasoning, 'in_progress') });
    }
    choice.reasoning.text.append(delta);
    this.deliver({ type: 'reasoning_text.delta', delta, content_index: 0, item_id: choice.reasoning.id });
  }

  protected onText(choice: Choice, delta: string): void {
    const message = choice.message ?? this.#openMessage(choice);
    message.text.append(delta);
    const { id: item_id } = message;
    const logprobs = choice.logprobs.take();
    if (logprobs.length === 0) this.deliver({ type: 'output_text.delta', delta, item_id });
    else this.deliver({ type: 'output_text.delta', delta, item_id, logprobs });
  }

  protected onRefusal(choice: Choice, delta: string): void {
    const message = choice.message ?? this.#openMessage(choice);
    message.refusal.append(delta);
    this.deliver({ type: 'refusal.delta', delta, item_id: message.id });
  }

  #openMessage(choice: Choice): OpenText {
    const message = openText(this.#mintId('msg'));
    choice.message = message;
    this.deliver({ type: 'output_item.added', item: messageItem(message, 'in_progress') });
    return message;
  }

  protected onFragments(choice: Choice, fragments: readonly unknown[]): void {
    const calls = (choice.calls ??= new CallTable((repair) => this.repaired(repair)));
    calls.startList();
    for (const fragment of fragments) this.#onFragment(choice, calls, fragment);
  }

  /** A fragment alone in its list, without an id and a name: of nothing but an index and a piece of arguments. */
  protected onMoreInput(choice: Choice, index: unknown, piece: string): void {
    const slot = choice.calls?.goOnAt(index);
    if (slot === undefined) this.onFragments(choice, [{ index, function: { arguments: piece } }]);
    else this.#takeInput(slot, piece);
  }

  #onFragment(choice: Choice, calls: CallTable, value: unknown): void {
    const fragment = readFragment(value);
    if (fragment === undefined) return;
    const known = calls.slots.length;
    if (fragment.isObject) this.repaired('arguments_object');
    const slot = calls.slotFor(fragment, this.#calls.length);
    if (calls.slots.length > known) this.#calls.push({ slot, choice });
    this.#takeInput(slot, fragment.input);
  }

  #takeInput(slot: CallSlot, piece: string): void {
    const told = slot.input.append(piece, slot.kind === 'function');
    if (slot.itemId !== undefined) this.#callDelta(slot, slot.itemId, told);
    else if (slot.id !== undefined && slot.name !== undefined) this.#announce(slot, slot.id);
  }

  /** A call is announced once its id and name are known; what came before goes out with it. */
  #announce(slot: CallSlot, callId: string): string {
    const itemId = this.#mintId(slot.kind === 'custom' ? 'ctc' : 'fc');
    slot.id = callId;
    slot.itemId = itemId;
    this.deliver({ type: 'output_item.added', item: callItem(slot, 'in_progress', this.options.maker) });
    this.#callDelta(slot, itemId, slot.input.toString());
    return itemId;
  }

  #callDelta(slot: CallSlot, itemId: string, delta: string): void {
    if (delta === '') return;
    this.deliver({
      type: 'tool_call_input.delta',
      call_id: slot.id ?? '',
      name: slot.name ?? '',
      item_id: itemId,
      delta,
    });
  }

  /** All reasoning, all calls, all messages (docs/contract.md 3.3). Where a finish_reason stands for an error: that, and no call. */
  protected closeItems(): Cut | undefined {
    const cut = cutOf([...this.choices.values()].map(({ finish }) => finish));
    if (cut !== undefined) {
      this.closeOpenItems();
      return cut;
    }
    this.#closeTexts('completed', 'reasoning');
    for (const { slot, choice } of this.#calls) this.#settleCall(slot, choice.finish);
    this.#closeTexts('completed', 'message');
    return undefined;
  }

  #settleCall(slot: CallSlot, finish: string | undefined): void {
    const { delta, doubled } = slot.input.settle();
    if (doubled) this.repaired('doubled_arguments');
    const fate = fateOf(slot, finish, this.options.toolCallsOnStop ?? 'drop');
    const callId = slot.id ?? this.options.mintCallId?.() ?? `tool-call-${slot.order}`;
    if (fate === 'emit') {
      if (slot.id === undefined) this.repaired('no_call_id');
      if (finish !== undefined && !wantsCalls(finish)) this.repaired('stop_with_tool_calls');
      if (slot.itemId === undefined) this.#announce(slot, callId);
      else this.#callDelta(slot, slot.itemId, delta);
      this.deliver({ type: 'output_item.done', item: callItem(slot, 'completed', this.options.maker) });
      return;
    }
    this.dropped.push({
      call_id: callId,
      ...(slot.name === undefined ? {} : { name: slot.name }),
      arguments: slot.input.toString(),
      reason: fate,
    });
  }

  protected closeOpenItems(): void {
    this.#closeTexts('incomplete', 'reasoning');
    this.#closeTexts('incomplete', 'message');
  }

  #closeTexts(status: ItemStatus, kind: 'reasoning' | 'message'): void {
    for (const choice of this.choices.values()) {
      const carried = carriedBy(this.options.maker, stateOf(kind, choice));
      const open = choice[kind] ?? (kind === 'reasoning' ? this.#openForState(carried) : undefined);
      if (open === undefined) continue;
      const item =
        kind === 'reasoning'
          ? reasoningItem(open, status)
          : messageItem(open, status, this.beside.annotationsOf(choice.index), choice.logprobs.all);
      this.deliver({ type: 'output_item.done', item: { ...item, ...carried } });
    }
  }

  /** What a server wants back has an item, though it thought nothing that can be read. */
  #openForState(carried: Carried): OpenText | undefined {
    if (carried.carried === undefined) return undefined;
    const open = openText(this.#mintId('rs'));
    this.deliver({ type: 'output_item.added', item: { ...reasoningItem(open, 'in_progress'), ...carried } });
    return open;
  }

  protected saidSomething(): boolean {
    return [...this.choices.values()].some((choice) => choice.message !== undefined || hasCalls(choice));
  }
}
