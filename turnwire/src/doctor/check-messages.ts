import { isObject, nonEmpty, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { validateMessagesOrder } from '@turnwire/wire/internal/messages/validate';
import { isHeartbeat, isSentinel, nameOfError } from './check-framing.ts';
import { when, type Finding } from './finding.ts';
import type { Sample } from './sample.ts';
import type { SseEvent } from './sse-reading.ts';

/** A Messages stream, taken apart. */
export interface MessagesFacts {
  readonly events: readonly SseEvent[];
  /** Places among `events`; -1 if there is none. */
  readonly start: number;
  /** The event with a stop_reason. */
  readonly finish: number;
  readonly stop: number;
  readonly error: number;
  readonly blocks: readonly Block[];
  readonly reason: string | undefined;
}

/** What a stream said of one block. */
interface Block {
  readonly index: unknown;
  readonly block: JsonObject;
  readonly deltas: JsonObject[];
  /** Another block was open when it started. */
  readonly overlaps: boolean;
  closed: boolean;
}

const KNOWN_EVENTS: ReadonlySet<unknown> = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'ping',
  'error',
]);

const KNOWN_DELTAS: ReadonlySet<unknown> = new Set([
  'text_delta',
  'input_json_delta',
  'thinking_delta',
  'signature_delta',
  'citations_delta',
  'compaction_delta',
]);

/** Reads the events of a Messages stream. */
export function messagesFacts({ reading: { events } }: Pick<Sample, 'reading'>): MessagesFacts {
  const place = (test: (json: JsonObject) => boolean): number =>
    events.findIndex(({ json }) => json !== undefined && test(json));
  const finish = place((json) => json.type === 'message_delta' && reasonIn(json) !== undefined);
  const end = events[finish]?.json;
  return {
    events,
    start: place(({ type }) => type === 'message_start'),
    finish,
    stop: events.findIndex((event) => event.json?.type === 'message_stop' || isSentinel(event)),
    error: place((json) => json.type === 'error' || (json.error !== undefined && json.error !== null)),
    blocks: blocksIn(events),
    reason: end === undefined ? undefined : reasonIn(end),
  };
}

function reasonIn({ delta }: JsonObject): string | undefined {
  return isObject(delta) ? nonEmpty(delta.stop_reason) : undefined;
}

function blocksIn(events: readonly SseEvent[]): readonly Block[] {
  const blocks: Block[] = [];
  for (const { json } of events) {
    if (json === undefined) continue;
    const open = blocks.findLast((block) => block.index === json.index && !block.closed);
    if (json.type === 'content_block_start' && isObject(json.content_block)) {
      const overlaps = blocks.some((block) => !block.closed);
      blocks.push({ index: json.index, block: json.content_block, deltas: [], overlaps, closed: false });
    } else if (json.type === 'content_block_delta' && isObject(json.delta)) open?.deltas.push(json.delta);
    else if (json.type === 'content_block_stop' && open !== undefined) open.closed = true;
  }
  return blocks;
}

/** Names of the calls of an answer. */
export function messagesCalls(events: readonly SseEvent[]): readonly string[] {
  return blocksIn(events).flatMap(({ block }) => (block.type === 'tool_use' ? [stringOf(block.name) ?? ''] : []));
}

/** Types of the deltas of an answer, in their order. */
export function messagesDeltas(events: readonly SseEvent[]): readonly string[] {
  return blocksIn(events).flatMap(({ deltas }) => deltas.map(({ type }) => stringOf(type) ?? ''));
}

/** What is unusual about the events of a Messages answer. */
export function checkMessages(sample: Sample): readonly Finding[] {
  const facts = messagesFacts(sample);
  const { events, finish, error } = facts;
  if (!events.some(({ json }) => json !== undefined && KNOWN_EVENTS.has(json.type))) return [];
  const failed = error >= 0 && (finish < 0 || error < finish);
  const found = [
    ...when(failed, nameOfError(events[error]?.json?.error), events[error]?.data.slice(0, 80) ?? ''),
    ...when(error >= 0 && !failed, 'late-error', 'an error after the stop_reason'),
    ...(finish < 0 ? [] : checkReason(sample, facts)),
    ...checkTypes(facts),
    ...(facts.stop < 0 && finish < 0 ? [] : [...checkBlocks(facts), ...checkCalls(facts), ...checkEnvelope(facts)]),
  ];
  return found.length > 0 || sample.reading.invalidUtf8 ? found : checkOrder(facts);
}

/** What has no name of its own: whatever a good stream would not do, up to its stop_reason. How it ended is told elsewhere. */
function checkOrder({ events, finish }: MessagesFacts): readonly Finding[] {
  if (finish < 0) return [];
  const upTo = events
    .slice(0, finish + 1)
    .flatMap(({ json }) => (json === undefined || isHeartbeat(json) ? [] : [json]));
  const [first, ...more] = validateMessagesOrder([...upTo, { type: 'message_stop' }]);
  if (first === undefined) return [];
  const rest = more.length === 0 ? '' : `, and ${more.length} more`;
  return [{ quirk: 'order', seen: `${first.message}${rest}` }];
}

