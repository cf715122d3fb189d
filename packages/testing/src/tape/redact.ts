import { parseJson } from '@turnwire/wire/internal/base/json';
import { withoutScheme } from '@turnwire/client/internal/platform/conceal';
import { isSecretParameter } from '@turnwire/client/internal/platform/secret-names';
import {
  FieldScanner,
  REDACTED,
  redactHeader,
  secretsInHeader,
  secretSpans,
  type Span,
} from '@turnwire/client/internal/platform/secret-text';
import type { HeaderList } from './tape.ts';

/** Shorter values are not searched for in bodies: they would be found in ordinary text. */
const LEAST_SECRET = 6;

/** The headers without their secrets; the scheme of an authorization stays. */
export function redactHeaders(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => [name, redactHeader(name, value)] as const);
}

/**
 * The secrets of one exchange: found in its headers, its query and its bodies, and masked wherever else they come up, byte
 * for byte, so that no length changes.
 */
export class SecretMask {
  readonly #secrets = new Map<string, Buffer>();

  /** Learns the values of secret headers, and the keys that browsers put among a WebSocket's protocols. */
  learnHeaders(headers: HeaderList): void {
    for (const [name, value] of headers) for (const secret of secretsInHeader(name, value)) this.learn(secret);
  }

  /** Learns the values of secret query parameters, and what looks like a key. */
  learnTarget(target: string): void {
    for (const { from, to } of secretSpans(target)) this.learn(target.slice(from, to));
    for (const pair of (target.split('?')[1] ?? '').split('&')) {
      const equals = pair.indexOf('=');
      if (equals < 0 || !isSecretParameter(pair.slice(0, equals))) continue;
      this.learn(pair.slice(equals + 1));
      this.learn(decoded(pair.slice(equals + 1)));
    }
  }

  /** A whole body with its secrets masked; they are known from then on. The input is left as it is. */
  maskBody(data: Uint8Array, contentType?: string): Uint8Array {
    const text = view(data).toString('latin1'); // one character for each byte
    const spans = secretSpans(text, contentType);
    for (const { from, to } of spans) this.learnBytes(data.subarray(from, to));
    return this.mask(masked(data, spans));
  }

  maskBodyText(text: string): string {
    const data = Buffer.from(text);
    const clean = this.maskBody(data);
    return clean === data ? text : Buffer.from(clean).toString('utf8');
  }

  /** Learns a value as it stands in a body, where it may be escaped. */
  learnBytes(bytes: Uint8Array): void {
    const text = view(bytes).toString('utf8');
    this.learn(text);
    this.learn(withoutScheme(text));
    this.learn(decoded(text.replaceAll('+', ' ')));
    const unescaped = parseJson(`"${text}"`);
    if (typeof unescaped === 'string') this.learn(unescaped);
  }

