import { isObject, nonEmpty, omit, type JsonObject } from '../base/json.ts';
import { hasPrefixOf, isMintedId } from '../base/minted-id.ts';
import type { Item } from '../model/items.ts';
import type { ModelRequest, Tool } from '../model/request.ts';
import { sendableArguments } from '../arguments.ts';
import { isSealedThinking } from '../sealed-thinking.ts';
import { isServerBlock } from '../server-blocks.ts';
import { objectSchema } from '../tools/object-schema.ts';
import { commonChatQuirks, type ChatQuirks } from '../quirks.ts';
import { withoutUndefined, type RequestBody } from '../request-body.ts';
import { withCallIds, withPairedCalls } from '../request-history.ts';
import { LeftOut, ofThisWire } from './request-foreign.ts';

/** How a Responses request is written. */
export interface ResponsesBodyOptions {
  /** The model that is asked when the request names none. Default: none is named. */
  readonly model?: string | undefined;
  /** Bound of the answer in tokens when the request sets none. Default: no bound is sent. */
  readonly maxOutputTokens?: number | undefined;
  /** Ask for a stream of events, not for one JSON body. Default true. */
  readonly stream?: boolean;
  /** From `chatQuirksOf`. Default: the common form. */
  readonly quirks?: ChatQuirks | undefined;
}

/** The body of `POST /responses`: {@link toResponsesRequest} without its notes. */
export function toResponsesBody(request: ModelRequest, options: ResponsesBodyOptions = {}): JsonObject {
  return toResponsesRequest(request, options).body;
}

/**
 * The body of `POST /responses` for a request. Nothing is stored at the server; encrypted reasoning is asked for, so
 * that it can be sent back. `extra` comes last and wins, but for `text`, which is merged.
 */
export function toResponsesRequest(request: ModelRequest, options: ResponsesBodyOptions = {}): RequestBody {
  const notes: string[] = [];
  const { extra = {} } = request;
  const quirks = options.quirks ?? commonChatQuirks;
  const left = new LeftOut(notes);
  for (const tool of request.tools ?? []) left.members(tool);
  // With an earlier response as context, the call of an output may stand there.
  const paired =
    typeof extra.previous_response_id === 'string' ? request.input : withPairedCalls(withCallIds(request.input), notes);
  const body = withoutUndefined({
    model: request.model ?? options.model,
    instructions: request.instructions === '' ? undefined : request.instructions,
    input: paired.flatMap((item, place) => inputItem(ofThisWire(item, place, left), place, quirks, notes)),
    tools: request.tools && toTools(request.tools, notes),
    tool_choice: request.toolChoice,
    parallel_tool_calls: request.parallelToolCalls,
    reasoning: request.reasoning,
    temperature: request.temperature,
    top_p: request.topP,
    max_output_tokens: request.maxOutputTokens ?? options.maxOutputTokens,
    store: false,
    stream: options.stream ?? true,
    include: ['reasoning.encrypted_content'],
    ...extra,
    text: textOf(request, extra.text),
  });
  return { body, notes, unsendable: left.unsendable };
}

/** OpenAI refuses raw reasoning (`array_above_max_length`), and has no use for reasoning that is not its own. */
function inputItem(item: Item, place: number, { ownReasoningOnly }: ChatQuirks, notes: string[]): JsonObject[] {
  const fields = toInputItem(item);
  if (isServerBlock(fields)) {
    notes.push(`input[${place}]: left out, the Responses API has no items of type ${JSON.stringify(fields.type)}`);
    return [];
  }
  if (fields.type !== 'reasoning') return [fields];
  const isOwn = nonEmpty(fields.encrypted_content) !== undefined;
  if (ownReasoningOnly) {
    if (!isOwn) notes.push(`input[${place}]: left out, this server takes no reasoning but what it encrypted itself`);
    return isOwn ? [omit(fields, 'content')] : [];
  }
  // What a chat server wants back may have had a reasoning item to itself, and so has thinking that Anthropic redacted.
  const { encrypted_content: sealed } = item as JsonObject;
  const isOthers = 'carried' in item || isSealedThinking(sealed);
  const isBare = !isOwn && isOthers && fields.content === undefined && isEmptyList(fields.summary);
  return isBare ? [] : [fields];
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/**
 * An item as it is sent: `id` only with the prefix of its type, since the API refuses others, and only where a
 * server gave it; none for encrypted reasoning, which fits the id that it came with alone, and may be known by an earlier one of
 * the same item; raw reasoning only where there is some; a call's arguments as a JSON object.
 */
export function toInputItem(item: Item): JsonObject {
  const fields = omit({ ...item }, 'carried');
  if ('id' in fields && !hasSendableId(fields)) delete fields.id;
  if (fields.type === 'reasoning' && !hasRawReasoning(fields.content)) delete fields.content;
  if (isSealedThinking(fields.encrypted_content)) delete fields.encrypted_content; // Anthropic's, and no other server's
  if (fields.type === 'function_call' && typeof fields.arguments === 'string') {
    fields.arguments = sendableArguments(fields.arguments);
  }
  return fields;
}

/** Functions with what a client of this wire had beside them; a tool of another wire that this one has none for is left out. */
function toTools(tools: readonly Tool[], notes: string[]): JsonObject[] {
  return tools.flatMap((tool, place) => {
    const { carried, ...fields } = tool as JsonObject;
    const own = isObject(carried) && carried.wire === 'responses' && isObject(carried.members) ? carried.members : {};
    if (tool.type === 'function') return [{ ...own, ...fields, parameters: objectSchema(tool.parameters) }];
    if (carried === undefined || tool.type === 'web_search') return [fields];
    notes.push(`tools[${place}]: left out, the Responses API has no tools of type ${JSON.stringify(tool.type)}`);
    return [];
  });
}

function hasSendableId(fields: JsonObject): boolean {
  const { id } = fields;
  if (fields.type === 'reasoning' && nonEmpty(fields.encrypted_content) !== undefined) return false;
  // A reference is nothing but its id.
  return (
    fields.type === 'item_reference' || (typeof id === 'string' && hasPrefixOf(fields.type, id) && !isMintedId(id))
  );
}

function hasRawReasoning(content: unknown): boolean {
  return Array.isArray(content) && content.some((part) => isObject(part) && part.type === 'reasoning_text');
}

function textOf(request: ModelRequest, extra: unknown): unknown {
  if (request.outputSchema === undefined) return extra;
  const { name, description, schema, strict } = request.outputSchema;
  const format = withoutUndefined({ type: 'json_schema', name, description, schema, strict });
  return { format, ...(isObject(extra) ? extra : {}) };
}
