import type { ProxyOptions } from '@turnwire/client/internal/transport/proxy-choice';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';

/**
 * The proxies that the environment names; the spelling in lower case wins, as with other programs. One without a scheme is `http:`.
 *
 * @throws UsageError for a variable that holds no address; what it holds may be a password, and is not told
 */
export function proxyFromEnv(env: CliContext['env']): ProxyOptions {
  const read = (name: string): string | undefined => env[name] ?? env[name.toUpperCase()];
  const address = (name: string): string | undefined => {
    const given = read(name);
    if (given === undefined || given === '') return given;
    const whole = given.includes('://') ? given : `http://${given}`;
    if (/^(?:https?|socks5?):$/.test(URL.parse(whole)?.protocol ?? '')) return whole;
    throw new UsageError(
      `the environment variable ${name.toUpperCase()} holds no address of a proxy (http://HOST:PORT)`,
    );
  };
  return { httpProxy: address('http_proxy'), httpsProxy: address('https_proxy'), noProxy: read('no_proxy') };
}
