import { inQuotes } from '@turnwire/client/internal/platform/quote-argv';
import type { ExchangeRecord } from './api.ts';

/** Headers that curl, or the way of a request, has of its own. */
const OWN = new Set([
  'host',
  'content-length',
  'connection',
  'accept-encoding',
  'transfer-encoding',
  'content-encoding',
]);

/** The request of an exchange as a command line; undefined where it is not kept. Masked secrets are to be filled in. */
export function curlOf(records: readonly ExchangeRecord[], base: string): string | undefined {
  const request = records.find((record) => record.kind === 'request');
  if (request === undefined) return undefined;
  const { method, url, headers, body } = request;
  const kept = Object.entries(headers).filter(([name]) => !OWN.has(name));
  const parts = [
    `curl -N -X ${inQuotes(method)} ${inQuotes(base + url)}`,
    ...kept.map(([name, value]) => `-H ${inQuotes(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-raw ${inQuotes(JSON.stringify(body))}`]),
  ];
  return `${parts.join(' \\\n  ')}\n`;
}
