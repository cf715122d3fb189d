import { omit, type JsonObject } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import { isAssistantMessage, isCustomToolCall, isFunctionCall, isReasoning, type OutputItem } from '../model/items.ts';
import {
  contentValues,
  itemKindOf,
  partFields,
  partObject,
  valuesOf,
  type ItemKind,
  type PartKind,
} from '../item-parts.ts';
import { PartStream, type Outbox, type PartSpace } from './encode-parts.ts';

interface CallSpec {
  readonly delta: string;
  readonly done: string;
  readonly field: 'arguments' | 'input';
}

const callSpecs: Readonly<Record<'function' | 'custom', CallSpec>> = {
  function: {
    delta: 'response.function_call_arguments.delta',
    done: 'response.function_call_arguments.done',
    field: 'arguments',
  },
  custom: {
    delta: 'response.custom_tool_call_input.delta',
    done: 'response.custom_tool_call_input.done',
    field: 'input',
  },
};

/** One item while it is open on the wire: from `output_item.added` to `output_item.done`. */
export class WireItem {
  readonly kind: ItemKind;
  readonly id: string;
  readonly index: number;
  readonly #parts: PartStream;
  readonly #out: Outbox;
  readonly #where: string;
  readonly #announced: OutputItem;
  readonly #input = new TextBuffer();

  constructor(out: Outbox, announced: OutputItem, id: string, index: number) {
    this.kind = itemKindOf(announced);
    this.id = id;
    this.index = index;
    this.#out = out;
    this.#announced = withoutCarried(announced);
    this.#where = `"item_id":${JSON.stringify(id)},"output_index":${index}`;
    this.#parts = new PartStream(out, this.#where);
    out.add('response.output_item.added', `"output_index":${index},"item":${JSON.stringify(this.#emptyItem())}`);
  }

  text(kind: PartKind, sourceIndex: number, text: string, logprobs?: readonly unknown[]): void {
    this.#parts.delta(kind, sourceIndex, text, logprobs);
  }

  beginSummary(index: number): void {
    if (!this.#parts.isOpen('summary_text', index)) this.#parts.begin('summary_text', index);
  }

  finishSummary(index: number, text: string): void {
    if (this.#parts.isOpen('summary_text', index)) this.#parts.finishOpen({ kind: 'summary_text', text });
  }

  sentText(kind: PartKind): string {
    return this.#parts.sentText(kind);
  }

  input(delta: string): void {
    if (this.kind !== 'function' && this.kind !== 'custom') return;
    this.#input.append(delta);
    this.#out.add(callSpecs[this.kind].delta, `${this.#where},"delta":${JSON.stringify(delta)}`);
  }

  /** Closes with the authoritative item, and returns it as it went out. */
  finish(item: OutputItem): JsonObject {
    if (isAssistantMessage(item)) {
      const content = item.content.map(wholePart);
      this.#parts.finish('content', contentValues(content));
      return this.#done({ ...withoutCarried(item), id: this.id, content });
    }
    if (isReasoning(item)) {
      this.#parts.finish('summary', valuesOf(item.summary, ['summary_text']));
      this.#parts.finish('content', valuesOf(item.content ?? [], ['reasoning_text']));
    }
    if (isFunctionCall(item)) this.#finishInput('function', item.arguments, item.name);
    if (isCustomToolCall(item)) this.#finishInput('custom', item.input);
    return this.#done({ ...withoutCarried(item), id: this.id });
  }

  /** Closes a message or reasoning from its deltas, and returns it as it went out. */
  finishFromDeltas(status: 'completed' | 'incomplete'): JsonObject {
    this.#parts.end();
    const objects = (space: PartSpace): JsonObject[] => this.#parts.values(space).map(partObject);
    const texts = objects('content');
    const body = this.kind === 'message' ? { content: texts } : reasoningBody(objects('summary'), texts);
    return this.#done({ ...this.#emptyItem(), ...body, status });
  }

  #finishInput(kind: 'function' | 'custom', input: string, name?: string): void {
    const spec = callSpecs[kind];
    const sent = this.#input.toString();
    if (input !== sent && input.startsWith(sent)) this.input(input.slice(sent.length));
    const named = name === undefined ? '' : `"name":${JSON.stringify(name)},`;
    this.#out.add(spec.done, `${this.#where},${named}"${spec.field}":${JSON.stringify(input)}`);
  }

  #done(item: JsonObject): JsonObject {
    const done = this.kind === 'other' || item.status !== undefined ? item : { ...item, status: 'completed' };
    this.#out.add('response.output_item.done', `"output_index":${this.index},"item":${JSON.stringify(done)}`);
    return done;
  }

  #emptyItem(): JsonObject {
    const base: JsonObject = { ...this.#announced, id: this.id };
    switch (this.kind) {
      case 'message':
        return { ...base, status: 'in_progress', content: [] };
      case 'reasoning':
        return {
          ...base,
          status: 'in_progress',
          summary: [],
          ...(base.content === undefined ? {} : { content: [] }),
        };
      case 'function':
        return { ...base, status: 'in_progress', arguments: '' };
      case 'custom':
        return { ...base, status: 'in_progress', input: '' };
      case 'other':
        return base;
    }
  }
}

/** What the item had on another wire has no place on this one. */
function withoutCarried(item: OutputItem): OutputItem {
  return 'carried' in item ? omit({ ...item }, 'carried') : item;
}

/** A part as all events tell it: text always has its annotations and its logprobs. */
function wholePart<T extends { readonly type: string }>(part: T): T {
  return part.type === 'output_text' ? { ...partFields.output_text.extra, ...part } : part;
}

function reasoningBody(summary: JsonObject[], content: JsonObject[]): JsonObject {
  return { summary, ...(content.length === 0 ? {} : { content }) };
}
