import { looksSecret } from './secret-text.ts';

/** An address of an HTTP server as a person gave it, or what is wrong with it, in words that follow its name. */
export type HttpAddress =
  | {
      /** As it was given, with `http://` where that was left out. */
      readonly text: string;
      readonly url: URL;
    }
  | { readonly wrong: string };

/** An address of this machine with a port, which is mostly given without `http://`; the host may be left out, too. */
const HERE = /^(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])?:\d{1,5}(?=[/?]|$)/i;
const HOST_AND_PORT = /^[a-z0-9][a-z0-9.-]*:\d{1,5}(?=\/|$)/i;
const DOMAIN = /^(?:[a-z0-9-]+\.)+[a-z]{2,}(?=\/|$)/i;

/**
 * Reads an address. `localhost:8080` and `:8080` are taken for `http://`; for other machines that is proposed and not done, since
 * a key would go there in the clear.
 */
export function readHttpAddress(given: string): HttpAddress {
  const text = withScheme(given.trim());
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const meant = proposalFor(text);
    return { wrong: `must be an http:// or https:// URL${meant === undefined ? '' : `: did you mean ${meant}?`}` };
  }
  if (url.username !== '' || url.password !== '') {
    return { wrong: 'must not hold a user or password: a key comes from an environment variable (--env-key, env_key)' };
  }
  return { text, url };
}

function withScheme(text: string): string {
  if (!HERE.test(text)) return text;
  return `http://${text.startsWith(':') ? '127.0.0.1' : ''}${text}`;
}

/** Never a text that may be a key which came to the wrong place. */
function proposalFor(text: string): string | undefined {
  if (looksSecret(text)) return undefined;
  if (HOST_AND_PORT.test(text)) return `http://${text}`;
  return DOMAIN.test(text) ? `https://${text}` : undefined;
}
