import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import { chatAnnotationOf, logprobsIn } from '../dialects/answer-extras.ts';
import { TextBuffer } from '../base/text-buffer.ts';
import type { ModelEvent } from '../model/events.ts';
import {
  isAssistantMessage,
  isCustomToolCall,
  isFunctionCall,
  isReasoning,
  isToolCall,
  type AssistantMessage,
  type OutputItem,
} from '../model/items.ts';
import { membersOf } from './carried.ts';

export type ReasoningField = 'reasoning_content' | 'reasoning' | 'none';

interface Call {
  readonly index: number;
  readonly kind: 'function' | 'custom';
  readonly id: string;
  name: string;
  readonly input: TextBuffer;
  /** What a chat server had on it beside these. */
  members: JsonObject;
  /** Only a call that is done counts: a dropped one must not be run. */
  done: boolean;
}

type TextField = 'content' | 'refusal' | 'reasoning';

/** Text of one field of the message; what one item streamed counts against its own authoritative text. */
interface FieldText {
  readonly all: TextBuffer;
  readonly byItem: Map<string, TextBuffer>;
  /** The item whose text is going out. */
  owner: string | undefined;
  /** Text of other items, until the owner is done: the wire has one message, two texts must not mingle in it. */
  readonly waiting: Map<string, string[]>;
}

/** The one assistant message that a chat answer is: collects it, and makes the delta members for each event. */
export class ChatAnswer {
  readonly #reasoningField: ReasoningField;
  readonly #fields: Readonly<Record<TextField, FieldText>> = { content: field(), refusal: field(), reasoning: field() };
  readonly #calls = new Map<string, Call>();
  /** What a chat server had on its message beside these. */
  readonly #members: JsonObject = {};
  readonly #annotations: JsonObject[] = [];
  readonly #notCarried = new Set<string>();
  #summaryPart: string | undefined;
  /** Of the tokens of the text, as they went out; and those that have not. */
  readonly #logprobs: unknown[] = [];
  #fresh: readonly unknown[] = [];
  /** How many of an item's went out. */
  readonly #toldOf = new Map<string, number>();

  constructor(reasoningField: ReasoningField) {
    this.#reasoningField = reasoningField;
  }

