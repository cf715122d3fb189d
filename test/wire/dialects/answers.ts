import fc from 'fast-check';
import { isObject, stringOf, type JsonObject } from '../../../packages/wire/src/base/json.ts';
import { usageNames } from '../../../packages/wire/src/dialects/usage-names.ts';
import type { ModelErrorJson } from '../../../packages/wire/src/model/errors.ts';
import type { ModelEvent, Usage } from '../../../packages/wire/src/model/events.ts';
import type { OutputItem } from '../../../packages/wire/src/model/items.ts';

/** What a model said, in no server's words: a dialect writes it, and every way of reading that has to come back to it. */
export interface Answer {
  /** Pieces as they were streamed. */
  readonly reasoning: readonly string[];
  readonly text: readonly string[];
  /** What the model would not say, in its own words: behind the text, in the same message. */
  readonly refusal: readonly string[];
  readonly calls: readonly Call[];
  readonly usage: Counts | undefined;
  readonly end: End;
  /** Where the answer ends badly: its last call has half of its arguments. */
  readonly cut: boolean;
}

export interface Call {
  readonly name: string;
  /** JSON without blanks, or nothing. */
  readonly args: string;
  /** Where the arguments are cut into pieces. */
  readonly cuts: readonly number[];
}

export type End = 'good' | 'limit' | 'full' | 'filter' | 'failed' | 'error' | 'close';

type Counts = Readonly<Record<keyof typeof usageNames, number | undefined>>;

const piece = fc.oneof(
  fc.constantFrom('a', ' the', '\n', '"', '\\', '{', '"}', '\u2028', 'é', '🙂', '[DONE]', 'data: x', 'x'.repeat(20)),
  fc.string({ minLength: 1, maxLength: 6 }),
);
const pieces = fc.array(piece, { maxLength: 4 });

const call = fc.record({
  args: fc.constantFrom('', '{}', '{"a":1}', '{"path":"/tmp/é","n":{"m":[1,"}"]}}', '{"q":"\\""}'),
  cuts: fc.array(fc.nat(20), { maxLength: 3 }),
});

const count = fc.integer({ min: 1, max: 900 });
const usage = fc.record({
  input: count,
  output: count,
  total: fc.constant(undefined),
  cached: fc.option(count, { nil: undefined }),
  cacheWrites: fc.option(count, { nil: undefined }),
  reasoning: fc.option(count, { nil: undefined }),
});

export const answers: fc.Arbitrary<Answer> = fc.record({
  reasoning: pieces,
  text: pieces,
  refusal: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: pieces }),
  // Names differ: two calls of one name, an index and changing ids cannot be told from one.
  calls: fc.array(call, { maxLength: 3 }).map((calls) => calls.map((one, n) => ({ ...one, name: `tool_${n}` }))),
  usage: fc.option(usage, { nil: undefined }),
  end: fc.oneof(
    { weight: 5, arbitrary: fc.constant<End>('good') },
    { weight: 4, arbitrary: fc.constantFrom<End>('limit', 'full', 'filter', 'failed', 'error', 'close') },
  ),
  cut: fc.boolean(),
});

/** Which name of the table each count of a usage goes by. */
export type UsageDialect = Readonly<Record<keyof typeof usageNames, number>>;

export const usageDialects: fc.Arbitrary<UsageDialect> = fc.record({
  input: fc.nat(1),
  output: fc.nat(1),
  total: fc.constant(0),
  cached: fc.nat(usageNames.cached.length - 1),
  cacheWrites: fc.nat(usageNames.cacheWrites.length - 1),
  reasoning: fc.nat(usageNames.reasoning.length - 1),
});

/** A usage object under the names of a dialect. */
export function writeUsage(counts: Counts, names: UsageDialect): JsonObject {
  const usage: JsonObject = {};
  for (const what of Object.keys(usageNames) as (keyof typeof usageNames)[]) {
    const [first, second] = usageNames[what][names[what]] ?? [];
    const value = counts[what];
    if (first === undefined || value === undefined) continue;
    if (second === undefined) usage[first] = value;
    else usage[first] = { ...(isObject(usage[first]) ? usage[first] : {}), [second]: value };
  }
  return usage;
}

