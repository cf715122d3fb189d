import type { ProxyOptions } from '@turnwire/client';

/** How `fetch_url` gets to the web, and MCP servers with an address are reached. */
export interface WebAccess {
  /** Proxies on the way. A name is looked up by the proxy then, which decides what it lets through. Default: none. */
  readonly proxy?: ProxyOptions;
  /** Hosts that may be of this machine or its network, as {@link readHost} gives them. Default: none, the public internet alone. */
  readonly privateHosts?: readonly string[];
}

/** The host of an address, without the brackets of IPv6 and the dot that a whole name may end with: some programs read over several. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.+$/, '');
}

/** A name or an IP address as addresses have it: `Wiki.Local` is `wiki.local`. `undefined` for what is no host alone. */
export function readHost(text: string): string | undefined {
  const url = URL.parse(`http://${/^[^[].*:/.test(text) ? `[${text}]` : text}`);
  return url?.href === `http://${url?.hostname}/` ? hostOf(url) : undefined;
}
