import type { IncomingHttpHeaders } from 'node:http';
import type { Conceal } from '@turnwire/client/internal/platform/conceal';
import type { HeaderValues } from '@turnwire/wire/internal/base/http-headers';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { CompletedEvent, ModelEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { Repair } from '@turnwire/wire/internal/repairs';

/** A request that has arrived, before anybody looked at it. */
export interface ExchangeStart {
  /** Names it in the log, in the trace, and to its client in `x-request-id`. */
  readonly id: string;
  /** The socket that it came on, where several requests do. */
  readonly socket?: string | undefined;
  /** What it asks for, e.g. `responses`, `models`; `other` for a path that is not there. */
  readonly route: string;
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A request that was let in and could be read. */
export interface ReadRequest {
  /** The same with the form of the answer, e.g. `responses_sse`. */
  readonly route: string;
  /** The client's wire; absent where the answer is none of a model. */
  readonly wire: ProtocolId | undefined;
  /** The model that it names, where that was found. */
  readonly model?: string | undefined;
  /** Length of the body, in bytes or characters, as it was read; 0 where there is none. */
  readonly size: number;
  /** Reads the body; undefined where there is none that can be read. */
  readonly body: () => JsonObject | undefined;
}

/** A model server is asked. */
export interface Attempt {
  /** Counts from 1. */
  readonly number: number;
  readonly upstream: string;
  /** Takes out of a text what that server was told in confidence. */
  readonly conceal: Conceal;
}

/** The request that a model server was sent. */
export interface AskedServer {
  readonly method: string;
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
}

/** How the body of a model server's answer ended: by itself, by a broken connection, or because the bridge read no further. */
export type BodyEnd = 'complete' | 'broken' | 'left';

/** The head of a model server's answer. */
export interface AnswerHead {
  readonly upstream: string;
  /** The wire that it was asked on; absent where the answer is none of a model. */
  readonly wire?: ProtocolId | undefined;
  readonly status: number;
  readonly headers: HeaderValues;
}

/** What a repair was made after, where it was a failure. */
export interface RepairCause {
  readonly upstream: string;
  readonly failure: ModelError;
  /** Milliseconds until a server is asked again. */
  readonly delayMs: number;
}

/** Something that the client was sent: events of its wire, the bytes of somebody else's answer, or a text. */
export type Sent = readonly WireEvent[] | Uint8Array | string;

/** Why a request was not served: the error that its client was told. */
export interface Refusal {
  readonly status: number;
  readonly code: string | null;
  readonly message: string;
  readonly param?: string | undefined;
}

/** How an exchange ended, in its own words. */
export type ExchangeEnd =
  | { readonly how: 'completed'; readonly event?: CompletedEvent; readonly usage?: Usage | undefined }
  /** The kind `aborted`: the client left. */
  | { readonly how: 'failed'; readonly error: ModelError; readonly usage?: Usage | undefined }
  | { readonly how: 'refused'; readonly refusal: Refusal };

/** All that is known of an exchange when it is over. */
export interface ExchangeSummary {
  readonly route: string;
  /** `completed`, `refused`, or the kind of the error. */
  readonly outcome: string;
  readonly end: ExchangeEnd;
  /** The server that answered last. */
  readonly upstream: string | undefined;
  /** Status of that answer. */
  readonly status: number | undefined;
  /** How often a server was asked. */
  readonly attempts: number;
  /** Milliseconds from the request to the first event, or byte, that was sent. */
  readonly firstMs: number | undefined;
  /** Milliseconds from the request to the end. */
  readonly ms: number;
  /** How often something was sent. */
  readonly batches: number;
  /** Bytes that were passed on as they came. */
  readonly bytes: number;
  readonly usage: Usage | undefined;
  /** How often each repair was made. */
  readonly repairs: ReadonlyMap<Repair, number>;
  /** The answer put together from its events, as one body. Asked for only by who needs it: it may be long. */
  readonly answer: (() => JsonObject | undefined) | undefined;
}

/**
 * Watches one exchange without changing anything: the log, the metrics and the trace are observers. Every hook is
 * optional; what nobody has a hook for costs nothing. Hooks are called in line and must not throw.
 */
export interface ExchangeObserver {
  /** It is known who asks; before the request is read. */
  onCaller?(name: string): void;
  onRequest?(request: ReadRequest): void;
  onAttempt?(attempt: Attempt): void;
  /** What is sent to the server of the attempt; a retry without a field, or a redirect, is one more. */
  onAsked?(asked: AskedServer): void;
  onHead?(head: AnswerHead): void;
  /** Bytes of the answer, as they were read off the server. */
  onChunk?(bytes: Uint8Array): void;
  /**
   * All of the body has come, or it is read no further. Behind a good end of the answer it is waited for it for a tenth of a
   * second: this may come after `onEnd`, as may chunks.
   */
  onBodyEnd?(how: BodyEnd): void;
  /** Events that were decoded together, as the server meant them. */
  onEvents?(events: readonly ModelEvent[]): void;
  /** The model has finished its answer, and the server's usage is waited for. */
  onFinished?(): void;
  /** Something was handed to the client's connection. */
  onSent?(sent: Sent): void;
  /** How long after it was read off the server a batch was handed on; measured for one in sixteen. */
  onDelay?(ms: number): void;
  /** @param about - the data of an event that was skipped, or the failure behind another attempt */
  onRepair?(repair: Repair, about?: string | RepairCause): void;
  /** Once, and nothing after it but the rest of the body, and usage that comes late. */
  onEnd?(summary: ExchangeSummary): void;
  /** The summary had no usage: here it is. */
  onLateUsage?(usage: Usage): void;
}

/** Begins to watch an exchange, unless it is of no interest. */
export type Observe = (start: ExchangeStart) => ExchangeObserver | undefined;
