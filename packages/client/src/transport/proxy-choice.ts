/** Where requests go through. Empty or absent values mean no proxy; the environment is not read here. */
export interface ProxyOptions {
  /** Proxy for `http:` addresses, and for `https:` ones without an `httpsProxy`. Default: none. */
  readonly httpProxy?: string | undefined;
  /** Proxy for `https:` addresses. Default: `httpProxy`. */
  readonly httpsProxy?: string | undefined;
  /** Comma-separated hosts that are reached directly; `*` is every host. Default: none. */
  readonly noProxy?: string | undefined;
}

/** The proxy of a WebSocket address, if it has one: the same that an `http(s):` address in its place would have. */
export function proxyFor(url: URL, { httpProxy, httpsProxy, noProxy }: ProxyOptions): URL | undefined {
  const secure = url.protocol === 'wss:' || url.protocol === 'https:';
  const chosen = secure ? (given(httpsProxy) ?? given(httpProxy)) : given(httpProxy);
  if (chosen === undefined || isDirect(url, noProxy ?? '', secure)) return undefined;
  return URL.parse(chosen) ?? undefined;
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/** Entries are `*`, a host, `.domain` or `*.domain`, each with a port or without one; a host stands for its subdomains too. */
function isDirect(url: URL, noProxy: string, secure: boolean): boolean {
  const host = withoutBrackets(url.hostname);
  const port = url.port === '' ? (secure ? '443' : '80') : url.port;
  return noProxy
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [, name = '', onPort] = /^(\[.*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (onPort !== undefined && onPort !== port) return false;
      if (name === '*') return true;
      const domain = withoutBrackets(name).replace(/^\*?\./, '');
      return host.endsWith(`.${domain}`) || (host === domain && !name.startsWith('*'));
    });
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
