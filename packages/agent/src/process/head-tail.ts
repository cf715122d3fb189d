/**
 * Keeps the first and the last bytes of an output of any length, in bounded memory: at most `headBytes` + `tailBytes`
 * and one chunk.
 */
export class HeadTail {
  /** Bytes seen. */
  total = 0;
  readonly #headBytes: number;
  readonly #tailBytes: number;
  readonly #head: Uint8Array[] = [];
  #headLength = 0;
  #tail: Uint8Array[] = [];
  #tailLength = 0;
  #sawNul = false;

  constructor(headBytes: number, tailBytes: number) {
    this.#headBytes = headBytes;
    this.#tailBytes = tailBytes;
  }

  append(chunk: Uint8Array): void {
    this.total += chunk.length;
    this.#sawNul ||= chunk.includes(0);
    const room = this.#headBytes - this.#headLength;
    if (room > 0) {
      const first = chunk.subarray(0, room);
      this.#head.push(first);
      this.#headLength += first.length;
    }
    if (chunk.length > room) this.#appendTail(room > 0 ? chunk.subarray(room) : chunk);
  }

  /** A NUL byte was seen: this is no text. */
  get isBinary(): boolean {
    return this.#sawNul;
  }

  /** The kept text with a note where something is missing; a character is never cut in two. */
  toString(): string {
    if (this.#sawNul) return `[binary output, ${this.total} bytes, not shown]`;
    const tail = joined(this.#tail).subarray(Math.max(0, this.#tailLength - this.#tailBytes));
    const missing = this.total - this.#headLength - tail.length;
    if (missing === 0) return decode(Buffer.concat([joined(this.#head), tail]), false);
    const head = decode(joined(this.#head), true);
    return `${head}\n[… ${missing} bytes left out …]\n${decode(withoutBrokenStart(tail), false)}`;
  }

  #appendTail(chunk: Uint8Array): void {
    this.#tail.push(chunk);
    this.#tailLength += chunk.length;
    while (this.#tailLength - (this.#tail[0]?.length ?? 0) >= this.#tailBytes && this.#tail.length > 0) {
      this.#tailLength -= this.#tail.shift()?.length ?? 0;
    }
    // Many small chunks would cost more than their bytes.
    if (this.#tail.length > 1024) this.#tail = [joined(this.#tail)];
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(chunks);
}

function decode(bytes: Uint8Array, cut: boolean): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: cut });
}

/** Without the continuation bytes of a character whose start was left out. */
function withoutBrokenStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
