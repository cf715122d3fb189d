import { TextBuffer } from '../base/text-buffer.ts';
import type { CompletedEvent, ModelEvent, RetryingEvent, Usage } from './events.ts';
import { isCut, isToolCall, itemIdOf, type AssistantMessage, type OutputItem } from './items.ts';

/** What one response of a model brought so far, its retries included. */
export interface Transcript {
  readonly responseId?: string;
  /** Items that are done, in the order in which they were done: these are history. */
  readonly items: readonly OutputItem[];
  /** Items that a failure closed with status `incomplete`: for the eye, never for history. */
  readonly incomplete: readonly OutputItem[];
  readonly usage?: Usage;
  /** The last event of a good stream; absent while it runs and after a failure. */
  readonly completed?: CompletedEvent;
}

/** What an event decided about items, beyond what it carries itself. */
export type Decision =
  /** The item is done, or was closed by a failure. `wasStreamed`: deltas brought text or input of it. */
  | { readonly type: 'whole' | 'cut'; readonly item: OutputItem; readonly wasStreamed: boolean }
  /** The item was done before: it is neither shown nor kept a second time. */
  | { readonly type: 'repeated'; readonly item: OutputItem }
  /** A retry: these items were done and count no more. `wasShown`: text of this answer was told that is void now. */
  | { readonly type: 'void'; readonly items: readonly OutputItem[]; readonly wasShown: boolean };

export interface TranscriptBuilderOptions {
  /** What the response brought before. Default: nothing. */
  readonly after?: Transcript;
  /** Keep the text of messages that are not done, for `openMessages`. Default false. */
  readonly keepText?: boolean;
}

type Kind = 'reasoning' | 'message' | 'call' | 'other';

/** An item that has begun and is not done. */
interface OpenItem {
  readonly kind: Kind;
  /** What its deltas name it by: a call's `call_id`, else the item's id; `""` where the server gives none. */
  readonly key: string;
  /** What a retry names it by. */
  readonly id: string;
  wasStreamed: boolean;
  readonly text: TextBuffer;
  readonly refusal: TextBuffer;
}

/**
 * The answer so far: folds the events of a response, event by event, and is the one place that decides which item is
 * whole, which is void after a retry, and what was delivered already (docs/contract.md, section 2). Work per event is
 * constant, but for `retrying`, which looks at each item once.
 *
 * A retry: when an attempt fails, `settle` says what is kept and what is void; the ids of the void go out as
 * `discarded_item_ids` of the event `retrying`; each fold that takes the event (`#void`) drops those items, and tells its face
 * with `wasShown` whether something has to be taken back. An item that is done a second time within an attempt is `repeated`.
 */