  /** The bytes with every known secret masked. The input is left as it is. */
  mask(data: Uint8Array): Uint8Array {
    return masked(data, this.#spans(data));
  }

  maskText(text: string): string {
    const data = Buffer.from(text);
    const clean = this.mask(data);
    return clean === data ? text : Buffer.from(clean).toString('utf8');
  }

  /** Bytes at the end of `data` that may be the beginning of a secret. */
  openTail(data: Uint8Array): number {
    const buffer = view(data);
    let open = 0;
    for (const secret of this.#secrets.values()) open = Math.max(open, beginningAtEnd(buffer, secret));
    return open;
  }

  learn(value: string): void {
    const secret = value.trim();
    if (secret.length < LEAST_SECRET || secret === REDACTED || this.#secrets.has(secret)) return;
    if (this.#secrets.size < MOST_SECRETS) this.#secrets.set(secret, Buffer.from(secret));
  }

  #spans(data: Uint8Array): Span[] {
    const buffer = view(data);
    const spans: Span[] = [];
    for (const secret of this.#secrets.values()) {
      for (let at = buffer.indexOf(secret); at >= 0; at = buffer.indexOf(secret, at + secret.length)) {
        spans.push({ from: at, to: at + secret.length });
      }
    }
    return spans;
  }
}

/** Each is searched for in every chunk: more than these are masked where they stand, and not searched for elsewhere. */
const MOST_SECRETS = 1000;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A piece of a stream with its time. */
interface Piece {
  readonly ms: number;
  readonly data: Uint8Array;
}

/** A secret field whose end does not come within so many bytes is no longer waited for; what came of it is masked. */
const LONGEST_FIELD = 4096;

/**
 * Masks secrets in a stream of chunks, also where a secret is cut across several of them: those that are known, and the
 * strings of secret JSON fields. Chunks stay as they were cut; one is held back only while its end may be a part of a
 * secret, so that never more than a field, a chunk and the length of the longest secret are held.
 */
export class StreamMask {
  readonly #mask: SecretMask;
  readonly #fields = new FieldScanner();
  #held: Piece[] = [];
  /** Where in the stream the first held byte stands. */
  #from = 0;

  constructor(mask: SecretMask) {
    this.#mask = mask;
  }

  /** The chunks that are safe to keep now. */
  push(piece: Piece): Piece[] {
    const spans = this.#fields.push(view(piece.data).toString('latin1'));
    this.#held.push(piece);
    const whole = this.#held.length === 1 ? piece.data : Buffer.concat(this.#held.map(({ data }) => data));
    const inHeld = spans.map(({ from, to }) => ({ from: Math.max(0, from - this.#from), to: to - this.#from }));
    for (const { from, to } of inHeld) this.#mask.learnBytes(whole.subarray(from, to));
    const open = this.#openField(whole.length);
    const clean = this.#mask.mask(masked(whole, open.given === undefined ? inHeld : [...inHeld, open.given]));
    if (clean !== whole) this.#held = recut(this.#held, clean);
    return this.#release(Math.min(open.safe, clean.length - this.#mask.openTail(clean)));
  }

  /** What is still held: the stream is over, so nothing can complete a known secret any more; a field's is one. */
  flush(): Piece[] {
    const whole = Buffer.concat(this.#held.map(({ data }) => data));
    const from = this.#fields.openFrom;
    const clean =
      from === undefined ? whole : masked(whole, [{ from: Math.max(0, from - this.#from), to: whole.length }]);
    return recut(this.#held.splice(0), clean);
  }

  /** A field that has not ended: it is waited for, or, when it is long, masked as far as it came. */
  #openField(length: number): { readonly safe: number; readonly given?: Span } {
    const openFrom = this.#fields.openFrom;
    if (openFrom === undefined) return { safe: length };
    const from = Math.max(0, openFrom - this.#from);
    const gone = this.#from + length - openFrom;
    return gone <= LONGEST_FIELD ? { safe: from } : { safe: length, given: { from, to: length } };
  }

  #release(safe: number): Piece[] {
    const out: Piece[] = [];
    let end = 0;
    for (const piece of this.#held) {
      end += piece.data.length;
      if (end > safe) break;
      out.push(piece);
    }
    this.#held.splice(0, out.length);
    for (const { data } of out) this.#from += data.length;
    return out;
  }
}

/** Length of the longest beginning of `secret`, short of all of it, with which `buffer` ends. */
function beginningAtEnd(buffer: Buffer, secret: Buffer): number {
  const tail = buffer.subarray(Math.max(0, buffer.length - secret.length + 1));
  for (let at = tail.indexOf(secret[0] ?? 0); at >= 0; at = tail.indexOf(secret[0] ?? 0, at + 1)) {
    if (secret.subarray(0, tail.length - at).equals(tail.subarray(at))) return tail.length - at;
  }
  return 0;
}

function recut(pieces: readonly Piece[], whole: Uint8Array): Piece[] {
  let at = 0;
  return pieces.map(({ ms, data }) => ({ ms, data: whole.subarray(at, (at += data.length)) }));
}

/** The same bytes when there is nothing to mask. */
function masked(data: Uint8Array, spans: readonly Span[]): Uint8Array {
  if (spans.length === 0) return data;
  const copy = new Uint8Array(data);
  for (const { from, to } of spans) copy.fill(ASTERISK, from, to);
  return copy;
}

/** So many asterisks as there are bytes. */
export function blank(data: Uint8Array): Uint8Array {
  return new Uint8Array(data.length).fill(ASTERISK);
}

const ASTERISK = 42;

function view(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
