import { isObject, nonEmpty, omit, stringOf, type JsonObject } from '../base/json.ts';

/** The name of a heal; a repair has the same. */
export type HealName =
  | 'usage_refused'
  | 'max_tokens_refused'
  | 'max_completion_tokens_refused'
  | 'effort_value_refused'
  | 'effort_refused'
  | 'temperature_refused'
  | 'top_p_refused'
  | 'parallel_tool_calls_refused'
  | 'strict_refused'
  | 'developer_role_refused'
  | 'system_between_turns_refused'
  | 'thinking_refused'
  | 'json_schema_refused'
  | 'images_refused'
  | 'text_parts_refused';

/** What a server said of a request that it refused. */
export interface RequestRefusal {
  readonly status?: number | undefined;
  readonly message: string;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
}

/** One way to make a request acceptable to a server that refused it by naming a field (docs/contract.md 3.14). */
export interface Heal {
  readonly name: HealName;
  /** What such a refusal says. */
  readonly told: RegExp;
  /** It says so in other words than {@link REFUSES}. */
  readonly anyWords?: boolean;
  /** Statuses of the refusal. Default: {@link STATUSES}. */
  readonly statuses?: readonly number[];
  /** It helps one conversation, and says nothing of the next one. */
  readonly once?: boolean;
  /** What is told to whoever asked. */
  readonly note: string;
  /** The body without the fault; undefined where it has none, so that this is no help. */
  mend(body: JsonObject): JsonObject | undefined;
}

const STATUSES: readonly number[] = [400, 422];

