import fc from 'fast-check';
import type { JsonObject } from '../../../packages/wire/src/base/json.ts';
import { errorExamples, type ErrorExample } from '../error-examples.ts';
import {
  piecesOf,
  toldCalls,
  usageDialects,
  writeUsage,
  type Answer,
  type Call,
  type UsageDialect,
  type Written,
} from './answers.ts';

/** Which of the payloads that tell of an item have something in them. */
type Payload = 'full' | 'empty' | 'absent';

export interface ResponsesDialect {
  readonly created: boolean;
  readonly added: boolean;
  readonly deltas: boolean;
  /** `output_text.done`, `function_call_arguments.done` and the like. */
  readonly partDone: Payload;
  readonly itemDone: Payload;
  /** The items of the last event. */
  readonly output: Payload;
  /** Items are named by id and place, by one of them, or under another id each time. */
  readonly names: 'both' | 'id' | 'index' | 'changing';
  readonly callIds: 'own' | 'shared' | 'none';
  readonly args: 'text' | 'object';
  /** Calls are those of custom tools, whose input is any text. */
  readonly custom: boolean;
  readonly reasoning: 'content' | 'old' | 'summary' | 'string';
  readonly typed: 'payload' | 'line' | 'both';
  readonly endName: 'own' | 'completed' | 'done';
  readonly failure: 'response' | 'event' | 'error' | 'flat';
  readonly usage: { readonly names: UsageDialect; readonly at: 'response' | 'event' };
  readonly error: ErrorExample;
}

const payload = fc.constantFrom<Payload>('full', 'empty', 'absent');

export const responsesDialects: fc.Arbitrary<ResponsesDialect> = fc
  .record({
    created: fc.boolean(),
    added: fc.boolean(),
    deltas: fc.boolean(),
    partDone: payload,
    itemDone: payload,
    output: payload,
    names: fc.constantFrom<ResponsesDialect['names']>('both', 'both', 'id', 'index', 'changing'),
    callIds: fc.constantFrom<ResponsesDialect['callIds']>('own', 'own', 'shared', 'none'),
    args: fc.constantFrom<ResponsesDialect['args']>('text', 'text', 'object'),
    custom: fc.nat(3).map((chance) => chance === 0),
    reasoning: fc.constantFrom<ResponsesDialect['reasoning']>('content', 'old', 'summary', 'string'),
    typed: fc.constantFrom<ResponsesDialect['typed']>('payload', 'line', 'both'),
    endName: fc.constantFrom<ResponsesDialect['endName']>('own', 'completed', 'done'),
    failure: fc.constantFrom<ResponsesDialect['failure']>('response', 'event', 'error', 'flat'),
    usage: fc.record({ names: usageDialects, at: fc.constantFrom('response', 'event') }),
    error: fc.constantFrom(...errorExamples),
  })
  .map((dialect) => (tellsAll(dialect) ? dialect : { ...dialect, itemDone: 'full' }));

/** What an answer is told by has to be somewhere; the name of a call, in an item. */
function tellsAll({ added, deltas, partDone, itemDone, output }: ResponsesDialect): boolean {
  if (itemDone === 'full' || output === 'full') return true;
  return added && (deltas || partDone === 'full');
}

/** The same where the end brings no output: what it alone would have told, the items tell. */
function fitted(answer: Answer, dialect: ResponsesDialect): ResponsesDialect {
  const hasOutput = hasResponse(answer, dialect);
  return hasOutput || tellsAll({ ...dialect, output: 'absent' }) ? dialect : { ...dialect, itemDone: 'full' };
}

function hasResponse({ end }: Answer, { failure }: ResponsesDialect): boolean {
  return end !== 'close' && end !== 'error' && (end !== 'failed' || failure === 'response');
}

interface Item {
  readonly kind: 'reasoning' | 'message' | 'refusal' | 'call';
  readonly pieces: readonly string[];
  readonly place: number;
  readonly id: string;
  readonly call: Call | undefined;
}

function itemsOf(answer: Answer): readonly Item[] {
  const said: Omit<Item, 'place' | 'id'>[] = [
    ...(answer.reasoning.length === 0
      ? []
      : [{ kind: 'reasoning' as const, pieces: answer.reasoning, call: undefined }]),
    ...(answer.text.length === 0 ? [] : [{ kind: 'message' as const, pieces: answer.text, call: undefined }]),
    ...(answer.refusal.length === 0 ? [] : [{ kind: 'refusal' as const, pieces: answer.refusal, call: undefined }]),
    ...toldCalls(answer).map((call) => ({ kind: 'call' as const, pieces: piecesOf(call), call })),
  ];
  return said.map((item, place) => ({ ...item, place, id: `${item.kind}_${place}` }));
}

