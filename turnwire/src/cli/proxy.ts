import type { ProxyOptions } from '@turnwire/client/internal/transport/proxy-choice';
import type { CliContext } from './context.ts';

/** The proxies that the environment names; the spelling in lower case wins, as with other programs. */
export function proxyFromEnv(env: CliContext['env']): ProxyOptions {
  const read = (name: string): string | undefined => env[name] ?? env[name.toUpperCase()];
  return { httpProxy: read('http_proxy'), httpsProxy: read('https_proxy'), noProxy: read('no_proxy') };
}
