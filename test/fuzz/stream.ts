import type { DecoderOptions, ProtocolId } from '../../packages/wire/src/index.ts';
import type { Told } from '../wire/dialects/answers.ts';

/** One body of bytes that a server might send, and what is known of it. */
export interface Stream {
  readonly wire: ProtocolId;
  readonly bytes: Uint8Array;
  readonly options: DecoderOptions;
  /** Where the bytes are cut for some of the ways in which they are read. */
  readonly cuts: readonly number[];
  /** What the same server sent before, in other answers. */
  readonly before?: readonly string[];
  /** What an answer that was written in a known dialect comes to. */
  readonly told?: Told;
  /** The same answer as the texts of WebSocket frames. */
  readonly frames?: readonly string[];
  /** The wires to whose clients it is the same answer. */
  readonly clients?: readonly ProtocolId[];
  /** Those clients set a limit of tokens. */
  readonly limited?: boolean;
}

/** A stream as it is kept in a file of the corpus. */
interface Kept extends Omit<Stream, 'bytes'> {
  /** The bytes, where they are UTF-8; else `base64` has them. */
  readonly text?: string;
  readonly base64?: string;
}

/** The text of a file for the corpus. */
export function toKept({ bytes, ...rest }: Stream): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const isText = Buffer.from(text).equals(bytes);
  const kept: Kept = { ...rest, ...(isText ? { text } : { base64: Buffer.from(bytes).toString('base64') }) };
  return `${JSON.stringify(kept, undefined, 2)}\n`;
}

export function fromKept(file: string): Stream {
  const { text, base64, ...rest } = JSON.parse(file) as Kept;
  const bytes = text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
  return { ...rest, bytes: new Uint8Array(bytes) };
}
