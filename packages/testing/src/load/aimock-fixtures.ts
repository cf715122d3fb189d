import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { MockUsageError } from '../errors.ts';
import type { RequestView } from '../scenario/request-view.ts';
import type { Match, Reply, ReplyPart, Scenario, Turn } from '../scenario/scenario.ts';

/**
 * Reads a fixture file of `@copilotkit/aimock` (`{"fixtures": [{"match", "response", …}]}`) as a scenario: the first
 * fixture that matches answers, as there.
 *
 * What depends on chance or on a count of earlier matches has no counterpart in a scenario, whose answer depends on
 * the request alone; neither have embeddings, images, audio and video.
 *
 * @throws MockUsageError naming the fixture and the field that cannot be carried over.
 */
export function fromAimockFixtures(value: unknown): Scenario {
  const fixtures = isObject(value) ? value.fixtures : value;
  if (!Array.isArray(fixtures)) throw new MockUsageError('an aimock file has an array "fixtures"');
  return { name: 'aimock', turns: (fixtures as unknown[]).map((fixture, i) => toTurn(fixture, `fixtures[${i}]`)) };
}

/** True for the content of an aimock file. */
export function isAimockFile(value: unknown): boolean {
  return isObject(value) && Array.isArray(value.fixtures);
}

type Read = (value: unknown, where: string) => Partial<Reply>;

/** Options beside `match` and `response`, and what they become. */
const optionReaders: Readonly<Record<string, Read>> = {
  latency: (value, where) => ({ paceMs: requireNumber(value, where) }),
  truncateAfterChunks: (value, where) => ({ faults: [`cut-after:${requireNumber(value, where)}`] }),
  openRouterProcessing: (value) => (value === true ? { faults: ['comments'] } : {}),
  chaos: readChaos,
  streamingProfile: readProfile,
  chunkSize: () => ({}),
  replaySpeed: () => ({}),
  recordedTimings: () => ({}),
  metadata: () => ({}),
};

function toTurn(fixture: unknown, where: string): Turn {
  if (!isObject(fixture) || !isObject(fixture.match) || !isObject(fixture.response)) {
    throw new MockUsageError(`${where}: needs "match" and "response"`);
  }
  const { match, response, ...options } = fixture;
  const chunk = typeof options.chunkSize === 'number' ? options.chunkSize : undefined;
  const parts = readParts(response, chunk, `${where}.response`);
  let reply: Reply = {
    // A function: the same answer whatever tool round it is, as there.
    parts: () => parts,
    ...readResponse(response, where),
  };
  for (const [name, value] of Object.entries(options)) {
    const read = optionReaders[name];
    if (read === undefined) throw new MockUsageError(`${where}.${name} cannot be carried over`);
    const fields = read(value, `${where}.${name}`);
    reply = { ...reply, ...fields, faults: [...(reply.faults ?? []), ...(fields.faults ?? [])] };
  }
  return { when: readMatch(match, `${where}.match`), replies: [reply] };
}

function readMatch(match: JsonObject, where: string): Match {
  const conditions: ((request: RequestView) => boolean)[] = [];
  const when: { -readonly [K in keyof Match]: Match[K] } = {};
  for (const [name, value] of Object.entries(match)) {
    if (name === 'userMessage') when.user = requireText(value, where);
    else if (name === 'toolName') when.tool = requireText(value, where);
    else if (name === 'systemMessage') conditions.push(systemCondition(value));
    else conditions.push(parseCondition(name, value, where));
  }
  if (conditions.length > 0) when.request = (request) => conditions.every((holds) => holds(request));
  return when;
}

function parseCondition(name: string, value: unknown, where: string): (request: RequestView) => boolean {
  switch (name) {
    case 'model':
      return (request) => request.model === value;
    case 'hasToolResult':
      return (request) => request.rounds > 0 === value;
    case 'toolCallId':
      return (request) => request.toolOutputs.at(-1)?.callId === value;
    case 'toolResultContains':
      return (request) => request.toolOutputs.at(-1)?.text.includes(requireText(value, where)) === true;
    case 'turnIndex':
      return (request) => assistantTurns(request) === value;
    case 'responseFormat':
      return (request) => formatOf(request) === value;
    case 'endpoint':
      // eslint-disable-next-line no-restricted-syntax -- aimock's own word for an endpoint
      if (value === 'chat') return () => true;
      throw new MockUsageError(`${where}.endpoint "${String(value)}" cannot be carried over: only chat can`);
    default:
      throw new MockUsageError(`${where}.${name} cannot be carried over`);
  }
}

function systemCondition(value: unknown): (request: RequestView) => boolean {
  const wanted = (Array.isArray(value) ? (value as unknown[]) : [value]).map(String);
  return (request) => wanted.every((text) => request.systemText.includes(text));
}

