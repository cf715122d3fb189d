import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '@turnwire/client/internal/platform/local-only';
import { BridgeOptionsError, type Settings } from '../options.ts';
import { labelOf } from './member.ts';

/** What a server can listen on and clients cannot mean: connected to, it is this machine. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '[::]', '::']);

/**
 * True for an address that leads to a server on `host` and `port` of this machine: by its name, a loopback name, or an
 * address of a network interface. The names that only a DNS server knows are left to the mark on each request.
 */
export function isOwnAddress(address: string, host: string, port: number): boolean {
  const url = new URL(address);
  if (url.protocol !== 'http:' || Number(url.port || 80) !== port) return false;
  const named = url.hostname.toLowerCase();
  if (named === host.toLowerCase() || named === `[${host.toLowerCase()}]`) return true;
  const isHere = isThisMachine(named);
  if (ANY_ADDRESS.has(host)) return isHere || isOfInterface(named);
  return isLoopback(host) && isHere;
}

/** @throws BridgeOptionsError for a bridge that is its own upstream */
export function refuseOwnAddress(settings: Pick<Settings, 'upstreams' | 'host'>, port: number): void {
  const own = settings.upstreams.find(({ url }) => isOwnAddress(url, settings.host, port));
  if (own === undefined) return;
  throw new BridgeOptionsError(
    `the upstream ${labelOf(own.url)} is this bridge itself: name the model server's address`,
  );
}

function isThisMachine(host: string): boolean {
  return isLoopback(host) || ANY_ADDRESS.has(host) || host.endsWith('.localhost') || host.startsWith('[::ffff:7f');
}

function isOfInterface(host: string): boolean {
  if (host === hostname().toLowerCase()) return true;
  const addresses = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
  return addresses.some(({ address }) => host === address || host === `[${address}]`);
}
