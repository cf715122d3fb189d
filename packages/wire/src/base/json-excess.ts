/** What JSON text may have at most. */
export interface JsonBounds {
  /** Levels of objects and arrays, the outermost one counted. */
  readonly depth: number;
  /** Values: each opening bracket and each comma stands for one. Default: any number. */
  readonly values?: number;
}

const [QUOTE, COMMA, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN, CLOSE] = [34, 44, 91, 92, 93, 123, 125];

/**
 * Finds the bound that JSON text breaks first, without parsing it: one pass that makes nothing, and stops there.
 * Exact for valid JSON; of other text it says whether a parser would have been led too far.
 */
export function jsonExcess(text: string, bounds: JsonBounds): keyof JsonBounds | undefined {
  const { depth: maxDepth, values: maxValues = Infinity } = bounds;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN:
      case OPEN_LIST:
        if (++depth > maxDepth) return 'depth';
        if (++values > maxValues) return 'values';
        break;
      case CLOSE:
      case CLOSE_LIST:
        depth--;
        break;
      case COMMA:
        if (++values > maxValues) return 'values';
        break;
      default:
    }
  }
  return undefined;
}

/** The place of the quote that closes the string opened at `start`; the end of the text when none does. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (before > start && text.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}
