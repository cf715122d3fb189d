import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Whether an address is one of the public internet: not of this machine, of its network, or of any other special use. */
export function isPublicAddress(address: string): boolean {
  try {
    // An IPv4 address within an IPv6 one counts as what it is. What embeds one in another way is of special use itself.
    return ipaddr.process(address).range() === 'unicast';
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
 * Looks a host up for a connection, which then goes to one of these very addresses: a name that has another address at the second
 * question (DNS rebinding) gains nothing. Fails with `PrivateAddressError` when one of them is not public.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) {
      callback(error, '');
      return;
    }
    const wrong = addresses.find(({ address }) => !isPublicAddress(address));
    const [first] = addresses;
    if (wrong !== undefined || first === undefined)
      callback(new PrivateAddressError(hostname, wrong?.address ?? 'nowhere'), '');
    else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
