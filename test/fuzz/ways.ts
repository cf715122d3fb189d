import { createDecoder, KnownShapes, type DecoderOptions, type StreamDecoder } from '../../packages/wire/src/index.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { cut, cutAt, decodeChunks, type Outcome } from '../wire/helpers.ts';
import type { Stream } from './stream.ts';

/** How often a body is read byte by byte costs most of the time: only short ones are. */
const SHORT = 300;

/** The slow path, every event through `JSON.parse`, and all bytes at once: what the other ways are held against. */
export function readPlainly(stream: Stream): Outcome {
  return decodeChunks(stream.wire, [stream.bytes], { ...stream.options, templates: false });
}

/** Every other way to read the same bytes, by name; undefined: not this body. A new short way of the decoders is a row here. */
export const ways: Readonly<Record<string, (stream: Stream) => Outcome | undefined>> = {
  'in one chunk': ({ wire, bytes, options }) => decodeChunks(wire, [bytes], options),
  'one event in a chunk': ({ wire, bytes, options }) => decodeChunks(wire, cutAtBlankLines(bytes), options),
  'cut anywhere': ({ wire, bytes, options, cuts }) => decodeChunks(wire, cutAt(bytes, cuts), options),
  'cut anywhere, plainly': ({ wire, bytes, options, cuts }) =>
    decodeChunks(wire, cutAt(bytes, cuts), { ...options, templates: false }),
  'byte by byte': ({ wire, bytes, options }) =>
    bytes.length > SHORT ? undefined : decodeChunks(wire, cut(bytes, 1), options),
  'from one buffer that is used again': ({ wire, bytes, options, cuts }) =>
    readReused(wire, cutAt(bytes, cuts), options),
  'knowing an answer like it, one event in a chunk': (stream) =>
    readKnowing([withOtherNames(stream.bytes)], stream, cutAtBlankLines(stream.bytes)),
  'knowing itself and other answers, cut anywhere': (stream) =>
    readKnowing([stream.bytes, ...answersBefore(stream)], stream, cutAt(stream.bytes, stream.cuts)),
  'knowing other answers alone, one event in a chunk': (stream) =>
    readKnowing(answersBefore(stream), stream, cutAtBlankLines(stream.bytes)),
  'while another answer of its server is read, chunk by chunk': (stream) =>
    readBeside([withOtherNames(stream.bytes), ...answersBefore(stream)], stream),
};

function answersBefore({ before = [] }: Stream): readonly Uint8Array[] {
  return before.map((body) => new TextEncoder().encode(body));
}

/** Reads bodies that came before, and then this one with what is kept of them. */
function readKnowing(
  before: readonly Uint8Array[],
  { wire, options }: Pick<Stream, 'wire' | 'options'>,
  chunks: readonly Uint8Array[],
): Outcome {
  const knowing = { ...options, shapes: new KnownShapes() };
  for (const body of before) decodeChunks(wire, [body], knowing);
  return decodeChunks(wire, chunks, knowing);
}

/** Reads others, and then this one while the last of them comes again. */
function readBeside(others: readonly Uint8Array[], { wire, options, bytes }: Stream): Outcome {
  const knowing = { ...options, shapes: new KnownShapes() };
  for (const body of others) decodeChunks(wire, [body], knowing);
  const [own, other] = [createDecoder(wire, knowing), createDecoder(wire, knowing)];
  const beside = cutAtBlankLines(others.at(-1) ?? bytes);
  const events = cutAtBlankLines(bytes).flatMap((chunk, n) => {
    other.push(beside[n % beside.length] ?? chunk);
    return own.push(chunk);
  });
  return outcomeOf(own, events);
}

function outcomeOf(decoder: StreamDecoder, told: readonly ModelEvent[]): Outcome {
  const events = [...told, ...decoder.end({ type: 'close' })];
  const { failure, skipped } = decoder;
  return { events, ...(failure === undefined ? {} : { error: failure.toJSON() }), skipped };
}

/** The same answer under other ids, of another model, at another time and place. */
function withOtherNames(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const other = text
    .replaceAll(/"(id|item_id|model|system_fingerprint|name)":"/g, '$&x')
    .replaceAll(/"(index|output_index|content_index|created|sequence_number)":(\d)/g, '"$1":1$2');
  return new TextEncoder().encode(other);
}

const LF = 10;

/** Behind each blank line, which is how tokens arrive. */
export function cutAtBlankLines(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] !== LF) continue;
    chunks.push(bytes.subarray(from, at + 2));
    from = at + 2;
  }
  return [...chunks, bytes.subarray(from)];
}

/** A caller may write its next chunk over the last one: nothing of it may be kept. */
function readReused(wire: Stream['wire'], chunks: readonly Uint8Array[], options: DecoderOptions): Outcome {
  const buffer = new Uint8Array(Math.max(0, ...chunks.map(({ length }) => length)));
  const decoder = createDecoder(wire, options);
  const events = chunks.flatMap((chunk) => {
    buffer.fill(0x78).set(chunk);
    return decoder.push(buffer.subarray(0, chunk.length));
  });
  buffer.fill(0x78);
  return outcomeOf(decoder, events);
}
