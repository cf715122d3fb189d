import { isObject, nonEmpty, parseJson, stringOf, type JsonObject } from '../base/json.ts';
import { argumentsNote, sendableArguments } from '../arguments.ts';
import { toReminder } from '../dialects/heals.ts';
import type { Item } from '../model/items.ts';
import type { ModelRequest } from '../model/request.ts';
import type { ChatQuirks } from '../quirks.ts';
import { isCallOutput, isClientCall, pairCalls, withCallIds, type CallPairs } from '../request-history.ts';
import { openThinking } from '../sealed-thinking.ts';
import { isServerBlock } from '../server-blocks.ts';
import { ABORTED, type ClientTool } from '../tools/kinds/client-tool.ts';
import { toolOfCall, toolOfOutput } from '../tools/client-tools.ts';
import { toCallId } from './call-id.ts';
import { membersOf } from './carried.ts';
import { textBlocks, toBlocks, toResultContent } from './request-content.ts';
import { ERROR_MARK } from './request-parse-messages.ts';

/** A conversation as this wire has it. */
export interface WrittenMessages {
  /** What the system said before the first turn, beside the instructions. */
  readonly system: readonly string[];
  readonly messages: readonly JsonObject[];
  /** The last answer has calls, and the thinking before them is not there any more. */
  readonly lostThinking: boolean;
}

/**
 * The messages of a conversation: users and assistant in turns, neighbours of one role as one message, the results of all
 * calls of an answer at the head of the message behind it, whatever their order in the history was.
 */
export function toMessages(request: ModelRequest, quirks: ChatQuirks, notes: string[]): WrittenMessages {
  const builder = new MessageBuilder(request, quirks, notes);
  for (const place of request.input.keys()) builder.add(place);
  return builder.finish();
}

/** What the model did between two inputs. */
interface Step {
  readonly blocks: JsonObject[];
  /** By their places in the history. */
  readonly calls: Map<number, JsonObject>;
  /** Calls seen whose output comes later in the history. */
  unanswered: number;
  answered: boolean;
  /** It holds thinking that the server signed: nothing in it may change its place. */
  sealed: boolean;
}

interface Message {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: JsonObject[];
}

class MessageBuilder {
  readonly #messages: Message[] = [];
  readonly #system: string[] = [];
  readonly #items: readonly Item[];
  readonly #pairs: CallPairs;
  readonly #quirks: ChatQuirks;
  readonly #notes: string[];
  #step: Step | undefined;
  #lostThinking = false;

  constructor({ input }: ModelRequest, quirks: ChatQuirks, notes: string[]) {
    this.#items = withCallIds(input.map(normalised), toCallId);
    this.#pairs = pairCalls(this.#items);
    this.#quirks = quirks;
    this.#notes = notes;
  }

  add(place: number): void {
    const item = this.#items[place];
    if (item === undefined) return;
    const fields = item as JsonObject;
    if (item.type === 'message') this.#addMessage(place, fields);
    else if (item.type === 'reasoning') this.#addReasoning(place, fields);
    else if (isCallOutput(item)) this.#addOutput(place, item);
    else if (isClientCall(item)) this.#addCall(place, item);
    else this.#addOther(place, fields);
  }

  finish(): WrittenMessages {
    this.#closeStep();
    if (this.#messages[0]?.role !== 'user') this.#messages.unshift({ role: 'user', content: textBlocks('(continue)') });
    trimEnd(this.#messages.at(-1));
    return {
      system: this.#system,
      messages: this.#messages.map((message) => ({ ...message })),
      lostThinking: this.#lostThinking,
    };
  }

  #addMessage(place: number, fields: JsonObject): void {
    const role = stringOf(fields.role);
    const skip = (why: string): void => this.#skip(place, why);
    const blocks = toBlocks(fields.content, skip);
    if (role === 'assistant') this.#openStep().blocks.push(...blocks);
    else if (role === 'user') this.#push('user', blocks);
    else if (role === 'system' || role === 'developer') this.#addSystem(fields, blocks);
    else skip('a message without a role that a Messages request knows');
  }

  /** Before the first turn it is a part of the system; later the wire has a place for it only on some servers. */
  #addSystem(fields: JsonObject, blocks: JsonObject[]): void {
    const { role, content } = membersOf(fields);
    if (role === 'system') {
      this.#closeStep();
      this.#messages.push({ role, content: typeof content === 'string' ? textBlocks(content) : objectsOf(content) });
      return;
    }
    const text = blocks.map((block) => stringOf(block.text) ?? '').join('\n\n');
    if (text === '') return;
    if (this.#messages.length === 0 && this.#step === undefined) this.#system.push(text);
    else this.#pushSystem(text);
  }

  #pushSystem(text: string): void {
    this.#closeStep();
    const afterUser = this.#messages.at(-1)?.role === 'user';
    if (this.#quirks.systemBetweenTurns && afterUser)
      this.#messages.push({ role: 'system', content: textBlocks(text) });
    else this.#push('user', textBlocks(toReminder(text)));
  }

  /** What the server signed goes back as it was; other thinking goes to servers that look at no signature. */
  #addReasoning(place: number, fields: JsonObject): void {
    const sealed = openThinking(fields.encrypted_content);
    const step = this.#openStep();
    if (sealed !== undefined) {
      step.sealed = true;
      step.blocks.push(sealed);
      return;
    }
    const thinking = textsOf(fields.content, '') || textsOf(fields.summary, '\n\n');
    if (thinking === '') return;
    if (!this.#quirks.checksSignatures) step.blocks.push({ type: 'thinking', thinking, signature: '' });
    else this.#skip(place, 'this server takes no thinking but what it signed itself');
  }

  #addCall(place: number, item: Item): void {
    const tool = toolOfCall(item);
    const block = tool && this.#toToolUse(place, tool, item as JsonObject);
    if (block === undefined) return;
    const step = this.#openStep();
    step.calls.set(place, block);
    step.blocks.push(block);
    if (this.#pairs.outputOf.has(place)) step.unanswered += 1;
  }

  /** The output itself is written behind its call; here it tells that a step's calls have run. */
  #addOutput(place: number, item: Item): void {
    const call = this.#pairs.callOf.get(place);
    if (call === undefined) {
      const content = toResultContent(this.#outputOf(item), (why) => this.#skip(place, why));
      this.#push('user', [
        ...textBlocks('The output of a call that is no part of this conversation:'),
        ...(typeof content === 'string' ? textBlocks(content) : content),
      ]);
      return;
    }
    if (this.#step?.calls.has(call) !== true) return;
    this.#step.unanswered -= 1;
    this.#step.answered = true;
  }

