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
function requestFieldsOf(given: JsonObject = {}): JsonObject {
  return { ...DEFAULTS, ...given, ...wholeFields(given) };
}

/** Members that the encoder gives the object itself; where a request has one of them, too, it takes the place of that. */
const OWN = ['id', 'object', 'created_at', 'status', 'model', 'output', 'usage', 'end_turn'] as const;

/** What the encoder knows of a response, in the order of the object. */
export interface ResponseState {
  /** `id`, `object`, `created_at`, `status` and `model`. */
  readonly begin: JsonObject;
  readonly output: readonly unknown[];
  /** What the end of the answer says in place of what was said before. */
  readonly end: JsonObject;
}

/** The response object of one request: as it stands, and as JSON, in which what the request decides is written once. */
export class ResponseObject {
  readonly #fields: JsonObject;
  /** Those of them that an end may change: the first, and all short. */
  readonly #first: JsonObject;
  readonly #others: JsonObject;
  readonly #isPlain: boolean;
  #othersText: string | undefined;

  /** @param given - fields of the request */
  constructor(given: JsonObject | undefined) {
    this.#fields = requestFieldsOf(given);
    const { background, completed_at, error, frequency_penalty, incomplete_details, ...others } = this.#fields;
    this.#first = { background, completed_at, error, frequency_penalty, incomplete_details };
    this.#others = others;
    // Names that are numbers stand before all others in an object.
    const [first] = Object.keys(this.#fields);
    this.#isPlain = first === 'background' && !OWN.some((name) => Object.hasOwn(this.#fields, name));
  }

  of({ begin, output, end }: ResponseState): JsonObject {
    return { ...begin, ...this.#fields, output, usage: null, ...end };
  }

  /** The same as JSON. */
  textOf(state: ResponseState): string {
    if (!this.#isPlain) return JSON.stringify(this.of(state));
    const { begin, output, end } = state;
    const { usage = null, end_turn, ...changed } = end;
    this.#othersText ??= membersOf(this.#others);
    const first = membersOf({ ...begin, ...this.#first, ...changed });
    const last = membersOf({ output, usage, end_turn });
    return `{${[first, this.#othersText, last].filter((text) => text !== '').join(',')}}`;
  }
}

function membersOf(object: JsonObject): string {
  return JSON.stringify(object).slice(1, -1);
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
