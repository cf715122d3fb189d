const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [34, 92, 123, 125, 91, 93];

/** Finds the end of a JSON object or list that comes in pieces, at constant work per unit. Anything else has no end. */
export class JsonEnd {
  #depth = 0;
  #inString = false;
  /** After a backslash: the next unit is no end of the string. */
  #escaped = false;
  #kind: 'unknown' | 'nested' | 'other' = 'unknown';

  /** True once what began is whole: for bytes. */
  push(bytes: Uint8Array): boolean {
    for (const byte of bytes) if (this.#isLast(byte)) return true;
    return false;
  }

  /** The same for text: the place behind the end, or -1 while there is none. */
  endIn(text: string): number {
    for (let at = 0; at < text.length; at++) if (this.#isLast(text.charCodeAt(at))) return at + 1;
    return -1;
  }

  #isLast(unit: number): boolean {
    if (this.#kind === 'nested') return this.#closes(unit);
    if (this.#kind === 'unknown' && unit > 32) {
      this.#kind = unit === OPEN || unit === OPEN_LIST ? 'nested' : 'other';
      if (this.#kind === 'nested') this.#depth = 1;
    }
    return false;
  }

  #closes(unit: number): boolean {
    if (this.#inString) this.#readString(unit);
    else if (unit === QUOTE) this.#inString = true;
    else if (unit === OPEN || unit === OPEN_LIST) this.#depth++;
    else if (unit === CLOSE || unit === CLOSE_LIST) return --this.#depth === 0;
    return false;
  }

  #readString(unit: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (unit === BACKSLASH) this.#escaped = true;
    else if (unit === QUOTE) this.#inString = false;
  }
}
