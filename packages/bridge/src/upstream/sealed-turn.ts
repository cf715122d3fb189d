import { createHmac, timingSafeEqual } from 'node:crypto';
import { isObject, parseJson, stringOf } from '@turnwire/wire/internal/base/json';

/** What one turn sticks to. */
export interface SealedTurn {
  /** Key of the upstream that the turn began on. */
  readonly upstream: string;
  /** The upstream's own turn state, if it gave one. */
  readonly own?: string;
}

/** Seals turn states into opaque tokens that only the holder of the key can make. */
export interface TurnStateSigner {
  /** Visible ASCII, fit for a header. */
  seal(state: SealedTurn): string;
  /** Undefined for anything that was not sealed with the same key. */
  open(token: string | undefined): SealedTurn | undefined;
}

const PREFIX = 'tw1';
/** Longest token looked at: what a header can hold. */
const MAX_TOKEN = 32_768;

/**
 * @param key - secret; bridges that share it understand each other's tokens
 */
export function createTurnStateSigner(key: string | Uint8Array): TurnStateSigner {
  const sign = (payload: string): Buffer => createHmac('sha256', key).update(`${PREFIX}.${payload}`).digest();
  return {
    seal: ({ upstream, own }) => {
      const fields = own === undefined ? { u: upstream } : { u: upstream, s: own };
      const payload = Buffer.from(JSON.stringify(fields)).toString('base64url');
      return `${PREFIX}.${payload}.${sign(payload).toString('base64url')}`;
    },
    open: (token) => {
      if (token === undefined || token.length > MAX_TOKEN) return undefined;
      const [prefix, payload, signature, ...rest] = token.split('.');
      if (prefix !== PREFIX || payload === undefined || signature === undefined || rest.length > 0) return undefined;
      const given = Buffer.from(signature, 'base64url');
      const wanted = sign(payload);
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
      return parseState(parseJson(Buffer.from(payload, 'base64url').toString()));
    },
  };
}

function parseState(fields: unknown): SealedTurn | undefined {
  if (!isObject(fields) || typeof fields.u !== 'string') return undefined;
  const own = stringOf(fields.s);
  return { upstream: fields.u, ...(own === undefined ? {} : { own }) };
}
