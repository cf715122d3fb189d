import { isAmbiguousField, isSecretField, isSecretHeader, isSecretParameter } from './secret-names.ts';

/** Where something secret stands in a text: from the first character to the one behind the last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What stands where a secret stood. */
export const REDACTED = '[redacted]';

/**
 * Where a body holds secrets: the strings of JSON fields whose names say so (however deep, and in JSON within a string),
 * the fields of forms, and whatever looks like a key in any text. In order, without overlaps. Takes time in proportion to
 * the text.
 *
 * @param contentType - what the body is said to be; forms are known by it alone
 */
export function secretSpans(text: string, contentType = ''): readonly Span[] {
  const scanner = new FieldScanner();
  return merged([...scanner.push(text), ...formSpans(text, contentType), ...lookSpans(text)]);
}

/** The text with `[redacted]` in place of every secret that can be recognised without knowing it. */
export function withoutSecretSpans(text: string, contentType?: string): string {
  return replaceSpans(text, secretSpans(text, contentType));
}

/** The text with `[redacted]` in place of every span; the same when there is none. */
export function replaceSpans(text: string, spans: readonly Span[]): string {
  let shown = '';
  let end = 0;
  for (const { from, to } of spans) {
    shown += text.slice(end, from) + REDACTED;
    end = to;
  }
  return spans.length === 0 ? text : shown + text.slice(end);
}

/** A header's value without its secrets; the scheme of an authorization stays. */
export function redactHeader(name: string, value: string): string {
  if (isSecretHeader(name)) return `${schemeOf(name, value)}${REDACTED}`;
  const keys = /^sec-websocket-protocol$/i.test(name) ? protocolKeys(value) : [];
  return replaceSpans(value, merged([...lookSpans(value), ...keys]));
}

/** The secrets in a header's value: all of it and its credential without the scheme, or what looks like a key. */
export function secretsInHeader(name: string, value: string): readonly string[] {
  if (/^set-cookie$/i.test(name)) return [value.split(';', 1)[0]?.replace(/^[^=]*=/, '') ?? ''];
  if (/cookie$/i.test(name)) return [value, ...value.split(';').map((pair) => pair.replace(/^[^=]*=/, ''))];
  if (isSecretHeader(name)) return [value, ...findCredentials(value.slice(schemeOf(name, value).length), value)];
  const keys = /^sec-websocket-protocol$/i.test(name) ? protocolKeys(value) : [];
  return [...lookSpans(value), ...keys].map(({ from, to }) => value.slice(from, to));
}

function schemeOf(name: string, value: string): string {
  if (!/authorization$/i.test(name)) return '';
  return /^(bearer|basic|digest|token)\s+/i.exec(value)?.[0] ?? '';
}

/** `Basic` holds a user and a password. */
function findCredentials(credential: string, value: string): readonly string[] {
  if (!/^basic\s/i.test(value)) return [credential];
  return [credential, Buffer.from(credential, 'base64').toString('utf8').split(':').slice(1).join(':')];
}

/** `openai-insecure-api-key.sk-…` and the like: a browser can set no other header of a handshake. */
function protocolKeys(value: string): Span[] {
  const keys = value.matchAll(/(?:key|token|bearer|auth|authorization)[.:=_-](?<key>[^\s,]+)/dgi);
  return [...keys].map(({ indices }) => {
    const [from, to] = indices?.groups?.key ?? [0, 0];
    return { from, to };
  });
}

/** Path and query without the values of keys, tokens and signatures. */
export function redactTarget(target: string): string {
  const [path = '', ...query] = withoutSecretSpans(target).split('?');
  if (query.length === 0) return path;
  return `${path}?${query.join('?').split('&').map(redactPair).join('&')}`;
}

/** A `name=value` without the value, when the name says that it is a secret. */
function redactPair(pair: string): string {
  const equals = pair.indexOf('=');
  const name = equals < 0 ? pair : pair.slice(0, equals);
  return equals >= 0 && isSecretParameter(name) ? `${name}=${REDACTED}` : pair;
}

/** True for a value that is a secret whatever it is called: a key by its look, an address with a password. */
export function looksSecret(value: string): boolean {
  return lookSpans(value).length > 0;
}

