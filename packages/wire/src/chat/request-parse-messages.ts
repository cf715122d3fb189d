import { isObject, nonEmpty, omit, type JsonObject } from '../base/json.ts';
import { reasoningParts, textIn } from '../dialects/reasoning-shapes.ts';
import type { CarriedMembers } from '../model/items.ts';
import type { Item } from '../model/items.ts';
import { carriedFrom, carriedOfPart } from './carried.ts';
import type { Carried } from './items.ts';
import {
  InvalidFieldError,
  isAbsent,
  optionalArray,
  optionalObject,
  optionalString,
  requireObject,
  requireString,
  wrongType,
} from '../request-fields.ts';

/** What is read of each kind of message, and of a call; the rest is carried to where it stood. */
const INPUT_MEMBERS: ReadonlySet<string> = new Set(['role', 'content']);
const ASSISTANT_MEMBERS: ReadonlySet<string> = new Set([
  ...['role', 'content', 'refusal', 'reasoning', 'reasoning_content', 'tool_calls', 'function_call'],
]);
const OUTPUT_MEMBERS: ReadonlySet<string> = new Set(['role', 'content', 'tool_call_id']);
const FUNCTION_MEMBERS: ReadonlySet<string> = new Set(['role', 'content', 'name']);
const CALL_MEMBERS: ReadonlySet<string> = new Set(['id', 'index', 'type', 'function', 'custom']);

/** What the messages of a chat request say. */
export interface ParsedMessages {
  readonly instructions: string | undefined;
  readonly input: readonly Item[];
}

/** Reads chat messages into items; a message of the assistant becomes reasoning, message and calls, in that order. */
export function fromChatMessages(messages: readonly unknown[]): ParsedMessages {
  const reader = new MessageReader();
  for (const [place, message] of messages.entries()) {
    reader.read(requireObject(message, `messages[${place}]`), place);
  }
  return { instructions: reader.instructions, input: reader.items };
}

class MessageReader {
  readonly items: Item[] = [];
  instructions: string | undefined;
  /** How many calls of each id have no output yet. */
  readonly #open = new Map<string, number>();
  /** Calls of custom tools: their outputs are of another type. */
  readonly #customCalls = new Set<string>();
  /** The form before `tool_calls` has no ids: an output belongs to the call before it. */
  #lastFunctionCall = '';

  read(message: JsonObject, place: number): void {
    const param = `messages[${place}]`;
    const role = requireString(message.role, `${param}.role`);
    switch (role) {
      case 'system':
      case 'developer':
      case 'user':
        this.#readInput(role, message, param, place);
        break;
      case 'assistant':
        this.#readAssistant(message, param, place);
        break;
      case 'tool':
        this.#addOutput(this.#answeredCall(message, param), message, param);
        break;
      case 'function':
        this.#addOutput(this.#lastFunctionCall, message, param);
        break;
      default:
        throw new InvalidFieldError(`${param}.role`, 'expected system, developer, user, assistant or tool');
    }
  }

  #readInput(role: 'system' | 'developer' | 'user', message: JsonObject, param: string, place: number): void {
    const content = parseContent(message.content, `${param}.content`);
    const carried = carriedFrom(message, INPUT_MEMBERS);
    const isBare = typeof content === 'string' && carried.carried === undefined;
    if (role === 'system' && place === 0 && isBare) this.instructions = content;
    else this.items.push({ type: 'message', role, content, ...carried });
  }

  #readAssistant(message: JsonObject, param: string, place: number): void {
    const reasoning =
      nonEmpty(message.reasoning_content) ?? nonEmpty(message.reasoning) ?? thoughtParts(message.content);
    const carried = carriedFrom(message, ASSISTANT_MEMBERS);
    const content = [...saidParts(message.content, `${param}.content`), ...refusalParts(message.refusal, param)];
    // An answer without a word is one all the same: without it two messages of the user would meet.
    if (content.length === 0 && isAbsent(message.tool_calls) && isAbsent(message.function_call)) {
      content.push({ type: 'output_text', text: '', annotations: [] });
    }
    const onReasoning = content.length === 0 ? carried : {};
    if (reasoning !== undefined || onReasoning.carried !== undefined) {
      const texts = reasoning === undefined ? [] : [{ type: 'reasoning_text' as const, text: reasoning }];
      this.items.push({ type: 'reasoning', id: `rs_chat${place}`, summary: [], content: texts, ...onReasoning });
    }
    if (content.length > 0)
      this.items.push({ type: 'message', role: 'assistant', status: 'completed', content, ...carried });
    const calls = optionalArray(message.tool_calls, `${param}.tool_calls`) ?? [];
    for (const [index, call] of calls.entries()) this.#addCall(call, `${param}.tool_calls[${index}]`);
    const legacy = optionalObject(message.function_call, `${param}.function_call`);
    if (legacy === undefined) return;
    this.#lastFunctionCall = `call_chat${place}`;
    this.#addFunctionCall(this.#lastFunctionCall, legacy, `${param}.function_call`);
  }

  #addCall(value: unknown, param: string): void {
    const call = requireObject(value, param);
    const call_id = requireString(call.id, `${param}.id`);
    this.#open.set(call_id, (this.#open.get(call_id) ?? 0) + 1);
    const carried = carriedFrom(call, CALL_MEMBERS);
    if (call.type !== 'custom') {
      const fields = requireObject(call.function, `${param}.function`);
      this.#addFunctionCall(call_id, fields, `${param}.function`, carried);
      return;
    }
    const custom = requireObject(call.custom, `${param}.custom`);
    this.#customCalls.add(call_id);
    this.items.push({
      type: 'custom_tool_call',
      call_id,
      name: requireString(custom.name, `${param}.custom.name`),
      input: requireString(custom.input, `${param}.custom.input`),
      ...carried,
    });
  }

  #addFunctionCall(call_id: string, fields: JsonObject, param: string, carried: Carried = {}): void {
    this.items.push({
      type: 'function_call',
      call_id,
      name: requireString(fields.name, `${param}.name`),
      arguments: optionalString(fields.arguments, `${param}.arguments`) ?? '',
      ...carried,
    });
  }

  /** An output without its call would be lost without a word. */
  #answeredCall(message: JsonObject, param: string): string {
    const id = requireString(message.tool_call_id, `${param}.tool_call_id`);
    const open = this.#open.get(id) ?? 0;
    if (open === 0) {
      const problem = `no tool call with the id ${JSON.stringify(id)} stands before this output`;
      throw new InvalidFieldError(`${param}.tool_call_id`, problem);
    }
    this.#open.set(id, open - 1);
    return id;
  }

  #addOutput(call_id: string, message: JsonObject, param: string): void {
    const type = this.#customCalls.has(call_id) ? 'custom_tool_call_output' : 'function_call_output';
    const output = parseContent(message.content ?? '', `${param}.content`);
    this.items.push({
      type,
      call_id,
      output,
      ...carriedFrom(message, message.role === 'function' ? FUNCTION_MEMBERS : OUTPUT_MEMBERS),
    });
  }
}

