import type { HeaderList } from './tape.ts';

/** What stands on a tape instead of a secret header or query value. */
export const REDACTED = '[redacted]';

const SECRET_HEADERS =
  /^(authorization|proxy-authorization|cookie|set-cookie|x-codex-turn-state|chatgpt-account-id|x-auth-.+)$|(^|[-_])(key|apikey|tokens?|secret|signature|credentials?|password|passwd)$/i;

/** Counts of tokens are no tokens. */
const HARMLESS_HEADERS = /^(x-)?ratelimit-|^anthropic-ratelimit-|^sec-websocket-key$|^idempotency-key$/i;

const SECRET_QUERY = /(^|[-_.])(key|apikey|api_key|token|secret|sig|signature|password|auth|code|credential)$/i;

const SECRET_FIELDS =
  /"(authorization|proxy-authorization|cookie|x-codex-turn-state|[\w-]*api[-_]?key|access[-_]token|refresh[-_]token|client[-_]secret|password)"\s*:\s*"((?:[^"\\]|\\.)+)"/gi;

/** `openai-insecure-api-key.sk-…` and the like: a browser can set no other header of a handshake. */
const PROTOCOL_KEY = /(?:key|token|bearer|auth|authorization)[.:=_-]([^\s,]+)/gi;

/** Shorter values are not searched for in bodies: they would be found in ordinary text. */
const LEAST_SECRET = 6;

/** True for a header whose value never goes on a tape. */
export function isSecretHeader(name: string): boolean {
  return SECRET_HEADERS.test(name) && !HARMLESS_HEADERS.test(name);
}

/** The headers without their secrets; the scheme of an authorization stays. */
export function redactHeaders(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) =>
    isSecretHeader(name) ? ([name, `${schemeOf(name, value)}${REDACTED}`] as const) : ([name, value] as const),
  );
}

/** Path and query without the values of keys, tokens and signatures. */
export function redactTarget(target: string): string {
  const mark = target.indexOf('?');
  if (mark < 0) return target;
  const pairs = target.slice(mark + 1).split('&');
  return `${target.slice(0, mark)}?${pairs.map(redactPair).join('&')}`;
}

function redactPair(pair: string): string {
  const equals = pair.indexOf('=');
  const name = equals < 0 ? pair : pair.slice(0, equals);
  return equals >= 0 && SECRET_QUERY.test(decoded(name)) ? `${name}=${REDACTED}` : pair;
}

function schemeOf(name: string, value: string): string {
  if (!/authorization$/i.test(name)) return '';
  return /^(bearer|basic|digest|token)\s+/i.exec(value)?.[0] ?? '';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The secrets of one exchange: found in its headers, its query and the named fields of its JSON, and masked wherever
 * else they come up, byte for byte, so that no length changes.
 */
export class SecretMask {
  readonly #secrets = new Set<string>();
  #longest = 0;

  /** Learns the values of secret headers, and the keys that browsers put among a WebSocket's protocols. */
  learnHeaders(headers: HeaderList): void {
    for (const [name, value] of headers) {
      if (/^sec-websocket-protocol$/i.test(name))
        for (const [, key] of value.matchAll(PROTOCOL_KEY)) this.#learn(key ?? '');
      if (!isSecretHeader(name)) continue;
      this.#learn(value);
      const credential = value.slice(schemeOf(name, value).length);
      this.#learn(credential);
      if (/^basic\s/i.test(value)) this.#learn(Buffer.from(credential, 'base64').toString('utf8').split(':')[1] ?? '');
      if (/cookie$/i.test(name)) for (const [, part] of value.matchAll(/=([^;]+)/g)) this.#learn(part ?? '');
    }
  }

  /** Learns the values of secret query parameters. */
  learnTarget(target: string): void {
    const query = target.split('?')[1] ?? '';
    for (const pair of query.split('&')) {
      if (redactPair(pair) === pair) continue;
      const value = pair.slice(pair.indexOf('=') + 1);
      this.#learn(value);
      this.#learn(decoded(value));
    }
  }

  /** Learns the values of JSON fields whose names say that they are secret. */
  learnFields(body: Uint8Array | string): void {
    const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
    for (const [, , value] of text.matchAll(SECRET_FIELDS)) {
      this.#learn(value ?? '');
      this.#learn((value ?? '').replace(/^bearer\s+/i, ''));
    }
  }

  /** The bytes with every known secret masked. The input is left as it is. */
  mask(data: Uint8Array): Uint8Array {
    const spans = this.#spans(data);
    return spans.length === 0 ? data : masked(data, spans);
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
    for (const secret of this.#secrets) open = Math.max(open, beginningAtEnd(buffer, Buffer.from(secret)));
    return open;
  }

  /** True when there is nothing to mask. */
  get empty(): boolean {
    return this.#longest === 0;
  }

  #learn(value: string): void {
    const secret = value.trim();
    if (secret.length < LEAST_SECRET || secret === REDACTED) return;
    this.#secrets.add(secret);
    this.#longest = Math.max(this.#longest, secret.length);
  }

  #spans(data: Uint8Array): [number, number][] {
    const buffer = view(data);
    const spans: [number, number][] = [];
    for (const secret of this.#secrets) {
      const length = Buffer.byteLength(secret);
      for (let at = buffer.indexOf(secret); at >= 0; at = buffer.indexOf(secret, at + length)) {
        spans.push([at, at + length]);
      }
    }
    return spans;
  }
}

/** A piece of a stream with its time. */
interface Piece {
  readonly ms: number;
  readonly data: Uint8Array;
}

/**
 * Masks secrets in a stream of chunks, also where a secret is cut across several of them. Chunks stay as they were
 * cut; one is held back only while its end may be the beginning of a secret, so that never more than one chunk and
 * the length of the longest secret are held.
 */
export class StreamMask {
  readonly #mask: SecretMask;
  #held: Piece[] = [];

  constructor(mask: SecretMask) {
    this.#mask = mask;
  }

  /** The chunks that are safe to keep now. */
  push(piece: Piece): Piece[] {
    if (this.#mask.empty) return [piece];
    this.#held.push(piece);
    const whole = Buffer.concat(this.#held.map(({ data }) => data));
    const clean = this.#mask.mask(whole);
    if (clean !== whole) this.#held = recut(this.#held, clean);
    return this.#release(clean.length - this.#mask.openTail(clean));
  }

  /** What is still held: the stream is over, so nothing can complete a secret any more. */
  flush(): Piece[] {
    return this.#held.splice(0);
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

function masked(data: Uint8Array, spans: readonly [number, number][]): Uint8Array {
  const copy = new Uint8Array(data);
  for (const [from, to] of spans) copy.fill(ASTERISK, from, to);
  return copy;
}

const ASTERISK = 42;

function view(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