  /** Types of items that are neither of the message nor calls of the client: tools that ran at the server, and others. */
  get notCarried(): readonly string[] {
    return [...this.#notCarried];
  }

  get hasCalls(): boolean {
    return [...this.#calls.values()].some((call) => call.done);
  }

  /** What still waits at the end of the answer, as {@link deltas} tells it. */
  flush(): readonly string[] {
    return (['reasoning', 'content', 'refusal'] as const).flatMap((name) => {
      this.#fields[name].owner = undefined;
      return this.#sendWaiting(name);
    });
  }

  /** JSON text: the members of `delta`, one string per chunk. */
  deltas(event: ModelEvent): readonly string[] {
    switch (event.type) {
      case 'output_text.delta': {
        const told = this.#text('content', event.item_id, event.delta);
        if (event.logprobs !== undefined && told.length > 0) this.#tell(event.item_id, event.logprobs);
        return told;
      }
      case 'refusal.delta':
        return this.#text('refusal', event.item_id, event.delta);
      case 'reasoning_text.delta':
        return this.#text('reasoning', event.item_id, event.delta);
      case 'reasoning_summary_text.delta':
        return this.#summary(`${event.item_id ?? ''} ${event.summary_index}`, event.item_id, event.delta);
      case 'tool_call_input.delta':
        return this.#input(this.#callOf(event.call_id), event.call_id, event.name ?? '', event.delta);
      case 'output_item.added':
        return this.#added(event.item);
      case 'output_item.done':
        return this.#done(event.item);
      default:
        return [];
    }
  }

  /** The log probabilities that belong to the deltas of the last event. */
  takeLogprobs(): readonly unknown[] {
    const fresh = this.#fresh;
    if (fresh.length > 0) this.#fresh = [];
    return fresh;
  }

  /** All of them, for an answer that is not streamed. */
  get logprobs(): readonly unknown[] {
    return this.#logprobs;
  }

  #tell(itemId: string | undefined, logprobs: readonly unknown[]): void {
    this.#fresh = [...this.#fresh, ...logprobs];
    for (const token of logprobs) this.#logprobs.push(token);
    const key = itemId ?? '';
    this.#toldOf.set(key, (this.#toldOf.get(key) ?? 0) + logprobs.length);
  }

  /** The message of an answer that is not streamed. */
  message(): JsonObject {
    const { content, refusal, reasoning } = this.#fields;
    const calls = [...this.#calls.values()].filter((call) => call.done);
    const text = content.all.toString();
    return {
      ...this.#members,
      role: 'assistant',
      content: text === '' && (calls.length > 0 || refusal.all.length > 0) ? null : text,
      refusal: nonEmpty(refusal.all.toString()) ?? null,
      ...(reasoning.all.length === 0 ? {} : { [this.#reasoningField]: reasoning.all.toString() }),
      ...(this.#annotations.length === 0 ? {} : { annotations: this.#annotations }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(callObject) }),
    };
  }

  #text(name: TextField, itemId: string | undefined, delta: string): readonly string[] {
    if (delta === '' || (name === 'reasoning' && this.#reasoningField === 'none')) return [];
    const target = this.#fields[name];
    const key = itemId ?? '';
    target.owner ??= key;
    if (target.owner !== key) {
      const held = target.waiting.get(key);
      if (held === undefined) target.waiting.set(key, [delta]);
      else held.push(delta);
      return [];
    }
    target.all.append(delta);
    streamedOf(target, itemId).append(delta);
    return [`"${name === 'reasoning' ? this.#reasoningField : name}":${JSON.stringify(delta)}`];
  }

  /** The parts of a summary are paragraphs: the wire has one text for all of them. */
  #summary(part: string, itemId: string | undefined, delta: string): readonly string[] {
    const first = this.#summaryPart === undefined || this.#summaryPart === part;
    this.#summaryPart = part;
    return this.#text('reasoning', itemId, first || delta === '' ? delta : `\n\n${delta}`);
  }

  #added(item: OutputItem): readonly string[] {
    if (!isToolCall(item)) return [];
    const kind = isFunctionCall(item) ? 'function' : 'custom';
    return this.#input(this.#callOf(item.call_id), item.call_id, item.name, '', kind, membersOf(item));
  }

  #done(item: OutputItem): readonly string[] {
    return [...this.#finish(item), ...this.#finishMembers(item)];
  }

  /** What was not told with the opening of a call, or stands on the message. */
  #finishMembers(item: OutputItem): readonly string[] {
    const members = membersOf(item);
    if (Object.keys(members).length === 0) return [];
    if (!isToolCall(item)) {
      Object.assign(this.#members, members);
      return [JSON.stringify(members).slice(1, -1)];
    }
    const call = this.#callOf(item.call_id);
    if (call === undefined || JSON.stringify(call.members) === JSON.stringify(members)) return [];
    call.members = members;
    return [`"tool_calls":[${JSON.stringify({ ...members, index: call.index })}]`];
  }

  #finish(item: OutputItem): readonly string[] {
    if (isAssistantMessage(item)) {
      const refusals = item.content.map((part) => (part.type === 'refusal' ? part.refusal : ''));
      const texts = item.content.map((part) => (part.type === 'output_text' ? part.text : ''));
      const logprobs = item.content.flatMap((part) => (part.type === 'output_text' ? logprobsIn(part.logprobs) : []));
      this.#tell(item.id, logprobs.slice(this.#toldOf.get(item.id ?? '') ?? 0));
      return [
        ...this.#finishText('content', item.id, texts.join('')),
        ...this.#finishText('refusal', item.id, refusals.join('')),
        ...this.#sources(item),
      ];
    }
    if (isReasoning(item)) {
      const summary = item.summary.map((part) => part.text).join('\n\n');
      const raw = (item.content ?? []).map((part) => part.text).join('');
      return this.#finishText('reasoning', item.id, raw === '' ? summary : raw);
    }
    if (isFunctionCall(item)) return this.#finishCall(item.call_id, item.name, item.arguments, 'function');
    if (isCustomToolCall(item)) return this.#finishCall(item.call_id, item.name, item.input, 'custom');
    this.#notCarried.add(String(item.type));
    return [];
  }

  /** Where the text is from: told once the message is done. */
  #sources({ content }: AssistantMessage): readonly string[] {
    const annotations = content.flatMap((part) =>
      part.type === 'output_text' && Array.isArray(part.annotations)
        ? (part.annotations as unknown[]).filter(isObject)
        : [],
    );
    if (annotations.length === 0) return [];
    const told = annotations.map(chatAnnotationOf);
    this.#annotations.push(...told);
    return [`"annotations":${JSON.stringify(told)}`];
  }

  /** What the authoritative text has beyond the deltas (all of it, where only the finished item came), then what waited. */
  #finishText(name: TextField, itemId: string | undefined, text: string): readonly string[] {
    const target = this.#fields[name];
    const key = itemId ?? '';
    const held = target.waiting.get(key)?.join('') ?? '';
    const sent = streamedOf(target, itemId).toString() + held;
    const rest = text.startsWith(sent) ? this.#text(name, itemId, text.slice(sent.length)) : [];
    if (target.owner !== key) return rest;
    target.owner = undefined;
    return [...rest, ...this.#sendWaiting(name)];
  }

  /** The text of items that had to wait; the last of them is the owner now. */
  #sendWaiting(name: TextField): readonly string[] {
    const target = this.#fields[name];
    const held = [...target.waiting];
    target.waiting.clear();
    return held.flatMap(([key, texts]) => {
      target.owner = key;
      return this.#text(name, key, texts.join(''));
    });
  }

  #finishCall(id: string, name: string, input: string, kind: Call['kind']): readonly string[] {
    const call = this.#callOf(id);
    const sent = call?.input.toString() ?? '';
    const deltas = this.#input(call, id, name, input.startsWith(sent) ? input.slice(sent.length) : '', kind);
    const known = this.#callOf(id);
    if (known !== undefined) known.done = true;
    return deltas;
  }

  #callOf(id: string): Call | undefined {
    return this.#calls.get(id);
  }

