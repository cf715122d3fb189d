import { nonEmpty, omit, parseJson, type JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import { logprobsIn } from '../dialects/answer-extras.ts';
import { isCompleteArguments } from '../arguments.ts';
import { ModelError } from '../model/errors.ts';
import {
  type AssistantMessage,
  isAssistantMessage,
  isCustomToolCall,
  isFunctionCall,
  isReasoning,
  messageText,
  type CustomToolCall,
  type OutputItem,
  type ReasoningItem,
} from '../model/items.ts';
import { itemKindOf, type PartKind } from '../item-parts.ts';
import type { OpenItem } from '../item-sequencer.ts';
import { toCallId } from './call-id.ts';
import { toCitation } from './citations.ts';
import type { Blocks } from './encode-blocks.ts';
import { openThinking } from '../sealed-thinking.ts';
import { isServerBlock } from '../server-blocks.ts';
import { toSignature } from './signature.ts';

/** What an item's way onto the wire depends on. */
export interface ItemOptions {
  /** Leave the text of thinking out, and keep what signs it. Default false. */
  readonly omitThinking?: boolean | undefined;
  /** Send the blocks of Anthropic's own tools. Default false. */
  readonly serverBlocks?: boolean | undefined;
}

/** An item as blocks of this wire; a block starts with the first thing that is in it. */
export function openItem(blocks: Blocks, announced: OutputItem, place: ItemPlace, options: ItemOptions): OpenItem {
  switch (itemKindOf(announced)) {
    case 'message':
      return new TextItem(blocks, place);
    case 'reasoning':
      return new ThinkingItem(blocks, place, options.omitThinking === true);
    case 'function':
    case 'custom':
      return new CallItem(blocks, place, announced);
    case 'other':
      return new OtherItem(blocks, place, options.serverBlocks === true);
  }
}

/** An item's id, and its place among the items. */
export interface ItemPlace {
  readonly id: string;
  readonly index: number;
}

/** What the items have in common. */
abstract class BlockItem implements OpenItem {
  readonly id: string;
  readonly index: number;
  protected readonly blocks: Blocks;
  protected readonly sent = new TextBuffer();
  readonly #byKind = new Map<PartKind, TextBuffer>();
  #started = false;

  constructor(blocks: Blocks, { id, index }: ItemPlace) {
    this.blocks = blocks;
    this.id = id;
    this.index = index;
  }

  protected get started(): boolean {
    return this.#started;
  }

  protected start(block: JsonObject): void {
    if (!this.#started) this.blocks.start(block);
    this.#started = true;
  }

  protected stop(): void {
    if (this.#started) this.blocks.stop();
  }

  sentText(kind: PartKind): string {
    return this.#byKind.get(kind)?.toString() ?? '';
  }

  /** Takes down a delta for {@link sentText}. */
  protected take(kind: PartKind, text: string): void {
    const known = this.#byKind.get(kind) ?? new TextBuffer();
    this.#byKind.set(kind, known);
    known.append(text);
  }

  abstract finish(item: OutputItem): JsonObject | undefined;

  finishFromDeltas(): JsonObject | undefined {
    return undefined;
  }
}

/** What of a text did not go out yet; nothing where something else did, since a delta cannot take text back. */
function restOf(whole: string, sent: string): string {
  return whole.startsWith(sent) ? whole.slice(sent.length) : '';
}

function hasLogprobs(part: AssistantMessage['content'][number]): boolean {
  return part.type === 'output_text' && logprobsIn(part.logprobs).length > 0;
}

/** Where a text is from, as far as it was this wire that told it. */
function citationsOf({ content }: AssistantMessage): JsonObject[] {
  const annotations: unknown[] = content.flatMap((part) => (part.type === 'output_text' ? part.annotations : []));
  return annotations.map(toCitation).filter((citation) => citation !== undefined);
}

/** A message: one text block, a refusal in it too. */
class TextItem extends BlockItem {
  text(kind: PartKind, _sourceIndex: number, text: string): void {
    this.take(kind, text);
    this.#send(text);
  }

  finish(item: OutputItem): JsonObject | undefined {
    const whole = isAssistantMessage(item) ? messageText(item) : '';
    if (isAssistantMessage(item) && item.content.some(hasLogprobs)) this.blocks.notCarried.add('logprobs');
    this.#send(restOf(whole, this.sent.toString()));
    return this.#close(whole, isAssistantMessage(item) ? citationsOf(item) : []);
  }

  override finishFromDeltas(): JsonObject | undefined {
    return this.#close(this.sent.toString(), []);
  }

  #send(text: string): void {
    if (text === '') return;
    this.start({ type: 'text', text: '' });
    this.sent.append(text);
    this.blocks.delta(`"type":"text_delta","text":${JSON.stringify(text)}`);
  }

  /** @param citations - of this wire; the client offered what they are of */
  #close(text: string, citations: readonly JsonObject[]): JsonObject | undefined {
    if (text === '') return undefined;
    for (const citation of citations)
      this.blocks.delta(`"type":"citations_delta","citation":${JSON.stringify(citation)}`);
    this.stop();
    return { type: 'text', text, citations: citations.length === 0 ? null : citations };
  }
}

/** Reasoning: a thinking block, signed before it stops; or the very block that the item carries. */
class ThinkingItem extends BlockItem {
  readonly #omit: boolean;
  /** Whether the block tells a summary or the reasoning itself: what came first. */
  #kind: PartKind | undefined;
  #part = 0;

  constructor(blocks: Blocks, place: ItemPlace, omitText: boolean) {
    super(blocks, place);
    this.#omit = omitText;
  }

  text(kind: PartKind, sourceIndex: number, text: string): void {
    this.take(kind, text);
    this.#kind ??= kind;
    if (kind !== this.#kind) return;
    const isNext = kind === 'summary_text' && sourceIndex !== this.#part && this.sent.length > 0;
    this.#part = sourceIndex;
    this.#send(isNext ? `\n\n${text}` : text);
  }

  finish(item: OutputItem): JsonObject | undefined {
    if (!isReasoning(item)) return this.finishFromDeltas();
    const sealed = openThinking(item.encrypted_content);
    if (sealed?.['type'] === 'redacted_thinking') return this.#redacted(sealed);
    const whole = typeof sealed?.['thinking'] === 'string' ? sealed['thinking'] : this.#textOf(item);
    this.#send(restOf(whole, this.sent.toString()));
    const signature = nonEmpty(sealed?.['signature']);
    if (signature !== undefined) return this.#close(whole, signature);
    const encrypted = item.encrypted_content ?? undefined;
    if (whole === '' && encrypted === undefined) return this.finishFromDeltas();
    return this.#close(whole, toSignature({ id: item.id, encrypted, raw: this.#isRaw }));
  }

  override finishFromDeltas(): JsonObject | undefined {
    if (!this.started && this.sent.length === 0) return undefined;
    return this.#close(this.sent.toString(), toSignature({ raw: this.#isRaw }));
  }

  get #isRaw(): boolean {
    return this.#kind === 'reasoning_text';
  }

  #textOf({ summary, content = [] }: ReasoningItem): string {
    const told = summary.map(({ text }) => text).join('\n\n');
    const raw = content.map(({ text }) => text).join('');
    this.#kind ??= told === '' && raw !== '' ? 'reasoning_text' : 'summary_text';
    return this.#isRaw ? raw : told;
  }

  #send(text: string): void {
    if (text === '') return;
    this.sent.append(text);
    if (this.#omit) return;
    this.start(EMPTY_THINKING);
    this.blocks.delta(`"type":"thinking_delta","thinking":${JSON.stringify(text)}`);
  }

  #close(whole: string, signature: string): JsonObject {
    this.start(EMPTY_THINKING);
    this.blocks.delta(`"type":"signature_delta","signature":${JSON.stringify(signature)}`);
    this.stop();
    return { type: 'thinking', thinking: this.#omit ? '' : whole, signature };
  }

  #redacted(block: JsonObject): JsonObject {
    this.start(block);
    this.stop();
    return block;
  }
}

