import { randomId } from '@turnwire/client/internal/platform/random';
import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { itemIdPrefixes } from '@turnwire/wire/internal/base/minted-id';
import type { Item } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { hasCacheMarks } from '@turnwire/wire/internal/cache-marks';
import { fromChatRequest } from '@turnwire/wire/internal/chat/request-parse';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocols } from '@turnwire/wire/internal/protocols';
import {
  InvalidFieldError,
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  type ParsedRequest,
} from '@turnwire/wire/internal/request-fields';
import { fromResponsesRequest } from '@turnwire/wire/internal/responses/request-parse';
import { forMaker } from '@turnwire/wire/internal/maker-label';
import { withCallIds } from '@turnwire/wire/internal/request-history';
import { withStateRestored } from '@turnwire/wire/internal/state-carrier';
import { createToolMap, mapInputItems, type ToolMap, type Uncarried } from '@turnwire/wire/internal/tools/index';
import { COMPACTION_TRIGGER, summaryRequest, withSummaries } from './compaction.ts';
import { withContextAsMessages } from './context-items.ts';
import type { Settings } from '../options.ts';
import { chatQuirksOf, isOpenAiHost } from '@turnwire/wire/internal/quirks';

/** A client's request, read and put together with what it refers to. */
export interface Prepared {
  readonly wire: ProtocolId;
  readonly body: JsonObject;
  readonly parsed: ParsedRequest;
  /** The whole conversation. */
  readonly input: readonly Item[];
  /** What this request added to it; each item with an id. */
  readonly added: readonly Item[];
  readonly previousId: string | undefined;
  /** Keep the answer for later requests. */
  readonly store: boolean;
  /** What is asked for is one `compaction` item in place of the conversation. */
  readonly compacts: boolean;
  /** It goes on when its client leaves. */
  readonly background: boolean;
}

/** One request to one upstream. */
export interface UpstreamRequest {
  readonly request: ModelRequest;
  /** Absent when the upstream is given the tools as they are. */
  readonly tools: ToolMap | undefined;
  readonly uncarried: readonly Uncarried[];
  /** Names of the request's fields that the upstream does not get. */
  readonly ignored: readonly string[];
  /** Those of them that are more than hints. */
  readonly lost: readonly string[];
  /** The answer is a summary, of which the client gets a `compaction` item. */
  readonly summarises: boolean;
}

/** Fields that change what is done, not how, and that the bridge cannot do. */
const UNSUPPORTED: Readonly<Record<string, (value: unknown) => boolean>> = {
  conversation: (value) => value !== undefined && value !== null,
  prompt: (value) => value !== undefined && value !== null,
};

/** @throws InvalidFieldError for what cannot be read or done, naming the field */
export function parseResponses(body: JsonObject): ParsedRequest {
  for (const [name, asked] of Object.entries(UNSUPPORTED)) {
    if (asked(body[name])) throw new InvalidFieldError(name, 'is not supported by this bridge');
  }
  optionalString(body.previous_response_id, 'previous_response_id');
  optionalBoolean(body.store, 'store');
  optionalBoolean(body.generate, 'generate');
  if (optionalBoolean(body.background, 'background') === true && body.store === false) {
    throw new InvalidFieldError('background', 'needs a response that is stored: leave out store');
  }
  optionalObject(body.metadata, 'metadata');
  return fromResponsesRequest(withContextAsMessages(body));
}

/** @throws InvalidFieldError for what cannot be read or done, naming the field */
export function parseChat(body: JsonObject): ParsedRequest {
  if ((optionalNumber(body.n, 'n') ?? 1) !== 1) throw new InvalidFieldError('n', 'only 1 is supported by this bridge');
  if (Array.isArray(body.messages) && body.messages.length === 0) throw new InvalidFieldError('messages', 'is empty');
  return fromChatRequest(body);
}

/** @throws InvalidFieldError for what cannot be read or done, naming the field */
export function parseMessages(body: JsonObject): ParsedRequest {
  return protocols.messages.fromRequest(body);
}

/** Items with an id each: `input_items` and references need them. */
export function withIds(items: readonly Item[]): Item[] {
  return items.map((item) => {
    const fields = item as JsonObject;
    if (nonEmpty(fields.id) !== undefined) return item;
    return { ...fields, id: newId(prefixOf(fields.type)) };
  });
}

/** An id that no other has. */
export function newId(prefix: string): string {
  return randomId(prefix, 16);
}

const PREFIXES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ...itemIdPrefixes,
  ['function_call_output', 'fco'],
  ['custom_tool_call_output', 'ctco'],
]);

function prefixOf(type: unknown): string {
  return PREFIXES.get(type) ?? 'item';
}

/** Who a request is written for. */
export interface UpstreamTarget {
  readonly provider: ProviderConfig;
  /** Whose server it is. */
  readonly maker: string;
  readonly tools: Settings['tools'];
}

