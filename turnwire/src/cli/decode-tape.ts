import type { DecoderOptions, ProtocolId, StreamDecoder } from '@turnwire/wire/internal/decoder';
import { createDecoder } from '@turnwire/wire';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { TapedExchange } from '@turnwire/testing';
import { bodiesOf, type TapedBody } from '../doctor/index.ts';
import type { CliContext } from './context.ts';
import { cut, errorLine } from './decode-stream.ts';
import { UsageError } from './exit.ts';
import type { Output } from './output.ts';
import { describeSkipped } from './skipped-text.ts';

export interface DecodeTapeOptions {
  /** Default: that of the path which was asked. */
  readonly wire: ProtocolId | undefined;
  readonly options: DecoderOptions;
  /** How long an answer waits for its usage, by the clock of the tape, in milliseconds. */
  readonly graceMs: number;
  readonly chunkSize: number | undefined;
}

/**
 * Decodes what a tape holds, chunk by chunk as it came and ended, and writes the events; of a socket each answer. What the
 * request asked for (usage, a token limit) counts as if it had been said by flags.
 *
 * @returns the last failure; each was written behind the events of its answer
 */
export async function decodeTape(
  exchange: TapedExchange,
  how: DecodeTapeOptions,
  out: Output,
  cli: CliContext,
): Promise<ModelError | undefined> {
  const bodies = bodiesOf(exchange, how.wire);
  if (bodies.length === 0)
    throw new UsageError(
      `${exchange.request.method} ${exchange.request.target} asks no model on a wire that is known: --wire says how to read it`,
    );
  let failure: ModelError | undefined;
  for (const body of bodies) failure = (await decodeBody(body, how, out, cli)) ?? failure;
  return failure;
}

async function decodeBody(
  body: TapedBody,
  { options, graceMs, chunkSize }: DecodeTapeOptions,
  out: Output,
  cli: CliContext,
): Promise<ModelError | undefined> {
  const usageAsked = options.usageAsked === true || body.usageAsked;
  const tokenLimit = options.tokenLimit === true || body.tokenLimit;
  const decoder = createDecoder(body.wire, { ...options, usageAsked, tokenLimit });
  await out.writeLines(feed(decoder, body, graceMs, chunkSize));
  const { failure, skipped } = decoder;
  if (failure !== undefined) await out.writeLines([errorLine(failure)]);
  if (skipped > 0) cli.stderr.write(`turnwire: ${describeSkipped(skipped)}\n`);
  return failure;
}

function feed(decoder: StreamDecoder, body: TapedBody, graceMs: number, chunkSize: number | undefined): ModelEvent[] {
  const events: ModelEvent[] = [];
  let over = Infinity;
  for (const { ms, data } of body.chunks) {
    if (ms - over > graceMs) return [...events, ...decoder.end({ type: 'grace' })];
    for (const piece of cut(data, chunkSize)) events.push(...decoder.push(piece));
    if (decoder.phase === 'ended') return events;
    if (decoder.phase !== 'streaming') over = Math.min(over, ms);
  }
  const waited = body.open && decoder.phase !== 'streaming';
  return [...events, ...decoder.end({ type: waited ? 'grace' : 'close' })];
}
