/** Bytes under comparison. What stands at `end` and behind it counts for nothing. */
export interface ByteWindow {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  end: number;
}

/** A window on the bytes themselves. */
export function windowOn(bytes: Uint8Array): ByteWindow {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), end: bytes.length };
}

/** A window on room for so many bytes. */
export function emptyWindow(size: number): ByteWindow {
  return windowOn(new Uint8Array(size));
}

/** Text that is compared with bytes four at a time, which costs a third of comparing it as text. */
export interface Literal {
  /** In bytes. */
  readonly length: number;
  /** A list of numbers: it is compared faster than an `Int32Array`. */
  readonly words: readonly number[];
  /** The bytes behind the last four. */
  readonly rest: readonly number[];
}

const utf8 = new TextEncoder();

export function literalOf(text: string): Literal {
  const window = windowOn(utf8.encode(text));
  return literalAt(window, 0, window.end);
}

/** What stands there now. */
export function literalAt({ view }: ByteWindow, start: number, end: number): Literal {
  const length = end - start;
  const count = length >> 2;
  const words: number[] = []; // made of a length, it would have holes, which cost a tenth of the comparison
  for (let n = 0; n < count; n++) words.push(view.getInt32(start + n * 4, true));
  const rest: number[] = [];
  for (let at = start + count * 4; at < end; at++) rest.push(view.getUint8(at));
  return { length, words, rest };
}

/** True where the literal stands at this place. */
export function isAt({ view, end }: ByteWindow, at: number, { length, words, rest }: Literal): boolean {
  if (at + length > end) return false;
  const count = words.length;
  for (let n = 0; n < count; n++) if (view.getInt32(at + n * 4, true) !== words[n]) return false;
  const behind = at + count * 4;
  for (let n = 0; n < rest.length; n++) if (view.getUint8(behind + n) !== rest[n]) return false;
  return true;
}

const LF = 10;
const CR = 13;

/** Behind the first blank line whose end is a line feed, or -1. */
export function endOfEvent({ bytes, end }: Pick<ByteWindow, 'bytes' | 'end'>, from: number): number {
  // Not `indexOf`, which would look at what stands behind the end, too.
  for (let at = from; at < end; at++) {
    if (bytes[at] !== LF) continue;
    const next = bytes[at + 1] === CR ? at + 2 : at + 1;
    if (next < end && bytes[next] === LF) return next + 1;
  }
  return -1;
}

/** How many short texts are kept, one for each place that their bytes lead to. */
const KEPT_BITS = 10;
const SHORT = 8;
const lows = new Int32Array(1 << KEPT_BITS);
const highs = new Int32Array(1 << KEPT_BITS);
const texts: string[] = Array.from(lows, () => '');

/** The text of ASCII bytes. Pieces of an answer are short, and the same ones come again: a text that is there already costs a third of a new one. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return end - start > SHORT ? freshText(bytes, start, end) : shortText(bytes, start, end);
}

function shortText(bytes: Uint8Array, start: number, end: number): string {
  let low = 0;
  let high = 0;
  for (let at = start; at < end; at++) {
    high = (high << 8) | (low >>> 24);
    low = (low << 8) | (bytes[at] ?? 0);
  }
  // Multiplied by odd numbers without a pattern (the golden ratio's, and one of MurmurHash), so that near texts lie apart.
  const place = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> (32 - KEPT_BITS);
  const kept = texts[place] ?? '';
  if (lows[place] === low && highs[place] === high && kept.length === end - start) return kept;
  const text = freshText(bytes, start, end);
  lows[place] = low;
  highs[place] = high;
  texts[place] = text;
  return text;
}

/** A tenth of what a decoder's call costs. */
function freshText(bytes: Uint8Array, start: number, end: number): string {
  const at = (n: number): number => bytes[start + n] ?? 0;
  switch (end - start) {
    case 0:
      return '';
    case 1:
      return String.fromCharCode(at(0));
    case 2:
      return String.fromCharCode(at(0), at(1));
    case 3:
      return String.fromCharCode(at(0), at(1), at(2));
    case 4:
      return String.fromCharCode(at(0), at(1), at(2), at(3));
    case 5:
      return String.fromCharCode(at(0), at(1), at(2), at(3), at(4));
    case 6:
      return String.fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5));
    case 7:
      return String.fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6));
    case 8:
      return String.fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7));
    default:
      return end - start > 12
        ? decodeUtf8(bytes, start, end)
        : freshText(bytes, start, start + 8) + freshText(bytes, start + 8, end);
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}
