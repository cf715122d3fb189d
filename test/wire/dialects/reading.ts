import type { JsonObject } from '../../../packages/wire/src/base/json.ts';
import {
  createDecoder,
  createResponsesFrameDecoder,
  protocols,
  validateMessagesOrder,
  validateOrder,
  type DecoderOptions,
  type ProtocolId,
} from '../../../packages/wire/src/index.ts';
import type { ModelError } from '../../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../../packages/wire/src/model/events.ts';
import { cutAt } from '../helpers.ts';
import { toldBy, type Told } from './answers.ts';

/** Under which a dialect is read: the answer has to come back whole. */
export const dialectOptions: DecoderOptions = { usageAsked: true, toolCallsOnStop: 'promote' };

/** What was read of an answer. */
export interface Reading {
  readonly events: readonly ModelEvent[];
  readonly failure: ModelError | undefined;
}

const utf8 = new TextEncoder();

export function readBody(
  wire: ProtocolId,
  body: string | Uint8Array,
  cuts: readonly number[] = [],
  more: DecoderOptions = {},
): Reading {
  const decoder = createDecoder(wire, { ...dialectOptions, ...more });
  const bytes = typeof body === 'string' ? utf8.encode(body) : body;
  const events = cutAt(bytes, cuts).flatMap((chunk) => decoder.push(chunk));
  events.push(...decoder.end({ type: 'close' }));
  return { events, failure: decoder.failure };
}

export function readFrames(frames: readonly string[]): Reading {
  const decoder = createResponsesFrameDecoder();
  const events = frames.flatMap((frame) => decoder.pushText(frame));
  events.push(...decoder.end({ type: 'close' }));
  return { events, failure: decoder.failure };
}

/** With what was lost or doubled, which has to be nothing. */
export const toldByReading = ({ events, failure }: Reading): ReturnType<typeof toldBy> =>
  toldBy(events, failure?.toJSON());

/** What a client of the bridge reads: the answer written by the encoder of its wire, as a stream and as one body. */
export function translate(
  to: ProtocolId,
  { events, failure }: Reading,
  tokenLimit: boolean,
): { readonly problems: readonly unknown[]; readonly stream: Reading; readonly body: Reading } {
  const encoder = protocols[to].createEncoder({ id: 'answer_1', createdAt: 1, includeUsage: true });
  const written = events.flatMap((event) => encoder.push(event));
  if (failure !== undefined) written.push(...encoder.fail(failure));
  return {
    problems: orderOf[to]?.(written.map(({ data }) => JSON.parse(data) as JsonObject)) ?? [],
    stream: readBody(to, protocols[to].toSse(written), [], { tokenLimit }),
    body: readBody(to, JSON.stringify(encoder.body), [], { tokenLimit }),
  };
}

/** The wires whose events have an order. */
const orderOf: Readonly<Partial<Record<ProtocolId, (events: readonly JsonObject[]) => readonly unknown[]>>> = {
  responses: validateOrder,
  messages: validateMessagesOrder,
};

/** A client is told the server's own code, and of the wire's codes those that it acts on: other errors are but errors to it. */
export function toClient<T extends Told>(told: T): T {
  return { ...told, end: KEPT.has(told.end) ? told.end : 'error' };
}

const KEPT: ReadonlySet<string> = new Set(['completed', 'incomplete', 'content_filter', 'context_window_exceeded']);
