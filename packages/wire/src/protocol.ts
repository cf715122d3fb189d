import type { JsonObject } from './base/json.ts';
import type { ModelError } from './model/errors.ts';
import type { CompletedEvent, ModelEvent } from './model/events.ts';
import type { ModelRequest } from './model/request.ts';
import type { DecoderOptions, MintId, ProtocolId } from './decoder.ts';
import type { ErrorAnswer, ErrorFields } from './encode-error.ts';
import type { WireEvent } from './encode-event.ts';
import type { WireMachine } from './machine.ts';
import type { PortableFields } from './portable.ts';
import type { ChatQuirks } from './quirks.ts';
import type { Repairs } from './repairs.ts';
import type { RequestBody } from './request-body.ts';
import type { ParsedRequest } from './request-fields.ts';

/** How a request is written for one server. */
export interface RequestOptions {
  /** The model that is asked when the request names none. Default: none is named. */
  readonly model?: string | undefined;
  /** Bound of the answer in tokens when the request sets none. Default: no bound is sent. */
  readonly maxOutputTokens?: number | undefined;
  /** Ask for token usage, where the wire has to be asked. Default false. */
  readonly askUsage?: boolean | undefined;
  /** How this server departs from the common form. Default: not at all. */
  readonly quirks?: ChatQuirks | undefined;
}

/** How an answer is written for one client. */
export interface EncoderOptions {
  /** The answer's id on the wire. */
  readonly id: string;
  /** Unix time in seconds. */
  readonly createdAt: number;
  /** The name of the model that the answer carries. Default: an empty text. */
  readonly model?: string | undefined;
  /** The client asked for usage, where the wire has to be asked (`stream_options.include_usage`). Default false. */
  readonly includeUsage?: boolean | undefined;
  /**
   * More fields of the response object (`instructions`, `tools`, `metadata`, …), where the wire has one: they win over
   * those that the encoder writes. Default: none.
   */
  readonly response?: JsonObject | undefined;
  /** Forward the progress of the server's own tools, where the wire has events for it. Default false. */
  readonly toolProgress?: boolean | undefined;
  /** Leave the text of the reasoning out, and keep what seals it, where the wire has a request for that. Default false. */
  readonly omitThinking?: boolean | undefined;
  /** The client offered tools that its wire's servers run themselves, and knows their blocks. Default false. */
  readonly serverBlocks?: boolean | undefined;
  /** Makes ids for items that have none. Default: a counter for each encoder. */
  readonly mintId?: MintId | undefined;
  /** Records what was wrong with the answer and was repaired. Default: nothing is recorded. */
  readonly repairs?: Repairs | undefined;
}

/** Canonical events in, the events of one wire out; it cannot emit an illegal order. */
export interface AnswerEncoder {
  /** The wire events that one canonical event leads to. After the end: none. */
  push(event: ModelEvent): WireEvent[];
  /** Ends the answer with an error, or as one that a limit or a filter cut. After the end: none. */
  fail(error: ModelError): WireEvent[];
  /**
   * How an answer begins of which the server has said nothing yet, so that its client sees that it is on its way; once it
   * has begun: none. Absent: the wire has no such beginning.
   */
  begin?(): WireEvent[];
  /** True for an error that the wire tells as the end of an answer, with what there is of it. */
  endsAnswer(error: ModelError): boolean;
  /** True after the one end. */
  readonly ended: boolean;
  /** Types of the items that the wire has no place for, each once. */
  readonly notCarried: readonly string[];
  /** Why the answer failed although the server ended it well: it has what this wire cannot tell. Absent: it did not. */
  readonly failure?: ModelError | undefined;
  /** The answer as one JSON body, for a client that did not ask for a stream; whole after the end. */
  readonly body: JsonObject;
}

/** A wire as far as its answers go: what whoever sends no requests of their own needs of it, and no more. */
export interface AnswerProtocol {
  readonly id: ProtocolId;
  /** The wire's name for people. */
  readonly title: string;
  /** The endpoint below the base URL, without a leading slash. */
  readonly path: string;
  /** Each SSE event has an `event:` line with its type. */
  readonly namesEvents: boolean;
  /** A stream has its usage only for a request that asks for it (`stream_options.include_usage`). */
  readonly usageOnRequest: boolean;
  /** A stream that fails ends in an event that all clients take for a failure; some pass over that of a wire without. */
  readonly endsFailures: boolean;
  /** How an answer that ended well was ended on this wire. */
  readonly endedBy: CompletedEvent['ended_by'];
  /** Begins the ids of answers. */
  readonly answerPrefix: string;
  /** The state machine that reads one answer. */
  createMachine(options: DecoderOptions): WireMachine;
  /** The encoder of one answer. */
  createEncoder(options: EncoderOptions): AnswerEncoder;
  /** Events as SSE text. */
  readonly toSse: (events: readonly WireEvent[]) => string;
  /** SSE text that means nothing to a client but that its server is there. */
  readonly heartbeat: string;
  /** What a failure is told as while no byte of the answer has gone out: status, headers and words. */
  readonly errorAnswer: (error: ModelError) => ErrorAnswer;
  /** The body of an answer that is an error. */
  readonly errorBody: (error: ErrorFields) => JsonObject;
  /** The header in which its clients look for the id of their request. */
  readonly requestIdHeader: string;
}

/**
 * A wire as a value: everything that differs from one wire to the next. Nobody outside of `packages/wire/src` compares a
 * protocol's id with a string (a lint rule looks): what has to be decided per wire is a member here, or a table with
 * a row for each {@link ProtocolId}, so that the compiler names every place that a new wire has to fill in.
 */
export interface Protocol extends AnswerProtocol {
  /** The endpoint that tells how many tokens a request has; absent where the wire has none. */
  readonly countPath?: string;
  /** The wire is served over a WebSocket, too. */
  readonly overWebSocket: boolean;
  /**
   * Its servers may pause an answer (`end_turn: false`), and go on with it when they are sent back what there is of it, at the
   * end of the same conversation.
   */
  readonly pausesAnswers: boolean;
  /** The body of a request; the notes list what the wire has no form for. */
  toRequest(request: ModelRequest, options: RequestOptions): RequestBody;
  /** @throws InvalidFieldError for a field of the wrong type, naming it */
  fromRequest(body: JsonObject): ParsedRequest;
  /** Headers that its servers want on every request, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The headers by which its servers know a caller, names in lower case. */
  authHeaders(key: string): Readonly<Record<string, string>>;
  /** Those of a client's remaining fields that other wires may have a form for. */
  toPortable(rest: JsonObject): PortableFields;
  /** Portable fields as this wire's servers understand them; the rest would be refused by strict ones. */
  fromPortable(fields: PortableFields): JsonObject;
}
