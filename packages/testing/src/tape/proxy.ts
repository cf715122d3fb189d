import type { IncomingMessage } from 'node:http';
import { readHttpAddress } from '@turnwire/client/internal/platform/http-address';
import { hopByHopTest } from '@turnwire/wire/internal/base/http-headers';
import { MockUsageError } from '../errors.ts';
import type { HeaderList } from './tape.ts';

/** Headers in their order and spelling, without those of the connection. */
export function passedHeaders(message: IncomingMessage): HeaderList {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    pairs.push([message.rawHeaders[i] ?? '', message.rawHeaders[i + 1] ?? '']);
  }
  const isHopByHop = hopByHopTest(message.headers.connection);
  return pairs.filter(([name]) => !isHopByHop(name) && !/^(host|expect)$/i.test(name));
}

/** The form in which Node takes headers whose order and repetition matter. */
export function flatHeaders(headers: HeaderList): string[] {
  return headers.flatMap(([name, value]) => [name, value]);
}

/** The upstream of a recorder. */
export function parseUpstream(text: string): URL {
  const address = readHttpAddress(text);
  if ('wrong' in address) throw new MockUsageError(`the address of the upstream ${address.wrong}`);
  return address.url;
}

/** Where a request goes: the upstream's own path is put before it, unless it is there already. */
export function upstreamTarget(upstream: URL, target: string): string {
  const prefix = upstream.pathname.replace(/\/+$/, '');
  const rest = target.slice(prefix.length);
  const there = target.startsWith(prefix) && (rest === '' || /^[/?]/.test(rest));
  return there ? target : prefix + target;
}

/** The code of a system error, e.g. `ECONNREFUSED`; else its name. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
