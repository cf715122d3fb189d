import { isObject, type JsonObject } from '../base/json.ts';
import type { ModelRequest, Tool, ToolChoice } from '../model/request.ts';
import { commonChatQuirks, type ChatQuirks } from '../quirks.ts';
import { withoutUndefined, type RequestBody } from '../request-body.ts';
import { clientTools } from '../tools/client-tools.ts';
import { objectSchema } from '../tools/object-schema.ts';
import { withCacheMarks } from './cache-marks.ts';
import { membersOf } from './carried.ts';
import { textBlocks } from './request-content.ts';
import { isBillingLine } from './request-parse.ts';
import { toMessages } from './request-messages.ts';
import { thinkingFields } from './request-thinking.ts';

/** How a Messages request is written. */
export interface MessagesBodyOptions {
  /** The model that is asked when the request names none. Default: none is named. */
  readonly model?: string | undefined;
  /** Bound of the answer in tokens when the request sets none; the wire wants one. Default 32,000. */
  readonly maxOutputTokens?: number | undefined;
  /** Ask for a stream of events, not for one JSON body. Default true. */
  readonly stream?: boolean;
  /** From `chatQuirksOf`. Default: the common form. */
  readonly quirks?: ChatQuirks | undefined;
}

const MAX_TOKENS = 32_000;

/**
 * The body of `POST /v1/messages` for a request (docs/contract.md section 8). What the wire has no form for is left out and
 * listed in the notes. Never fails. `extra` comes last and wins, but for `system`, to which the request's own is added.
 */
export function toMessagesRequest(request: ModelRequest, options: MessagesBodyOptions = {}): RequestBody {
  const notes: string[] = [];
  const { quirks = commonChatQuirks } = options;
  const { extra = {} } = request;
  const maxTokens = request.maxOutputTokens ?? options.maxOutputTokens ?? MAX_TOKENS;
  const { system, messages, lostThinking } = toMessages(request, quirks, notes);
  const tools = toTools(request.tools ?? [], notes);
  const forced = typeof request.toolChoice === 'object' || request.toolChoice === 'required';
  const thinking = thinkingFields(request, { quirks, maxTokens, off: lostThinking || forced }, notes);
  const body = withoutUndefined({
    model: request.model ?? options.model,
    max_tokens: maxTokens,
    stream: options.stream ?? true,
    temperature: request.temperature,
    top_p: request.topP,
    ...(tools.length === 0 ? {} : { tools, tool_choice: toToolChoice(request) }),
    ...thinking,
    ...extra,
    output_config: configOf(request, thinking.output_config, extra.output_config),
    system: systemOf(extra.system ?? request.instructions, system, quirks.maker === 'anthropic'),
    messages,
  });
  return { body: quirks.cacheMarks ? withCacheMarks(body) : body, notes };
}

/**
 * Text blocks: those of a client of this wire as they are, or the instructions; behind them what was said before the first
 * turn. A line for Anthropic's accounting goes to Anthropic alone: other servers would begin each conversation anew for it.
 */
function systemOf(given: unknown, said: readonly string[], keepsBilling: boolean): unknown {
  const blocks = typeof given === 'string' ? textBlocks(given) : Array.isArray(given) ? given.filter(isObject) : [];
  const all = [
    ...blocks.filter(({ text }) => keepsBilling || !isBillingLine(text)),
    ...said.flatMap((text) => textBlocks(text)),
  ];
  return all.length === 0 ? undefined : all;
}

function toTools(tools: readonly Tool[], notes: string[]): JsonObject[] {
  return tools.flatMap((tool, place) => {
    const members = membersOf(tool);
    if (typeof members.type === 'string' && typeof members.name === 'string' && tool.type !== 'function')
      return [members];
    const { name } = tool;
    if (typeof name === 'string' && (tool.type === 'function' || tool.type === 'custom')) {
      if (typeof members.input_schema !== 'object' && isWhole(members)) return [members];
      const { description, parameters, strict } =
        tool.type === 'custom' ? clientTools.custom.asFunction(tool, name) : tool;
      const strictness = strict === true ? true : undefined; // false is the default
      return [
        withoutUndefined({ name, description, input_schema: objectSchema(parameters), strict: strictness, ...members }),
      ];
    }
    notes.push(`tools[${place}]: left out, a Messages request has no tools of type ${JSON.stringify(tool.type)}`);
    return [];
  });
}

/** One of Anthropic's tools, as a client of this wire declared it. */
function isWhole({ type }: JsonObject): boolean {
  return typeof type === 'string' && type !== 'custom';
}

function toToolChoice({ toolChoice, parallelToolCalls }: ModelRequest): JsonObject | undefined {
  if (toolChoice === undefined && parallelToolCalls !== false) return undefined;
  const choice = choiceOf(toolChoice ?? 'auto');
  const single = parallelToolCalls === false && choice.type !== 'none';
  return single ? { ...choice, disable_parallel_tool_use: true } : choice;
}

function choiceOf(choice: ToolChoice): JsonObject {
  if (typeof choice === 'object') return { type: 'tool', name: choice.name };
  return { type: choice === 'required' ? 'any' : choice };
}

/** Effort and form of the answer stand in one object; what a client of this wire wrote in it wins. */
function configOf({ outputSchema }: ModelRequest, own: unknown, given: unknown): JsonObject | undefined {
  const format = outputSchema === undefined ? {} : { format: { type: 'json_schema', schema: outputSchema.schema } };
  const config = { ...(isObject(own) ? own : {}), ...format, ...(isObject(given) ? given : {}) };
  return Object.keys(config).length === 0 ? undefined : config;
}