/** The kind of error that the answer ends in. */
export function responsesErrorKind({ end }: Answer, { error }: ResponsesDialect): string {
  switch (end) {
    case 'good':
      return 'completed';
    case 'limit':
      return 'incomplete';
    case 'full':
      return 'context_window_exceeded';
    case 'filter':
      return 'content_filter';
    case 'failed':
      return 'server_error';
    case 'error':
      return error.kind;
    case 'close':
      return 'stream_truncated';
  }
}

/** The answer as the events of a stream. */
export function writeResponses(answer: Answer, given: ResponsesDialect): Written[] {
  const dialect = fitted(answer, given);
  const items = itemsOf(answer);
  const events = [
    ...(dialect.created ? [{ type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } }] : []),
    ...items.flatMap((item) => eventsOf(item, dialect, answer.end === 'good')),
    ...endOf(answer, dialect, items),
  ];
  return events.map((event) => writeEvent(event, dialect));
}

function writeEvent(event: JsonObject, { typed }: ResponsesDialect): Written {
  const { type, ...rest } = event;
  // What is no event of the wire has no name but its own.
  if (typeof type !== 'string' || !type.includes('.') || typed === 'payload') return { data: event };
  return { data: typed === 'line' ? rest : event, event: type };
}

function eventsOf(item: Item, dialect: ResponsesDialect, good: boolean): JsonObject[] {
  const { pieces } = item;
  const whole = pieces.join('');
  const [deltaType, doneType, doneKey] = typesOf(item, dialect);
  const at = (turn: number): JsonObject => referenceOf(item, dialect, turn);
  const place = dialect.names === 'id' ? {} : { output_index: item.place };
  const payloads = payloadsOf(item, dialect, good);
  return [
    ...(dialect.added
      ? [{ type: 'response.output_item.added', ...place, item: itemOf(item, dialect, '', 'in_progress') }]
      : []),
    ...(dialect.deltas ? pieces.map((delta, turn) => ({ type: deltaType, ...at(turn), delta })) : []),
    ...(payloads.partDone === 'absent'
      ? []
      : [{ type: doneType, ...at(pieces.length), [doneKey]: payloads.partDone === 'full' ? whole : '' }]),
    ...(payloads.itemDone === 'absent'
      ? []
      : [
          {
            type: 'response.output_item.done',
            ...place,
            item: itemOf(item, dialect, payloads.itemDone === 'full' ? whole : '', 'completed'),
          },
        ]),
  ];
}

/** What tells that an item is done. A call that was cut is never done. */
function payloadsOf(
  { kind }: Item,
  dialect: ResponsesDialect,
  good: boolean,
): Pick<ResponsesDialect, 'partDone' | 'itemDone'> {
  if (kind === 'call' && !good) return { partDone: 'absent', itemDone: 'absent' };
  const { partDone, itemDone, deltas } = dialect;
  // Reasoning that is done with nothing is just that, as OpenAI sends it: it cannot wait for the end, behind its message.
  const isBare = kind === 'reasoning' && itemDone === 'empty' && !deltas && partDone !== 'full';
  return { partDone, itemDone: isBare ? 'absent' : itemDone };
}

function typesOf({ kind }: Item, { reasoning, custom }: ResponsesDialect): readonly [string, string, string] {
  switch (kind) {
    case 'message':
      return ['response.output_text.delta', 'response.output_text.done', 'text'];
    case 'refusal':
      return ['response.refusal.delta', 'response.refusal.done', 'refusal'];
    case 'call':
      if (custom) return ['response.custom_tool_call_input.delta', 'response.custom_tool_call_input.done', 'input'];
      return ['response.function_call_arguments.delta', 'response.function_call_arguments.done', 'arguments'];
    case 'reasoning':
      if (reasoning === 'summary')
        return ['response.reasoning_summary_text.delta', 'response.reasoning_summary_text.done', 'text'];
      return reasoning === 'old'
        ? ['response.reasoning.delta', 'response.reasoning.done', 'text']
        : ['response.reasoning_text.delta', 'response.reasoning_text.done', 'text'];
  }
}

function referenceOf(item: Item, dialect: ResponsesDialect, turn: number): JsonObject {
  return {
    ...(dialect.names === 'index' ? {} : { item_id: idOf(item, dialect, `turn_${turn}`) }),
    ...(dialect.names === 'id' ? {} : { output_index: item.place }),
  };
}