  #addOther(place: number, fields: JsonObject): void {
    const whole = membersOf(fields);
    if (isServerBlock(fields)) this.#openStep().blocks.push(fields);
    else if (typeof whole.type === 'string') this.#openStep().blocks.push(whole);
    else this.#skip(place, `a Messages request has no form for an item of type ${JSON.stringify(fields.type ?? null)}`);
  }

  /** The running step, or a new one when all outputs of its calls have come: the model was asked again. */
  #openStep(): Step {
    if (this.#step?.answered === true && this.#step.unanswered === 0) this.#closeStep();
    this.#step ??= { blocks: [], calls: new Map(), unanswered: 0, answered: false, sealed: false };
    return this.#step;
  }

  #closeStep(): void {
    const step = this.#step;
    this.#step = undefined;
    if (step === undefined || step.blocks.length === 0) return;
    const isCall = (block: JsonObject): boolean => block.type === 'tool_use';
    // Canonical histories of chat servers have the text behind the calls; servers want calls last.
    const ordered = [...step.blocks.filter((block) => !isCall(block)), ...step.blocks.filter(isCall)];
    this.#push('assistant', step.sealed ? step.blocks : ordered);
    this.#lostThinking = step.calls.size > 0 && !step.sealed && this.#quirks.checksSignatures;
    this.#push(
      'user',
      [...step.calls].map(([place, block]) => this.#toResult(place, block)),
    );
  }

  #push(role: 'user' | 'assistant', blocks: JsonObject[]): void {
    if (role === 'user') this.#closeStep();
    if (blocks.length === 0) return;
    const last = this.#messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else this.#messages.push({ role, content: [...blocks] });
  }

  #toResult(place: number, { id }: JsonObject): JsonObject {
    const output = this.#items[this.#pairs.outputOf.get(place) ?? -1];
    if (output === undefined) return { type: 'tool_result', tool_use_id: id, content: ABORTED, is_error: true };
    const members = membersOf(output);
    const content = toResultContent(this.#outputOf(output), (why) => this.#skip(place, why));
    const isMarked = members.is_error === true && typeof content === 'string' && content.startsWith(ERROR_MARK);
    return {
      type: 'tool_result',
      tool_use_id: id,
      content: isMarked ? content.slice(ERROR_MARK.length) : content,
      ...members,
    };
  }

  #outputOf(output: Item): unknown {
    return toolOfOutput(output)?.outputText(output as JsonObject, ({ name }) => name);
  }

  #toToolUse(place: number, tool: ClientTool, fields: JsonObject): JsonObject | undefined {
    const name = tool.chatName ?? nonEmpty(fields.name);
    if (name === undefined) {
      this.#skip(place, 'a call without a name');
      return undefined;
    }
    const namespace = nonEmpty(fields.namespace);
    const text = tool.toArguments(fields);
    const sendable = sendableArguments(text);
    if (sendable !== text && text.trim() !== '') this.#notes.push(argumentsNote(place));
    return {
      type: 'tool_use',
      id: nonEmpty(fields.call_id) ?? toCallId(stringOf(fields.id) ?? ''),
      name: namespace === undefined ? name : `${namespace}__${name}`,
      input: parseJson(sendable),
      ...membersOf(fields),
    };
  }

  #skip(place: number, why: string): void {
    this.#notes.push(`input[${place}]: left out, ${why}`);
  }
}

/** The short form of a message, without a type, is a message too. */
function normalised(item: Item): Item {
  return item.type === undefined && typeof item.role === 'string' ? { ...item, type: 'message' } : item;
}

function textsOf(parts: unknown, between: string): string {
  if (!Array.isArray(parts)) return '';
  return parts.map((part: JsonObject) => stringOf(part.text) ?? '').join(between);
}

/** An answer that the model is to go on with must not end in white space. */
function trimEnd(last: Message | undefined): void {
  const block = last?.role === 'assistant' ? last.content.at(-1) : undefined;
  if (last !== undefined && block?.type === 'text')
    last.content[last.content.length - 1] = { ...block, text: stringOf(block.text)?.trimEnd() };
}

function objectsOf(list: unknown): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