const EMPTY_THINKING = { type: 'thinking', thinking: '', signature: '' };

/** A call: a `tool_use` block from the first byte of its arguments on. It is only stopped once they are whole. */
class CallItem extends BlockItem {
  readonly #callId: string;
  readonly #name: string;
  #custom: boolean;

  constructor(blocks: Blocks, place: ItemPlace, announced: OutputItem) {
    super(blocks, place);
    const isCall = isFunctionCall(announced) || isCustomToolCall(announced);
    this.#callId = isCall ? toCallId(announced.call_id) : '';
    this.#name = isCall ? announced.name : '';
    this.#custom = isCustomToolCall(announced);
  }

  input(delta: string): void {
    // A call whose name is not known yet waits for its end.
    if (delta !== '' && this.#name !== '') this.#send(this.#name, delta);
  }

  finish(item: OutputItem): JsonObject | undefined {
    if (isCustomToolCall(item)) return this.#finishCustom(item);
    if (!isFunctionCall(item)) return undefined;
    this.#send(item.name, restOf(item.arguments, this.sent.toString()));
    const text = this.sent.toString();
    if (!isCompleteArguments(text)) {
      this.#refuse(item.name);
      return undefined;
    }
    if (text.trim() === '') this.#send(item.name, '{}');
    return this.#close(item.name, parseJson(text) ?? {});
  }

  #finishCustom({ name, input }: CustomToolCall): JsonObject | undefined {
    if (!this.started) this.#custom = true;
    if (!this.#custom) {
      this.#refuse(name);
      return undefined;
    }
    this.#send(name, restOf(input, this.sent.toString()));
    this.blocks.delta(jsonDelta('"}'));
    return this.#close(name, { input: this.sent.toString() });
  }

