import { isObject, type JsonObject } from '../base/json.ts';
import type { ModelRequest, OutputSchema, Tool, ToolChoice } from '../model/request.ts';
import { commonChatQuirks, type ChatQuirks } from '../quirks.ts';
import { withoutUndefined, type RequestBody } from '../request-body.ts';
import { objectSchema } from '../tools/object-schema.ts';
import { withChatCacheMarks } from './cache-marks.ts';
import { membersOf } from './carried.ts';
import { toChatMessages, type ToolName } from './request-messages.ts';

/** How a Chat Completions request is written. */
export interface ChatBodyOptions {
  /** The model that is asked when the request names none. Default: none is named. */
  readonly model?: string | undefined;
  /** Bound of the answer in tokens when the request sets none. Default: no bound is sent. */
  readonly maxOutputTokens?: number | undefined;
  /** Ask for token usage with `stream_options.include_usage`. Default false. */
  readonly askUsage?: boolean | undefined;
  /** Ask for a stream of events, not for one JSON body. Default true. */
  readonly stream?: boolean;
  /** From `chatQuirksOf`. Default: the common form. */
  readonly quirks?: ChatQuirks | undefined;
  /** How a tool of a namespace is called on a wire without namespaces. Default `<namespace>__<name>`. */
  readonly toolName?: ToolName | undefined;
}

/** The body of `POST /chat/completions`: {@link toChatRequest} without its notes. */
export function toChatBody(request: ModelRequest, options: ChatBodyOptions = {}): JsonObject {
  return toChatRequest(request, options).body;
}

/**
 * The body of `POST /chat/completions` for a request. What the chat wire has no form for is left out and listed in
 * the notes. Never fails. `extra` comes last and wins.
 */
export function toChatRequest(request: ModelRequest, options: ChatBodyOptions = {}): RequestBody {
  const notes: string[] = [];
  const quirks = options.quirks ?? commonChatQuirks;
  const tools = toChatTools(request.tools ?? [], notes);
  const stream = options.stream ?? true;
  const maxTokens = request.maxOutputTokens ?? options.maxOutputTokens;
  const { messages, unsendable } = toChatMessages(request, quirks, notes, options.toolName);
  const fields: JsonObject = {
    model: request.model ?? options.model,
    messages: quirks.cacheMarks ? withChatCacheMarks(messages, { ...request.extra, tools }) : messages,
    stream,
    stream_options: stream && options.askUsage === true ? { include_usage: true } : undefined,
    // Servers refuse the choice among tools where there is none.
    ...(tools.length === 0 ? {} : toolFields(request, tools)),
    response_format: request.outputSchema && toResponseFormat(request.outputSchema, quirks, notes),
    [quirks.maxTokensField]: maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    ...effortFields(request.reasoning?.effort, quirks),
    ...request.extra,
  };
  return { body: withoutUndefined(fields), notes, unsendable };
}

function toolFields(request: ModelRequest, tools: readonly JsonObject[]): JsonObject {
  return {
    tools,
    tool_choice: request.toolChoice && toChatToolChoice(request.toolChoice),
    parallel_tool_calls: request.parallelToolCalls,
  };
}

/** `function` tools keep their fields; a custom tool becomes a function with one text argument, `input`. */
function toChatTools(tools: readonly Tool[], notes: string[]): JsonObject[] {
  return tools.flatMap((tool, place) => {
    const { name } = tool;
    if (typeof name === 'string' && (tool.type === 'function' || tool.type === 'custom')) {
      return [
        tool.type === 'custom'
          ? { type: 'function', function: customAsFunction(tool) }
          : functionTool({ ...tool }, membersOf(tool)),
      ];
    }
    notes.push(`tools[${place}]: left out, a chat request has no tools of type ${JSON.stringify(tool.type)}`);
    return [];
  });
}

/** A function with what a chat client had beside it, and inside of it. */
function functionTool(tool: JsonObject, { function: inner, ...beside }: JsonObject): JsonObject {
  return { ...beside, type: 'function', function: { ...(isObject(inner) ? inner : {}), ...functionFields(tool) } };
}

function functionFields(tool: JsonObject): JsonObject {
  const { name, description, parameters, strict } = tool;
  return withoutUndefined({
    name,
    description: description ?? undefined,
    parameters: objectSchema(parameters),
    strict: strict === true ? true : undefined, // false is the default
  });
}

function customAsFunction(tool: JsonObject): JsonObject {
  const { name, description } = tool;
  const parameters = {
    type: 'object',
    properties: { input: { type: 'string' } },
    required: ['input'],
    additionalProperties: false,
  };
  return functionFields({ name, description, parameters });
}

function toChatToolChoice(choice: ToolChoice): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };
}

function toResponseFormat(output: OutputSchema, quirks: ChatQuirks, notes: string[]): JsonObject {
  if (!quirks.jsonSchema) {
    notes.push('outputSchema: the server knows no JSON schema, it is asked for any JSON object');
    return { type: 'json_object' };
  }
  const { name, description, schema, strict } = output;
  return { type: 'json_schema', json_schema: withoutUndefined({ name, description, schema, strict }) };
}

function effortFields(effort: string | undefined, quirks: ChatQuirks): JsonObject {
  if (effort === undefined) return {};
  return quirks.effortField === 'reasoning' ? { reasoning: { effort } } : { reasoning_effort: effort };
}