/** The request as one upstream gets it. */
export function toUpstream(prepared: Prepared, target: UpstreamTarget): UpstreamRequest {
  const { provider, maker, tools } = target;
  const { ownTools, sameTools } = upstreamWires[provider.wireApi];
  const isSame = prepared.wire === provider.wireApi;
  const native = (ownTools && takesNativeTools(provider, tools)) || (sameTools && isSame);
  if (prepared.compacts && !native) {
    return { ...toUpstream(forSummary(prepared), target), summarises: true };
  }
  const extra = extraFor(prepared, provider, native);
  const { request } = prepared.parsed;
  const own = forMaker(prepared.input, maker);
  const input = withCallIds(withSummaries(withStateRestored(own.items)));
  const foreign = own.foreign.map((type) => ({ type, reason: "another maker's server encrypted it" }));
  const ignored = [...ignoredOf(prepared, extra, provider.wireApi), ...ignoredMarks(prepared, provider)];
  const lost = lostOf(prepared, ignored);
  if (native) {
    const asked = prepared.compacts ? [...input, COMPACTION_TRIGGER] : input;
    const all = { request: { ...request, input: asked, extra }, tools: undefined, uncarried: foreign };
    return { ...all, ignored, lost, summarises: false };
  }
  const map = createToolMap({
    tools: request.tools ?? [],
    input,
    toolChoice: typeof request.toolChoice === 'string' ? request.toolChoice : prepared.body.tool_choice,
  });
  const mapped = mapInputItems(map, input);
  const rest = without({ ...request }, ['tools', 'toolChoice']) as unknown as ModelRequest;
  return {
    request: {
      ...rest,
      input: mapped.items,
      extra,
      ...(map.tools.length === 0 ? {} : { tools: map.tools }),
      ...(map.toolChoice === undefined ? {} : { toolChoice: map.toolChoice }),
    },
    tools: map,
    uncarried: [...map.uncarried, ...mapped.uncarried, ...foreign],
    ignored,
    lost,
    summarises: false,
  };
}

/** Fields that would ask for more than a text. */
const BEYOND_TEXT = ['include', 'text', 'tool_choice', 'top_logprobs', 'max_tool_calls'];

/** The request for a summary in place of the one for a compaction. */
function forSummary(prepared: Prepared): Prepared {
  const { body, parsed, input } = prepared;
  const request = summaryRequest(parsed.request, input);
  const rest = without(parsed.rest, BEYOND_TEXT);
  const bare = without(body, BEYOND_TEXT);
  return { ...prepared, body: bare, parsed: { ...parsed, request, rest }, input: request.input, compacts: false };
}

function takesNativeTools(provider: ProviderConfig, tools: Settings['tools']): boolean {
  if (tools !== 'auto') return tools === 'native';
  return isOpenAiHost(provider.baseUrl);
}

/** Fields that the bridge answers for itself, or has read already. */
const OWN = new Set([
  ...['previous_response_id', 'store', 'conversation', 'background', 'prompt', 'generate', 'type', 'stream_options'],
  ...['stream_id', 'tool_choice', 'n', 'function_call'],
]);

/** What every server of the Responses API may be sent; OpenAI's own are sent the rest as well. */
const RESPONSES_FIELDS = new Set([
  ...['include', 'metadata', 'max_tool_calls', 'prompt_cache_key', 'prompt_cache_retention', 'safety_identifier'],
  ...['service_tier', 'text', 'top_logprobs', 'truncation', 'user'],
]);

/** What a bridge has to know of the wire of a model server. */
interface UpstreamWire {
  /** Such a server may know the Responses API's own tools, and its choices among tools. */
  readonly ownTools: boolean;
  /** It knows the tools of its own clients. */
  readonly sameTools: boolean;
  /** Such a server has a use for this header of the caller. */
  takesHeader(name: string): boolean;
  /** The fields of a client of the same wire that go on as they are. */
  sameWire(rest: JsonObject, native: boolean): JsonObject;
}

export const upstreamWires: Readonly<Record<ProtocolId, UpstreamWire>> = {
  chat: {
    ownTools: false,
    sameTools: false,
    takesHeader: () => false,
    sameWire: (rest) => pick(rest, (name) => !OWN.has(name)),
  },
  responses: {
    ownTools: true,
    sameTools: false,
    takesHeader: (name) => !name.startsWith('anthropic-'),
    sameWire: (rest, native) =>
      withReasoning(
        pick(rest, native ? (name) => !OWN.has(name) || name === 'tool_choice' : (name) => RESPONSES_FIELDS.has(name)),
      ),
  },
  messages: {
    ownTools: false,
    sameTools: true,
    takesHeader: (name) => name === 'anthropic-beta',
    sameWire: (rest) => pick(rest, (name) => !OWN.has(name) || name === 'tool_choice'),
  },
};

function extraFor({ wire, parsed }: Prepared, { wireApi }: ProviderConfig, native: boolean): JsonObject {
  if (wire === wireApi) return upstreamWires[wire].sameWire(parsed.rest, native);
  const extra = inOtherWords(wire, wireApi, parsed.rest);
  return native ? extra : without(extra, ['tool_choice']);
}

