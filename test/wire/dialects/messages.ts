import fc from 'fast-check';
import type { JsonObject } from '../../../packages/wire/src/base/json.ts';
import { errorExamples, type ErrorExample } from '../error-examples.ts';
import { piecesOf, toldCalls, type Answer, type Call, type Told, type Written } from './answers.ts';

export interface MessagesDialect {
  readonly started: boolean;
  /** When blocks are closed: each behind its deltas, all at the end, or never. */
  readonly stops: 'own' | 'late' | 'none';
  readonly indexes: 'own' | 'gaps' | 'reused' | 'none';
  /** Whether a text, a thought or the input of a call is what its block begins with, or comes in deltas. */
  readonly begins: 'empty' | 'whole';
  readonly signature: 'none' | 'empty' | 'own';
  readonly typed: 'payload' | 'line' | 'both';
  readonly sentinel: 'message_stop' | '[DONE]' | 'none';
  /** The last `message_delta` has no reason: only where a sentinel says that it is the end. */
  readonly reason: 'own' | 'null';
  readonly usageAt: 'both' | 'delta';
  readonly pings: boolean;
  readonly error: ErrorExample;
}

const drawn: fc.Arbitrary<MessagesDialect> = fc.record({
  started: fc.boolean(),
  stops: fc.constantFrom('own', 'own', 'late', 'none'),
  indexes: fc.constantFrom('own', 'own', 'gaps', 'reused', 'none'),
  begins: fc.constantFrom('empty', 'empty', 'whole'),
  signature: fc.constantFrom('none', 'empty', 'own'),
  typed: fc.constantFrom('payload', 'line', 'both'),
  sentinel: fc.constantFrom('message_stop', 'message_stop', '[DONE]', 'none'),
  reason: fc.constantFrom('own', 'own', 'null'),
  usageAt: fc.constantFrom('both', 'delta'),
  pings: fc.boolean(),
  error: fc.constantFrom(...errorExamples),
});

/** Blocks that share a place cannot be closed later: nothing says which one is meant. */
export const messagesDialects = drawn.map((dialect): MessagesDialect =>
  dialect.stops === 'late' && ['reused', 'none'].includes(dialect.indexes) ? { ...dialect, stops: 'own' } : dialect,
);

/** The answer as this wire can tell it: without refusals in words. A call that is whole counts whatever the end says. */
export function forMessages(answer: Answer): Answer {
  if (answer.end === 'good') return { ...answer, refusal: [] };
  return { ...answer, refusal: [], calls: answer.cut ? answer.calls.slice(-1) : [] };
}

/** The same without a call that is cut, which a client of this wire must not get; what came from a cache is part of the input. */
export function forMessagesClient(answer: Answer): Answer {
  const { usage } = answer;
  const { input = 0, cached = 0, cacheWrites = 0 } = usage ?? {};
  return {
    ...forMessages(answer),
    cut: false,
    calls: answer.end === 'good' ? answer.calls : [],
    usage: usage === undefined ? undefined : { ...usage, input: input + cached + cacheWrites },
  };
}

const REASONS: Readonly<Record<Answer['end'], string | undefined>> = {
  good: 'end_turn',
  limit: 'max_tokens',
  full: 'model_context_window_exceeded',
  filter: 'refusal',
  failed: undefined,
  error: undefined,
  close: undefined,
};

/** The kind of error that the answer ends in. */
export function messagesErrorKind({ end }: Answer, { error }: MessagesDialect): string {
  const kinds = {
    ...{ good: 'completed', limit: 'incomplete', full: 'context_window_exceeded', filter: 'content_filter' },
    ...{ failed: 'server_error', error: error.kind, close: 'stream_truncated' },
  };
  return kinds[end];
}

/** Here the tokens of the cache stand beside the input. */
export function withMessagesUsage(told: Told, { usage }: Answer): Told {
  if (usage === undefined || told.usage === undefined) return told;
  const { input = 0, output = 0, cached = 0, cacheWrites = 0 } = usage;
  const all = input + cached + cacheWrites;
  return { ...told, usage: { ...told.usage, input_tokens: all, total_tokens: all + output } };
}

interface Block {
  readonly first: JsonObject;
  readonly deltas: readonly JsonObject[];
  readonly last: readonly JsonObject[];
  /** It never ends. */
  readonly cut: boolean;
}

/** The answer as the events of a stream. */
export function writeMessages(answer: Answer, dialect: MessagesDialect): Written[] {
  const blocks = blocksOf(answer, dialect);
  const closes = (place: number, when: MessagesDialect['stops']): JsonObject[] =>
    dialect.stops !== when || blocks[place]?.cut === true
      ? []
      : [{ type: 'content_block_stop', ...at(place, dialect) }];
  const said = blocks.flatMap(({ first, deltas, last }, place) => [
    { type: 'content_block_start', ...at(place, dialect), content_block: first },
    ...(dialect.pings ? [{ type: 'ping' }] : []),
    ...[...deltas, ...last].map((delta) => ({ type: 'content_block_delta', ...at(place, dialect), delta })),
    ...closes(place, 'own'),
  ]);
  const events = [
    ...(dialect.started ? [startOf(answer, dialect)] : []),
    ...said,
    ...blocks.flatMap((_, place) => closes(place, 'late')),
    ...endOf(answer, dialect),
  ];
  return events.map((event) => writeEvent(event, dialect));
}

