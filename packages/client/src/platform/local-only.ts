import type { IncomingHttpHeaders } from 'node:http';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]', '::1'];

/** True for an address or a name that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return LOOPBACK_NAMES.includes(name) || name.endsWith('.localhost') || /^127\.\d+\.\d+\.\d+$/.test(name);
}

/** The address of a server for clients on its own machine: one that listens on all addresses names none of them. */
export function reachableUrl(url: string): string {
  return url.replace(/^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, (any) =>
    any.endsWith(']') ? 'http://[::1]' : 'http://127.0.0.1',
  );
}

export interface LocalNames {
  /** The address that is listened on. */
  readonly host: string;
  /** Names that a `Host` header may have beside the loopback names and `host`; `*` allows all. */
  readonly allowedHosts?: readonly string[] | undefined;
}

/**
 * Checks the name by which a server is called. A page whose own name was made to lead to this machine (DNS rebinding)
 * says that name. Beyond loopback every name is good: there, something else has to protect.
 */
export function createHostCheck({ host, allowedHosts = [] }: LocalNames): (header: string) => boolean {
  const names = new Set([host, ...allowedHosts].map(hostKey));
  const any = names.has('*') || !isLoopback(host);
  return (header) => {
    const name = hostKey(header.replace(/:\d+$/, ''));
    return any || names.has(name) || isLoopback(name);
  };
}

/**
 * Keeps web pages away from a server that needs no token: says why a request is refused, undefined when it is not. Pages
 * of this machine's own servers may ask: they are somebody's tests.
 */
export function createPageGuard(names: LocalNames): (headers: IncomingHttpHeaders) => string | undefined {
  const isHost = createHostCheck(names);
  return ({ host, origin }) => {
    if (host !== undefined && !isHost(host)) return 'this Host is not allowed here: --allow-host NAME lets it in';
    if (origin === undefined || isLoopback(URL.parse(origin)?.hostname ?? '')) return undefined;
    return 'this Origin is not allowed: requests of web pages are refused';
  };
}

function hostKey(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