  #send(name: string, input: string): void {
    this.#begin(name);
    if (input === '') return;
    this.sent.append(input);
    this.blocks.delta(jsonDelta(this.#custom ? JSON.stringify(input).slice(1, -1) : input));
  }

  #begin(name: string): void {
    if (this.started) return;
    this.start({ type: 'tool_use', id: this.#callId, name, input: {} });
    if (this.#custom) this.blocks.delta(jsonDelta('{"input":"'));
  }

  #close(name: string, input: unknown): JsonObject {
    this.stop();
    return { type: 'tool_use', id: this.#callId, name, input };
  }

  /** pi runs a call with what there is of its arguments, so they are never closed. */
  #refuse(name: string): void {
    const message = `the arguments of ${name} are not JSON`;
    this.blocks.failure = new ModelError({ kind: 'server_error', message, replaySafe: false });
  }
}

function jsonDelta(json: string): string {
  return `"type":"input_json_delta","partial_json":${JSON.stringify(json)}`;
}

/** A block of Anthropic's own: as it is, for a client that offered such a tool. Everything else has no form here. */
class OtherItem extends BlockItem {
  readonly #wanted: boolean;

  constructor(blocks: Blocks, place: ItemPlace, wanted: boolean) {
    super(blocks, place);
    this.#wanted = wanted;
  }

  finish(item: OutputItem): JsonObject | undefined {
    const block = item as JsonObject;
    if (!this.#wanted || !isServerBlock(block)) {
      this.blocks.notCarried.add(String(item.type));
      return undefined;
    }
    const { input } = block;
    this.start(input === undefined ? block : { ...block, input: {} });
    if (input !== undefined) this.blocks.delta(jsonDelta(JSON.stringify(input)));
    this.stop();
    return omit(block, 'carried');
  }
}
