import { ModelError } from '@turnwire/wire/internal/model/errors';
import { errorFromWire } from '@turnwire/wire/internal/model/classify';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import type { AnswerEncoder } from '@turnwire/wire/internal/protocol';
import { protocols } from '@turnwire/wire/internal/protocols';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { messageTextOf, sseTextOf, type Frame, type Head, type Step } from '../answer.ts';
import type { FaultContext, FaultHooks } from '../faults/fault.ts';
import { isDelta, markOf, toFrames } from '../frames.ts';
import { countedUsage, replyEvents, type ReplyIds } from './reply-events.ts';
import { requestIdOf, type RequestView } from '../scenario/request-view.ts';
import { partsOf, type Reply } from '../scenario/scenario.ts';

/** Everything an answer is made of. */
export interface RenderInput {
  readonly request: RequestView;
  readonly reply: Reply;
  readonly ids: ReplyIds;
  readonly createdAt: number;
  readonly model: string;
  readonly faults: readonly FaultHooks[];
  readonly context: FaultContext;
}

/** Head of a good answer, before any fault. */
export function plainHead(input: RenderInput): Head {
  return {
    status: 200,
    headers: { ...input.reply.headers },
    delayMs: input.reply.delayMs ?? 0,
    body: undefined,
    json: !input.request.stream,
    refuse: false,
  };
}

/** The body of an answer that is not streamed, as JSON text. */
export function bodyOf(input: RenderInput): string {
  const encoder = encoderFor(input);
  for (const event of wholeReply(input)) pushInto(encoder, event);
  return JSON.stringify(encoder.body);
}

/** The steps of a streamed answer: lazily and straight from the encoder, unless a fault or a pace wants each event. */
export function renderReply(input: RenderInput): Iterable<Step> {
  const meddles = input.faults.some((fault) => 'frames' in fault || 'text' in fault || 'steps' in fault);
  if (!meddles && input.reply.paceMs === undefined && input.context.wire !== 'websocket') return plainSteps(input);
  return stepsThroughFaults(input);
}

const BATCH = 16 * 1024;

/** As fast as the socket takes it: events in batches of about 16 KiB. */
function* plainSteps(input: RenderInput): Generator<Step> {
  const encoder = encoderFor(input);
  const { toSse } = protocols[input.request.wire];
  let batch = '';
  let mark: string | undefined;
  for (const event of wholeReply(input)) {
    const wires = pushInto(encoder, event);
    batch += toSse(wires);
    for (const wire of wires) mark = plainMark(wire, mark);
    if (batch.length < BATCH) continue;
    yield { do: 'write', data: batch, mark };
    batch = '';
  }
  if (batch !== '') yield { do: 'write', data: batch, mark };
  yield { do: 'end' };
}

function plainMark(event: WireEvent, before: string | undefined): string | undefined {
  if (event.type === '[DONE]' || event.type === 'error') return event.type;
  if (event.type === 'response.completed' || event.type === 'response.failed') return event.type;
  return event.type === 'response.incomplete' ? event.type : before;
}

/** Event by event, through the hooks of every fault. */
function stepsThroughFaults(input: RenderInput): Iterable<Step> {
  const { faults, context } = input;
  let frames = framesOf(input);
  for (const fault of faults) frames = fault.frames?.(frames, context) ?? frames;
  const marks = frames.map(markOf);
  let texts = frames.map(context.wire === 'websocket' ? messageTextOf : sseTextOf);
  for (const fault of faults) texts = fault.text?.(texts, context) ?? texts;
  const paced = pacedSteps(texts, marks, frames, input.reply.paceMs);
  let steps: Step[] = [...paced, { do: 'end' }];
  for (const fault of faults) steps = fault.steps?.(steps, context) ?? steps;
  return steps;
}

function pacedSteps(
  texts: readonly string[],
  marks: readonly (string | undefined)[],
  frames: readonly Frame[],
  paceMs: number | undefined,
): Step[] {
  return texts.flatMap((data, i): Step[] => {
    const write: Step = { do: 'write', data, mark: marks[i] };
    const frame = frames[i];
    return paceMs === undefined || frame === undefined || !isDelta(frame)
      ? [write]
      : [{ do: 'wait', ms: paceMs }, write];
  });
}

function framesOf(input: RenderInput): Frame[] {
  const encoder = encoderFor(input);
  const events: WireEvent[] = [];
  for (const event of wholeReply(input)) for (const wire of pushInto(encoder, event)) events.push(wire);
  return toFrames(events, input.request.wire);
}

/** The reply's events and its end: `completed`, or the error that it ends with. */
function* wholeReply(input: RenderInput): Generator<ModelEvent | ModelError> {
  const { reply, request, ids } = input;
  const deltas = yield* replyEvents(partsOf(reply, request), ids);
  const usage = reply.usage === undefined ? countedUsage(request, deltas) : (reply.usage ?? undefined);
  const failure = failureOf(reply);
  if (failure !== undefined) {
    yield failure.with({ usage, requestId: requestIdOf(request) });
    return;
  }
  yield {
    type: 'completed',
    response_id: ids.response,
    ended_by: protocols[request.wire].endedBy,
    ...(usage === undefined ? {} : { usage }),
  };
}

function failureOf(reply: Reply): ModelError | undefined {
  if (reply.finish === 'length') {
    return new ModelError({ kind: 'incomplete', code: 'max_output_tokens', message: 'the token limit was reached' });
  }
  if (reply.finish === 'content_filter') {
    return new ModelError({ kind: 'content_filter', message: 'the answer was filtered' });
  }
  if (reply.error === undefined || reply.error.status !== undefined) return undefined;
  return errorFromWire({ ...reply.error });
}

function pushInto(encoder: AnswerEncoder, event: ModelEvent | ModelError): WireEvent[] {
  return event instanceof ModelError ? encoder.fail(event) : encoder.push(event);
}

function encoderFor({ request, createdAt, model, ids }: RenderInput): AnswerEncoder {
  return protocols[request.wire].createEncoder({
    id: ids.response,
    createdAt,
    model,
    includeUsage: request.usageAsked,
    response: echoed(request),
  });
}

/** The fields of a request that the API repeats in its response object. */
function echoed(request: RequestView): JsonObject {
  const fields: JsonObject = {};
  for (const name of ['instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'temperature', 'metadata']) {
    if (request.body[name] !== undefined) fields[name] = request.body[name];
  }
  if (request.previousResponseId !== undefined) fields.previous_response_id = request.previousResponseId;
  return fields;
}
