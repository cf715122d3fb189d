import { nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import type { Item } from '../model/items.ts';
import type { ModelRequest } from '../model/request.ts';
import type { ChatQuirks } from '../quirks.ts';
import { argumentsNote, sendableArguments } from '../arguments.ts';
import {
  isCallOutput,
  isClientCall,
  nineLetterId,
  orphanNote,
  pairCalls,
  withCallIds,
  type CallPairs,
} from '../request-history.ts';
import { ABORTED, type ClientTool } from '../tools/kinds/client-tool.ts';
import { toolOfCall, toolOfOutput } from '../tools/client-tools.ts';
import { membersFor } from './members-for.ts';
import { textOfParts, toChatContent, toToolContent, type PartWriting } from './request-content.ts';
import type { UnsendablePart } from '../request-body.ts';

/** How a tool of a namespace is called on a wire without namespaces. */
export type ToolName = (name: string, namespace: string | undefined) => string;

const joinedName: ToolName = (name, namespace) => (namespace === undefined ? name : `${namespace}__${name}`);

/**
 * The messages of a conversation. Text, reasoning and calls of one assistant step form one message, and the outputs
 * of its calls follow it at once, whatever their order in the history was: strict servers answer 400 to anything
 * between `tool_calls` and the `tool` messages.
 */
export function toChatMessages(
  request: ModelRequest,
  quirks: ChatQuirks,
  notes: string[],
  toolName: ToolName = joinedName,
): ChatMessages {
  const builder = new MessageBuilder(request.input, quirks, notes, toolName);
  builder.addSystem(request.instructions ?? '');
  for (const place of request.input.keys()) builder.add(place);
  return builder.finish();
}

/** The messages, and what none of them could hold. */
export interface ChatMessages {
  readonly messages: JsonObject[];
  readonly unsendable: UnsendablePart | undefined;
}

/** Parts without which the model would be asked something else. */
const MEDIA: ReadonlySet<unknown> = new Set(['input_image', 'input_file', 'input_audio']);

/** What the model did between two inputs. */
interface Step {
  /** What it said, one for each message of the history. */
  readonly texts: (string | JsonObject[])[];
  readonly reasoning: string[];
  /** What else stands on the message. */
  readonly members: JsonObject;
  /** By their places in the history. */
  readonly calls: Map<number, JsonObject>;
  /** Calls seen whose output comes later in the history. */
  unanswered: number;
  answered: boolean;
}

class MessageBuilder {
  readonly #messages: JsonObject[] = [];
  readonly #items: readonly Item[];
  readonly #pairs: CallPairs;
  readonly #quirks: ChatQuirks;
  readonly #notes: string[];
  readonly #toolName: ToolName;
  /** The place from which on reasoning belongs to the running turn. */
  readonly #turnStart: number;
  #step: Step | undefined;
  #unsendable: UnsendablePart | undefined;
  /** Nothing but system messages so far. */
  #leading = true;

  constructor(items: readonly Item[], quirks: ChatQuirks, notes: string[], toolName: ToolName) {
    this.#items = withCallIds(items.map(normalised), quirks.nineLetterCallIds ? nineLetterId : undefined);
    this.#pairs = pairCalls(this.#items);
    this.#quirks = quirks;
    this.#notes = notes;
    this.#toolName = toolName;
    this.#turnStart = this.#items.findLastIndex((item) => item.type === 'message' && item.role === 'user') + 1;
  }

  add(place: number): void {
    const item = this.#items[place];
    if (item === undefined) return;
    const fields = item as JsonObject;
    if (item.type === 'message') this.#addMessage(place, fields);
    else if (item.type === 'reasoning') this.#addReasoning(place, fields);
    else if (isCallOutput(item)) this.#addOutput(place);
    else if (isClientCall(item)) this.#addCall(place, item);
    else this.#skip(place, `a chat request has no form for an item of type ${JSON.stringify(item.type ?? null)}`);
  }

  /** Instructions and the first system messages become one: many templates take a single one, at the start. */
  addSystem(text: string): void {
    if (text === '') return;
    const first = this.#messages.length === 1 ? this.#messages[0] : undefined;
    if (first?.role === 'system') first.content = `${stringOf(first.content) ?? ''}\n\n${text}`;
    else this.#messages.push({ role: 'system', content: text });
  }

  finish(): ChatMessages {
    this.#closeStep();
    return { messages: this.#messages, unsendable: this.#unsendable };
  }

  #addMessage(place: number, fields: JsonObject): void {
    const role = stringOf(fields.role);
    if (role === 'assistant') {
      const step = this.#openStep();
      step.texts.push(toChatContent(fields.content, this.#partsOf(place)));
      Object.assign(step.members, this.#membersOf(fields));
      return;
    }
    if (role !== 'user' && role !== 'system' && role !== 'developer') {
      this.#skip(place, 'a message without a role that a chat request knows');
      return;
    }
    this.#closeStep();
    const content = toChatContent(fields.content, this.#partsOf(place));
    const asSystem = role === 'system' || (role === 'developer' && !this.#quirks.developerRole);
    this.#leading &&= asSystem;
    const members = this.#membersOf(fields);
    const isBare = typeof content === 'string' && Object.keys(members).length === 0;
    if (this.#leading && isBare) this.addSystem(content);
    else this.#messages.push({ ...members, role: asSystem ? 'system' : role, content });
  }

  #addReasoning(place: number, fields: JsonObject): void {
    const wanted = this.#quirks.reasoningScope === 'all' || place >= this.#turnStart;
    const text = textOfParts(fields.content) || textOfParts(fields.summary);
    const step = this.#openStep();
    Object.assign(step.members, this.#membersOf(fields));
    if (wanted && text !== '') step.reasoning.push(text);
  }

  #addCall(place: number, item: Item): void {
    const tool = toolOfCall(item);
    const message = tool && this.#toToolCall(place, tool, item as JsonObject);
    if (message === undefined) return;
    const step = this.#openStep();
    step.calls.set(place, message);
    if (this.#pairs.outputOf.has(place)) step.unanswered += 1;
  }

  /** The output itself is written with its call; here it tells that a step's calls have run. */
  #addOutput(place: number): void {
    const call = this.#pairs.callOf.get(place);
    if (call === undefined) {
      this.#notes.push(orphanNote(place));
      return;
    }
    const step = this.#step;
    if (!step?.calls.has(call)) return;
    step.unanswered -= 1;
    step.answered = true;
  }

  /** The running step, or a new one when all outputs of its calls have come: the model was asked again. */
  #openStep(): Step {
    if (this.#step?.answered === true && this.#step.unanswered === 0) this.#closeStep();
    this.#step ??= { texts: [], reasoning: [], members: {}, calls: new Map(), unanswered: 0, answered: false };
    return this.#step;
  }

  #closeStep(): void {
    const step = this.#step;
    this.#step = undefined;
    if (step === undefined) return;
    const text = joinedTexts(step.texts);
    const hasCalls = step.calls.size > 0;
    // Reasoning alone is no message.
    if (!hasCalls && step.texts.length === 0) return;
    const message: JsonObject = { ...step.members, role: 'assistant', content: hasCalls && text === '' ? null : text };
    this.#attachReasoning(message, step);
    if (hasCalls) message.tool_calls = [...step.calls.values()];
    this.#messages.push(message);
    this.#leading = false;
    this.#pushOutputs(step);
  }

  #attachReasoning(message: JsonObject, step: Step): void {
    const { reasoningField, reasoningOnEveryCall } = this.#quirks;
    if (reasoningField === undefined) return;
    if (step.reasoning.length > 0) message[reasoningField] = step.reasoning.join('\n');
    else if (reasoningOnEveryCall && step.calls.size > 0) message[reasoningField] = '';
  }

  #pushOutputs(step: Step): void {
    const images: JsonObject[] = [];
    for (const [place, message] of step.calls) {
      const at = this.#pairs.outputOf.get(place) ?? -1;
      const output = this.#items[at];
      const result = toToolContent(
        (output && this.#outputText(output)) ?? ABORTED,
        this.#quirks.imagesInToolMessages,
        this.#partsOf(at, 'output'),
      );
      images.push(...result.images);
      this.#messages.push({
        ...this.#membersOf(output),
        role: 'tool',
        tool_call_id: message.id,
        content: result.content,
      });
    }
    if (images.length > 0) this.#messages.push({ role: 'user', content: images });
  }

  #outputText(output: Item): unknown {
    return toolOfOutput(output)?.outputText(output as JsonObject, ({ name, namespace }) =>
      this.#toolName(name, namespace),
    );
  }

  #toToolCall(place: number, tool: ClientTool, fields: JsonObject): JsonObject | undefined {
    const name = tool.chatName ?? nonEmpty(fields.name);
    if (name === undefined) {
      this.#skip(place, 'a call without a name');
      return undefined;
    }
    return {
      ...this.#membersOf(fields),
      id: nonEmpty(fields.call_id) ?? fields.id,
      type: 'function',
      function: {
        name: this.#toolName(name, nonEmpty(fields.namespace)),
        arguments: this.#toArguments(place, tool, fields),
      },
    };
  }

  #toArguments(place: number, tool: ClientTool, fields: JsonObject): string {
    const text = tool.chatArguments?.(fields) ?? tool.toArguments(fields);
    const sendable = sendableArguments(text);
    if (sendable !== text && text.trim() !== '') this.#notes.push(argumentsNote(place));
    return sendable;
  }

  #membersOf(item: unknown): JsonObject {
    return membersFor(item, this.#quirks.maker);
  }

  #partsOf(place: number, field = 'content'): PartWriting {
    return {
      maker: this.#quirks.maker,
      onSkip: ({ type }, at) => {
        const what = `a part of type ${JSON.stringify(type ?? null)} that a chat request has no form for`;
        if (MEDIA.has(type)) this.#unsendable ??= { param: `input[${place}].${field}[${at}]`, what };
        else this.#skip(place, what);
      },
    };
  }

  #skip(place: number, why: string): void {
    this.#notes.push(`input[${place}]: left out, ${why}`);
  }
}

/** Texts of several messages as one, in paragraphs; parts stay parts. */
function joinedTexts(texts: readonly (string | JsonObject[])[]): string | JsonObject[] {
  const said = texts.filter((text) => text !== '');
  if (said.every((text) => typeof text === 'string')) return said.join('\n\n');
  return said.flatMap((text) => (typeof text === 'string' ? [{ type: 'text', text }] : text));
}

/** The short form of a message, without a type, is a message too. */
function normalised(item: Item): Item {
  return item.type === undefined && typeof item.role === 'string' ? { ...item, type: 'message' } : item;
}
