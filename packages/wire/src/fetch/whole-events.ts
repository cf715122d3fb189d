import type { ByteSource } from '../base/byte-source.ts';
import { joined } from '../read/joined.ts';

const LF = 10;
const CR = 13;
/** Ends an event, wherever in a line it was cut. */
const BLANK_LINES = Uint8Array.of(LF, LF);

/** More of one event than this is handed on in parts: whoever decodes it has a bound of their own. */
const MOST = 16 * 1024 * 1024;

/** What goes on with a stream whose connection was lost. */
export interface Continuation {
  /** What brings the rest, from the event on that was not whole yet; `undefined`: it is lost. */
  goOn(failure: unknown): Promise<ByteSource | undefined>;
  /** Nobody waits for it any more. */
  cancel(): void;
}

/**
 * A source of server-sent events that gives out whole ones alone, so that the bytes of each read can go on as they are, or not at all.
 * The beginning of an event is held until the rest comes, or the source ends.
 */
export class WholeEvents implements ByteSource {
  #source: ByteSource;
  readonly #continuation: Continuation | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #raw: Uint8Array[] = [];
  #wasCut = false;
  /** How the source ended, to be told once what was held is out. */
  #end: { readonly failure?: unknown } | undefined;

  constructor(source: ByteSource, continuation?: Continuation) {
    this.#source = source;
    this.#continuation = continuation;
  }

  /** The source ended in the middle of an event, which was ended for it. */
  get wasCut(): boolean {
    return this.#wasCut;
  }

  /** The bytes that were read since the last call. */
  takeRaw(): readonly Uint8Array[] {
    const raw = this.#raw;
    this.#raw = [];
    return raw;
  }

  async read(): Promise<readonly Uint8Array[] | undefined> {
    for (;;) {
      if (this.#end !== undefined) return this.#finish(this.#end);
      const chunks = await this.#readSource();
      if (chunks === undefined) continue;
      if (chunks.length === 0) return [];
      const whole = this.#cut(joined(chunks));
      if (whole !== undefined) return this.#out(whole);
    }
  }

  wake(): void {
    this.#source.wake();
  }

  progress(): void {
    this.#source.progress();
  }

  cancel(): void {
    this.#continuation?.cancel();
    this.#source.cancel();
  }

  release(): void {
    this.#source.release();
  }

  async #readSource(): Promise<readonly Uint8Array[] | undefined> {
    let end: { readonly failure?: unknown } = {};
    try {
      const chunks = await this.#source.read();
      if (chunks !== undefined) return chunks;
    } catch (failure) {
      end = { failure };
    }
    await this.#endOrGoOn(end);
    return undefined;
  }

  async #endOrGoOn(end: { readonly failure?: unknown }): Promise<void> {
    const next = await this.#continuation?.goOn(end.failure);
    if (next === undefined) {
      this.#end = end;
      return;
    }
    this.#source = next;
    this.#takeHeld();
  }

  #finish(end: { readonly failure?: unknown }): readonly Uint8Array[] | undefined {
    // The last event may lack its blank line: docs/contract.md section 2.
    this.#wasCut ||= this.#held.some((piece) => piece.some(isSomething));
    if (this.#heldBytes > 0) return this.#out(joined([this.#takeHeld(), BLANK_LINES]));
    if ('failure' in end) throw end.failure;
    return undefined;
  }

  /** What is whole of what is held and this; the rest is held. */
  #cut(chunk: Uint8Array): Uint8Array | undefined {
    const end = endOfLastEvent(chunk, this.#held.at(-1)?.at(-1));
    if (end === chunk.length && this.#heldBytes === 0) return chunk;
    const cut = end < 0 && this.#heldBytes + chunk.length > MOST ? chunk.length : end;
    if (cut >= 0) this.#hold(chunk.subarray(0, cut));
    const whole = cut >= 0 ? this.#takeHeld() : undefined;
    this.#hold(cut >= 0 ? chunk.subarray(cut) : chunk);
    return whole;
  }

  #hold(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }

  #takeHeld(): Uint8Array {
    const held = joined(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  #out(bytes: Uint8Array): readonly Uint8Array[] {
    this.#raw.push(bytes);
    return [bytes];
  }
}

/** True for a byte that is no white space. */
function isSomething(byte: number): boolean {
  return byte > 0x20;
}

/** The place behind the last blank line, or -1; `before` is the byte before the first. */
function endOfLastEvent(bytes: Uint8Array, before: number | undefined): number {
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at];
    if (byte !== LF && byte !== CR) continue;
    const last = at > 0 ? bytes[at - 1] : before;
    if (last === LF || (last === CR && byte === CR)) return at + 1;
    const other = at > 1 ? bytes[at - 2] : undefined;
    if (last === CR && (other === LF || other === CR)) return at + 1;
  }
  return -1;
}
