import { isObject, type JsonObject } from '../base/json.ts';

/**
 * What the response object says where its request said nothing. The published schema (Open Responses 2026-04-24, OpenAI's document)
 * requires every one of these, and a number where others would write null.
 */
const DEFAULTS: JsonObject = {
  background: false,
  completed_at: null,
  error: null,
  frequency_penalty: 0,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  presence_penalty: 0,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: null,
  safety_identifier: null,
  service_tier: 'default',
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
};

/** The fields of a response object that its request decides, each of them there. */
export function requestFieldsOf(given: JsonObject = {}): JsonObject {
  return { ...DEFAULTS, ...given, ...wholeFields(given) };
}

/** What the schema wants whole: each member is there, and null where it is unknown. */
function wholeFields({ tools, reasoning, text }: JsonObject): JsonObject {
  return {
    ...(Array.isArray(tools) ? { tools: tools.map(wholeTool) } : {}),
    ...(isObject(reasoning) ? { reasoning: { effort: null, summary: null, ...reasoning } } : {}),
    ...(isObject(text) ? { text: { ...text, format: wholeFormat(text.format) } } : {}),
  };
}

function wholeTool(tool: unknown): unknown {
  const isFunction = isObject(tool) && tool.type === 'function';
  return isFunction ? { description: null, parameters: null, strict: null, ...tool } : tool;
}

function wholeFormat(format: unknown): unknown {
  if (!isObject(format)) return { type: 'text' };
  return format.type === 'json_schema' ? { description: null, strict: false, ...format } : format;
}
