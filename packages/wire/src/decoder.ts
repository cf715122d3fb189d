import type { ModelError } from './model/errors.ts';
import type { ModelEvent } from './model/events.ts';
import type { Repairs } from './repairs.ts';
import type { KnownShapes } from './sse/known-shapes.ts';
import type { ThinkTags } from './dialects/think-tags.ts';

export type { ThinkTags };

/** Names a wire. `protocols` has the value behind each. */
export type ProtocolId = 'chat' | 'responses' | 'messages';

/**
 * The former name of {@link ProtocolId}.
 *
 * @deprecated
 */
export type WireApi = ProtocolId;

/** Makes an item id: the prefix (`msg`, `rs`, `fc`, `ctc`), `_`, and something never used before. */
export type MintId = (prefix: string) => string;

/** How a decoder reads one answer. */
export interface DecoderOptions {
  /** The request asked for usage, so a finished chat stream waits for it a little. Default false. */
  readonly usageAsked?: boolean;
  /** It waits for the usage of an answer that a limit or a filter cut off, too. Default false: that fails at once, unless
   * only usage tells whose limit it was. */
  readonly usageOfCut?: boolean;
  /** A usage from before the finish counts what was used until then: it waits for the one behind (Chat Completions). Default false. */
  readonly usageBehind?: boolean;
  /** The request set a token limit: a chat `length` is then `incomplete`, never a full context window. Default false. */
  readonly tokenLimit?: boolean;
  /** Tokens that fit into the model's context window: tells a full one from another limit. Default: unknown. */
  readonly contextWindow?: number | undefined;
  /** What a close without an end means. Default `error`: `stream_truncated`. */
  readonly onClose?: 'error' | 'complete';
  /** What becomes of complete tool calls that end in `stop`. Default `drop`. */
  readonly toolCallsOnStop?: 'drop' | 'promote';
  /**
   * Whether the text between `<think>` and its like at the very beginning of an answer is reasoning; `'opened'` where the
   * prompt ends in the opening tag, so that the answer begins within. Default false: it stays text.
   */
  readonly thinkTags?: ThinkTags;
  /** Bound of one SSE event, in UTF-16 code units of its decoded text (never more than its bytes). Default 16 MiB. */
  readonly maxEventBytes?: number;
  /** Makes ids for items that the server gave none. Default: a counter for each decoder. */
  readonly mintId?: MintId | undefined;
  /**
   * Makes ids for calls that the server gave none: they have to differ over a whole conversation. Default:
   * `tool-call-<n>`, n within the answer.
   */
  readonly mintCallId?: (() => string) | undefined;
  /** Whose server it is, for what it wants back as it was: see `makerOf`. Default: nobody's, whoever is asked next. */
  readonly maker?: string | undefined;
  /** Records what was wrong with the answer and was repaired. Default: nothing is recorded. */
  readonly repairs?: Repairs | undefined;
  /** What earlier answers of the same model looked like, so that this one need not be learnt anew. Default: nothing is known. */
  readonly shapes?: KnownShapes | undefined;
  /** Test only: false parses every event with `JSON.parse`. Default true. */
  readonly templates?: boolean;
}

/** Why no more bytes will come. */
export type EndReason =
  /** The body ended. */
  | { readonly type: 'close' }
  /** `usageGraceMs` ran out after the finish. */
  | { readonly type: 'grace' }
  /** The transport failed, a timer fired, or the caller gave up. */
  | { readonly type: 'failed'; readonly error: ModelError };

/**
 * - `streaming`: bytes are wanted.
 * - `awaiting_usage`: the answer is over and its items are out; the driver starts `usageGraceMs` once, and
 *   calls `end({type: 'grace'})` when it runs out.
 * - `ended`: `completed` was the last event, or `failure` is set. Further calls return nothing.
 */
export type DecoderPhase = 'streaming' | 'awaiting_usage' | 'ended';

/**
 * One response's decoder: a synchronous state machine without promises, timers or I/O.
 *
 * Any split of the same bytes gives the same events. Events come before the failure that follows them.
 */
export interface StreamDecoder {
  /** The events of one network chunk, in order; the array is the caller's to keep. */
  push(chunk: Uint8Array): ModelEvent[];
  /** Ends the stream; afterwards `phase` is `ended`. */
  end(reason: EndReason): ModelEvent[];
  readonly phase: DecoderPhase;
  /** Set when the stream ended badly: to be thrown after the events were delivered. */
  readonly failure: ModelError | undefined;
  /** Events that were no JSON object of the expected shape, and were passed over. */
  readonly skipped: number;
  /** The model that the answer names in its events or its body, once it has. */
  readonly model: string | undefined;
}
