import { asciiText, decodeUtf8 } from './bytes.ts';

const BACKSLASH = 92;

/** By the byte behind the backslash. */
const LETTERS: Readonly<Record<number, string>> = {
  34: '"',
  47: '/',
  92: '\\',
  98: '\b',
  102: '\f',
  110: '\n',
  114: '\r',
  116: '\t',
};

/** Longer text is left to the parser: put together piece by piece it would cost more. */
const SHORT = 32;

/** The inside of a JSON string that has escapes; `undefined`: it is none. */
export function unescaped(bytes: Uint8Array, start: number, end: number, isAscii: boolean): string | undefined {
  const short = isAscii && end - start <= SHORT ? shortText(bytes, start, end) : undefined;
  return short ?? unescape(decodeUtf8(bytes, start - 1, end + 1));
}

function shortText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  let from = start;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    const letter = LETTERS[bytes[at + 1] ?? 0];
    if (letter === undefined) return undefined;
    text += asciiText(bytes, from, at) + letter;
    at++;
    from = at + 1;
  }
  return text + asciiText(bytes, from, end);
}

/** The text that a quoted JSON string stands for; `undefined`: it is none. */
export function unescape(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
