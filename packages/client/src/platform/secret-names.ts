/**
 * Which names say that their value is a secret: the one place that knows, for everything that logs, records, shows or
 * hands on what it was given.
 *
 * A name is taken apart into its words (`x-goog-api-key`, `apiKey`, `API_KEY`, `api\u005fkey`), and a word decides. Where
 * a name stands matters: `session` is a credential as a header and a plain word in JSON.
 */
import { remembered } from '@turnwire/wire/internal/base/remembered';

type Place = 'header' | 'parameter' | 'field' | 'variable';

/** Names of headers and fields come again and again: a few dozen, of which each request and each event has some. */
const BOUNDS = { most: 1000, longest: 64 };

/** True for a header whose value identifies the caller, or lets its reader in. */
export const isSecretHeader: (name: string) => boolean = remembered(
  (name) => !/^access-control-/i.test(name) && isSecret(name, 'header'),
  BOUNDS,
);

/** True for a parameter of an address, or a field of a form. */
export function isSecretParameter(name: string): boolean {
  return isSecret(name, 'parameter');
}

/** True for a JSON field whose string is a secret. Requests to models are full of `tokens` and `key`: these are none. */
export const isSecretField: (name: string) => boolean = remembered((name) => isSecret(name, 'field'), BOUNDS);

/** True for an environment variable. */
export function isSecretVariable(name: string): boolean {
  return name !== 'PWD' && name !== 'OLDPWD' && isSecret(name, 'variable');
}

/** A name that is a value in the place of a field that may hold either: only long ones without a blank are secrets. */
export function isAmbiguousField(name: string): boolean {
  return splitWords(name).join('-') === 'token'; // log probabilities have a `token` that is a piece of the answer
}

/** Secret in every place. */
const STRONG = new Set(
  (
    'secret secrets password passwords passwd passphrase passcode pwd credential credentials creds authorization ' +
    'authentication bearer jwt dpop apikey apikeys cookie cookies attestation'
  ).split(' '),
);

/** Words that were written as one. */
const RUN_TOGETHER =
  /.(?:password|passwd|passphrase|secret|credentials?|token|api_?keys?)$|(?:access|auth|api|bearer|refresh|session|security)tokens$|(?:access|secret|private|auth|master|encryption|signing|shared|subscription|account|license|deploy|ssh|client|service)keys?$|(?:db|user|root|admin|mysql|pg|smtp|ftp|redis)(?:pass|pwd)$/;

/** Opaque to everybody but the two who exchange it, or the number of an account. */
const EXACT = new Set(['x-codex-turn-state', 'chatgpt-account-id']);

function isSecret(name: string, place: Place): boolean {
  const words = splitWords(name);
  if (EXACT.has(words.join('-'))) return true;
  return words.some((word, at) => {
    if (STRONG.has(word) || RUN_TOGETHER.test(word)) return !isAbout(words, place);
    return WEAK[word]?.(words, at, place) ?? false;
  });
}

/** Words that are secret in some company and in some places. */
const WEAK: Readonly<Record<string, (words: readonly string[], at: number, place: Place) => boolean>> = {
  token: (words, _at, place) => !isCount(words) && !isAbout(words, place),
  tokens: (words, _at, place) => !isCount(words) && (place !== 'field' || words.some((word) => OWNERS.has(word))),
  auth: (words, _at, place) => !isAbout(words, place),
  key: isKey,
  keys: isKey,
  pat: (words, at, place) => place !== 'field' || (at > 0 && isLast(words, at)),
  pass: (words, at, place) => isLast(words, at) && (at > 0 || place === 'parameter'),
  session: (words, at, place) => (place === 'header' || place === 'parameter') && isLast(words, at),
  sas: (_words, _at, place) => place === 'parameter',
  sig: (_words, _at, place) => place === 'header' || place === 'parameter',
  // In JSON it signs a model's thoughts, which are no secret.
  signature: (_words, _at, place) => place === 'header' || place === 'parameter',
  // OAuth, RFC 6749 and 7636.
  code: (words, _at, place) => place === 'parameter' && (words.length === 1 || words.includes('verifier')),
  assertion: (words, at, place) => place === 'parameter' && isLast(words, at),
};

/** Keys that name a place and open nothing. */
const PLAIN_KEYS = new Set(
  (
    'idempotency cache websocket public sort partition primary foreign surrogate routing shard dedup dedupe group row ' +
    'object lookup translation sequence registry env'
  ).split(' '),
);

function isKey(words: readonly string[], at: number, place: Place): boolean {
  if (PLAIN_KEYS.has(words[at - 1] ?? '') || isAbout(words, place)) return false;
  if (place !== 'field') return true;
  const rest = words.slice(at + 1);
  return at > 0 && rest.every((word) => word === 'id' || word === 'value'); // `key`, `key_points`
}

/** Counts of tokens, and tokens of a vocabulary. */
const COUNTS = new Set(
  (
    'max min num count counts total limit limits remaining used usage budget ratelimit per completion prompt input ' +
    'output reasoning cached thinking stop special bos eos pad unk mask logprob logprobs estimated'
  ).split(' '),
);

function isCount(words: readonly string[]): boolean {
  return words.some((word) => COUNTS.has(word));
}

const OWNERS = new Set(['access', 'api', 'auth', 'bearer', 'id', 'refresh', 'session']);

/** The last word says that a value is about a secret: `token_type`, `authorization_endpoint`. */
const ABOUT = new Set('type url uri endpoint method methods mode name names policy format env variable'.split(' '));

function isAbout(words: readonly string[], place: Place): boolean {
  return place === 'field' && words.length > 1 && ABOUT.has(words.at(-1) ?? '');
}

function isLast(words: readonly string[], at: number): boolean {
  return at === words.length - 1;
}

/** Longer names are looked at in their last characters only. */
const LONGEST_NAME = 256;

/** The words of a name, in lower case, numbers at their ends left out. */
function splitWords(name: string): string[] {
  return unescaped(name.slice(-LONGEST_NAME))
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .map((word) => word.replace(/\d+$/, ''))
    .filter((word) => word !== '');
}

/** JSON may write any character as `\u005f`, an address as `%5F`. */
function unescaped(name: string): string {
  return name.replaceAll(/(?:\\+u00|%)([\da-f]{2})/gi, (_all, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
}