/** An item's id; where ids change, another one for each event that tells of it. */
function idOf({ id }: Item, { names }: ResponsesDialect, event: string): string {
  return names === 'changing' ? `${id}_${event}` : id;
}

function itemOf(item: Item, dialect: ResponsesDialect, text: string, status: string): JsonObject {
  const named = dialect.names === 'index' ? {} : { id: idOf(item, dialect, status) };
  const { call } = item;
  if (call !== undefined) return { ...named, ...callOf(item, call, dialect, text), status };
  if (item.kind === 'message' || item.kind === 'refusal') {
    const part =
      item.kind === 'message' ? { type: 'output_text', text, annotations: [] } : { type: 'refusal', refusal: text };
    const content = text === '' ? [] : [part];
    return { type: 'message', ...named, role: 'assistant', content, status };
  }
  return { type: 'reasoning', ...named, ...thoughtOf(text, dialect), status };
}

function callOf(
  { place }: Item,
  { name }: Call,
  { callIds, args, custom }: ResponsesDialect,
  text: string,
): JsonObject {
  const isObject = args === 'object' && text.endsWith('}');
  const named = {
    ...(callIds === 'none' ? {} : { call_id: callIds === 'shared' ? 'call_shared' : `call_${place}` }),
    name,
  };
  if (custom) return { type: 'custom_tool_call', ...named, input: text };
  return {
    type: 'function_call',
    ...named,
    arguments: isObject ? (JSON.parse(text) as unknown) : text,
  };
}

function thoughtOf(text: string, { reasoning }: ResponsesDialect): JsonObject {
  if (reasoning === 'string') return { summary: [], content: text };
  if (reasoning === 'summary') return { summary: text === '' ? [] : [{ type: 'summary_text', text }] };
  return { summary: [], content: text === '' ? [] : [{ type: 'reasoning_text', text }] };
}

const BOOM = { code: 'server_error', message: 'boom' };

/** What a response says of its end. */
const STATUSES: Readonly<Record<Answer['end'], JsonObject>> = {
  good: { status: 'completed' },
  limit: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
  full: { status: 'failed', error: { code: 'context_length_exceeded', message: 'too long' } },
  filter: { status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
  failed: { status: 'failed', error: BOOM },
  error: {},
  close: {},
};

function endOf(answer: Answer, dialect: ResponsesDialect, items: readonly Item[]): JsonObject[] {
  if (answer.end === 'close') return [];
  if (answer.end === 'error') return [{ ...dialect.error.event }];
  if (!hasResponse(answer, dialect)) return [failureOf(dialect)];
  const usage = answer.usage === undefined ? {} : { usage: writeUsage(answer.usage, dialect.usage.names) };
  const response = {
    id: 'resp_1',
    ...STATUSES[answer.end],
    ...(dialect.output === 'absent' ? {} : { output: outputOf(items, dialect) }),
    ...(dialect.usage.at === 'response' ? usage : {}),
  };
  return [{ type: endNameOf(answer, dialect), response, ...(dialect.usage.at === 'event' ? usage : {}) }];
}

function endNameOf({ end }: Answer, { endName }: ResponsesDialect): string {
  if (endName !== 'own') return `response.${endName}`;
  return `response.${String(STATUSES[end]['status'])}`;
}

function failureOf({ failure }: ResponsesDialect): JsonObject {
  if (failure === 'event') return { type: 'response.failed', response: { status: 'failed', error: null }, error: BOOM };
  if (failure === 'flat') return { type: 'error', ...BOOM, param: null };
  return { type: 'response.error', error: BOOM };
}

function outputOf(items: readonly Item[], dialect: ResponsesDialect): JsonObject[] {
  return items.map((item) => itemOf(item, dialect, dialect.output === 'full' ? item.pieces.join('') : '', 'completed'));
}

/** The answer as one JSON body; `undefined` for one that none can tell. */
export function writeResponsesBody(answer: Answer, dialect: ResponsesDialect): JsonObject | undefined {
  if (answer.end === 'close') return undefined;
  if (answer.end === 'error') return { ...dialect.error.event };
  const usage = answer.usage === undefined ? {} : { usage: writeUsage(answer.usage, dialect.usage.names) };
  const output = outputOf(itemsOf(answer), { ...dialect, output: 'full' });
  return { id: 'resp_1', object: 'response', ...STATUSES[answer.end], output, ...usage };
}