/** A refusal of the field itself… */
const REFUSES =
  /unsupported|not support|unrecogni[sz]ed|unknown|unexpected|invalid|extra (inputs|fields)|not (permitted|allowed|valid|available|compatible|one of)|does(n't| not) (accept|exist|work)|must be|should be|only the default|expected|deprecated/i;
/** …and not of its value, which its sender has to hear of. */
const RANGE = /between|at (most|least)|(less|greater) than|too (large|big|high|long|many|small)|range|exceeds?\b/i;

/** Nearest to efforts that only newer models know. */
const NEAREST_EFFORT: Readonly<Record<string, string>> = { xhigh: 'high', max: 'high', minimal: 'low', none: 'low' };

const NO_IMAGE = '(an image was here, which this model cannot see)';

/** All that is healed, in the order in which it is tried. Each row says who refuses it. */
export const heals: readonly Heal[] = [
  {
    // Older Mistral, Azure up to 2024-08.
    ...leftOut('usage_refused', 'stream_options', /stream_options|include_usage/),
    anyWords: true,
  },
  // OpenAI's reasoning models at hosts that nobody knows: opencode#37964, Pulse#1867, litellm#13432.
  renamed('max_tokens_refused', 'max_tokens', 'max_completion_tokens', /\bmax_tokens\b/),
  renamed('max_completion_tokens_refused', 'max_completion_tokens', 'max_tokens', /\bmax_completion_tokens\b/),
  {
    // `xhigh` and `minimal`: ollama#17252, hermes#23435.
    name: 'effort_value_refused',
    told: /effort|invalid reasoning/i,
    note: 'reasoning_effort: the nearest that the server knows was sent',
    mend: (body) => withEffort(body, (effort) => NEAREST_EFFORT[effort]),
  },
  {
    // xAI: crush#386, junie#39.
    name: 'effort_refused',
    told: /reasoning[._ ]?effort|\breasoning\b/i,
    note: 'reasoning_effort: left out, the server refuses it',
    mend: withoutEffort,
  },
  // Models of OpenAI that reason: qwen-code#921, 9router#536.
  leftOut('temperature_refused', 'temperature', /\btemperature\b/i),
  leftOut('top_p_refused', 'top_p', /\btop_p\b/i),
  // Azure's and Databricks' models, o-series.
  leftOut('parallel_tool_calls_refused', 'parallel_tool_calls', /parallel_tool_calls|parallel tool calls/i),
  {
    // openrouter-examples#71, open-cowork#232.
    name: 'strict_refused',
    told: /\bstrict\b/i,
    note: 'strict: left out, the server refuses it',
    mend: (body) => changed(body, withoutStrict),
  },
  {
    // "developer is not one of ['system', 'assistant', 'user']": experiential#804, most local servers.
    name: 'developer_role_refused',
    told: /\bdeveloper\b/i,
    note: 'developer: sent as system, the server refuses this role',
    mend: (body) => changed(body, (one) => (one.role === 'developer' ? { ...one, role: 'system' } : one)),
  },
  {
    // Anthropic: "messages.1.content.0: Invalid `signature` in `thinking` block", where another model thought it, and
    // "Expected `thinking` or `redacted_thinking`, but found `tool_use`", where a client lost it: claude-code#10627, opencode#3077.
    name: 'thinking_refused',
    told: /`?signature`? in `?thinking|expected `?thinking`?|thinking[^]{0,80}cannot be modified/i,
    anyWords: true,
    once: true,
    note: 'thinking: left out, the server did not think it itself',
    mend: withoutThinking,
  },
  {
    // "System message must be at the beginning.", "Conversation roles must alternate user/assistant/…": templates of Qwen, Mistral
    // and Gemma, which llama.cpp answers with 500. "role 'system' is not supported on this model": Anthropic before Opus 4.8.
    name: 'system_between_turns_refused',
    told: /system message must be|roles must alternate|role ['"`]?system['"`]? (is )?not supported/i,
    anyWords: true,
    statuses: [...STATUSES, 500],
    note: 'system: sent as a text of the user, the server takes none between turns',
    mend: systemAsUser,
  },
  {
    // DeepSeek: "This response_format type is unavailable now".
    name: 'json_schema_refused',
    told: /json_schema|response_format|text\.format/i,
    anyWords: true,
    note: 'outputSchema: the server knows no JSON schema, it is asked for any JSON object',
    mend: (body) => changed(body, asJsonObject),
  },
  {
    // DeepSeek: cc-switch#3540; vLLM: "is not a multimodal model"; llama.cpp without mmproj: 500; OpenRouter: 404.
    name: 'images_refused',
    told: /image|vision|multimodal|mmproj/i,
    statuses: [...STATUSES, 404, 415, 500],
    note: 'image: the model takes none, a line of text says so in its place',
    mend: (body) => changed(body, withoutImage),
  },
  {
    // Servers whose messages are strings: "content: Input should be a valid string".
    name: 'text_parts_refused',
    told: /content.{0,80}\b(string|str)\b|\b(string|str)\b.{0,80}content/i,
    note: 'content: sent as one text, the server takes no parts',
    mend: (body) => changed(body, asOneText),
  },
];

/** What makes of a refused body one that is not refused for the same reason; undefined: nothing does. */
export function healFor(refusal: RequestRefusal, body: JsonObject, tried: ReadonlySet<HealName>): Heal | undefined {
  const text = [refusal.message, refusal.code, refusal.param].join(' ');
  return heals.find(
    (heal) => !tried.has(heal.name) && matches(heal, refusal.status, text) && heal.mend(body) !== undefined,
  );
}

function matches({ told, anyWords, statuses = STATUSES }: Heal, status: number | undefined, text: string): boolean {
  if (status === undefined || !statuses.includes(status) || !told.test(text)) return false;
  return anyWords === true || (REFUSES.test(text) && !RANGE.test(text));
}

/** A body as a server takes it that is known to need these heals, and what was changed. */
export function healed(
  body: JsonObject,
  known: ReadonlySet<HealName>,
): { readonly body: JsonObject; readonly notes: readonly string[] } {
  const notes: string[] = [];
  let current = body;
  for (const heal of heals) {
    const mended = known.has(heal.name) ? heal.mend(current) : undefined;
    if (mended === undefined) continue;
    current = mended;
    notes.push(heal.note);
  }
  return { body: current, notes };
}

function leftOut(name: HealName, field: string, told: RegExp): Heal {
  const note = `${field}: left out, the server refuses it`;
  return { name, told, note, mend: (body) => (field in body ? omit(body, field) : undefined) };
}

function renamed(name: HealName, from: string, to: string, told: RegExp): Heal {
  const note = `${from}: sent as ${to}, the server refuses the other name`;
  return {
    ...{ name, told, note },
    mend: (body) => (from in body ? { ...omit(body, from), [to]: body[from] } : undefined),
  };
}

/** Chat has `reasoning_effort` or `reasoning: {effort}`, the Responses API the latter. */
function withEffort(body: JsonObject, nearest: (effort: string) => string | undefined): JsonObject | undefined {
  const { reasoning } = body;
  const nested = isObject(reasoning) ? nearest(stringOf(reasoning.effort) ?? '') : undefined;
  if (isObject(reasoning) && nested !== undefined) return { ...body, reasoning: { ...reasoning, effort: nested } };
  const flat = nearest(stringOf(body.reasoning_effort) ?? '');
  return flat === undefined ? undefined : { ...body, reasoning_effort: flat };
}

function withoutEffort(body: JsonObject): JsonObject | undefined {
  if (!('reasoning_effort' in body) && !('reasoning' in body)) return undefined;
  return omit(omit(body, 'reasoning_effort'), 'reasoning');
}

/** The body with every object in its messages, input, tools and formats changed; undefined where nothing was. */
function changed(body: JsonObject, change: (one: JsonObject) => JsonObject): JsonObject | undefined {
  const places = ['messages', 'input', 'tools', 'response_format', 'text'].filter((name) => name in body);
  const fields = places.map((name) => [name, deep(body[name], change)] as const);
  return fields.every(([name, value]) => value === body[name]) ? undefined : { ...body, ...Object.fromEntries(fields) };
}

/** The same value where nothing in it changed. A schema is the caller's own, and is left as it is. */
function deep(value: unknown, change: (one: JsonObject) => JsonObject): unknown {
  if (Array.isArray(value)) {
    const list = value.map((one: unknown) => deep(one, change));
    return list.every((one, place) => one === value[place]) ? value : list;
  }
  if (!isObject(value)) return value;
  const own = change(value);
  const inner = Object.entries(own).map(([name, one]) => [name, isSchema(name) ? one : deep(one, change)] as const);
  return inner.every(([name, one]) => one === own[name]) ? own : Object.fromEntries(inner);
}

function isSchema(name: string): boolean {
  return name === 'parameters' || name === 'schema';
}

function withoutStrict(one: JsonObject): JsonObject {
  return 'strict' in one ? omit(one, 'strict') : one;
}

function asJsonObject(one: JsonObject): JsonObject {
  return one.type === 'json_schema' ? { type: 'json_object' } : one;
}

function withoutImage(one: JsonObject): JsonObject {
  const isBlock = one.type === 'image' && isObject(one.source); // of the Messages wire
  if (one.type === 'image_url' || isBlock) return { type: 'text', text: NO_IMAGE };
  return one.type === 'input_image' ? { type: 'input_text', text: NO_IMAGE } : one;
}

/** What the system says between two turns, for a server that has no place for it there: Claude Code's own form of it. */
export function toReminder(text: string): string {
  return `<system-reminder>\n${text}\n</system-reminder>`;
}

function isSystem({ role }: JsonObject): boolean {
  return role === 'system' || role === 'developer';
}

/** A conversation without what was thought in it. No thinking can be asked for behind a call without its own. */
function withoutThinking(body: JsonObject): JsonObject | undefined {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const kept = messages
    .map((message) => withoutBlocks(message, THINKING))
    .filter(({ content }) => !isEmptyList(content));
  const last = messages.findLast(({ role }) => role === 'assistant');
  const asksToThink = isObject(body.thinking) && body.thinking.type !== 'disabled';
  const isOff = asksToThink && hasBlock(last, CALLS);
  if (!isOff && !messages.some((message) => hasBlock(message, THINKING))) return undefined;
  const rest = isOff ? { ...omit(body, 'context_management'), thinking: { type: 'disabled' } } : body;
  return { ...rest, messages: kept };
}

const THINKING: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);
const CALLS: ReadonlySet<unknown> = new Set(['tool_use']);

