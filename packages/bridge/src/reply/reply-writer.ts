import type { ServerResponse } from 'node:http';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import { errorBody, type ApiError, type ErrorForm } from './api-error.ts';
import { BodyWriter } from './body-writer.ts';
import type { ReplyEncoder } from './reply-encoder.ts';

/** Where an answer goes: an SSE stream, one body, or a WebSocket. */
export interface ReplyWriter {
  /** The client has seen something: an error can no longer be a status. */
  readonly committed: boolean;
  /** Headers of the answer, in place of those before; nothing once it is committed. */
  setHeaders(headers: Readonly<Record<string, string>>): void;
  send(events: readonly WireEvent[]): void;
  /** Nothing more should be sent before `drained`. */
  readonly full: boolean;
  /** Settles when the client took what was sent, or is gone. */
  drained(): Promise<void>;
  /** A sign of life. */
  heartbeat(): void;
  /** The last events; the answer ends with them. */
  finish(events: readonly WireEvent[]): void;
  /** The last events of an answer that failed. */
  fail(events: readonly WireEvent[]): void;
  /** Settles when the client's connection took all of an answer that has ended, or is gone. */
  flushed(): Promise<void>;
  /** Instead of an answer. Only before anything is committed. */
  reject(error: ApiError): void;
}

const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** How a stream of events is written for one client. */
export type SseForm = Pick<ReplyEncoder, 'toSse' | 'heartbeat' | 'idleSse' | 'endsFailures' | keyof ErrorForm>;

/** Writes to the response itself, one write per batch of events. */
export class SseReplyWriter implements ReplyWriter {
  readonly #res: ServerResponse;
  readonly #body: BodyWriter;
  readonly #encoder: SseForm;
  #headers: Readonly<Record<string, string>> = {};

  constructor(res: ServerResponse, encoder: SseForm) {
    this.#res = res;
    this.#body = new BodyWriter(res);
    this.#encoder = encoder;
  }

  get committed(): boolean {
    return this.#res.headersSent;
  }

  setHeaders(headers: Readonly<Record<string, string>>): void {
    this.#headers = headers;
  }

  send(events: readonly WireEvent[]): void {
    if (events.length === 0) return;
    this.#open();
    this.#body.write(this.#encoder.toSse(events));
  }

  get full(): boolean {
    return this.#body.full;
  }

  drained(): Promise<void> {
    return this.#body.drained();
  }

  heartbeat(): void {
    if (this.#body.full) return;
    this.#open();
    const { heartbeat, idleSse } = this.#encoder;
    this.#body.write(heartbeat === undefined ? idleSse : this.#encoder.toSse([heartbeat]));
  }

  finish(events: readonly WireEvent[]): void {
    this.#open();
    this.#body.end(this.#encoder.toSse(events));
  }

  /** Where some clients pass over the error, they still see a body that breaks off (docs/contract.md section 6). */
  fail(events: readonly WireEvent[]): void {
    if (this.#encoder.endsFailures) {
      this.finish(events);
      return;
    }
    this.#open();
    this.#body.cut(this.#encoder.toSse(events));
  }

  flushed(): Promise<void> {
    return flushed(this.#res);
  }

  reject(error: ApiError): void {
    sendError(this.#res, error, this.#encoder, this.#headers);
  }

  #open(): void {
    if (!this.#res.headersSent) this.#res.writeHead(200, { ...SSE_HEADERS, ...this.#headers });
  }
}

/** Sends nothing before the end, and then one body. */
export class JsonReplyWriter implements ReplyWriter {
  readonly committed = false;
  readonly full = false;
  readonly #res: ServerResponse;
  readonly #encoder: ReplyEncoder;
  #headers: Readonly<Record<string, string>> = {};

  constructor(res: ServerResponse, encoder: ReplyEncoder) {
    this.#res = res;
    this.#encoder = encoder;
  }

  setHeaders(headers: Readonly<Record<string, string>>): void {
    this.#headers = headers;
  }

  send(): void {
    // All of it goes out at the end.
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  heartbeat(): void {
    // A body has no room for one.
  }

  finish(): void {
    sendJson(this.#res, 200, JSON.stringify(this.#encoder.body), this.#headers);
  }

  fail(): void {
    this.finish();
  }

  flushed(): Promise<void> {
    return flushed(this.#res);
  }

  reject(error: ApiError): void {
    sendError(this.#res, error, this.#encoder, this.#headers);
  }
}

/** Settles when the connection took all of an answer that has ended, or is gone. */
export function flushed(res: ServerResponse): Promise<void> {
  if (res.writableFinished || res.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    res.once('finish', resolve).once('close', resolve);
  });
}

/** An error instead of an answer; a connection whose client already got something is cut. */
export function sendError(
  res: ServerResponse,
  error: ApiError,
  form: ErrorForm,
  headers: Readonly<Record<string, string>> = {},
): void {
  const requestId = String(res.getHeader('x-request-id'));
  sendJson(res, error.status, errorBody({ ...error, requestId }, form), { ...headers, ...error.headers });
}

export function sendJson(
  res: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const length = String(Buffer.byteLength(body));
  res.writeHead(status, { ...headers, 'content-type': 'application/json; charset=utf-8', 'content-length': length });
  res.end(body);
}
