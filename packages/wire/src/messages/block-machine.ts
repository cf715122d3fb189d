import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import type { DecoderOptions, MintId } from '../decoder.ts';
import { countingIds, WireMachine } from '../machine.ts';
import type { DroppedToolCall } from '../model/events.ts';
import type { TextRoute } from '../sse/templates.ts';
import {
  BlockTable,
  indexOf,
  newCall,
  newCarried,
  newMessage,
  newThinking,
  type Block,
  type Call,
  type Message,
  type Slot,
  type TextBlock,
  type Thinking,
} from './blocks.ts';
import { ItemsInOrder } from './closing.ts';
import { textMembers } from './template-rules.ts';
import { callItem, isRedactedData } from './items.ts';

/**
 * Content blocks -> items: docs/contract.md 8.3 to 8.10. Items are done in the order in which their blocks began; one that is
 * settled waits for those before it.
 */
export abstract class BlockMachine extends WireMachine {
  protected readonly options: DecoderOptions;
  readonly #mintId: MintId;
  readonly #blocks = new BlockTable();
  readonly #items = new ItemsInOrder({
    deliver: (event) => this.deliver(event),
    repaired: (repair) => this.repaired(repair),
  });
  /** Open for the next text: nothing of another kind began since. */
  #message: Message | undefined;
  readonly #callIds = new Set<string>();
  #calls = 0;

  constructor(options: DecoderOptions) {
    super(options.repairs);
    this.options = options;
    this.#mintId = options.mintId ?? countingIds();
  }

  /** Calls that are not handed on. */
  protected get dropped(): readonly DroppedToolCall[] {
    return this.#items.dropped;
  }

  /** The answer began, if nothing said so before. */
  protected abstract noteBegun(): void;

  onBlockStart(event: JsonObject): void {
    const block = event['content_block'];
    if (!isObject(block) || typeof block['type'] !== 'string') {
      this.skip();
      return;
    }
    this.noteBegun();
    const index = indexOf(event['index']);
    if (index === undefined) this.repaired('no_block_index');
    else this.#freeIndex(index);
    this.#begin(block, block['type'], index);
  }

  /** A block that came all at once. */
  protected readWhole(block: unknown): void {
    if (!isObject(block) || typeof block['type'] !== 'string') this.skip();
    else this.#items.close(this.#begin(block, block['type'], undefined));
  }

  onBlockStop(event: JsonObject): void {
    const block = this.#blocks.at(indexOf(event['index']));
    if (block?.open === true) this.#items.close(block);
  }

  #freeIndex(index: number): void {
    const before = this.#blocks.at(index);
    if (before?.open !== true) return;
    this.repaired('reused_block_index');
    this.#items.close(before);
  }

  #begin(block: JsonObject, type: string, index: number | undefined): Block {
    switch (type) {
      case 'text':
        return this.#beginText(block, index);
      case 'thinking':
      case 'redacted_thinking':
        return this.#beginThinking(block, index);
      case 'tool_use':
        return this.#beginCall(block, index);
      default: {
        const carried = this.#place(newCarried(block), index);
        this.deliver({ type: 'output_item.added', item: block });
        return carried;
      }
    }
  }

  #beginText(block: JsonObject, index: number | undefined): TextBlock {
    const begun = this.#addText(index);
    const text = nonEmpty(block['text']);
    if (text !== undefined) {
      this.repaired('whole_block');
      this.#say(begun.message, text);
    }
    const citations: unknown[] = Array.isArray(block['citations']) ? block['citations'] : [];
    for (const value of citations) if (isObject(value)) begun.message.citations.push({ value, block: begun });
    return begun;
  }

  #addText(index: number | undefined): TextBlock {
    const message = (this.#message ??= this.#openMessage());
    const block: TextBlock = { kind: 'text', open: true, message, start: message.text.length, end: undefined };
    this.#blocks.add(block, index);
    return block;
  }

  #openMessage(): Message {
    const message = newMessage();
    this.#items.add(message);
    return message;
  }

  #beginThinking(block: JsonObject, index: number | undefined): Thinking {
    const thinking = this.#place(newThinking(block), index);
    if (isRedactedData(block)) this.#announceThinking(thinking);
    const text = thinking.redacted ? undefined : nonEmpty(block['thinking']);
    if (text !== undefined) {
      this.repaired('whole_block');
      this.#think(thinking, text);
    }
    this.#sign(thinking, block['signature']);
    return thinking;
  }

  #beginCall(block: JsonObject, index: number | undefined): Call {
    const call = this.#place(newCall(block, this.#callIdOf(block['id']), nonEmpty(block['name'])), index);
    if (call.name !== undefined) {
      call.id = this.#mintId('fc');
      this.deliver({ type: 'output_item.added', item: callItem(call, 'in_progress') });
    }
    return call;
  }

  /** Missing or used before: of its place among the calls. */
  #callIdOf(given: unknown): string {
    const place = this.#calls++;
    const id = nonEmpty(given);
    if (id === undefined || this.#callIds.has(id)) {
      this.repaired(id === undefined ? 'no_call_id' : 'shared_call_id');
      return this.#unused(this.options.mintCallId?.() ?? `tool-call-${place}`);
    }
    this.#callIds.add(id);
    return id;
  }

  #unused(id: string): string {
    if (this.#callIds.has(id)) return this.#unused(`${id}-2`);
    this.#callIds.add(id);
    return id;
  }

  /** A block of another kind than text: it closes the message before it. */
  #place<T extends Exclude<Block, TextBlock>>(block: T, index: number | undefined): T {
    this.#closeMessage();
    this.#blocks.add(block, index);
    this.#items.add(block);
    return block;
  }

  routeOf(event: JsonObject): TextRoute | undefined {
    const delta = event['delta'];
    if (!isObject(delta) || indexOf(event['index']) === undefined) return undefined;
    if (typeof delta[textMembers.get(delta['type']) ?? ''] !== 'string') return undefined;
    switch (delta['type']) {
      case 'text_delta':
        return (text) => {
          if (!this.finished) this.#onText(text, indexOf(event['index']));
        };
      case 'thinking_delta':
        return (text) => {
          if (!this.finished) this.#onThinking(text, indexOf(event['index']));
        };
      case 'input_json_delta':
        return (text) => {
          if (!this.finished) this.#onInput(text, indexOf(event['index']));
        };
      default:
        return undefined;
    }
  }

  onBlockDelta(event: JsonObject): void {
    const delta = event['delta'];
    if (!isObject(delta)) {
      this.skip();
      return;
    }
    this.noteBegun();
    const index = indexOf(event['index']);
    if (index === undefined) this.repaired('no_block_index');
    switch (delta['type']) {
      case 'text_delta':
        this.#onText(delta['text'], index);
        break;
      case 'thinking_delta':
        this.#onThinking(delta['thinking'], index);
        break;
      case 'input_json_delta':
        this.#onInput(delta['partial_json'], index);
        break;
      case 'signature_delta':
        this.#onSignature(delta['signature'], index);
        break;
      default:
        this.#onOtherDelta(event, delta, index);
    }
  }

  /** Text is never lost: whatever block it names, it is of the message that is open. */
  #onText(text: unknown, index: number | undefined): void {
    if (typeof text !== 'string') {
      this.skip();
      return;
    }
    if (text === '') return;
    const own = this.#blocks.at(index);
    if (own?.kind !== 'text') this.repaired(own === undefined ? 'no_block_start' : 'stray_delta');
    if (own === undefined) this.#addText(index);
    this.#say((this.#message ??= this.#openMessage()), text);
  }

  #say(message: Message, delta: string): void {
    message.text.append(delta);
    if (message.id === undefined) {
      message.id = this.#mintId('msg');
      this.deliver({
        type: 'output_item.added',
        item: { type: 'message', id: message.id, role: 'assistant', status: 'in_progress', content: [] },
      });
    }
    this.deliver({ type: 'output_text.delta', delta, item_id: message.id });
  }

  #onThinking(text: unknown, index: number | undefined): void {
    if (typeof text !== 'string') {
      this.skip();
      return;
    }
    if (text === '') return;
    const own = this.#blocks.at(index);
    if (own?.kind === 'thinking' && own.open && !own.redacted) {
      this.#think(own, text);
      return;
    }
    this.repaired(own === undefined ? 'no_block_start' : 'stray_delta');
    const thinking =
      this.#blocks.lastOpenThinking ??
      this.#place(newThinking({ type: 'thinking' }), own === undefined ? index : undefined);
    this.#think(thinking, text);
  }

  #think(thinking: Thinking, delta: string): void {
    thinking.text.append(delta);
    const item_id = this.#announceThinking(thinking);
    this.deliver({ type: 'reasoning_text.delta', delta, content_index: 0, item_id });
  }

  #announceThinking(thinking: Thinking): string {
    if (thinking.id !== undefined) return thinking.id;
    const id = this.#mintId('rs');
    thinking.id = id;
    this.deliver({
      type: 'output_item.added',
      item: { type: 'reasoning', id, summary: [], content: [], status: 'in_progress' },
    });
    return id;
  }

  #onSignature(signature: unknown, index: number | undefined): void {
    const own = this.#blocks.at(index);
    if (typeof signature === 'string' && own?.kind === 'thinking' && own.open) this.#sign(own, signature);
    else this.skip();
  }

  /** The last one that says something counts; it alone opens the item of thinking that is not shown. */
  #sign(thinking: Thinking, given: unknown): void {
    const signature = nonEmpty(given);
    if (signature === undefined || thinking.redacted) return;
    thinking.signature = signature;
    this.#announceThinking(thinking);
  }

  #onInput(piece: unknown, index: number | undefined): void {
    const target = this.#takerOfInput(index);
    if (typeof piece !== 'string' || target === undefined) {
      this.skip();
      return;
    }
    if (piece === '') return;
    target.input.append(piece);
    if (target.kind === 'carried' || target.name === undefined) return;
    const { callId: call_id, name, id: item_id = '' } = target;
    this.deliver({ type: 'tool_call_input.delta', call_id, name, item_id, delta: piece });
  }

  #takerOfInput(index: number | undefined): Exclude<Slot, Message | Thinking> | undefined {
    const own = this.#blocks.at(index);
    if (own?.kind === 'call' || own?.kind === 'carried') return own.open ? own : undefined;
    const call = this.#blocks.lastOpenCall;
    if (call !== undefined) this.repaired(own === undefined ? 'no_block_start' : 'stray_delta');
    return call;
  }

  /** Where a text is from, and what nobody here knows: told as it came. */
  #onOtherDelta(event: JsonObject, delta: JsonObject, index: number | undefined): void {
    this.emit({ type: 'unknown', raw: event });
    const { type, citation } = delta;
    if (type !== 'citations_delta' || !isObject(citation)) return;
    const own = this.#blocks.at(index);
    const message = own?.kind === 'text' ? own.message : this.#message;
    message?.citations.push({ value: citation, block: own?.kind === 'text' ? own : undefined });
  }

  /** A good end: what is open is closed, and everything told. */
  protected closeAll(forTools: boolean): void {
    this.#closeMessage();
    this.#items.closeAll(forTools);
  }

  protected closeOpenItems(): void {
    this.#message = undefined;
    this.#items.cut();
  }

  #closeMessage(): void {
    if (this.#message !== undefined) this.#items.closeMessage(this.#message);
    this.#message = undefined;
  }
}