function writeEvent(event: JsonObject | string, { typed }: MessagesDialect): Written {
  if (typeof event === 'string') return { data: event };
  const { type, ...rest } = event;
  // What is no event of the wire has no name but its own.
  if (typeof type !== 'string' || !OWN.test(type) || typed === 'payload') return { data: event };
  return { data: typed === 'line' ? rest : event, event: type };
}

const OWN = /^(message_|content_block_|ping$)/;

function at(place: number, { indexes }: MessagesDialect): JsonObject {
  if (indexes === 'none') return {};
  return { index: indexes === 'reused' ? 0 : indexes === 'gaps' ? place * 3 + 1 : place };
}

function blocksOf(answer: Answer, dialect: MessagesDialect): readonly Block[] {
  const thought = answer.reasoning.join('');
  const signed = { none: [], empty: [signature('')], own: [signature('c2ln')] }[dialect.signature];
  return [
    ...(thought === '' ? [] : [textBlock('thinking', answer.reasoning, signed, dialect)]),
    ...(answer.text.length === 0 ? [] : [textBlock('text', answer.text, [], dialect)]),
    ...toldCalls(answer).map((call, n) => callBlock(call, n, answer, dialect)),
  ];
}

const signature = (text: string): JsonObject => ({ type: 'signature_delta', signature: text });

function textBlock(
  kind: 'text' | 'thinking',
  pieces: readonly string[],
  last: readonly JsonObject[],
  { begins }: MessagesDialect,
): Block {
  const whole = begins === 'whole';
  return {
    first: { type: kind, [kind]: whole ? pieces.join('') : '', ...(kind === 'thinking' ? { signature: '' } : {}) },
    deltas: whole ? [] : pieces.map((piece) => ({ type: `${kind}_delta`, [kind]: piece })),
    last,
    cut: false,
  };
}

function callBlock(call: Call, n: number, { end }: Answer, { begins }: MessagesDialect): Block {
  const cut = end !== 'good';
  const whole = begins === 'whole' && !cut;
  const input = whole && call.args !== '' ? (JSON.parse(call.args) as unknown) : {};
  return {
    first: { type: 'tool_use', id: `toolu_${n}`, name: call.name, input },
    deltas: whole ? [] : piecesOf(call).map((json) => ({ type: 'input_json_delta', partial_json: json })),
    last: [],
    cut,
  };
}

function countsOf({ usage }: Answer): { readonly input: JsonObject; readonly output: JsonObject } {
  if (usage === undefined) return { input: {}, output: {} };
  const { input, output, cached, cacheWrites, reasoning } = usage;
  return {
    input: { input_tokens: input, cache_read_input_tokens: cached ?? 0, cache_creation_input_tokens: cacheWrites ?? 0 },
    output: { output_tokens: output, output_tokens_details: { thinking_tokens: reasoning ?? 0 } },
  };
}

function startOf(answer: Answer, { usageAt }: MessagesDialect): JsonObject {
  const usage = usageAt === 'both' ? { usage: { ...countsOf(answer).input, output_tokens: 0 } } : {};
  return { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], ...usage } };
}

const FAILURE = { type: 'error', error: { type: 'api_error', message: 'boom' } };

function endOf(answer: Answer, dialect: MessagesDialect): (JsonObject | string)[] {
  if (answer.end === 'close') return [];
  if (answer.end === 'error') return [{ ...dialect.error.event }];
  if (answer.end === 'failed') return [FAILURE];
  const { input, output } = countsOf(answer);
  const usage = dialect.started && dialect.usageAt === 'both' ? output : { ...input, ...output };
  const silent = dialect.reason === 'null' && answer.end === 'good' && dialect.sentinel !== 'none';
  return [
    {
      type: 'message_delta',
      delta: { stop_reason: silent ? null : reasonOf(answer), stop_sequence: null },
      ...(answer.usage === undefined ? {} : { usage }),
    },
    ...sentinelOf(dialect),
  ];
}

function reasonOf({ end, calls }: Answer): string | undefined {
  return end === 'good' && calls.length > 0 ? 'tool_use' : REASONS[end];
}

function sentinelOf({ sentinel }: MessagesDialect): (JsonObject | string)[] {
  if (sentinel === 'none') return [];
  return sentinel === '[DONE]' ? ['[DONE]'] : [{ type: 'message_stop' }];
}

/** The answer as one JSON body; `undefined` for one that none can tell. */
export function writeMessagesBody(answer: Answer, dialect: MessagesDialect): JsonObject | undefined {
  if (answer.end === 'close' || (answer.end !== 'good' && answer.calls.length > 0)) return undefined;
  if (answer.end === 'error') return { ...dialect.error.event };
  if (answer.end === 'failed') return FAILURE;
  const { input, output } = countsOf(answer);
  const content = blocksOf(answer, { ...dialect, begins: 'whole' }).map(({ first }) => first);
  const usage = answer.usage === undefined ? {} : { usage: { ...input, ...output } };
  return { id: 'msg_1', type: 'message', role: 'assistant', content, stop_reason: reasonOf(answer), ...usage };
}