function readParts(response: JsonObject, chunk: number | undefined, where: string): readonly ReplyPart[] {
  const sized = chunk === undefined ? {} : { chunk };
  const parts: ReplyPart[] = [];
  const known = ['content', 'toolCalls', 'blocks', 'reasoning', 'error'];
  if (!known.some((name) => name in response))
    throw new MockUsageError(`${where}: only text, tool calls and errors can be carried over`);
  if (typeof response.reasoning === 'string') parts.push({ type: 'reasoning', text: response.reasoning, ...sized });
  if (Array.isArray(response.blocks)) {
    for (const block of (response.blocks as unknown[]).filter(isObject)) {
      parts.push(
        block.type === 'text' ? { type: 'text', text: stringOf(block.text) ?? '', ...sized } : toCall(block, sized),
      );
    }
    return parts;
  }
  if (typeof response.content === 'string') parts.push({ type: 'text', text: response.content, ...sized });
  if (Array.isArray(response.toolCalls)) {
    for (const call of (response.toolCalls as unknown[]).filter(isObject)) parts.push(toCall(call, sized));
  }
  return parts;
}

function toCall(call: JsonObject, sized: { chunk?: number }): ReplyPart {
  const id = stringOf(call.id);
  const name = stringOf(call.name) ?? '';
  return {
    type: 'tool_call',
    name,
    arguments: call.arguments ?? {},
    ...(id === undefined ? {} : { callId: id }),
    ...sized,
  };
}

function readResponse(response: JsonObject, where: string): Partial<Reply> {
  const usage = isObject(response.usage) ? response.usage : undefined;
  const finish = response.finishReason;
  return {
    ...(isObject(response.error) ? { error: readError(response.error, response.status ?? 500, where) } : {}),
    ...(finish === 'length' || finish === 'content_filter' ? { finish } : {}),
    ...(usage === undefined ? {} : { usage: readUsage(usage) }),
  };
}

function readError(error: JsonObject, status: unknown, where: string): NonNullable<Reply['error']> {
  const [code, type] = [stringOf(error.code), stringOf(error.type)];
  return {
    message: stringOf(error.message) ?? '',
    status: requireNumber(status, `${where}.response.status`),
    ...(code === undefined ? {} : { code }),
    ...(type === undefined ? {} : { type }),
  };
}

function readUsage(usage: JsonObject): NonNullable<Reply['usage']> {
  const first = (...names: string[]): number =>
    names.map((name) => usage[name]).find((value) => typeof value === 'number') ?? 0;
  const [input, output] = [first('input_tokens', 'prompt_tokens'), first('output_tokens', 'completion_tokens')];
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: first('total_tokens') === 0 ? input + output : first('total_tokens'),
  };
}

const chaosFaults: Readonly<Record<string, string>> = {
  dropRate: 'status:500',
  malformedRate: 'truncated-json',
  rateLimitRate: 'retry-after:1:1000000',
  disconnectRate: 'cut-after:1',
};

/** A certain fault is a fault; a rate in between would make a test that fails now and then. */
function readChaos(value: unknown, where: string): Partial<Reply> {
  const faults: string[] = [];
  let delayMs = 0;
  for (const [name, rate] of Object.entries(isObject(value) ? value : {})) {
    const fault = chaosFaults[name];
    if (name === 'latencyMs') delayMs = requireNumber(rate, where);
    else if (rate === 1 && fault !== undefined) faults.push(fault);
    else if (rate !== 0)
      throw new MockUsageError(
        `${where}.${name}: a rate between 0 and 1 cannot be carried over; use ${fault ?? 'a fault'}@N for the N-th request`,
      );
  }
  return { faults, ...(delayMs === 0 ? {} : { delayMs }) };
}

function readProfile(value: unknown, where: string): Partial<Reply> {
  const profile = isObject(value) ? value : {};
  const tps = profile.tps === undefined ? undefined : requireNumber(profile.tps, where);
  return {
    ...(profile.ttft === undefined ? {} : { delayMs: requireNumber(profile.ttft, where) }),
    ...(tps === undefined || tps === 0 ? {} : { paceMs: 1000 / tps }),
  };
}

/** Assistant messages in the history: on the Responses wire, assistant items in a row are one. */
function assistantTurns(request: RequestView): number {
  const { messages, input } = request.body;
  if (Array.isArray(messages))
    return (messages as unknown[]).filter((one) => isObject(one) && one.role === 'assistant').length;
  let turns = 0;
  let before = false;
  for (const item of Array.isArray(input) ? (input as unknown[]) : []) {
    const own = isObject(item) && (item.role === 'assistant' || /_call$|^reasoning$/.test(stringOf(item.type) ?? ''));
    if (own && !before) turns++;
    before = own;
  }
  return turns;
}

function formatOf(request: RequestView): unknown {
  const { response_format: format, text } = request.body;
  const inner = isObject(text) ? text.format : undefined;
  return isObject(format) ? format.type : isObject(inner) ? inner.type : undefined;
}

function requireText(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new MockUsageError(`${where}: must be a string`);
}

function requireNumber(value: unknown, where: string): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new MockUsageError(`${where}: must be a number`);
}
