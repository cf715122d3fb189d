import { asciiText, decodeUtf8, type ByteWindow } from './bytes.ts';
import { unescaped } from './unescaped.ts';
import { REPLACEMENT } from './utf8.ts';

/** How a field is read. */
export interface ReadableField {
  readonly isString: boolean;
  /** Checked for being what JSON allows, and not told. */
  readonly unread: boolean;
}

const QUOTE = 34;
const BACKSLASH = 92;
const ZERO = 48;

/** Reads fields where they stand in the bytes of an event, without parsing the rest of it. */
export class FieldReader {
  /** The fields of the event under comparison, but for those that are not told. */
  readonly found: unknown[] = [];

  /** Reads the `n`-th field from `start` on; returns the position behind it, or -1: it is none, or one that is left to the parser. */
  read(field: ReadableField, window: ByteWindow, start: number, n: number): number {
    return field.isString ? this.#readString(field, window, start, n) : this.#readNumber(field, window, start, n);
  }

  /** Reads the inside of a JSON string up to its closing quote. */
  #readString(field: ReadableField, window: ByteWindow, start: number, n: number): number {
    const { bytes, view, end } = window;
    for (let at = start; at < end; at++) {
      const byte = view.getUint8(at);
      if (byte === QUOTE) {
        if (!field.unread) this.found[n] = asciiText(bytes, start, at);
        return at;
      }
      if (byte === BACKSLASH || byte > 127) return this.#readOther(window, start, at, n);
      if (byte < 32) return -1; // a control character is no JSON
    }
    return -1;
  }

  /** The same where there is an escape, or a character beyond ASCII. */
  #readOther({ bytes, view, end }: ByteWindow, start: number, from: number, n: number): number {
    let isEscaped = false;
    let isAscii = true;
    for (let at = from; at < end; at++) {
      const byte = view.getUint8(at);
      if (byte === QUOTE) {
        const text = isEscaped ? unescaped(bytes, start, at, isAscii) : decodeUtf8(bytes, start, at);
        if (text === undefined || (!isAscii && text.includes(REPLACEMENT))) return -1;
        this.found[n] = text;
        return at;
      }
      if (byte < 32) return -1;
      if (byte > 127) isAscii = false;
      if (byte !== BACKSLASH) continue;
      isEscaped = true;
      at++;
    }
    return -1;
  }

  /** Reads a whole number without sign, fraction or exponent. */
  #readNumber(field: ReadableField, { view, end }: ByteWindow, start: number, n: number): number {
    let at = start;
    let value = 0;
    for (; at < end; at++) {
      const digit = view.getUint8(at) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    const digits = at - start;
    if (digits === 0 || digits > 15 || (digits > 1 && view.getUint8(start) === ZERO)) return -1;
    if (!field.unread) this.found[n] = value;
    return at;
  }
}