  #input(
    call: Call | undefined,
    id: string,
    name: string,
    delta: string,
    kind: Call['kind'] = 'function',
    members: JsonObject = {},
  ): string[] {
    if (call !== undefined) return delta === '' ? [] : [append(call, delta)];
    const created: Call = { index: this.#calls.size, kind, id, name, input: new TextBuffer(), members, done: false };
    this.#calls.set(id, created);
    const body = kind === 'function' ? { name, arguments: '' } : { name, input: '' };
    const opening = JSON.stringify({ ...members, index: created.index, id, type: kind, [kind]: body });
    return [`"tool_calls":[${opening}]`, ...(delta === '' ? [] : [append(created, delta)])];
  }
}

function append(call: Call, delta: string): string {
  call.input.append(delta);
  const member = call.kind === 'function' ? '"function":{"arguments"' : '"custom":{"input"';
  return `"tool_calls":[{"index":${call.index},${member}:${JSON.stringify(delta)}}}]`;
}

function callObject(call: Call): JsonObject {
  const input = call.input.toString();
  const body = call.kind === 'function' ? { name: call.name, arguments: input } : { name: call.name, input };
  return { ...call.members, id: call.id, type: call.kind, [call.kind]: body };
}

function field(): FieldText {
  return { all: new TextBuffer(), byItem: new Map(), owner: undefined, waiting: new Map() };
}

function streamedOf(target: FieldText, itemId: string | undefined): TextBuffer {
  const key = itemId ?? '';
  let text = target.byItem.get(key);
  if (text === undefined) target.byItem.set(key, (text = new TextBuffer()));
  return text;
}