/** A string where one text is all, else the parts in the Responses API's shapes, with what each has beside. */
function parseContent(value: unknown, param: string): string | JsonObject[] {
  if (typeof value === 'string') return value;
  const parts = parseParts(value, param, inputPart);
  const [only] = parts;
  if (only === undefined) return '';
  return parts.length === 1 && only.type === 'input_text' && isBare(only) ? String(only.text) : parts;
}

function parseParts(
  value: unknown,
  param: string,
  parse: (part: JsonObject, param: string) => JsonObject,
): JsonObject[] {
  if (!Array.isArray(value)) throw wrongType(param, 'a string or an array', value);
  const parts = value.map((part: unknown, place) => {
    const at = `${param}[${place}]`;
    return parse(requireObject(part, at), at);
  });
  return parts.filter(({ text }) => text !== ''); // some servers refuse empty ones
}

/** A part with nothing beside what is read of it. */
function isBare({ carried }: JsonObject): boolean {
  return isObject(carried) && isObject(carried.members) && Object.keys(carried.members).length === 0;
}

const NONE: ReadonlySet<string> = new Set();
const IMAGE_MEMBERS: ReadonlySet<string> = new Set(['url', 'detail']);
const FILE_MEMBERS: ReadonlySet<string> = new Set(['file_data', 'file_id', 'filename']);

function inputPart(part: JsonObject, param: string): JsonObject {
  switch (requireString(part.type, `${param}.type`)) {
    case 'text':
    case 'input_text':
      return { type: 'input_text', text: requireString(part.text, `${param}.text`), ...beside(part, 'text') };
    case 'input_image': // another wire's word for it
    case 'input_file':
      return part;
    case 'image_url': {
      const carried = carriedOfPart(part, 'image_url', IMAGE_MEMBERS);
      return { ...imagePart(part.image_url, `${param}.image_url`), carried };
    }
    case 'file': {
      const file = requireObject(part.file, `${param}.file`);
      return { type: 'input_file', ...file, carried: carriedOfPart(part, 'file', FILE_MEMBERS) };
    }
    default:
      return wholePart(part);
  }
}

function beside(part: JsonObject, text: 'text' | 'refusal'): { carried: CarriedMembers } {
  return { carried: carriedOfPart(part, text, NONE) };
}

/** A part that only this wire knows goes on as it is. */
function wholePart(part: JsonObject): JsonObject {
  return { ...part, carried: { wire: 'chat', members: {} } satisfies CarriedMembers };
}

/** Some clients send the bare URL. */
function imagePart(value: unknown, param: string): JsonObject {
  const image = typeof value === 'string' ? { url: value } : requireObject(value, param);
  const detail = optionalString(image.detail, `${param}.detail`) ?? 'auto';
  return { type: 'input_image', image_url: requireString(image.url, `${param}.url`), detail };
}

/** What the assistant said. One text with nothing beside it is a plain part, as of any wire. */
function saidParts(value: unknown, param: string): JsonObject[] {
  if (isAbsent(value) || value === '') return [];
  if (typeof value === 'string') return [{ type: 'output_text', text: value, annotations: [] }];
  const parts = parseParts(value, param, saidPart).filter(({ type }) => !reasoningParts.has(type));
  const [only] = parts;
  return parts.length === 1 && only !== undefined && isBare(only) ? [omit(only, 'carried')] : parts;
}

function saidPart(part: JsonObject, param: string): JsonObject {
  if (part.type === 'refusal')
    return { type: 'refusal', refusal: requireString(part.refusal, `${param}.refusal`), ...beside(part, 'refusal') };
  const isText = part.type === 'text' || part.type === undefined || typeof part.text === 'string';
  if (!isText) return wholePart(part);
  const text = requireString(part.text, `${param}.text`);
  return { type: 'output_text', text, annotations: [], ...beside(part, 'text') };
}

/** Mistral's parts of `content` that are reasoning. */
function thoughtParts(content: unknown): string | undefined {
  if (!Array.isArray(content)) return undefined;
  return nonEmpty(textIn(content.filter((part: unknown) => isObject(part) && reasoningParts.has(part.type))));
}

function refusalParts(value: unknown, param: string): JsonObject[] {
  const refusal = optionalString(value, `${param}.refusal`);
  return refusal === undefined ? [] : [{ type: 'refusal', refusal }];
}
