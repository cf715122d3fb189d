import { lookup as lookupByCallback, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** All that IPv6 has of the public internet (RFC 4291, section 2.4): `::7f00:1` is no part of it, though of no special use either. */
const GLOBAL = ipaddr.IPv6.parse('2000::');

/** Whether an address is one of the public internet: not of this machine, of its network, or of any other special use. */
export function isPublicAddress(address: string): boolean {
  try {
    // An IPv4 address within an IPv6 one counts as what it is.
    const parsed = ipaddr.process(address);
    return parsed.range() === 'unicast' && (parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL, 3));
  } catch {
    return false;
  }
}

/** A host has an address that nobody may be sent to. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';

  constructor(host: string, address: string) {
    super(`${host} is ${address === host ? '' : `at ${address}, `}no address of the public internet`);
  }
}

/**
 * Fails with `PrivateAddressError` for a host that needs no looking up to be a private one: an address, and the names that are this
 * machine's for ever (RFC 6761, section 6.3). A proxy would take them for its own machine's.
 */
export function assertNotPrivate(host: string): void {
  const isPrivate = isIP(host) === 0 ? /^(?:.*\.)?localhost$/.test(host) : !isPublicAddress(host);
  if (isPrivate) throw new PrivateAddressError(host, host);
}

/** As the system knows them. */
export const systemLookup: LookupFunction = (hostname, options, callback) =>
  lookupByCallback(hostname, options, callback);

/**
 * Looks a host up for a connection, which then goes to one of these very addresses: a name that has another address at the second
 * question (DNS rebinding) gains nothing. Fails with `PrivateAddressError` when one of them is not public.
 */
export function publicLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const addresses = found as readonly LookupAddress[];
      const wrong = addresses.find(({ address }) => !isPublicAddress(address));
      const [first] = addresses;
      if (wrong !== undefined || first === undefined)
        callback(new PrivateAddressError(hostname, wrong?.address ?? 'nowhere'), '');
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
