import type { IncomingHttpHeaders } from 'node:http';
import { digestSecret, type SecretDigest } from '@turnwire/client/internal/platform/same-secret';

/** What a request says of the inspector's token: it came in the link, a browser has it, or neither. */
export type LinkTokenState = 'in_link' | 'known' | 'missing';

/** The token in the printed link: who opens the link gets it as a cookie, which pages of other servers cannot send or read. */
export class LinkToken {
  readonly #token: string;
  readonly #digest: SecretDigest;

  constructor(token: string) {
    this.#token = token;
    this.#digest = digestSecret(token);
  }

  /** @param url - path and query */
  state(url: string, { cookie = '', authorization = '', host = '' }: IncomingHttpHeaders): LinkTokenState {
    const linked = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1]).get('token');
    if (linked !== null && this.#is(linked)) return 'in_link';
    const named = cookie.split('; ').filter((pair) => pair.startsWith(`${cookieName(host)}=`));
    const given = [...named.map((pair) => pair.slice(pair.indexOf('=') + 1)), authorization.replace(/^bearer +/i, '')];
    return given.some((one) => this.#is(one)) ? 'known' : 'missing';
  }

  /** `Set-Cookie` for who came by the link. */
  cookieFor({ host = '' }: IncomingHttpHeaders): string {
    return `${cookieName(host)}=${this.#token}; Path=/inspect/; HttpOnly; SameSite=Strict`;
  }

  #is(given: string): boolean {
    return this.#digest.is(digestSecret(given));
  }
}

/** Cookies do not know ports: servers beside each other have names of their own. */
function cookieName(host: string): string {
  return `turnwire_inspect_${/:(\d+)$/.exec(host)?.[1] ?? '80'}`;
}
