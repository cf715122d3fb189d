import type { ModelError, ModelErrorJson } from '@turnwire/wire/internal/model/errors';
import { UsageGrace } from '@turnwire/wire/internal/read/usage-grace';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { DecoderOptions, StreamDecoder, ProtocolId } from '@turnwire/wire/internal/decoder';
import { createDecoder } from '@turnwire/wire';
import type { InputStream, OutputStream } from './context.ts';
import { describeSystemError, UsageError } from './exit.ts';
import type { Output } from './output.ts';
import { describeSkipped } from './skipped-text.ts';

/** How a failed stream is written: the last line of its events. */
export interface ErrorLine {
  readonly type: 'error';
  readonly error: ModelErrorJson;
}

export interface DecodeSource {
  readonly input: InputStream;
  readonly wire: ProtocolId;
  readonly options: DecoderOptions;
  /** How long an input that stays open is waited for, once the answer is over and only usage is missing. */
  readonly graceMs: number;
  /** Chunks larger than this are cut. */
  readonly chunkSize: number | undefined;
}

/**
 * Decodes one input and writes each event as it happens. Ends at the end of the response, not of the input.
 *
 * @param messages - where it is said how many events were passed over
 * @returns the failure, which was written as the last line.
 * @throws UsageError when the input cannot be read.
 */
export async function decodeStream(
  source: DecodeSource,
  out: Output,
  messages: OutputStream,
): Promise<ModelError | undefined> {
  const decoder = createDecoder(source.wire, source.options);
  await feed(decoder, source, (events) => out.writeLines(events));
  const { failure, skipped } = decoder;
  if (failure !== undefined) await out.writeLines([errorLine(failure)]);
  if (skipped > 0) {
    messages.write(`turnwire: ${describeSkipped(skipped)}\n`);
  }
  return failure;
}

export function errorLine(error: ModelError): ErrorLine {
  return { type: 'error', error: error.toJSON() };
}

type Emit = (events: readonly ModelEvent[]) => Promise<void>;

async function feed(decoder: StreamDecoder, source: DecodeSource, emit: Emit): Promise<void> {
  const { input } = source;
  const graceOver = new Error('no usage within the grace');
  const onOver = (): void => void input.destroy(graceOver);
  const grace = new UsageGrace({ clock: systemClock, ms: source.graceMs, onOver });
  try {
    for await (const chunk of input as AsyncIterable<Uint8Array>) {
      for (const piece of cut(chunk, source.chunkSize)) {
        await emit(decoder.push(piece));
        if (decoder.phase === 'ended') return;
      }
      grace.watch(decoder);
    }
    await emit(decoder.end({ type: 'close' }));
  } catch (error) {
    if (error === graceOver) await emit(decoder.end({ type: 'grace' }));
    else if (input.errored === error) throw new UsageError(`cannot read the input: ${describeSystemError(error)}`);
    else throw error;
  } finally {
    grace.cancel();
  }
}

/** The chunk in pieces of at most `size` bytes; views, not copies. */
export function* cut(chunk: Uint8Array, size: number | undefined): Generator<Uint8Array> {
  const step = size ?? chunk.length;
  for (let at = 0; at < chunk.length; at += step) yield chunk.subarray(at, at + step);
}