/** Fields of one wire as another one has them. */
function inOtherWords(from: ProtocolId, to: ProtocolId, fields: JsonObject): JsonObject {
  return protocols[to].fromPortable(protocols[from].toPortable(fields));
}

/** Nothing is kept at the server, so reasoning has to come whole, whatever else the client wants to be included. */
function withReasoning(extra: JsonObject): JsonObject {
  if (!Array.isArray(extra.include)) return without(extra, ['include']);
  return { ...extra, include: [...new Set([...(extra.include as unknown[]), 'reasoning.encrypted_content'])] };
}

/** What is only kept back where its parts went elsewhere. */
const PARTLY_READ = new Set(['text', 'reasoning', 'system', 'thinking', 'output_config', 'output_format']);

/** What was asked for and goes nowhere. */
function ignoredOf({ wire, parsed: { rest } }: Prepared, extra: JsonObject, upstream: ProtocolId): string[] {
  const known = (name: string): boolean => OWN.has(name) || Object.hasOwn(extra, name) || PARTLY_READ.has(name);
  // Another wire may have it under another name.
  const renamed = (name: string): boolean =>
    wire !== upstream && Object.keys(inOtherWords(wire, upstream, { [name]: rest[name] })).length > 0;
  return Object.keys(rest).filter((name) => !known(name) && !renamed(name));
}

/** A client's marks of what a server may keep, for one of another wire that is not marked anew. */
function ignoredMarks({ wire, body, parsed }: Prepared, { wireApi, baseUrl, model = '' }: ProviderConfig): string[] {
  const isLost = wire !== wireApi && !chatQuirksOf(baseUrl, parsed.request.model ?? model).cacheMarks;
  return isLost && hasCacheMarks(body) ? ['cache_control'] : [];
}

/** Without these the answer is the same, or as good: they are for bills, caches, statistics and other clients' eyes. */
const HINTS = new Set([
  ...['client_metadata', 'metadata', 'prompt_cache_key', 'prompt_cache_retention', 'safety_identifier', 'user'],
  ...['context_management', 'speed', 'diagnostics', 'inference_geo', 'mcp_servers', 'cache_control'],
  ...['service_tier', 'verbosity', 'truncation', 'include', 'stream_options', 'store'],
]);

/** Those fields whose caller has to know that they went nowhere. */
function lostOf({ parsed }: Prepared, ignored: readonly string[]): readonly string[] {
  const { include } = parsed.rest;
  const asksLogprobs = Array.isArray(include) && include.includes('message.output_text.logprobs');
  const isLost = (name: string): boolean => parsed.rest[name] !== null && !HINTS.has(name);
  return ignored.filter((name) => isLost(name) || (name === 'include' && asksLogprobs));
}

function pick(fields: JsonObject, wanted: (name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => wanted(name)));
}

function without(fields: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** Tools of more bytes than this are not repeated in every answer. */
const ECHO_BYTES = 16 * 1024;

/** What of a request its response object repeats, and as what alone: a field of another type is answered as if it were not there. */
const ECHOED: Readonly<Record<string, (value: unknown) => boolean>> = {
  background: isBoolean,
  frequency_penalty: isNumber,
  instructions: (value) => isString(value) || Array.isArray(value),
  max_output_tokens: isNumber,
  max_tool_calls: isNumber,
  metadata: isObject,
  parallel_tool_calls: isBoolean,
  presence_penalty: isNumber,
  previous_response_id: isString,
  prompt_cache_key: isString,
  reasoning: isObject,
  safety_identifier: isString,
  service_tier: isString,
  temperature: isNumber,
  text: isObject,
  tool_choice: (value) => isString(value) || isObject(value),
  top_logprobs: isNumber,
  top_p: isNumber,
  truncation: isString,
  user: isString,
};

/** Codex reads none of it, and these are long. */
const LONG = new Set(['instructions', 'text']);

/** The request's own fields, as the response object repeats them. */
export function echoOf({ body, store }: Prepared, codex: boolean): JsonObject {
  const isEchoed = (name: string): boolean => ECHOED[name]?.(body[name]) === true && !(codex && LONG.has(name));
  const fields = pick(body, isEchoed);
  if (!codex && Array.isArray(body.tools) && JSON.stringify(body.tools).length <= ECHO_BYTES) {
    fields.tools = body.tools.map(withoutKeys);
  }
  return { ...fields, store };
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

/** The keys of an `mcp` tool are for its server alone: the API neither repeats nor keeps them. */
function withoutKeys(tool: unknown): unknown {
  if (!isObject(tool) || tool.type !== 'mcp') return tool;
  return { ...tool, authorization: undefined, headers: undefined };
}

/** The ids that items of the input only refer to. */
export function referenceOf(item: Item): string | undefined {
  return isObject(item) && item.type === 'item_reference' ? nonEmpty(item.id) : undefined;
}
