import { quoteWord } from '@turnwire/client/internal/platform/quote-argv';
import type { TapeEnding } from '@turnwire/testing';
import type { Evidence } from '../proof/evidence.ts';

/** How an exchange ended, in words. */
export const endWords: Readonly<Record<TapeEnding, string>> = {
  complete: 'the body ended',
  cut: 'the connection was closed in the middle',
  reset: 'the connection was reset',
  'client-left': 'still open when the client left',
  failed: 'no answer',
  stopped: 'the recording was stopped here',
  torn: 'the recording ends here',
};

/** `HTTP 200, text/event-stream`. */
export function headOf({ status, headers }: Evidence): string {
  if (status === undefined) return 'no answer';
  const type = Object.entries(headers).find(([name]) => /^content-type$/i.test(name))?.[1];
  return `HTTP ${status}${type === undefined ? '' : `, ${type}`}`;
}

/**
 * The command that asks the same. A key is read from the environment; the address is the server's own.
 *
 * @param url - base URL, whose path the request's begins with
 */
export function curlOf({ request }: Evidence, url: string): string {
  const address = URL.parse(url);
  const to = address === null ? request.target : address.origin + request.target;
  const method = request.method === 'POST' ? '' : `-X ${quoteWord(request.method)} `;
  const body = request.body === '' ? [] : [`-H 'content-type: application/json'`, `-d ${quoteWord(request.body)}`];
  return [`curl -sN ${method}${quoteWord(to)}`, ...body].join(' \\\n  ');
}