/**
 * Finds secret fields in JSON, or in text that holds JSON (the lines of an event stream), piece by piece. Only quotes
 * are looked at: a name is what stands between two of one depth, `"name"` or `\"name\"`, so that a text which is cut or
 * broken is no obstacle.
 */
export class FieldScanner {
  #at = 0;
  #backslashes = 0;
  /** Between the two last quotes, and since the last one; long ones are cut short, since they are no names. */
  #before = '';
  #since = '';
  #depthBefore = -1;
  #depth = -1;
  #value: { readonly from: number; readonly depth: number; readonly name: string } | undefined;
  /** In a list of secret strings. */
  #list: { readonly name: string; readonly depth: number } | undefined;

  /** The secrets that end in this piece. Offsets count from the beginning of the first piece. */
  push(text: string): Span[] {
    const found: Span[] = [];
    let from = 0;
    for (let quote = text.indexOf('"'); quote >= 0; quote = text.indexOf('"', from)) {
      const run = backslashesBefore(text, quote, from);
      const count = run === quote - from ? run + this.#backslashes : run;
      this.#take(text, from, quote);
      this.#quote(this.#at + quote, countDepth(count), found);
      from = quote + 1;
      this.#backslashes = 0;
    }
    const run = backslashesBefore(text, text.length, from);
    this.#backslashes = run === text.length - from ? this.#backslashes + run : run;
    this.#take(text, from, text.length);
    this.#at += text.length;
    return found;
  }

  /** Where a secret begins whose end has not come. */
  get openFrom(): number | undefined {
    return this.#value?.from;
  }

  #take(text: string, from: number, to: number): void {
    if (this.#since.length < LONGEST_GAP) this.#since += text.slice(from, Math.min(to, from + LONGEST_GAP));
  }

  #quote(at: number, depth: number, found: Span[]): void {
    const value = this.#value;
    if (value !== undefined) {
      if (depth > value.depth) {
        this.#since = '';
        return; // a quote within the value
      }
      this.#value = undefined;
      const to = at - (2 ** depth - 1);
      if (isValue(value.name, this.#since, to - value.from)) found.push({ from: value.from, to });
    } else {
      this.#open(at, depth);
    }
    this.#before = this.#since;
    this.#since = '';
    this.#depthBefore = this.#depth;
    this.#depth = depth;
  }

  /** Does this quote begin the value of a secret? */
  #open(at: number, depth: number): void {
    const list = this.#list;
    const gap = gapOf(this.#since);
    if (list !== undefined && gap === ',' && depth === list.depth) {
      this.#value = { from: at + 1, depth, name: list.name };
      return;
    }
    this.#list = undefined;
    if (gap !== ':' && gap !== ':[') return;
    if (depth !== this.#depth || depth !== this.#depthBefore || this.#before.length >= LONGEST_GAP) return;
    const name = this.#before.slice(0, this.#before.length - (2 ** depth - 1));
    if (!isSecretField(name)) return;
    this.#value = { from: at + 1, depth, name };
    if (gap === ':[') this.#list = { name, depth };
  }
}

/** Between a name and its value there are blanks at most. */
const LONGEST_GAP = 256;

/** A quote behind so many backslashes is that deep in strings within strings: `"` 0, `\"` 1, `\\\"` 2. */
function countDepth(backslashes: number): number {
  let depth = 0;
  for (let rest = backslashes; rest % 2 === 1; rest = (rest - 1) / 2) depth++;
  return depth;
}

function backslashesBefore(text: string, at: number, least: number): number {
  let from = at;
  while (from > least && text.charCodeAt(from - 1) === BACKSLASH) from--;
  return at - from;
}

const BACKSLASH = 92;

/** What stands between two strings, without blanks and their escapes. */
function gapOf(text: string): string {
  // Nearly all are a gap without blanks, or what stands within a string.
  if (text === ':' || text === ',' || /^[^\s\\:,]/.test(text)) return text;
  return text.replaceAll(/\s|\\+[nrt]|\\/g, '');
}

/** `token` is also what log probabilities call a piece of an answer. */
function isValue(name: string, begin: string, length: number): boolean {
  if (length < 1) return false;
  return !isAmbiguousField(name) || (length >= 16 && !/\s/.test(begin.slice(0, length)));
}

function formSpans(text: string, contentType: string): Span[] {
  if (/^\s*application\/x-www-form-urlencoded\b/i.test(contentType)) return pairSpans(text);
  return /^\s*multipart\//i.test(contentType) ? partSpans(text) : [];
}

function pairSpans(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    if (equals >= 0 && isSecretParameter(pair.slice(0, equals)))
      spans.push({ from: at + equals + 1, to: at + pair.length });
    at += pair.length + 1;
  }
  return spans.filter(({ from, to }) => to > from);
}

/** `Content-Disposition: form-data; name="api_key"`, an empty line, the value, a line that begins with `--`. */
function partSpans(text: string): Span[] {
  const spans: Span[] = [];
  for (const head of text.matchAll(/^content-disposition:[^\r\n]*?[; ]name="([^"\r\n]{1,128})"[^\r\n]*/gim)) {
    if (!isSecretParameter(head[1] ?? '')) continue;
    const blank = text.indexOf('\r\n\r\n', head.index);
    if (blank < 0) break;
    const end = text.indexOf('\r\n--', blank + 4);
    spans.push({ from: blank + 4, to: end < 0 ? text.length : end });
    if (end < 0) break;
  }
  return spans.filter(({ from, to }) => to > from);
}

