import type { JsonObject } from '../base/json.ts';
import type { ModelErrorJson } from './errors.ts';
import type { OutputItem, TokenLogprob } from './items.ts';
import type { Usage } from './usage.ts';

export type { Usage };

/**
 * The canonical events: one discriminated union on `type`, the same for Chat Completions SSE, Responses SSE
 * and Responses WebSocket. Field names are the wire's own.
 *
 * A stream ends exactly once: with `completed`, its last event, or with a thrown `ModelError`. Every added
 * item is done exactly once, except a tool call that was dropped or cut off.
 */
export type ModelEvent =
  | CreatedEvent
  | OutputItemAddedEvent
  | OutputTextDeltaEvent
  | RefusalDeltaEvent
  | ReasoningTextDeltaEvent
  | ReasoningSummaryTextDeltaEvent
  | ReasoningSummaryTextDoneEvent
  | ReasoningSummaryPartAddedEvent
  | ToolCallInputDeltaEvent
  | OutputItemDoneEvent
  | ServerModelEvent
  | RateLimitsEvent
  | ModelsEtagEvent
  | RetryingEvent
  | UnknownEvent
  | CompletedEvent;

/** The `type` of a canonical event. */
export type ModelEventType = ModelEvent['type'];

/** The server began to answer. */
export interface CreatedEvent {
  readonly type: 'created';
  readonly response_id?: string;
}

/** An item begins; its text and its arguments follow as deltas. */
export interface OutputItemAddedEvent {
  readonly type: 'output_item.added';
  readonly item: OutputItem;
}

/** More text of an assistant message. */
export interface OutputTextDeltaEvent {
  readonly type: 'output_text.delta';
  readonly delta: string;
  /** Of the tokens of this delta, as the server gave them; absent where it gave none. */
  readonly logprobs?: readonly TokenLogprob[];
  /** Absent where a Responses server gives no ids. */
  readonly item_id?: string;
}

/** More text of a refusal. */
export interface RefusalDeltaEvent {
  readonly type: 'refusal.delta';
  readonly delta: string;
  readonly item_id?: string;
}

/** More text of the reasoning itself. */
export interface ReasoningTextDeltaEvent {
  readonly type: 'reasoning_text.delta';
  readonly delta: string;
  readonly content_index: number;
  readonly item_id?: string;
}

/** More text of a summary of the reasoning. */
export interface ReasoningSummaryTextDeltaEvent {
  readonly type: 'reasoning_summary_text.delta';
  readonly delta: string;
  readonly summary_index: number;
  readonly item_id?: string;
}

/** One part of a summary, whole. */
export interface ReasoningSummaryTextDoneEvent {
  readonly type: 'reasoning_summary_text.done';
  readonly text: string;
  readonly summary_index: number;
  readonly item_id?: string;
}

/** A new part of a summary begins. */
export interface ReasoningSummaryPartAddedEvent {
  readonly type: 'reasoning_summary_part.added';
  readonly summary_index: number;
  readonly item_id?: string;
}

/** Function arguments and custom tool input alike. */
export interface ToolCallInputDeltaEvent {
  readonly type: 'tool_call_input.delta';
  readonly call_id: string;
  readonly name?: string;
  readonly item_id?: string;
  readonly delta: string;
}

/** The item's text here is the authoritative one. */
export interface OutputItemDoneEvent {
  readonly type: 'output_item.done';
  readonly item: OutputItem;
}

/** The model that the server says it uses, from its headers or its metadata. */
export interface ServerModelEvent {
  readonly type: 'server_model';
  readonly model: string;
}

/** How much of its quota the account has used, as the server reports it. */
export interface RateLimitsEvent {
  readonly type: 'rate_limits';
  readonly snapshot: RateLimitSnapshot;
}

/** The version of the server's list of models: it changes when the list does. */
export interface ModelsEtagEvent {
  readonly type: 'models_etag';
  readonly etag: string;
}

/** Only from a session: what was streamed for `discarded_item_ids` is void, the request is sent again. */
export interface RetryingEvent {
  readonly type: 'retrying';
  /** Counts from 1. */
  readonly attempt: number;
  readonly max: number;
  readonly delay_ms: number;
  readonly error: ModelErrorJson;
  readonly discarded_item_ids: readonly string[];
}

/** A wire event without a canonical one, as it was parsed. */
export interface UnknownEvent {
  readonly type: 'unknown';
  readonly raw: JsonObject;
}

/** The answer is over, and good: the last event of a stream. */
export interface CompletedEvent {
  readonly type: 'completed';
  /** `""` when the server gave none. */
  readonly response_id: string;
  readonly usage?: Usage;
  readonly end_turn?: boolean;
  readonly finish_reason?: string;
  /** The one of the request's stop sequences that ended the answer, where the server tells which. */
  readonly stop_sequence?: string;
  readonly ended_by: EndedBy;
  readonly dropped_tool_calls?: readonly DroppedToolCall[];
  /** Names of what the answer had beside and no item has a place for, e.g. `audio`. */
  readonly not_carried?: readonly string[];
}

/** What ended the response; `finish_reason` also when something else ended the wait for usage after it. */
export type EndedBy = 'response.completed' | 'finish_reason' | 'sentinel' | 'close';

/** A tool call that was seen and not handed on, since running it would not be safe. */
export interface DroppedToolCall {
  readonly call_id: string;
  readonly name?: string;
  readonly arguments: string;
  readonly reason: 'stop' | 'no_name' | 'incomplete';
}

/** One window of a rate limit. */
export interface RateLimitWindow {
  readonly used_percent: number;
  readonly window_minutes?: number;
  /** Unix time, seconds. */
  readonly reset_at?: number;
}

/** The rate limits of an account at one moment. */
export interface RateLimitSnapshot {
  readonly limit_id: string;
  readonly limit_name?: string;
  readonly primary?: RateLimitWindow;
  readonly secondary?: RateLimitWindow;
  readonly credits?: { readonly has_credits: boolean; readonly unlimited: boolean; readonly balance?: string };
  readonly plan_type?: string;
}

/** Every event type, proven complete by the compiler: a type missing here, or too many, is an error. */
const eventTypes = {
  created: true,
  'output_item.added': true,
  'output_text.delta': true,
  'refusal.delta': true,
  'reasoning_text.delta': true,
  'reasoning_summary_text.delta': true,
  'reasoning_summary_text.done': true,
  'reasoning_summary_part.added': true,
  'tool_call_input.delta': true,
  'output_item.done': true,
  server_model: true,
  rate_limits: true,
  models_etag: true,
  retrying: true,
  unknown: true,
  completed: true,
} as const satisfies Record<ModelEventType, true>;

/** The `type` of every canonical event. */
export const modelEventTypes: readonly ModelEventType[] = Object.keys(eventTypes) as ModelEventType[];
