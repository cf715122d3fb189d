import { randomHex } from '@turnwire/client/internal/platform/random';

/** What bridges call themselves in `via`, with an id of each running one. */
const NAME = /\bturnwire-[0-9a-f]{16}\b/;

/** The mark that a bridge leaves on every request it sends, by which it knows its own: RFC 9110, section 7.6.3. */
export interface Hop {
  /** The value of `via` for a request to an upstream. */
  readonly stamp: (earlier?: string) => string;
  /** True for a request that this bridge has sent. */
  readonly isOwn: (via: string | undefined) => boolean;
}

/** @param id - of a bridge that has several workers, which know each other's requests */
export function createHop(id = newHopId()): Hop {
  return {
    stamp: (earlier) => (earlier === undefined ? `1.1 ${id}` : `${earlier}, 1.1 ${id}`),
    isOwn: (via) => via?.includes(id) === true,
  };
}

export function newHopId(): string {
  return `turnwire-${randomHex(8)}`;
}

/** The bridges that a request came through. Other proxies are left out: they are private to the caller. */
export function bridgesIn(via: string | undefined): string | undefined {
  const bridges = via?.split(',').filter((hop) => NAME.test(hop));
  return bridges === undefined || bridges.length === 0 ? undefined : bridges.map((hop) => hop.trim()).join(', ');
}
