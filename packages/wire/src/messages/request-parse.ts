import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import type { ModelRequest, OutputSchema, ToolChoice } from '../model/request.ts';
import { withoutUndefined } from '../request-body.ts';
import {
  InvalidFieldError,
  isAbsent,
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
import { THREAD_UNSUPPORTED } from './encode-error.ts';
import { fromMessages } from './request-parse-messages.ts';
import { textBlocks } from './request-parse-content.ts';
import { parseTools } from './request-parse-tools.ts';

/** Fields that are read whole. What others say beyond what is read of them goes back to the same wire. */
const ownFields = new Set(['model', 'messages', 'tools', 'max_tokens', 'temperature', 'top_p', 'stream']);

/**
 * Reads the body of `POST /v1/messages` (docs/contract.md section 8). Unknown fields are in `rest`, as are those of which the
 * options tell only a part (`thinking`, `output_config`, a `system` of blocks): the same wire gets them as they are.
 *
 * @throws InvalidFieldError for a field of the wrong type, and for a thread, a container or MCP servers
 */
export function fromMessagesRequest(body: JsonObject): ParsedRequest {
  refuseUnsupported(body);
  const tools = parseTools(body.tools);
  const { choice, parallel } = parseToolChoice(body.tool_choice, tools.serverNames);
  const effort = effortOf(body);
  const request = withoutUndefined({
    model: optionalString(body.model, 'model'),
    instructions: parseSystem(body.system),
    input: fromMessages(requireArray(body.messages, 'messages')),
    tools: tools.list,
    toolChoice: choice,
    parallelToolCalls: parallel,
    maxOutputTokens: optionalCount(body.max_tokens, 'max_tokens'),
    temperature: optionalNumber(body.temperature, 'temperature'),
    topP: optionalNumber(body.top_p, 'top_p'),
    reasoning: effort === undefined ? undefined : { effort },
    outputSchema: parseFormat(body),
  });
  return {
    request: request as unknown as ModelRequest,
    stream: optionalBoolean(body.stream, 'stream') ?? false,
    includeUsage: true,
    rest: withoutUndefined({
      ...without(body, ownFields),
      system: typeof body.system === 'string' ? undefined : (body.system ?? undefined),
      tool_choice: choice === undefined ? (body.tool_choice ?? undefined) : undefined,
    }),
  };
}

/** What changes the meaning of a request, and cannot be done: to pass over it would lose a conversation or a tool. */
function refuseUnsupported(body: JsonObject): void {
  if (!isAbsent(body.thread)) {
    throw new InvalidFieldError('thread', 'message threads are not supported', THREAD_UNSUPPORTED);
  }
  for (const name of ['container', 'mcp_servers']) {
    const value = body[name];
    if (!isAbsent(value) && !(Array.isArray(value) && value.length === 0)) {
      throw new InvalidFieldError(name, 'is not supported here');
    }
  }
}

/** A line that Claude Code writes for Anthropic's accounting: it is not for the model, and no two conversations share it. */
export function isBillingLine(text: unknown): boolean {
  return typeof text === 'string' && text.startsWith('x-anthropic-billing-header:');
}

function parseSystem(value: unknown): string | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'string') return isBillingLine(value) ? undefined : value;
  const texts = textBlocks(requireArray(value, 'system'), 'system');
  const said = texts.filter((text) => text !== '' && !isBillingLine(text));
  return said.length === 0 ? undefined : said.join('\n\n');
}

const choices: Readonly<Record<string, ToolChoice>> = { auto: 'auto', any: 'required', none: 'none' };

/** @param serverNames - names of tools that no other server has: a choice of one goes with the tool */
function parseToolChoice(
  value: unknown,
  serverNames: ReadonlySet<string>,
): { readonly choice?: ToolChoice; readonly parallel?: boolean } {
  const fields = optionalObject(value, 'tool_choice');
  if (fields === undefined) return {};
  const off = optionalBoolean(fields.disable_parallel_tool_use, 'tool_choice.disable_parallel_tool_use');
  const parallel = off === undefined ? {} : { parallel: !off };
  const type = requireString(fields.type, 'tool_choice.type');
  const word = choices[type];
  if (word !== undefined) return { choice: word, ...parallel };
  if (type !== 'tool') throw new InvalidFieldError('tool_choice.type', 'expected auto, any, tool or none');
  const name = requireString(fields.name, 'tool_choice.name');
  return serverNames.has(name) ? parallel : { choice: { type: 'function', name }, ...parallel };
}

/** Efforts that other wires have a word for; more than that is the most. */
const efforts: Readonly<Record<string, string>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

function effortOf(body: JsonObject): string | undefined {
  const config = optionalObject(body.output_config, 'output_config');
  const wanted = optionalString(config?.effort, 'output_config.effort');
  const thinking = optionalObject(body.thinking, 'thinking');
  const type = optionalString(thinking?.type, 'thinking.type');
  if (type === 'disabled') return 'none';
  if (wanted !== undefined) return efforts[wanted] ?? wanted;
  return type === 'enabled'
    ? effortOfBudget(optionalNumber(thinking?.budget_tokens, 'thinking.budget_tokens'))
    : undefined;
}

/** Tokens of thinking as the effort that they stand for; {@link budgetOf} in `request.ts` is the way back. */
function effortOfBudget(budget = 0): string {
  if (budget < 4096) return 'low';
  return budget < 16_384 ? 'medium' : 'high';
}

function parseFormat(body: JsonObject): OutputSchema | undefined {
  const [value, param] = isObject(body.output_config)
    ? [body.output_config.format ?? body.output_format, 'output_config.format']
    : [body.output_format, 'output_format'];
  const format = optionalObject(value, param);
  if (format?.type !== 'json_schema') return undefined;
  return { name: nonEmpty(format.name) ?? 'answer', schema: requireObject(format.schema, `${param}.schema`) };
}