function checkReason({ body }: Sample, { reason, blocks, events }: MessagesFacts): readonly Finding[] {
  const calls = blocks.some(({ block }) => block.type === 'tool_use');
  const used = events.flatMap(({ json }) => (isObject(json?.usage) ? [Number(json.usage.output_tokens ?? 0)] : []));
  const reached = Math.max(0, ...used) >= Number(body.max_tokens ?? Infinity) * 0.9;
  const early = reason === 'max_tokens' && !reached;
  return [
    ...when(reason === 'end_turn' && calls, 'stop-with-tools', 'calls, then stop_reason "end_turn"'),
    ...when(early && calls, 'length-mid-call', 'stop_reason "max_tokens" in the middle of a call'),
    ...when(
      early && !calls,
      'length',
      `stop_reason "max_tokens", far from the limit of ${String(body.max_tokens)} tokens`,
    ),
    ...when(reason === 'refusal', 'content-filter', 'stop_reason "refusal"'),
  ];
}

function checkTypes({ events }: MessagesFacts): readonly Finding[] {
  const typed = events.flatMap(({ json }) => (typeof json?.type === 'string' ? [json] : []));
  const strange = typed.find((json) => !KNOWN_EVENTS.has(json.type) && !isHeartbeat(json));
  const deltas = typed.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta);
  const delta = deltas.find((one) => isObject(one) && !KNOWN_DELTAS.has(one.type));
  return [
    ...when(strange !== undefined, 'unknown-events', String(strange?.type)),
    ...when(delta !== undefined, 'unknown-deltas', isObject(delta) ? String(delta.type) : ''),
  ];
}

/** Blocks: one after the other, each with an index of its own, started empty, closed. */
function checkBlocks({ blocks, events, stop, finish }: MessagesFacts): readonly Finding[] {
  const closes = events.filter(({ json }) => json?.type === 'content_block_stop').length;
  const indexes = blocks.map(({ index }) => index);
  const reused = new Set(indexes).size < indexes.length;
  const gaps = !reused && indexes.some((index, i) => index !== i);
  const thinking = blocks.filter(({ block }) => block.type === 'thinking');
  const early = blocks.filter(({ deltas }) => deltas.length === 0);
  const lateSignature = events.slice(0, stop < 0 ? finish : stop).some(isLateSignature);
  return [
    ...when(blocks.length > 0 && closes === 0, 'no-block-stop', `${blocks.length} blocks, none is closed`),
    ...when(
      closes > 0 && blocks.some(({ overlaps }) => overlaps) && !isInterleaved(events),
      'blocks-overlap',
      'a block starts inside another',
    ),
    ...when(reused, 'block-index-reused', `the indexes ${indexes.join(', ')}`),
    ...when(gaps, 'block-index-gaps', `the indexes ${indexes.join(', ')}`),
    ...when(
      early.some(({ block }) => hasInput(block)),
      'input-in-start',
      'input in content_block_start, and no delta',
    ),
    ...when(
      early.some(({ block }) => nonEmpty(block.text) !== undefined),
      'text-in-start',
      'text in content_block_start',
    ),
    ...when(thinking.some(isUnsigned) && !lateSignature, 'unsigned-thinking', 'thinking without a signature_delta'),
    ...when(lateSignature, 'signature-late', 'an empty signature, or one after the block that follows'),
  ];
}

/** Calls: each with an id of its own, whole input, one after the other. */
function checkCalls({ blocks, events, reason }: MessagesFacts): readonly Finding[] {
  const calls = blocks.filter(({ block }) => block.type === 'tool_use');
  const ids = calls.map(({ block }) => nonEmpty(block.id)).filter((id) => id !== undefined);
  const cut = reason !== 'max_tokens' && calls.some(isCutCall);
  return [
    ...when(cut, 'tool-args-invalid', 'the input of a finished call is no JSON'),
    ...when(ids.length < calls.length, 'tool-id-missing', 'a call without an id'),
    ...when(new Set(ids).size < ids.length, 'tool-id-shared', 'two calls with one id'),
    ...when(isInterleaved(events), 'tool-interleaved', 'pieces of two calls alternate'),
  ];
}

/** A piece of a call comes after one of another call. */
function isInterleaved(events: readonly SseEvent[]): boolean {
  const inputs = events.flatMap(({ json }) =>
    json?.type === 'content_block_delta' && isObject(json.delta) && json.delta.type === 'input_json_delta'
      ? [json.index]
      : [],
  );
  const runs = inputs.filter((index, i) => index !== inputs[i - 1]);
  return new Set(runs).size < runs.length;
}

function hasInput({ type, input }: JsonObject): boolean {
  return type === 'tool_use' && isObject(input) && Object.keys(input).length > 0;
}

function isUnsigned({ deltas, block }: Block): boolean {
  return nonEmpty(block.signature) === undefined && !deltas.some(({ type }) => type === 'signature_delta');
}

function isLateSignature({ json }: SseEvent): boolean {
  const delta = json?.type === 'content_block_delta' ? json.delta : undefined;
  return isObject(delta) && delta.type === 'signature_delta' && delta.signature === '';
}

function isCutCall({ block, deltas, closed }: Block): boolean {
  if (block.type !== 'tool_use' || !closed) return false;
  const input = deltas.map(({ partial_json: piece }) => stringOf(piece) ?? '').join('');
  return input !== '' && parseJson(input) === undefined;
}

/** What stands around the blocks. */
function checkEnvelope({ events, start, finish, stop }: MessagesFacts): readonly Finding[] {
  const usage = events.some(
    ({ json }) => isObject(json?.usage) || (isObject(json?.message) && isObject(json.message.usage)),
  );
  const delta = events.some(({ json }) => json?.type === 'message_delta');
  return [
    ...when(start < 0, 'no-message-start', `the stream begins with ${String(events[0]?.json?.type)}`),
    ...when(delta && finish < 0 && stop >= 0, 'stop-reason-null', 'message_delta without a stop_reason'),
    ...when(!usage, 'usage-missing', 'no usage'),
  ];
}
