import type { JsonObject } from '../base/json.ts';

/**
 * Items: the Responses API's own shapes and spelling (snake_case), unchanged. The properties are mutable
 * so that the types are assignable to and from those of the `openai` package (test/model/openai-types.test.ts).
 */

/** How far an item is. */
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/**
 * Members that an object had on its wire and that an item has no place for, as they came: a server's own state, or
 * what a client added. They go back to where they stood, on the same wire, and nowhere else.
 */
export interface CarriedMembers {
  /** The wire that they came on. */
  wire: string;
  /** Whose server made them: none but that maker's gets them back. Absent: a client sent them. */
  maker?: string;
  members: JsonObject;
}

/** Text that the assistant wrote. */
export interface OutputTextPart {
  type: 'output_text';
  text: string;
  annotations: Annotation[];
  /** How likely each token of the text was, where the request asked for it. */
  logprobs?: TokenLogprob[];
}

/** One token of a text, how likely it was, and which others were. Both wires have this shape. */
export interface TokenLogprob {
  token: string;
  logprob: number;
  /** Its bytes in UTF-8. */
  bytes: number[];
  top_logprobs: { token: string; logprob: number; bytes: number[] }[];
}

/** Where a text comes from; only servers with tools of their own make these. */
export type Annotation = UrlCitation | FileCitation | ContainerFileCitation | FilePath;

/** A web page that a part of the text is from; the indexes count characters of the text. */
export interface UrlCitation {
  type: 'url_citation';
  url: string;
  title: string;
  start_index: number;
  end_index: number;
}

/** A file that the text up to `index` is from. */
export interface FileCitation {
  type: 'file_citation';
  file_id: string;
  filename: string;
  index: number;
}

/** A file in the server's container that a part of the text is from; the indexes count characters of the text. */
export interface ContainerFileCitation {
  type: 'container_file_citation';
  container_id: string;
  file_id: string;
  filename: string;
  start_index: number;
  end_index: number;
}

/** A file that the server made, mentioned at `index` of the text. */
export interface FilePath {
  type: 'file_path';
  file_id: string;
  index: number;
}

/** Why the assistant does not answer, in its own words. */
export interface RefusalPart {
  type: 'refusal';
  refusal: string;
}

/** Text for the model. */
export interface InputTextPart {
  type: 'input_text';
  text: string;
}

/** An image for the model. */
export interface InputImagePart {
  type: 'input_image';
  /** An `https:` or `data:` URL. */
  image_url: string;
  detail: 'low' | 'high' | 'auto';
}

/** What the assistant said. `id` is absent only on servers that give no ids. */
export interface AssistantMessage {
  type: 'message';
  id?: string;
  role: 'assistant';
  status: ItemStatus;
  content: (OutputTextPart | RefusalPart)[];
  /** What else stood on it, on its own wire. */
  carried?: CarriedMembers;
}

/** What a user, a developer or the system said. */
export interface InputMessage {
  type: 'message';
  role: 'user' | 'system' | 'developer';
  content: string | (InputTextPart | InputImagePart)[];
  /** What else stood on it, on its own wire. */
  carried?: CarriedMembers;
}

/** What the model thought. It goes back to the server unchanged with the next request. */
export interface ReasoningItem {
  type: 'reasoning';
  id: string;
  summary: { type: 'summary_text'; text: string }[];
  content?: { type: 'reasoning_text'; text: string }[];
  encrypted_content?: string | null;
  status?: ItemStatus;
  /** What else stood on it, on its own wire. */
  carried?: CarriedMembers;
}

/** The model calls a function. */
export interface FunctionCall {
  type: 'function_call';
  id?: string;
  call_id: string;
  name: string;
  namespace?: string;
  /** JSON text, exactly as the model wrote it: it may be invalid, and may be empty. */
  arguments: string;
  status?: ItemStatus;
  /** What else stood on it, on its own wire. */
  carried?: CarriedMembers;
}

/** The model calls a tool that takes free text. */
export interface CustomToolCall {
  type: 'custom_tool_call';
  id?: string;
  call_id: string;
  name: string;
  namespace?: string;
  /** Free text, not JSON. */
  input: string;
  status?: ItemStatus;
  /** What else stood on it, on its own wire. */
  carried?: CarriedMembers;
}

/** The result of a function call, for the model. */
export interface FunctionCallOutput {
  type: 'function_call_output';
  call_id: string;
  output: string | (InputTextPart | InputImagePart)[];
  /** What else stood on it, on its own wire. */
  carried?: CarriedMembers;
}

/** The result of a custom tool call, for the model. */
export interface CustomToolCallOutput {
  type: 'custom_tool_call_output';
  call_id: string;
  output: string | (InputTextPart | InputImagePart)[];
  /** What else stood on it, on its own wire. */
  carried?: CarriedMembers;
}

/** An item of a type that turnwire has no shape for, or a malformed one: carried untouched, never dropped. */
export type OpaqueItem = JsonObject;

/** Whatever may stand in an answer's output. */
export type OutputItem = AssistantMessage | ReasoningItem | FunctionCall | CustomToolCall | OpaqueItem;

/** Whatever may stand in a request's `input`. */
export type Item = OutputItem | InputMessage | FunctionCallOutput | CustomToolCallOutput;

/** True for the two kinds of call that a client's own tools answer. */
export function isToolCall(item: Item): item is FunctionCall | CustomToolCall {
  return isFunctionCall(item) || isCustomToolCall(item);
}

/** True for a well-formed function call. */
export function isFunctionCall(item: Item): item is FunctionCall {
  return (
    item.type === 'function_call' &&
    typeof item.call_id === 'string' &&
    typeof item.name === 'string' &&
    typeof item.arguments === 'string'
  );
}

/** True for a well-formed call of a custom tool. */
export function isCustomToolCall(item: Item): item is CustomToolCall {
  return (
    item.type === 'custom_tool_call' &&
    typeof item.call_id === 'string' &&
    typeof item.name === 'string' &&
    typeof item.input === 'string'
  );
}

/** True for a message of the assistant. */
export function isAssistantMessage(item: Item): item is AssistantMessage {
  return item.type === 'message' && item.role === 'assistant' && Array.isArray(item.content);
}

/** True for an item of reasoning. */
export function isReasoning(item: Item): item is ReasoningItem {
  return item.type === 'reasoning' && Array.isArray(item.summary);
}

/** An item's id; a call without one is known by its `call_id`; `""` for what has neither. */
export function itemIdOf(item: OutputItem): string {
  if (typeof item.id === 'string') return item.id;
  return 'call_id' in item && typeof item.call_id === 'string' ? item.call_id : '';
}

/** True for an item that a failure closed before it was whole: it is for the eye, never for history. */
export function isCut(item: OutputItem): boolean {
  return 'status' in item && item.status === 'incomplete';
}

/** The text of a message; a refusal is text too. */
export function messageText(message: AssistantMessage): string {
  return message.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('');
}
