import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { sseText } from '@turnwire/wire/internal/encode-event';

/** One event of an answer before it is bytes: what most faults change. */
export type Frame =
  /** A payload; `event` is its SSE event name, empty on the chat wire. */
  | { readonly kind: 'json'; readonly event: string; readonly value: JsonObject }
  /** A payload that is no JSON, e.g. the sentinel `[DONE]`. */
  | { readonly kind: 'data'; readonly event: string; readonly data: string }
  /** SSE text as it is, line ends included; on a WebSocket one text message. */
  | { readonly kind: 'raw'; readonly text: string };

/** One performStep of the server on the connection, in order. `hold`, `pulse`, `cut`, `reset` and `close` are last ones. */
export type Step =
  /** `mark` says what the client knows once it has read this: `finish_reason`, `[DONE]`, `response.completed`, … */
  | { readonly do: 'write'; readonly data: string | Uint8Array; readonly mark?: string | undefined }
  | { readonly do: 'wait'; readonly ms: number }
  /** Nothing more is sent, the connection stays open until the client leaves or the mock closes. */
  | { readonly do: 'hold' }
  /** The same, with a text every so often. */
  | { readonly do: 'pulse'; readonly text: string; readonly everyMs: number }
  /** The body ends properly. On a WebSocket: the response is over, the socket stays for the next. */
  | { readonly do: 'end' }
  /** The connection is closed in the middle of the body. */
  | { readonly do: 'cut' }
  /** The connection is reset. */
  | { readonly do: 'reset' }
  /** WebSocket: a close frame. */
  | { readonly do: 'close'; readonly code: number; readonly reason: string }
  /** WebSocket: a ping. */
  | { readonly do: 'ping' };

/** What stands before the body, or instead of it. Faults change it in place. */
export interface Head {
  status: number;
  readonly headers: Record<string, string>;
  /** Milliseconds until the head is sent. */
  delayMs: number;
  /** A body sent as it is, instead of the scripted answer. */
  body: string | Uint8Array | undefined;
  /** Answer with one JSON body although a stream was asked for, or the other way round. */
  json: boolean;
  /** The connection is dropped before any head. */
  refuse: boolean;
}

/** Deeds after which nothing follows. */
export function isLast(step: Step): boolean {
  return step.do === 'hold' || step.do === 'pulse' || step.do === 'cut' || step.do === 'reset' || step.do === 'close';
}

/** The SSE text of a frame. */
export function sseTextOf(frame: Frame): string {
  return frame.kind === 'raw' ? frame.text : sseText(frame.event, messageTextOf(frame));
}

/** A frame as one WebSocket text message. */
export function messageTextOf(frame: Frame): string {
  if (frame.kind === 'raw') return frame.text;
  return frame.kind === 'json' ? JSON.stringify(frame.value) : frame.data;
}