function hasBlock(message: JsonObject | undefined, types: ReadonlySet<unknown>): boolean {
  const blocks: unknown[] = Array.isArray(message?.content) ? message.content : [];
  return blocks.some((block) => isObject(block) && types.has(block.type));
}

function withoutBlocks(message: JsonObject, types: ReadonlySet<unknown>): JsonObject {
  if (!hasBlock(message, types)) return message;
  const blocks: unknown[] = Array.isArray(message.content) ? message.content : [];
  return { ...message, content: blocks.filter((block) => !isObject(block) || !types.has(block.type)) };
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** A conversation whose system speaks at the beginning alone; later it speaks within what the user says beside it. */
function systemAsUser(body: JsonObject): JsonObject | undefined {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const first = messages.findIndex((message) => !isSystem(message));
  const isLate = (message: JsonObject, place: number): boolean => first !== -1 && place > first && isSystem(message);
  if (!messages.some(isLate)) return undefined;
  const list: JsonObject[] = [];
  let wasLate = false;
  for (const [place, message] of messages.entries()) {
    const late = isLate(message, place);
    const sent = late ? { ...message, role: 'user', content: toReminder(textOf(message.content)) } : message;
    const before = list.at(-1);
    // Templates that want the system first want the roles to alternate, too.
    if (before?.role === 'user' && sent.role === 'user' && (late || wasLate))
      list[list.length - 1] = joined(before, sent);
    else list.push(sent);
    wasLate = late;
  }
  return { ...body, messages: list };
}

function joined(before: JsonObject, { content }: JsonObject): JsonObject {
  const isText = typeof before.content === 'string' && typeof content === 'string';
  const both = isText ? `${String(before.content)}\n\n${content}` : [...partsOf(before.content), ...partsOf(content)];
  return { ...before, content: both };
}

function partsOf(content: unknown): readonly unknown[] {
  return Array.isArray(content) ? content : [{ type: 'text', text: content }];
}

function textOf(content: unknown): string {
  const texts = partsOf(content).map((part) => (isObject(part) ? nonEmpty(part.text) : undefined));
  return texts.filter((text) => text !== undefined).join('\n\n');
}

/** Parts that are all text, joined by a line end as servers that take parts join them. */
function asOneText(one: JsonObject): JsonObject {
  const parts: unknown[] = Array.isArray(one.content) ? one.content : [];
  const texts = parts.map((part) => (isObject(part) ? nonEmpty(part.text) : undefined));
  if (parts.length === 0 || !texts.every((text) => text !== undefined)) return one;
  return { ...one, content: texts.join('\n') };
}
