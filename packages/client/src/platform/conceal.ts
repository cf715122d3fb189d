import { REDACTED } from './secret-text.ts';

/** Shorter values are no secrets, and would tear words apart. */
const MIN_LENGTH = 6;

/** So many characters of a secret in a row give something of it away: who quotes a key often cuts it. */
const TELLING = 8;

/** The text with `[redacted]` in place of what it holds of the secrets. */
export type Conceal = (text: string) => string;

/**
 * Hides values that are known: also in base64 and percent-encoded, and pieces of them from 8 characters on, wherever they
 * were cut. Made once for many texts; each takes time in proportion to its length.
 *
 * @param secrets - those of fewer than six characters are left alone
 */
export function createConcealer(secrets: readonly string[]): Conceal {
  const forms = [...new Set(secrets.map((secret) => secret.trim()).filter(({ length }) => length >= MIN_LENGTH))];
  const pieces = new Pieces([...forms, ...forms.flatMap(encodings)]);
  return (text) => (pieces.empty ? text : concealed(text, pieces));
}

/** The text without the secrets; see {@link createConcealer}. */
export function conceal(text: string, secrets: readonly string[]): string {
  return createConcealer(secrets)(text);
}

/** `Bearer abc` is quoted as `abc` too. */
export function withoutScheme(value: string): string {
  return value.trim().replace(/^(?:bearer|basic|digest|token)\s+/i, '');
}

function concealed(text: string, pieces: Pieces): string {
  let shown = '';
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const length = pieces.lengthAt(text, at);
    if (length === 0) {
      at++;
      continue;
    }
    const before = text.slice(copied, at);
    shown += before === '' && shown !== '' ? '' : before + REDACTED;
    at += length;
    copied = at;
  }
  return copied === 0 ? text : shown + text.slice(copied);
}

/** Every place in the secrets at which a telling piece begins. */
class Pieces {
  readonly #short: readonly string[];
  readonly #places = new Map<string, { readonly form: string; readonly at: number }[]>();

  constructor(forms: readonly string[]) {
    this.#short = forms.filter(({ length }) => length < TELLING).sort((a, b) => b.length - a.length);
    for (const form of forms) {
      for (let at = 0; at + TELLING <= form.length; at++) this.#add(form.slice(at, at + TELLING), { form, at });
    }
  }

  get empty(): boolean {
    return this.#short.length === 0 && this.#places.size === 0;
  }

  /** Length of the longest piece that stands there; 0 when there is none. */
  lengthAt(text: string, at: number): number {
    const places = this.#places.get(text.slice(at, at + TELLING)) ?? [];
    const lengths = places.map((place) => commonLength(text, at, place));
    const short = this.#short.find((secret) => text.startsWith(secret, at))?.length ?? 0;
    return Math.max(short, ...lengths);
  }

  /** A secret that repeats itself has the same piece in many places: a few are enough to find it. */
  #add(piece: string, place: { readonly form: string; readonly at: number }): void {
    const places = this.#places.get(piece);
    if (places === undefined) this.#places.set(piece, [place]);
    else if (places.length < 4) places.push(place);
  }
}

function commonLength(text: string, at: number, place: { readonly form: string; readonly at: number }): number {
  let length = TELLING;
  while (at + length < text.length && text[at + length] === place.form[place.at + length]) length++;
  return length;
}

/** How else a secret is written: percent-encoded, in JSON, and in base64 wherever it may begin within what was encoded. */
function encodings(secret: string): string[] {
  if (secret.length < TELLING) return [];
  const plain = [JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())];
  const base64 = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.from('\0'.repeat(offset) + secret).toString('base64url');
    // The characters at either end hold bits of what stands before or behind.
    const own = text.slice(offset === 0 ? 0 : offset + 1, Math.floor(((offset + Buffer.byteLength(secret)) * 8) / 6));
    return [own, own.replaceAll('-', '+').replaceAll('_', '/')];
  });
  return [...plain, ...base64].filter((form) => form !== secret && form.length >= TELLING);
}
