import { isObject, type JsonObject } from '../base/json.ts';
import type { FunctionTool, ModelRequest, OutputSchema, Tool, ToolChoice } from '../model/request.ts';
import { withoutUndefined } from '../request-body.ts';
import {
  InvalidFieldError,
  isAbsent,
  optionalArray,
  optionalBoolean,
  optionalCount,
  optionalNumber,
  optionalObject,
  optionalString,
  requireArray,
  requireObject,
  requireString,
  without,
  type ParsedRequest,
} from '../request-fields.ts';
import { outputSchemaOf } from '../output-schema.ts';
import { carriedOfPart } from './carried.ts';
import { fromChatMessages } from './request-parse-messages.ts';

const ownFields = new Set([
  'model',
  'messages',
  'tools',
  'functions',
  'tool_choice',
  'parallel_tool_calls',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'reasoning_effort',
  'response_format',
  'stream',
  'stream_options',
]);

/**
 * Reads the body of `POST /chat/completions`. The first system message becomes the instructions; what no option fits
 * is in `rest`.
 *
 * @throws InvalidFieldError for a field of the wrong type, with its path
 */
export function fromChatRequest(body: JsonObject): ParsedRequest {
  const { instructions, input } = fromChatMessages(requireArray(body.messages, 'messages'));
  const choice = parseToolChoice(body.tool_choice);
  const schema = outputSchema(body.response_format);
  const effort = optionalString(body.reasoning_effort, 'reasoning_effort');
  // LM Studio's and llama.cpp's clients mean no limit by -1.
  const maxTokens = body.max_tokens === -1 ? undefined : optionalCount(body.max_tokens, 'max_tokens');
  const request = withoutUndefined({
    model: optionalString(body.model, 'model'),
    instructions,
    input,
    tools: parseTools(body),
    toolChoice: choice,
    parallelToolCalls: optionalBoolean(body.parallel_tool_calls, 'parallel_tool_calls'),
    maxOutputTokens: optionalCount(body.max_completion_tokens, 'max_completion_tokens') ?? maxTokens,
    temperature: optionalNumber(body.temperature, 'temperature'),
    topP: optionalNumber(body.top_p, 'top_p'),
    reasoning: effort === undefined ? undefined : { effort },
    outputSchema: schema,
  });
  const streamOptions = optionalObject(body.stream_options, 'stream_options');
  return {
    request: request as unknown as ModelRequest,
    stream: optionalBoolean(body.stream, 'stream') ?? false,
    includeUsage: optionalBoolean(streamOptions?.include_usage, 'stream_options.include_usage') ?? false,
    rest: withoutUndefined({
      ...without(body, ownFields),
      tool_choice: choice === undefined ? (body.tool_choice ?? undefined) : undefined,
      response_format: schema === undefined ? (body.response_format ?? undefined) : undefined,
    }),
  };
}

function parseTools(body: JsonObject): Tool[] | undefined {
  const tools = optionalArray(body.tools, 'tools')?.map((tool, place) => parseTool(tool, `tools[${place}]`));
  if (tools !== undefined) return tools;
  // The form before `tools`: the functions themselves.
  return optionalArray(body.functions, 'functions')?.map((fields, place) =>
    parseFunction(fields, `functions[${place}]`),
  );
}

function parseTool(value: unknown, param: string): Tool {
  const tool = requireObject(value, param);
  const type = requireString(tool.type, `${param}.type`);
  if (type === 'function') {
    const carried = carriedOfPart(tool, 'function', FUNCTION_MEMBERS);
    const isBare = Object.keys(carried.members).length === 0;
    return { ...parseFunction(tool.function, `${param}.function`), ...(isBare ? {} : { carried }) };
  }
  if (type !== 'custom') return tool as Tool;
  const custom = requireObject(tool.custom, `${param}.custom`);
  requireString(custom.name, `${param}.custom.name`);
  return { ...custom, ...(isObject(custom.format) ? { format: customFormat(custom.format) } : {}), type };
}

const FUNCTION_MEMBERS: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'strict']);

function parseFunction(value: unknown, param: string): FunctionTool {
  const { name, description, parameters, strict } = requireObject(value, param);
  const tool = withoutUndefined({
    description: optionalString(description, `${param}.description`),
    parameters: optionalObject(parameters, `${param}.parameters`),
    // The default of this API. The Responses API's is to be strict where it can, and to fill in what is optional.
    strict: optionalBoolean(strict, `${param}.strict`) ?? false,
  });
  return { type: 'function', name: requireString(name, `${param}.name`), ...tool };
}

/** Chat wraps a grammar once more: `{type: "grammar", grammar: {syntax, definition}}`. */
function customFormat(format: JsonObject): JsonObject {
  return isObject(format.grammar) ? { type: 'grammar', ...format.grammar } : format;
}

function parseToolChoice(value: unknown): ToolChoice | undefined {
  if (isAbsent(value)) return undefined;
  if (value === 'auto' || value === 'none' || value === 'required') return value;
  if (value === 'any') return 'required'; // Mistral's word
  if (typeof value === 'string')
    throw new InvalidFieldError('tool_choice', 'expected auto, none, required or an object');
  const choice = requireObject(value, 'tool_choice');
  if (choice.type !== 'function') return undefined;
  const { name } = requireObject(choice.function, 'tool_choice.function');
  return { type: 'function', name: requireString(name, 'tool_choice.function.name') };
}

function outputSchema(value: unknown): OutputSchema | undefined {
  const format = optionalObject(value, 'response_format');
  if (format?.type !== 'json_schema') return undefined;
  const param = 'response_format.json_schema';
  return outputSchemaOf(requireObject(format.json_schema, param), param);
}
