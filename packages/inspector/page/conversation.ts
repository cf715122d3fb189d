import type { ExchangeRecord, ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { isObject } from '@turnwire/wire/internal/base/json';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import {
  isAssistantMessage,
  isReasoning,
  isToolCall,
  itemIdOf,
  messageText,
  type Item,
  type OutputItem,
} from '@turnwire/wire/internal/model/items';
import type { Tool } from '@turnwire/wire/internal/model/request';
import { voidTest } from '@turnwire/wire/internal/model/transcript-builder';
import { protocols } from '@turnwire/wire/internal/protocols';
import { Pieces } from './pieces.ts';

export type Speaker = 'system' | 'developer' | 'user' | 'assistant' | 'tool';
export type BlockKind = 'text' | 'refusal' | 'reasoning' | 'call' | 'result' | 'image' | 'tools' | 'other' | 'note';

/** One piece of the conversation, as it reads. */
export interface Block {
  readonly key: string;
  readonly speaker: Speaker;
  readonly kind: BlockKind;
  /** The name of a tool, or the type of an item. */
  readonly title?: string;
  readonly text: Pieces;
  /** A `data:` URL of a type that is safe to show. */
  readonly image?: string;
  /** It is of the answer, not of the request. */
  readonly isAnswer: boolean;
  /** The item's id; of a call its `call_id`. */
  readonly id: string;
  state: 'open' | 'done' | 'void' | 'dropped';
}

/** Pictures that no browser runs anything of. */
const SAFE_IMAGE = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;

/** The conversation of one exchange: what the request holds, and the answer as it comes. */
export class Conversation {
  readonly blocks: Block[] = [];
  /** Names of the calls of the request, by their ids. */
  readonly #calls = new Map<string, string>();
  #wire: ExchangeRow['wire'];

  constructor(wire: ExchangeRow['wire']) {
    this.#wire = wire;
  }

  push(record: ExchangeRecord): void {
    if (record.kind === 'request' && record.body !== undefined) this.#addRequest(record.body);
    if (record.kind === 'events') for (const event of record.events) this.#takeEvent(event);
    if (record.kind === 'end') this.#end(record.outcome, record.error);
  }

  #addRequest(body: unknown): void {
    const parsed = this.#parse(body);
    if (parsed === undefined) {
      this.#add({ speaker: 'user', kind: 'other', title: 'request', text: toJson(body) });
      return;
    }
    const { instructions, tools, input } = parsed;
    if (instructions !== undefined) this.#add({ speaker: 'system', kind: 'text', text: instructions });
    if (tools !== undefined && tools.length > 0) {
      this.#add({
        speaker: 'system',
        kind: 'tools',
        title: String(tools.length),
        text: tools.map(toolText).join('\n'),
      });
    }
    for (const item of input) this.#addItem(item);
  }

  #parse(body: unknown) {
    if (this.#wire === undefined || !isObject(body)) return undefined;
    try {
      return protocols[this.#wire].fromRequest(body).request;
    } catch {
      // It is shown as it came.
      return undefined;
    }
  }

  /** An item of the request. */
  #addItem(item: Item): void {
    if (isToolCall(item)) this.#calls.set(item.call_id, item.name);
    if ('output' in item && (item.type === 'function_call_output' || item.type === 'custom_tool_call_output')) {
      const title = this.#calls.get(String(item.call_id)) ?? String(item.call_id);
      this.#addContent('tool', 'result', item.output, title);
      return;
    }
    const speaker = 'role' in item ? speakerOf(item.role) : undefined;
    if (item.type === 'message' && speaker !== undefined && speaker !== 'assistant' && 'content' in item) {
      this.#addContent(speaker, 'text', item.content);
      return;
    }
    this.#add({ ...outputBlock(item), isAnswer: false });
  }

  #addContent(speaker: Speaker, kind: BlockKind, content: unknown, title?: string): void {
    const named = title === undefined ? {} : { title };
    const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
    for (const part of parts) {
      if (typeof part === 'string') this.#add({ speaker, kind, ...named, text: part });
      else if (isObject(part) && typeof part['text'] === 'string')
        this.#add({ speaker, kind, ...named, text: part['text'] });
      else if (isObject(part) && typeof part['image_url'] === 'string') this.#addImage(speaker, part['image_url']);
      else this.#add({ speaker, kind: 'other', ...named, text: toJson(part) });
    }
  }

  #addImage(speaker: Speaker, url: string): void {
    const isSafe = SAFE_IMAGE.test(url);
    this.#add({
      speaker,
      kind: 'image',
      text: isSafe ? '' : `not loaded: ${url.slice(0, 200)}`,
      ...(isSafe ? { image: url } : {}),
    });
  }

  #takeEvent(event: ModelEvent): void {
    switch (event.type) {
      case 'output_item.added':
        if (beginsBlock(event.item)) this.#begin(event.item);
        return;
      case 'output_text.delta': {
        this.#append('text', event.item_id, event.delta);
        return;
      }
      case 'refusal.delta': {
        this.#append('refusal', event.item_id, event.delta);
        return;
      }
      case 'reasoning_text.delta':
      case 'reasoning_summary_text.delta': {
        this.#append('reasoning', event.item_id, event.delta);
        return;
      }
      case 'tool_call_input.delta': {
        this.#append('call', event.call_id, event.delta, event.name);
        return;
      }
      case 'output_item.done': {
        this.#finish(event.item);
        return;
      }
      case 'retrying': {
        this.#retry(event);
        return;
      }
      case 'completed':
        for (const { call_id } of event.dropped_tool_calls ?? []) this.#drop(call_id);
        return;
      case 'reasoning_summary_text.done':
      case 'reasoning_summary_part.added':
      case 'created':
      case 'server_model':
      case 'rate_limits':
      case 'models_etag':
      case 'unknown':
        return;
    }
  }

  #begin(item: OutputItem): Block {
    return this.#add({ ...outputBlock(item), text: '', state: 'open', isAnswer: true });
  }

  #append(kind: BlockKind, id: string | undefined, delta: string, title?: string): void {
    const block =
      this.#openBlock(kind, id) ??
      this.#add({
        speaker: 'assistant',
        kind,
        id: id ?? '',
        text: '',
        state: 'open',
        isAnswer: true,
        ...(title === undefined ? {} : { title }),
      });
    block.text.append(delta);
  }

  /** The text of the item that is done is the authoritative one (docs/contract.md section 2). */
  #finish(item: OutputItem): void {
    const whole = outputBlock(item);
    const id = isToolCall(item) ? item.call_id : itemIdOf(item);
    const block =
      this.#openBlock(whole.kind, id) ?? (whole.kind === 'refusal' ? undefined : this.#openBlock('refusal', id));
    if (block === undefined) {
      this.#add({ ...whole, isAnswer: true });
      return;
    }
    block.state = 'done';
    if (block.text.length !== whole.text.length || block.text.toString() !== whole.text) block.text.replace(whole.text);
  }

  /** The latest open block of a kind; an id is known where both have one. */
  #openBlock(kind: BlockKind, id: string | undefined): Block | undefined {
    return this.blocks.findLast(
      (block) =>
        block.state === 'open' &&
        block.kind === kind &&
        (id === undefined || id === '' || block.id === '' || block.id === id),
    );
  }

  #retry(event: Extract<ModelEvent, { type: 'retrying' }>): void {
    const isVoid = voidTest(event);
    for (const block of this.blocks) {
      if (
        block.isAnswer &&
        block.kind !== 'note' &&
        block.state !== 'void' &&
        (isVoid(block.id) || block.state === 'open')
      )
        block.state = 'void';
    }
    this.#add({ speaker: 'assistant', kind: 'note', text: `asked again after ${event.error.kind}`, isAnswer: true });
  }

  #drop(id: string): void {
    for (const block of this.blocks) if (block.kind === 'call' && block.id === id) block.state = 'dropped';
  }

  #end(outcome: string, error: string | undefined): void {
    for (const block of this.blocks) if (block.state === 'open') block.state = 'done';
    if (outcome !== 'completed') {
      this.#add({
        speaker: 'assistant',
        kind: 'note',
        text: `${outcome}${error === undefined ? '' : `: ${error}`}`,
        isAnswer: true,
      });
    }
  }

  #add(given: Partial<Omit<Block, 'text'>> & Pick<Block, 'speaker' | 'kind'> & { readonly text: string }): Block {
    const text = new Pieces();
    text.append(given.text);
    const block = { id: '', isAnswer: false, state: 'done' as const, ...given, key: String(this.blocks.length), text };
    this.blocks.push(block);
    return block;
  }
}

