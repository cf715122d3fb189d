/** What invalid bytes become; a server may also send it as such. */
export const REPLACEMENT = '\ufffd';

/** One for all streams: without `stream: true`, which costs far more per call, it keeps nothing from one call to the next. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Bytes to text, chunk by chunk, with the result independent of where the chunks are cut: the first bytes of a
 * character that is still incomplete wait for the rest. Invalid UTF-8 becomes U+FFFD as the WHATWG decoder has it.
 */
export class Utf8Stream {
  /** The incomplete tail: at most 3 bytes. */
  #held: Uint8Array | undefined;

  /** Bytes came that are no UTF-8. */
  invalid = false;

  /** True while the first bytes of a character wait for the rest. */
  get holds(): boolean {
    return this.#held !== undefined;
  }

  decode(chunk: Uint8Array): string {
    const bytes = this.#held === undefined ? chunk : concat(this.#held, chunk);
    const cut = bytes.length - incompleteTail(bytes);
    // A Buffer's slice would be no copy.
    this.#held = cut === bytes.length ? undefined : new Uint8Array(bytes.subarray(cut));
    const whole = cut === bytes.length ? bytes : bytes.subarray(0, cut);
    const text = cut === 0 ? '' : decoder.decode(whole);
    this.invalid ||= text.includes(REPLACEMENT) && !hasReplacement(whole);
    return text;
  }

  /** What an unfinished last character becomes. */
  flush(): string {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined ? '' : decoder.decode(held);
  }
}

function hasReplacement(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xef); at >= 0; at = bytes.indexOf(0xef, at + 1)) {
    if (bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) return true;
  }
  return false;
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const both = new Uint8Array(head.length + tail.length);
  both.set(head);
  both.set(tail, head.length);
  return both;
}

/**
 * How many bytes at the end may be the beginning of a character that more bytes complete. Holding back bytes that turn
 * out to be invalid is harmless: a lead byte always begins anew, so the cut before it never changes what is decoded.
 */
function incompleteTail(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return back < needed ? back : 0;
  }
  return 0;
}
