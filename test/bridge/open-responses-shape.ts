/**
 * The shapes that the Open Responses specification (2026-04-24) publishes for what a server answers, in our own words: what a
 * value has that it may not have, or lacks, one line each.
 */
export type Shape = (value: unknown, path: string) => readonly string[];

type Members = Readonly<Record<string, Shape>>;

const kind =
  (name: string, holds: (value: unknown) => boolean): Shape =>
  (value, path) =>
    holds(value) ? [] : [`${path}: ${name} expected, ${JSON.stringify(value)} found`];

const string = kind('a string', (value) => typeof value === 'string');
const number = kind('a number', (value) => typeof value === 'number');
const integer = kind('an integer', Number.isInteger);
const boolean = kind('a boolean', (value) => typeof value === 'boolean');
const anything: Shape = () => [];

const oneOf = (...words: readonly unknown[]): Shape =>
  kind(`one of ${JSON.stringify(words)}`, (value) => words.includes(value));

const orNull =
  (shape: Shape): Shape =>
  (value, path) =>
    value === null ? [] : shape(value, path);

const list =
  (shape: Shape): Shape =>
  (value, path) =>
    Array.isArray(value)
      ? value.flatMap((one, place) => shape(one, `${path}[${place}]`))
      : [`${path}: a list expected`];

/** An object with all of `required`, and of `optional` what it likes; what else it has is its own business. */
const object =
  (required: Members, optional: Members = {}): Shape =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: an object expected`];
    const members = value as Readonly<Record<string, unknown>>;
    const missing = Object.keys(required).filter((name) => members[name] === undefined);
    const present = Object.entries({ ...required, ...optional }).filter(([name]) => members[name] !== undefined);
    return [
      ...missing.map((name) => `${path}.${name}: missing`),
      ...present.flatMap(([name, shape]) => shape(members[name], `${path}.${name}`)),
    ];
  };

/** By the `type` of an object; an unknown one is no member of the union. */
const byType =
  (shapes: Members): Shape =>
  (value, path) => {
    const type = (value as { type?: unknown } | null)?.type;
    const shape = typeof type === 'string' ? shapes[type] : undefined;
    return shape === undefined ? [`${path}: of the unknown type ${String(type)}`] : shape(value, path);
  };

const either =
  (...shapes: readonly Shape[]): Shape =>
  (value, path) => {
    const found = shapes.map((shape) => shape(value, path));
    return found.some((problems) => problems.length === 0) ? [] : (found[0] ?? []);
  };

const status = oneOf('in_progress', 'completed', 'incomplete');
const token = { token: string, logprob: number, bytes: list(integer) };

const part = byType({
  input_text: object({ text: string }),
  input_image: object({ image_url: orNull(string), detail: oneOf('low', 'high', 'auto') }),
  input_file: object({}, { filename: string, file_url: string }),
  output_text: object(
    {
      text: string,
      annotations: list(
        byType({ url_citation: object({ url: string, start_index: integer, end_index: integer, title: string }) }),
      ),
    },
    { logprobs: list(object({ ...token, top_logprobs: list(object(token)) })) },
  ),
  refusal: object({ refusal: string }),
  summary_text: object({ text: string }),
  reasoning_text: object({ text: string }),
});

/** One item, as answers list it. */
export const itemShape: Shape = byType({
  message: object(
    { id: string, status, role: oneOf('user', 'assistant', 'system', 'developer'), content: list(part) },
    { phase: oneOf('commentary', 'final_answer') },
  ),
  function_call: object({ id: string, call_id: string, name: string, arguments: string, status }),
  function_call_output: object({ id: string, call_id: string, output: either(string, list(part)), status }),
  reasoning: object({ id: string, summary: list(part) }, { content: list(part), encrypted_content: string }),
  compaction: object({ id: string, encrypted_content: string }, { created_by: string }),
});

const usage = object({
  input_tokens: integer,
  output_tokens: integer,
  total_tokens: integer,
  input_tokens_details: object({ cached_tokens: integer }),
  output_tokens_details: object({ reasoning_tokens: integer }),
});

const choice = oneOf('none', 'auto', 'required');
const functionChoice = object({ type: oneOf('function') }, { name: string });

/** The response object. */
export const responseShape: Shape = object({
  id: string,
  object: oneOf('response'),
  created_at: integer,
  completed_at: orNull(integer),
  status: string,
  incomplete_details: orNull(object({ reason: string })),
  model: string,
  previous_response_id: orNull(string),
  instructions: orNull(string),
  output: list(itemShape),
  error: orNull(object({ code: string, message: string })),
  tools: list(
    byType({
      function: object({
        name: string,
        description: orNull(string),
        parameters: orNull(object({})),
        strict: orNull(boolean),
      }),
    }),
  ),
  tool_choice: either(
    choice,
    functionChoice,
    object({ type: oneOf('allowed_tools'), tools: list(functionChoice), mode: choice }),
  ),
  truncation: oneOf('auto', 'disabled'),
  parallel_tool_calls: boolean,
  text: object(
    {
      format: byType({
        text: object({}),
        json_object: object({}),
        json_schema: object({ name: string, strict: boolean }),
      }),
    },
    { verbosity: oneOf('low', 'medium', 'high') },
  ),
  top_p: number,
  presence_penalty: number,
  frequency_penalty: number,
  top_logprobs: integer,
  temperature: number,
  reasoning: orNull(object({ effort: orNull(string), summary: orNull(string) })),
  usage: orNull(usage),
  max_output_tokens: orNull(integer),
  max_tool_calls: orNull(integer),
  store: boolean,
  background: boolean,
  service_tier: string,
  metadata: anything,
  safety_identifier: orNull(string),
  prompt_cache_key: orNull(string),
});

/** What `POST /v1/responses/compact` answers. */
export const compactionShape: Shape = object({
  id: string,
  object: oneOf('response.compaction'),
  output: list(itemShape),
  created_at: integer,
  usage,
});

const place = { item_id: string, output_index: integer };
const inContent = { ...place, content_index: integer };
const inSummary = { ...place, summary_index: integer };
const ofResponse = object({ sequence_number: integer, response: responseShape });
const event = (members: Members): Shape => object({ sequence_number: integer, ...members });

/** One event of a stream. */
export const eventShape: Shape = byType({
  ...Object.fromEntries(
    ['created', 'queued', 'in_progress', 'completed', 'failed', 'incomplete'].map((name) => [
      `response.${name}`,
      ofResponse,
    ]),
  ),
  'response.output_item.added': event({ output_index: integer, item: itemShape }),
  'response.output_item.done': event({ output_index: integer, item: itemShape }),
  'response.content_part.added': event({ ...inContent, part }),
  'response.content_part.done': event({ ...inContent, part }),
  'response.output_text.delta': event({ ...inContent, delta: string }),
  'response.output_text.done': event({ ...inContent, text: string }),
  'response.refusal.delta': event({ ...inContent, delta: string }),
  'response.refusal.done': event({ ...inContent, refusal: string }),
  'response.reasoning_text.delta': event({ ...inContent, delta: string }),
  'response.reasoning_text.done': event({ ...inContent, text: string }),
  'response.reasoning_summary_part.added': event({ ...inSummary, part }),
  'response.reasoning_summary_part.done': event({ ...inSummary, part }),
  'response.reasoning_summary_text.delta': event({ ...inSummary, delta: string }),
  'response.reasoning_summary_text.done': event({ ...inSummary, text: string }),
  'response.function_call_arguments.delta': event({ ...place, delta: string }),
  'response.function_call_arguments.done': event({ ...place, arguments: string }),
});