type Whole = Pick<Block, 'speaker' | 'kind' | 'id'> & { readonly title?: string; readonly text: string };

/** What an item of an answer reads like. */
function outputBlock(item: Item): Whole {
  if (isToolCall(item)) {
    const text = 'arguments' in item ? item.arguments : item.input;
    return { speaker: 'assistant', kind: 'call', id: item.call_id, title: item.name, text };
  }
  const id = itemIdOf(item as OutputItem);
  if (isAssistantMessage(item)) {
    const isRefusal = item.content.length > 0 && item.content.every(({ type }) => type === 'refusal');
    return { speaker: 'assistant', kind: isRefusal ? 'refusal' : 'text', id, text: messageText(item) };
  }
  if (isReasoning(item)) {
    const parts = [...item.summary, ...(item.content ?? [])];
    return { speaker: 'assistant', kind: 'reasoning', id, text: parts.map(({ text }) => text).join('\n\n') };
  }
  return { speaker: 'assistant', kind: 'other', id, title: String(item.type), text: toJson(item) };
}

/** Of the rest there is nothing to read before it is whole. */
function beginsBlock(item: OutputItem): boolean {
  return isToolCall(item) || isAssistantMessage(item) || isReasoning(item);
}

function speakerOf(role: unknown): Speaker | undefined {
  const speakers: readonly Speaker[] = ['system', 'developer', 'user', 'assistant'];
  return speakers.find((speaker) => speaker === role);
}

function toolText(tool: Tool): string {
  const name = typeof tool.name === 'string' ? tool.name : tool.type;
  const [first = ''] = typeof tool.description === 'string' ? tool.description.split('\n') : [];
  return first === '' ? name : `${name}: ${first}`;
}

function toJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
