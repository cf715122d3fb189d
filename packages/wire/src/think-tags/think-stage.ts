import { openText, reasoningItem, type OpenText } from '../chat/items.ts';
import type { MintId } from '../decoder.ts';
import type { ModelEvent, OutputItemAddedEvent, OutputTextDeltaEvent } from '../model/events.ts';
import { isAssistantMessage, isReasoning, type AssistantMessage, type ItemStatus } from '../model/items.ts';
import type { Repairs } from '../repairs.ts';
import { splitMessage } from './split-message.ts';
import type { ThinkTags } from '../dialects/think-tags.ts';
import { ThinkReader } from './think-reader.ts';

/** A message whose text is still coming. */
interface OpenMessage {
  /** Absent on servers that give none. */
  readonly id: string | undefined;
  readonly reader: ThinkReader;
  /** Held until there is something to show of it: a thought comes before. */
  added: OutputItemAddedEvent | undefined;
  reasoning: OpenText | undefined;
  reasoningDone: boolean;
  streamed: boolean;
}

/** What the stage takes of the options of its decoder. */
export interface ThinkStageOptions {
  readonly thinkTags: Exclude<ThinkTags, false>;
  readonly mintId?: MintId | undefined;
  readonly repairs?: Repairs | undefined;
}

/**
 * Canonical events whose messages may begin with a thought between tags -> the same with the thought as an item of its own
 * before the message (docs/contract.md section 3.15). It stands behind the machine of any wire, and reads nothing but events.
 */
export class ThinkStage {
  readonly #options: ThinkStageOptions;
  readonly #mintId: MintId;
  /** In the order in which they began. */
  #open: OpenMessage[] = [];
  #events: ModelEvent[] = [];

  constructor(options: ThinkStageOptions) {
    this.#options = options;
    this.#mintId = options.mintId ?? countingThoughts();
  }

  /** The stage that the options of a decoder ask for, if they do. */
  static of(options: Partial<Omit<ThinkStageOptions, 'thinkTags'>> & { readonly thinkTags?: ThinkTags }) {
    const { thinkTags = false } = options;
    return thinkTags === false ? undefined : new ThinkStage({ ...options, thinkTags });
  }

  /** The events that stand for these. */
  read(events: readonly ModelEvent[]): ModelEvent[] {
    for (const event of events) this.#read(event);
    const read = this.#events;
    this.#events = [];
    return read;
  }

  #read(event: ModelEvent): void {
    switch (event.type) {
      case 'output_item.added':
        if (isAssistantMessage(event.item)) this.#open.push(this.#openMessage(event.item.id, event));
        else this.#events.push(event);
        return;
      case 'output_text.delta':
        this.#onText(event);
        return;
      case 'refusal.delta':
        this.#onRefusal(event.item_id);
        this.#events.push(event);
        return;
      case 'output_item.done':
        if (isAssistantMessage(event.item)) this.#onMessageDone(event.item);
        else {
          if (!isReasoning(event.item)) this.#endThoughts();
          this.#events.push(event);
        }
        return;
      default:
        this.#events.push(event);
    }
  }

  #openMessage(id: string | undefined, added: OutputItemAddedEvent | undefined): OpenMessage {
    const reader = new ThinkReader(this.#options.thinkTags);
    return { id, reader, added, reasoning: undefined, reasoningDone: false, streamed: false };
  }

  /** The last message with the id; where deltas and items are named differently, the only one that is open. */
  #messageOf(id: string | undefined): OpenMessage | undefined {
    return this.#open.findLast((one) => one.id === id) ?? (this.#open.length === 1 ? this.#open[0] : undefined);
  }

  #onText(event: OutputTextDeltaEvent): void {
    const message = this.#messageOf(event.item_id);
    if (message === undefined) {
      this.#events.push(event);
      return;
    }
    message.streamed = true;
    message.reader.push(event.delta, this.#sinkOf(message, event));
    if (message.reader.isBehind) this.#endThought(message, 'completed');
  }

  #sinkOf(message: OpenMessage, event: OutputTextDeltaEvent) {
    return {
      onReasoning: (text: string) => this.#think(message, text),
      onText: (text: string) => {
        this.#endThought(message, 'completed');
        this.#announce(message);
        this.#events.push(text === event.delta ? event : { ...event, delta: text });
      },
    };
  }

  #think(message: OpenMessage, delta: string): void {
    if (message.reasoning === undefined) {
      message.reasoning = openText(this.#mintId('rs'));
      this.#events.push({ type: 'output_item.added', item: reasoningItem(message.reasoning, 'in_progress') });
    }
    const { id, text } = message.reasoning;
    text.append(delta);
    this.#events.push({ type: 'reasoning_text.delta', delta, content_index: 0, item_id: id });
  }

  #announce(message: OpenMessage): void {
    if (message.added !== undefined) this.#events.push(message.added);
    message.added = undefined;
  }

  #endThought(message: OpenMessage, status: ItemStatus): void {
    if (message.reader.found) this.#options.repairs?.add('think_tags');
    if (message.reasoning === undefined || message.reasoningDone) return;
    message.reasoningDone = true;
    this.#events.push({ type: 'output_item.done', item: reasoningItem(message.reasoning, status) });
  }

  /** What is held of the text is told: no more of it comes, or something else follows. */
  #flush(message: OpenMessage, item_id: string | undefined): void {
    const event = { type: 'output_text.delta', delta: '', ...(item_id === undefined ? {} : { item_id }) } as const;
    message.reader.end(this.#sinkOf(message, event));
  }

  #onRefusal(id: string | undefined): void {
    const message = this.#messageOf(id);
    if (message === undefined) return;
    this.#flush(message, id);
    this.#endThought(message, 'completed');
    this.#announce(message);
  }

  /** A call ends the thought that led to it, closed or not: reasoning stands before its calls in a history. */
  #endThoughts(): void {
    for (const message of this.#open) {
      if (message.reasoning === undefined) continue;
      this.#flush(message, message.id);
      this.#endThought(message, 'completed');
    }
  }

  /** The whole text wins: what was streamed of it is only closed. */
  #onMessageDone(item: AssistantMessage): void {
    // Of several without ids the first is done first.
    const message = this.#open.find(({ id }) => id === item.id) ?? this.#messageOf(item.id);
    const { reasoning, rest, found } = splitMessage(item, this.#options.thinkTags);
    if (found) this.#options.repairs?.add('think_tags');
    if (message?.streamed === true) this.#flush(message, item.id);
    this.#tellWhole(message, reasoning, item.status);
    const isShown = message !== undefined && message.added === undefined;
    if (isShown || rest === item || rest.content.length > 0 || rest.carried !== undefined) {
      if (message !== undefined) this.#announce(message);
      this.#events.push({ type: 'output_item.done', item: rest });
    }
    this.#open = this.#open.filter((one) => one !== message);
  }

  /** The thought of a whole message: its text stands, whatever was streamed of it, unless it is empty. */
  #tellWhole(message: OpenMessage | undefined, reasoning: string, status: ItemStatus): void {
    if (message?.reasoning === undefined && reasoning === '') return;
    const thought = message?.reasoning ?? openText(this.#mintId('rs'));
    if (reasoning !== '') {
      thought.text.clear();
      thought.text.append(reasoning);
    }
    const open = message ?? this.#openMessage(undefined, undefined);
    open.reasoning = thought;
    this.#endThought(open, status);
  }
}

/** Unlike any id of the machines: theirs have a number behind the prefix. */
function countingThoughts(): MintId {
  let count = 0;
  return (prefix) => `${prefix}_thought_${count++}`;
}