/** The arguments of a call as they are streamed: at least one piece, none of them empty unless that is all there is. */
export function piecesOf({ args, cuts }: Call): string[] {
  const places = [...new Set([0, args.length, ...cuts.map((at) => at % (args.length + 1))])].sort((a, b) => a - b);
  const parts = places.slice(1).map((end, n) => args.slice(places[n], end));
  return parts.length === 0 ? [''] : parts;
}

/** The calls as the server had time to tell them. */
export function toldCalls({ calls, end, cut }: Answer): readonly Call[] {
  if (end === 'good' || !cut) return calls;
  return calls.map((one, n) =>
    n === calls.length - 1 ? { ...one, args: one.args.slice(0, Math.ceil(one.args.length / 2)), cuts: [] } : one,
  );
}

/** An answer as a reader sees it. */
export interface Told {
  readonly reasoning: string;
  readonly text: string;
  readonly refusal: string;
  /** `name(arguments)`, or the input of a custom tool; none are `{}`. */
  readonly calls: readonly string[];
  readonly usage: JsonObject | undefined;
  /** `completed`, or the kind of the error. */
  readonly end: string;
}

/** What came, of items that are done; with what was lost or doubled on the way there, which has to be nothing. */
export function toldBy(events: readonly ModelEvent[], error: ModelErrorJson | undefined): Told & { wrong: string[] } {
  const items = events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
  const completed = events.filter((event) => event.type === 'completed');
  const of = (type: string): readonly OutputItem[] => items.filter((item) => item.type === type);
  return {
    reasoning: of('reasoning').map(textOf).join(''),
    text: of('message').map(textOf).join(''),
    refusal: of('message').map(refusalOf).join(''),
    // A call without arguments waits for the end, behind those that have some.
    calls: [...of('function_call'), ...of('custom_tool_call')].map(nameCall).sort(),
    usage: usageOf(completed[0]?.usage),
    end: error?.kind ?? completed[0]?.type ?? 'nothing',
    wrong: [...wrongItems(events), ...wrongEnd(events, completed.length + (error === undefined ? 0 : 1))],
  };
}

/** Tokens written to a cache that nobody told of are none. */
function usageOf(usage: Usage | undefined): JsonObject | undefined {
  if (usage === undefined) return undefined;
  return { ...usage, input_tokens_details: { cache_write_tokens: 0, ...usage.input_tokens_details } };
}

function wrongEnd(events: readonly ModelEvent[], ends: number): string[] {
  const last = events.findIndex(({ type }) => type === 'completed');
  return [
    ...(ends === 1 ? [] : [`${ends} ends`]),
    ...(last >= 0 && last < events.length - 1 ? ['an event behind the end'] : []),
    ...(events.findLast((event) => event.type === 'completed')?.dropped_tool_calls === undefined
      ? []
      : ['a call was dropped']),
  ];
}

/** Items that are done twice, were opened and never done (calls apart), or whose deltas are not their text. */
function wrongItems(events: readonly ModelEvent[]): string[] {
  const streamed = new Map<string, string>();
  const done = new Set<string>();
  const callIds = new Set<string>();
  const open = new Set<string>();
  const wrong: string[] = [];
  for (const event of events) {
    if (event.type === 'output_item.added' && typeof event.item.id === 'string' && isText(event.item))
      open.add(event.item.id);
    if ('delta' in event && event.item_id !== undefined) {
      streamed.set(event.item_id, (streamed.get(event.item_id) ?? '') + event.delta);
    }
    if (event.type !== 'output_item.done') continue;
    const { item } = event;
    const id = stringOf(item.id);
    if (id !== undefined) {
      if (done.has(id)) wrong.push(`${id} is done twice`);
      done.add(id);
      open.delete(id);
      const text = isText(item) ? textOf(item) + refusalOf(item) : inputOf(item);
      const deltas = streamed.get(id);
      if (deltas !== undefined && deltas !== text) wrong.push(`${id} is ${text}, its deltas ${deltas}`);
    }
    if (isCall(item)) {
      const callId = String(memberOf(item, 'call_id'));
      if (callIds.has(callId) || callId === '') wrong.push(`two calls are ${callId}`);
      callIds.add(callId);
    }
  }
  return [...wrong, ...[...open].map((id) => `${id} is never done`)];
}

function isCall(item: OutputItem): boolean {
  return item.type === 'function_call' || item.type === 'custom_tool_call';
}