export class TranscriptBuilder {
  responseId: string | undefined;
  usage: Usage | undefined;
  completed: CompletedEvent | undefined;
  /** The retry after which nothing has come yet. */
  retrying: RetryingEvent | undefined;
  #items: OutputItem[];
  #incomplete: OutputItem[];
  readonly #keepText: boolean;
  readonly #open: Readonly<Record<Kind, Map<string, OpenItem>>> = {
    reasoning: new Map(),
    message: new Map(),
    call: new Map(),
    other: new Map(),
  };
  /** The item of the latest delta: most deltas belong to the same as the one before. */
  #latest: OpenItem | undefined;
  /** Items of this attempt that are done. */
  readonly #done: Readonly<Record<Kind, Set<string>>> = {
    reasoning: new Set(),
    message: new Set(),
    call: new Set(),
    other: new Set(),
  };

  constructor({ after, keepText = false }: TranscriptBuilderOptions = {}) {
    this.responseId = after?.responseId;
    this.usage = after?.usage;
    this.completed = after?.completed;
    this.#items = [...(after?.items ?? [])];
    this.#incomplete = [...(after?.incomplete ?? [])];
    this.#keepText = keepText;
  }

  /** Items that are done and not void, in the order in which they were done. */
  get items(): readonly OutputItem[] {
    return this.#items;
  }

  /** Items that a failure closed with status `incomplete`; void after a retry. */
  get incomplete(): readonly OutputItem[] {
    return this.#incomplete;
  }

  take(event: ModelEvent): Decision | undefined {
    switch (event.type) {
      case 'output_text.delta':
        this.#delta('message', event.item_id ?? '', event.item_id, event.delta, 'text');
        return undefined;
      case 'refusal.delta':
        this.#delta('message', event.item_id ?? '', event.item_id, event.delta, 'refusal');
        return undefined;
      case 'reasoning_text.delta':
      case 'reasoning_summary_text.delta':
        this.#delta('reasoning', event.item_id ?? '', event.item_id, event.delta);
        return undefined;
      case 'tool_call_input.delta':
        this.#delta('call', event.call_id, event.item_id ?? event.call_id, event.delta);
        return undefined;
      case 'output_item.added':
        this.#added(event.item);
        return undefined;
      case 'output_item.done':
        return this.#itemDone(event.item);
      case 'retrying':
        return this.#void(event);
      case 'created':
        this.responseId = event.response_id ?? this.responseId;
        return undefined;
      case 'completed':
        this.#end(event);
        return undefined;
      default:
        return undefined;
    }
  }

  /** What was said of messages that are not done, as incomplete ones. Only with `keepText`. */
  openMessages(): AssistantMessage[] {
    return [...this.#open.message.values()]
      .filter(({ text, refusal }) => text.length + refusal.length > 0)
      .map(partial);
  }

  /**
   * The end of a failed attempt: the items to send along with the next one, and the ids of what is void.
   *
   * @param keepCalls - the caller has the outputs of tool calls; without them a call, and all after it, is void
   */
  settle(keepCalls: boolean): { readonly kept: readonly OutputItem[]; readonly discarded: readonly string[] } {
    const firstVoid = keepCalls ? -1 : this.#items.findIndex(isToolCall);
    const kept = firstVoid < 0 ? this.#items : this.#items.slice(0, firstVoid);
    const gone = [...this.#items.slice(kept.length), ...this.#incomplete].map(itemIdOf);
    const open = Object.values(this.#open).flatMap((items) => [...items.values()].map(({ id }) => id));
    return { kept, discarded: [...gone, ...open].filter((id) => id !== '') };
  }

  #delta(kind: Kind, key: string, id = '', delta: string, field: 'text' | 'refusal' = 'text'): void {
    const item = this.#latest?.key === key && this.#latest.kind === kind ? this.#latest : this.#begin(kind, key, id);
    if (item === undefined) return;
    this.#latest = item;
    if (delta !== '') item.wasStreamed = true;
    if (this.#keepText && kind === 'message') item[field].append(delta);
  }

  #added(item: OutputItem): void {
    const kind = kindOf(item);
    this.#begin(kind, keyOf(kind, item), itemIdOf(item));
  }

  /** The open item, new where it was not known; none for one that is done, of which nothing more counts. */
  #begin(kind: Kind, key: string, id: string): OpenItem | undefined {
    this.retrying = undefined;
    const known = this.#open[kind].get(key);
    if (known !== undefined || this.#done[kind].has(key)) return known;
    const item = { kind, key, id, wasStreamed: false, text: new TextBuffer(), refusal: new TextBuffer() };
    this.#open[kind].set(key, item);
    return item;
  }

  #itemDone(item: OutputItem): Decision {
    this.retrying = undefined;
    this.#latest = undefined;
    const kind = kindOf(item);
    const key = keyOf(kind, item);
    if (this.#done[kind].has(key)) return { type: 'repeated', item };
    const open = this.#open[kind];
    const streamedKey = openKeyFor(open, key);
    const wasStreamed = open.get(streamedKey)?.wasStreamed === true;
    open.delete(streamedKey);
    const type = isCut(item) ? 'cut' : 'whole';
    (type === 'cut' ? this.#incomplete : this.#items).push(item);
    if (type === 'whole' && key !== '') this.#done[kind].add(key);
    return { type, item, wasStreamed };
  }

  #void(event: RetryingEvent): Decision {
    const isVoid = voidTest(event);
    const { gone = [], kept = [] } = Object.groupBy(this.#items, (item) => (isVoid(itemIdOf(item)) ? 'gone' : 'kept'));
    const isOpenShown = Object.values(this.#open).some((open) => [...open.values()].some((item) => item.wasStreamed));
    const wasShown = isOpenShown || [...gone, ...this.#incomplete].some(isText);
    this.#items = kept;
    this.#incomplete = [];
    this.#forgetAttempt();
    this.responseId = this.usage = this.completed = undefined;
    this.retrying = event;
    return { type: 'void', items: gone, wasShown };
  }

  #end(event: CompletedEvent): void {
    if (event.response_id !== '') this.responseId = event.response_id;
    this.usage = event.usage ?? this.usage;
    this.completed = event;
    this.#forgetAttempt();
  }

  #forgetAttempt(): void {
    this.retrying = undefined;
    this.#latest = undefined;
    for (const open of Object.values(this.#open)) open.clear();
    for (const done of Object.values(this.#done)) done.clear();
  }
}

/** The open item that a done one closes, by its key: deltas may have come without the id that the item is done with. */
export function openKeyFor(open: { has(key: string): boolean }, key: string): string {
  return open.has(key) || !open.has('') ? key : '';
}

/**
 * Finds the done items that a retry makes void, asked in their order: those it names, and those without an id that
 * were done after one of these, for what is kept is a beginning of the answer.
 */
export function voidTest(event: RetryingEvent): (id: string) => boolean {
  const named = new Set(event.discarded_item_ids);
  let isPast = false;
  return (id) => {
    const isNamed = named.has(id);
    isPast ||= isNamed;
    return isNamed || (isPast && id === '');
  };
}

function kindOf(item: OutputItem): Kind {
  if (isToolCall(item)) return 'call';
  return item.type === 'message' || item.type === 'reasoning' ? item.type : 'other';
}

function keyOf(kind: Kind, item: OutputItem): string {
  return kind === 'call' ? String((item as { call_id?: unknown }).call_id) : itemIdOf(item);
}

function isText(item: OutputItem): boolean {
  return item.type === 'message' || item.type === 'reasoning';
}

function partial({ id, text, refusal }: OpenItem): AssistantMessage {
  const said = { type: 'output_text', text: text.toString(), annotations: [] } as const;
  return {
    type: 'message',
    ...(id === '' ? {} : { id }),
    role: 'assistant',
    status: 'incomplete',
    content: [
      ...(text.length === 0 ? [] : [{ ...said, annotations: [] }]),
      ...(refusal.length === 0 ? [] : [{ type: 'refusal' as const, refusal: refusal.toString() }]),
    ],
  };
}
