const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [34, 92, 123, 125, 91, 93];

/** Finds the end of a JSON object or list in bytes that come in pieces, at constant work per byte. Anything else has no end. */
export class JsonEnd {
  #depth = 0;
  #inString = false;
  /** After a backslash: the next byte is no end of the string. */
  #escaped = false;
  #kind: 'unknown' | 'nested' | 'other' = 'unknown';

  /** True once what began is whole. */
  push(bytes: Uint8Array): boolean {
    for (const byte of bytes) {
      if (this.#kind === 'unknown' && byte > 32) this.#kind = byte === OPEN || byte === OPEN_LIST ? 'nested' : 'other';
      if (this.#kind === 'other') return false;
      if (this.#kind === 'nested' && this.#closes(byte)) return true;
    }
    return false;
  }

  #closes(byte: number): boolean {
    if (this.#inString) this.#readString(byte);
    else if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN || byte === OPEN_LIST) this.#depth++;
    else if (byte === CLOSE || byte === CLOSE_LIST) return --this.#depth === 0;
    return false;
  }

  #readString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }
}
