import type { Clock } from '../base/clock.ts';
import type { DecoderOptions, ProtocolId } from '../decoder.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { createDecoder } from '../stream-decoder.ts';
import { AnswerReader, type PollResult } from './answer-reader.ts';
import { chunksOf, type ByteBody } from './body-chunks.ts';
import { BodySource } from './body-source.ts';
import { toModelStream, type ModelStream } from './model-stream.ts';

/** How long an answer is waited for, in milliseconds; 0 is for ever. */
export interface ReadTimeoutOptions {
  /** Milliseconds without a byte: error `stream_idle`. Default 300,000. */
  readonly idleTimeoutMs?: number;
  /** Milliseconds without an event, whatever bytes come: error `stream_idle`. Default 1,200,000. */
  readonly progressTimeoutMs?: number;
  /** Milliseconds until the first event: error `stream_idle`. Default: as the two above. */
  readonly firstEventTimeoutMs?: number;
  /** Milliseconds that a finished answer waits for its usage, where that was asked for. Default 250. */
  readonly usageGraceMs?: number;
}

/** How {@link readEvents} reads a body. */
export interface ReadEventsOptions extends DecoderOptions, ReadTimeoutOptions {
  /** The wire that the body is on. */
  readonly wire: ProtocolId;
  /** Aborting it ends the stream with kind `aborted`, and cancels the body. Without one only leaving the loop does. */
  readonly signal?: AbortSignal | undefined;
  /** The body is JSON, by its content type: it is over when its object is. Default false: a body that is JSON ends with its close. */
  readonly isJson?: boolean;
  /** Called after every wait for the body: what came, and how many milliseconds it took. It must not throw. Default: not called. */
  readonly onPoll?: ((result: PollResult, waitedMs: number) => void) | undefined;
  /** The clock of the timers. Default: the clock of the system. */
  readonly clock?: Clock;
}

export const readDefaults = {
  idleTimeoutMs: 300_000,
  progressTimeoutMs: 1_200_000,
  firstEventTimeoutMs: 0,
  usageGraceMs: 250,
} as const satisfies Required<ReadTimeoutOptions>;

/**
 * The events of one answer, from any body: what `fetch` gives, a stream of Node, an iterable of chunks. The stream ends when the
 * model is done, with `completed`, whether or not the body ends; or it throws a `ModelError`, exactly once. Leaving the loop cancels
 * the body. Nothing is read faster than the loop takes it.
 *
 * @example
 * ```ts
 * const response = await fetch('http://127.0.0.1:8080/v1/chat/completions', { method: 'POST', body: '…' });
 * if (response.body === null) throw new Error('no body');
 * for await (const event of readEvents(response.body, { wire: 'chat', idleTimeoutMs: 60_000 })) show(event);
 * ```
 * @throws TypeError for a `ReadableStream` that somebody else reads
 */
export function readEvents(body: ByteBody, options: ReadEventsOptions): ModelStream {
  const { wire, signal, isJson = false, onPoll, clock = systemClock, ...decoding } = options;
  const { idleTimeoutMs, progressTimeoutMs, firstEventTimeoutMs, usageGraceMs } = { ...readDefaults, ...options };
  const source = new BodySource(chunksOf(body), {
    clock,
    signal,
    idleMs: idleTimeoutMs,
    progressMs: progressTimeoutMs,
    firstEventMs: firstEventTimeoutMs,
  });
  const decoder = createDecoder(wire, decoding);
  return toModelStream(new AnswerReader({ source, decoder, clock, usageGraceMs, isJson, onPoll }));
}
