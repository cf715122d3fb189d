import type { IncomingHttpHeaders } from 'node:http';
import { digestSecret } from './same-secret.ts';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';

/**
 * Finds which of some tokens the headers of a request hold, by its place: as `Authorization: Bearer`, whose scheme may be written in
 * any case (RFC 9110, 11.1), or as `x-api-key`. Each is compared, in the same time whatever was sent.
 */
export function tokenFinder(tokens: readonly string[]): (headers: IncomingHttpHeaders) => number | undefined {
  const digests = tokens.map(digestSecret);
  return ({ authorization = '', 'x-api-key': key }) => {
    const given = [/^bearer +(.*)$/i.exec(authorization)?.[1] ?? '', firstHeaderValue(key) ?? ''].map(digestSecret);
    const found = digests.map((known) => given.filter((one) => known.is(one)).length > 0);
    const place = found.indexOf(true);
    return place < 0 ? undefined : place;
  };
}