/** What a kind of secret looks like. */
interface Look {
  /** What is in each of them and can be found fast: most texts have none of it. */
  readonly hint: RegExp;
  /**
   * The secret in the group `secret`; where it is `perhaps`, words that look alike are told apart. It begins where none can
   * have begun just before, so that no text is read twice.
   */
  readonly look: RegExp;
}

const LOOKS: readonly Look[] = [
  { hint: /:\/\//, look: /:\/\/[^\s/:@"'<>\\]*:(?<secret>[^\s/@"'<>\\]+)@/dg }, // a password in an address
  { hint: /bearer/i, look: /(?<![\w-])bearer(?:\s|%20|\+)+(?<perhaps>[\w.~+/=-]{8,})/dgi },
  { hint: /basic/i, look: /(?<![\w-])basic\s+(?<perhaps>[A-Za-z\d+/]{8,}={0,2})/dgi },
  { hint: /sk-/, look: /(?<![\w-])(?<secret>sk-[\w-]{16,})/dg },
  {
    hint: /(?:ek|gsk|xai|pplx|nvapi|hf|r8|gh[opsur]|github_pat|glpat|npm|pypi|xox[abeprs])[-_]/,
    look: /(?<![\w-])(?<perhaps>(?:ek|gsk|xai|pplx|nvapi|hf|r8|gh[opsur]|github_pat|glpat|npm|pypi|xox[abeprs])[-_][\w-]{16,})/dg,
  },
  { hint: /A[KS]IA|AIza/, look: /(?<![\w-])(?<secret>(?:AKIA|ASIA)[A-Z\d]{16}|AIza[\w-]{35})(?![\w-])/dg },
  { hint: /eyJ/, look: /(?<![\w-])(?<secret>eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})/dg }, // a JSON Web Token
  { hint: /PRIVATE KEY/, look: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?<secret>[^-]{16,})/dg },
];

function lookSpans(text: string): Span[] {
  return LOOKS.filter(({ hint }) => hint.test(text)).flatMap(({ look }) =>
    [...text.matchAll(look)].flatMap(({ groups, indices }) => {
      const { secret, perhaps } = groups ?? {};
      if (secret === undefined && !/\d/.test(perhaps ?? '')) return []; // `Bearer authentication`, `hf_some_identifier`
      const [from, to] = indices?.groups?.[secret === undefined ? 'perhaps' : 'secret'] ?? [0, 0];
      return [{ from, to }];
    }),
  );
}

/** In order; what overlaps or touches is one. */
function merged(spans: readonly Span[]): Span[] {
  const out: { from: number; to: number }[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else out.push({ from, to });
  }
  return out;
}
