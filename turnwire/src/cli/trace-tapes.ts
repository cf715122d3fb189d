import { STATUS_CODES } from '@turnwire/client/internal/platform/node-http';
import type { BodyEnd } from '@turnwire/bridge/internal/observe/observer';
import type { ParsedTrace, TracedAttempt } from '@turnwire/bridge/internal/observe/read-trace';
import type { HeaderList, TapedChunk, TapedEnd, TapedExchange, TapeEnding } from '@turnwire/testing';
import { cleanExchange } from '@turnwire/testing/internal/tape/clean';

/** What the connection of a tape has of its own, or what masked bytes do not have any more. */
const ownHeaders = /^(?:connection|transfer-encoding|content-length|content-encoding|host|keep-alive)$/i;

/** A tape of one attempt of a trace, and what of it is not as it was on the wire. */
export interface TraceTape {
  readonly exchange: TapedExchange;
  /** Empty where it is exact to the byte. */
  readonly lost: readonly string[];
}

/** A tape for each model server that was asked; each counts its time from when it was asked. */
export function tapesOfTrace(trace: ParsedTrace): readonly TraceTape[] {
  return trace.attempts.map((attempt) => tapeOf(trace, attempt));
}

function tapeOf({ at, client, end }: ParsedTrace, attempt: TracedAttempt): TraceTape {
  const { asked, head } = attempt;
  const start = asked?.ms ?? attempt.ms;
  const request = asked ?? client;
  const { chunks, lost } = chunksOf(attempt, start);
  const exchange: TapedExchange = {
    file: '',
    kind: 'http',
    request: {
      at,
      method: request.method,
      target: request.url,
      headers: listOf(request.headers),
      body: Buffer.from(request.body),
    },
    ...(head === undefined
      ? {}
      : {
          response: {
            ms: head.ms - start,
            status: head.status,
            reason: STATUS_CODES[head.status] ?? '',
            headers: listOf(head.headers),
          },
        }),
    chunks,
    messages: [],
    end: endOf(attempt, start, end),
  };
  const coded = head?.headers['content-encoding'] === undefined ? [] : ['the body is decompressed'];
  const guessed =
    asked === undefined ? ["the request is the client's: what the server was sent is not in the trace"] : [];
  return { exchange: cleanExchange(exchange), lost: [...guessed, ...coded, ...lost] };
}

/** The text, cut as the chunks were, when the trace says how; it does not fit when something in it was masked or no UTF-8. */
function chunksOf(
  { received }: TracedAttempt,
  start: number,
): { chunks: readonly TapedChunk[]; lost: readonly string[] } {
  const body = Buffer.concat(received.map(({ text }) => Buffer.from(text)));
  const cuts = received.flatMap((text) => text.cuts ?? []);
  const length = cuts.reduce((sum, [, bytes]) => sum + bytes, 0);
  if (length === body.length) {
    let from = 0;
    return {
      chunks: cuts.map(([ms, bytes]) => ({ ms: ms - start, data: body.subarray(from, (from += bytes)) })),
      lost: [],
    };
  }
  const why =
    cuts.length === 0
      ? 'the trace does not say how the chunks were cut: they are whole lines'
      : `the server sent ${length} bytes and the trace has ${body.length}: secrets in it are masked, or bytes are no UTF-8; chunks are whole lines`;
  const lines = received.filter(({ text }) => text !== '');
  return { chunks: lines.map(({ ms, text }) => ({ ms: ms - start, data: Buffer.from(text) })), lost: [why] };
}

/** How a tape calls what the bridge saw of the end. */
const endings: Readonly<Record<BodyEnd, TapeEnding>> = { complete: 'complete', broken: 'cut', left: 'client-left' };

function endOf({ ended, head, received, ms }: TracedAttempt, start: number, end: ParsedTrace['end']): TapedEnd {
  if (ended !== undefined) return { ms: ended.ms - start, how: endings[ended.how] };
  if (end === undefined) return { ms: (received.at(-1) ?? head ?? { ms }).ms - start, how: 'torn' };
  if (head === undefined) return { ms: end.ms - start, how: 'failed', error: end.error ?? 'no answer' };
  // How long the bridge read on is not told.
  return { ms: (received.at(-1) ?? head).ms - start, how: 'client-left' };
}

function listOf(headers: Readonly<Record<string, string>>): HeaderList {
  return Object.entries(headers).filter(([name]) => !ownHeaders.test(name));
}
