import type { AnswerEncoder, EncoderOptions, Protocol } from '@turnwire/wire/internal/protocol';
import { protocols } from '@turnwire/wire/internal/protocols';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { createChatEncoder, type ChatEncoderOptions } from '@turnwire/wire/internal/chat/encode';
import type { ErrorForm } from './api-error.ts';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import { createResponsesEncoder, type ResponsesEncoderOptions } from '@turnwire/wire/internal/responses/encode';

/** One answer on its way to the client's wire. */
export interface ReplyEncoder extends ErrorForm {
  push(event: ModelEvent): readonly WireEvent[];
  fail(error: ModelError): readonly WireEvent[];
  /** An event beside the answer, numbered among its events; absent where the client's wire has no such events. */
  note?(type: string, fields: JsonObject): readonly WireEvent[];
  /** How an answer begins of which nothing is known yet; absent where the client's wire has no such beginning. */
  begin?(): readonly WireEvent[];
  /** True for an error that is told as the end of an answer, with what there is of it. */
  endsAnswer(error: ModelError): boolean;
  /** The events as SSE text. */
  toSse(events: readonly WireEvent[]): string;
  /** A data event that means nothing, for clients whose idle timer counts only data; absent: a comment does. */
  readonly heartbeat: WireEvent | undefined;
  /** The events of `fail` end a stream for all clients; else it has to be cut behind them. */
  readonly endsFailures: boolean;
  /** What keeps an SSE stream open meanwhile for all others. */
  readonly idleSse: string;
  /** Why the answer failed although the server ended it well. */
  readonly failure?: ModelError | undefined;
  /** The answer as one body, after its end. */
  readonly body: JsonObject;
  /** What of the answer so far the client's wire has no place for, by name. */
  readonly notCarried: readonly string[];
}

/** What a client without patience for deltas gets: the first event, whole items, the end. */
const FINAL_ONLY = new Set([
  'response.created',
  'response.output_item.done',
  'response.completed',
  'response.failed',
  'response.incomplete',
]);

const HEARTBEAT: WireEvent = { type: 'response.heartbeat', data: '{"type":"response.heartbeat"}' };

export interface ResponsesReplyOptions extends ResponsesEncoderOptions {
  readonly finalOnly?: boolean;
  /** The client is Codex: it takes data events for signs of life, where others choke on them. */
  readonly dataHeartbeat?: boolean;
}

/** How events of the Responses API that are there already are written. */
export const responsesForm = {
  toSse: protocols.responses.toSse,
  heartbeat: undefined,
  endsFailures: protocols.responses.endsFailures,
  errorBody: protocols.responses.errorBody,
  errorAnswer: protocols.responses.errorAnswer,
  idleSse: protocols.responses.heartbeat,
};

export function responsesReplyEncoder(options: ResponsesReplyOptions): ReplyEncoder {
  const encoder = createResponsesEncoder(options);
  return {
    push: options.finalOnly === true ? (event) => finals(encoder.push(event)) : (event) => encoder.push(event),
    fail: options.finalOnly === true ? (error) => finals(encoder.fail(error)) : (error) => encoder.fail(error),
    endsAnswer: (error) => encoder.endsAnswer(error),
    note: (type, fields) => encoder.note(type, fields),
    ...responsesForm,
    heartbeat: options.dataHeartbeat === true ? HEARTBEAT : undefined,
    notCarried: encoder.notCarried,
    get body() {
      return encoder.body;
    },
  };
}

function finals(events: readonly WireEvent[]): readonly WireEvent[] {
  return events.filter((event) => FINAL_ONLY.has(event.type));
}

export function chatReplyEncoder(options: ChatEncoderOptions): ReplyEncoder {
  return replyEncoder(protocols.chat, createChatEncoder(options));
}

export function messagesReplyEncoder(options: EncoderOptions): ReplyEncoder {
  return replyEncoder(protocols.messages, protocols.messages.createEncoder(options));
}

function replyEncoder(
  { toSse, heartbeat, endsFailures, errorBody, errorAnswer }: Protocol,
  encoder: AnswerEncoder,
): ReplyEncoder {
  return {
    push: (event) => encoder.push(event),
    fail: (error) => encoder.fail(error),
    begin: () => encoder.begin?.() ?? [],
    endsAnswer: (error) => encoder.endsAnswer(error),
    toSse,
    heartbeat: undefined,
    endsFailures,
    errorBody,
    errorAnswer,
    idleSse: heartbeat,
    get failure() {
      return encoder.failure;
    },
    get body() {
      return encoder.body;
    },
    get notCarried() {
      return encoder.notCarried;
    },
  };
}