function isText(item: OutputItem): boolean {
  return item.type === 'message' || item.type === 'reasoning';
}

function textOf(item: OutputItem): string {
  const parts = [memberOf(item, 'content'), memberOf(item, 'summary')].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]) : [],
  );
  return parts.map((part) => (isObject(part) ? (stringOf(part['text']) ?? '') : '')).join('');
}

function refusalOf(item: OutputItem): string {
  const parts = memberOf(item, 'content');
  const list: unknown[] = Array.isArray(parts) ? parts : [];
  return list.map((part) => (isObject(part) ? (stringOf(part['refusal']) ?? '') : '')).join('');
}

function inputOf(item: OutputItem): string {
  return String(memberOf(item, item.type === 'custom_tool_call' ? 'input' : 'arguments'));
}

function nameCall(item: OutputItem): string {
  const args = inputOf(item);
  return `${String(memberOf(item, 'name'))}(${args === '' ? '{}' : args})`;
}

function memberOf(item: OutputItem, name: string): unknown {
  return (item as unknown as JsonObject)[name];
}

/** The usage that every reader has to come to. */
export function expectedUsage({ usage }: Answer): JsonObject | undefined {
  if (usage === undefined) return undefined;
  const { input = 0, output = 0, cached = 0, cacheWrites = 0, reasoning = 0 } = usage;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: cacheWrites },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

/** What the answer is, whoever tells it. A bad end has no usage and hands on no call. */
export function expectedOf(answer: Answer, errorKind: string): Told {
  const good = answer.end === 'good';
  return {
    reasoning: answer.reasoning.join(''),
    text: answer.text.join(''),
    refusal: answer.refusal.join(''),
    calls: good ? answer.calls.map(({ name, args }) => `${name}(${args === '' ? '{}' : args})`).sort() : [],
    usage: good ? expectedUsage(answer) : undefined,
    end: good ? 'completed' : errorKind,
  };
}

/** One body that is an error has no room for what was said before. */
export function expectedInBody(answer: Answer, kind: string): Told {
  const expected = expectedOf(answer, kind);
  return answer.end === 'error' ? { ...expected, reasoning: '', text: '', refusal: '' } : expected;
}

/** How the same events are put into bytes. */
export interface Framing {
  readonly lineEnd: string;
  readonly prefix: string;
  readonly between: string;
  readonly bom: boolean;
  /** The last blank line is missing. */
  readonly open: boolean;
  /** Members of objects come in an order that depends on this; 0 leaves them. */
  readonly order: number;
  readonly cuts: readonly number[];
}

export const framings: fc.Arbitrary<Framing> = fc.record({
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  prefix: fc.constantFrom('data: ', 'data:'),
  between: fc.constantFrom('', ': ping\n', ': ping\n\n', 'id: 4\n', '\n'),
  bom: fc.boolean(),
  open: fc.boolean(),
  order: fc.nat(20),
  cuts: fc.array(fc.nat(100_000), { maxLength: 12 }),
});

/** One event: an object, or text as it is; and the name on its `event:` line, if it has one. */
export interface Written {
  readonly data: JsonObject | string;
  readonly event?: string;
}

export function toSse(events: readonly Written[], { lineEnd, prefix, between, bom, open, order }: Framing): string {
  const blocks = events.map(({ data, event }) => {
    const line = typeof data === 'string' ? data : JSON.stringify(shuffled(data, order));
    return `${event === undefined ? '' : `event: ${event}\n`}${prefix}${line}\n\n`;
  });
  const body = blocks.join(between);
  return (bom ? '\uFEFF' : '') + (open ? body.slice(0, -1) : body).replaceAll('\n', lineEnd);
}

/** The same value with the members of every object in another order; arguments that are an object keep theirs. */
export function shuffled(value: unknown, order: number): unknown {
  if (order === 0) return value;
  if (Array.isArray(value)) return value.map((one) => shuffled(one, order));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key,
    key === 'arguments' || key === 'input' ? inner : shuffled(inner, order),
  ]);
  const turned = order % 2 === 0 ? entries.toReversed() : entries;
  const at = order % Math.max(1, entries.length);
  return Object.fromEntries([...turned.slice(at), ...turned.slice(0, at)]);
}
