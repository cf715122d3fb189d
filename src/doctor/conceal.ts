/** What stands where the key stood. */
const REDACTED = '[redacted]';

/** A key shorter than this is no secret, and would tear words apart. */
const MIN_LENGTH = 6;

/** So many characters of the key in a row give something of it away: what servers say is quoted shortened. */
const TELLING = 8;

/** The text without the key, and without longer pieces of it. */
export function concealKey(text: string, key: string | undefined): string {
  const secret = key?.trim() ?? '';
  if (secret.length < MIN_LENGTH) return text;
  const least = Math.min(TELLING, secret.length);
  let shown = '';
  for (let at = 0; at < text.length;) {
    const length = pieceAt(text, at, secret, least);
    shown += length === 0 ? text.charAt(at) : REDACTED;
    at += Math.max(1, length);
  }
  return shown;
}

/** Length of the longest piece of the secret that stands there; 0 when it is shorter than `least`. */
function pieceAt(text: string, at: number, secret: string, least: number): number {
  let length = least;
  while (at + length <= text.length && secret.includes(text.slice(at, at + length))) length++;
  return length === least ? 0 : length - 1;
}
