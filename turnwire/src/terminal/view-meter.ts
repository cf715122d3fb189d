import type { Usage } from '@turnwire/wire/internal/model/events';
import type { Meter } from './view-state.ts';

/** Characters that make about one token, for the speed while no server has counted. */
const CHARS_PER_TOKEN = 4;
/** Shorter streams say nothing about speed. */
const MIN_STREAM_MS = 50;

export function startRequest(meter: Meter, now: number): Meter {
  return { ...meter, requestStartedAt: now, firstOutputAt: undefined, streamedChars: 0 };
}

/** `chars` of any output: text, reasoning, a call's input. */
export function addOutput(meter: Meter, chars: number, now: number): Meter {
  const first = meter.firstOutputAt ?? now;
  const streamedChars = meter.streamedChars + chars;
  return {
    ...meter,
    firstOutputAt: first,
    ttftMs:
      meter.firstOutputAt === undefined && meter.requestStartedAt !== undefined
        ? now - meter.requestStartedAt
        : meter.ttftMs,
    streamedChars,
    tokensPerSecond: speed(streamedChars / CHARS_PER_TOKEN, now - first) ?? meter.tokensPerSecond,
  };
}

/** The response is over: the server's own count is better than ours. */
export function endRequest(meter: Meter, usage: Usage | undefined, now: number): Meter {
  if (usage === undefined || meter.firstOutputAt === undefined) return meter;
  return { ...meter, tokensPerSecond: speed(usage.output_tokens, now - meter.firstOutputAt) ?? meter.tokensPerSecond };
}

function speed(tokens: number, ms: number): number | undefined {
  return ms < MIN_STREAM_MS ? undefined : (tokens / ms) * 1000;
}
