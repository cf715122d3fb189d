import { isObject, type JsonObject } from '../base/json.ts';
import type { Item } from '../model/items.ts';
import type { ModelRequest, OutputSchema, Tool, ToolChoice } from '../model/request.ts';
import { outputSchemaOf } from '../output-schema.ts';
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
  wrongType,
  type ParsedRequest,
} from '../request-fields.ts';

const ownFields = new Set([
  'model',
  'instructions',
  'input',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'reasoning',
  'text',
  'stream',
]);

/**
 * Reads the body of `POST /responses`, or the fields of a `response.create` frame. Items and tools of unknown types are
 * carried untouched. `input` may be missing only next to a `previous_response_id`.
 *
 * @throws InvalidFieldError for a field of the wrong type, with its path
 */
export function fromResponsesRequest(body: JsonObject): ParsedRequest {
  const choice = parseToolChoice(body.tool_choice);
  const reasoning = parseReasoning(body.reasoning);
  const text = parseText(body.text);
  const request = withoutUndefined({
    model: optionalString(body.model, 'model'),
    instructions: optionalString(body.instructions, 'instructions'),
    input: parseInput(body),
    tools: optionalArray(body.tools, 'tools')?.map(parseTool),
    toolChoice: choice,
    parallelToolCalls: optionalBoolean(body.parallel_tool_calls, 'parallel_tool_calls'),
    maxOutputTokens: optionalCount(body.max_output_tokens, 'max_output_tokens'),
    temperature: optionalNumber(body.temperature, 'temperature'),
    topP: optionalNumber(body.top_p, 'top_p'),
    reasoning: reasoning.option,
    outputSchema: text.schema,
  });
  return {
    request: request as unknown as ModelRequest,
    stream: optionalBoolean(body.stream, 'stream') ?? false,
    includeUsage: true,
    rest: withoutUndefined({
      ...without(body, ownFields),
      tool_choice: choice === undefined ? (body.tool_choice ?? undefined) : undefined,
      reasoning: reasoning.rest,
      text: text.rest,
    }),
  };
}

function parseInput(body: JsonObject): Item[] {
  const { input } = body;
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  if (input === undefined && !isAbsent(body.previous_response_id)) return [];
  if (!Array.isArray(input)) throw wrongType('input', 'a string or an array', input);
  return input.map(parseItem);
}

function parseItem(value: unknown, place: number): Item {
  const param = `input[${place}]`;
  const item = requireObject(value, param);
  const type = optionalString(item.type, `${param}.type`);
  if (type === undefined && item.role !== undefined) return parseItem({ ...item, type: 'message' }, place);
  if (type === 'message') {
    checkMessage(item, param);
    return Array.isArray(item.content) ? { ...item, content: item.content.map(imageAsInput) } : item;
  }
  if (type === 'function_call') checkStrings(item, param, ['call_id', 'name', 'arguments']);
  if (type === 'custom_tool_call') checkStrings(item, param, ['call_id', 'name', 'input']);
  if (type === 'function_call_output' || type === 'custom_tool_call_output') {
    checkStrings(item, param, ['call_id']);
    checkContent(item.output, `${param}.output`);
  }
  return item;
}

function checkMessage(item: JsonObject, param: string): void {
  const role = requireString(item.role, `${param}.role`);
  if (!['user', 'assistant', 'system', 'developer'].includes(role)) {
    throw new InvalidFieldError(`${param}.role`, 'expected user, assistant, system or developer');
  }
  checkContent(item.content, `${param}.content`);
}

function checkContent(value: unknown, param: string): void {
  if (typeof value === 'string') return;
  if (!Array.isArray(value)) throw wrongType(param, 'a string or an array', value);
  for (const [place, part] of value.entries()) {
    const at = `${param}[${place}]`;
    const { type, text } = requireObject(part, at);
    requireString(type, `${at}.type`);
    if (type === 'input_text' || type === 'output_text') requireString(text, `${at}.text`);
  }
}

/** Clients that come from the chat wire write images in its form. */
function imageAsInput(part: unknown): unknown {
  if (!isObject(part) || (part.type !== 'image_url' && part.type !== 'input_image')) return part;
  const { image_url: image } = part;
  if (part.type === 'input_image' && !isObject(image)) return part;
  const { url, detail } = isObject(image) ? image : { url: image, detail: part.detail };
  return { ...part, type: 'input_image', image_url: url, detail: detail ?? part.detail ?? 'auto' };
}

function checkStrings(item: JsonObject, param: string, names: readonly string[]): void {
  for (const name of names) requireString(item[name], `${param}.${name}`);
}

function parseTool(value: unknown, place: number): Tool {
  const param = `tools[${place}]`;
  const tool = requireObject(value, param);
  const type = requireString(tool.type, `${param}.type`);
  if (type === 'function' || type === 'custom') requireString(tool.name, `${param}.name`);
  if (type === 'function') optionalObject(tool.parameters, `${param}.parameters`);
  if (type === 'namespace') requireArray(tool.tools, `${param}.tools`);
  return tool as Tool;
}

/** A choice that our own form has no word for (`allowed_tools`, a hosted tool) stays in `rest`. */
function parseToolChoice(value: unknown): ToolChoice | undefined {
  if (isAbsent(value)) return undefined;
  if (value === 'auto' || value === 'none' || value === 'required') return value;
  if (value === 'any') return 'required'; // Mistral's word
  if (typeof value === 'string')
    throw new InvalidFieldError('tool_choice', 'expected auto, none, required or an object');
  const { type, name } = requireObject(value, 'tool_choice');
  return type === 'function' ? { type, name: requireString(name, 'tool_choice.name') } : undefined;
}

/** Effort and summary are options; an object with more than those also stays whole in `rest`, where it wins. */
function parseReasoning(value: unknown): { option?: ModelRequest['reasoning']; rest?: JsonObject } {
  const reasoning = optionalObject(value, 'reasoning');
  if (reasoning === undefined) return {};
  const effort = optionalString(reasoning.effort, 'reasoning.effort');
  const summary = optionalString(reasoning.summary, 'reasoning.summary');
  const option = withoutUndefined({ effort, summary });
  const isWhole = Object.keys(reasoning).every((name) => Object.hasOwn(option, name));
  return isWhole ? { option } : { option, rest: reasoning };
}

function parseText(value: unknown): { schema?: OutputSchema; rest?: JsonObject } {
  const text = optionalObject(value, 'text');
  if (text === undefined) return {};
  const format = optionalObject(text.format, 'text.format');
  if (format?.type !== 'json_schema') return { rest: text };
  const schema = outputSchemaOf(format, 'text.format');
  const rest = without(text, new Set(['format']));
  return Object.keys(rest).length === 0 ? { schema } : { schema, rest };
}
