import { readHttpAddress } from '@turnwire/client/internal/platform/http-address';
import { UsageError } from './exit.ts';

/** Where a bridge listens that was told nothing else. */
export const DEFAULT_BRIDGE_URL = 'http://127.0.0.1:18080';

/**
 * The address of a bridge as `--url` has it, without `/v1` and without a last slash.
 *
 * @throws UsageError
 */
export function bridgeUrlOf(text: string): string {
  const address = readHttpAddress(text);
  if ('wrong' in address) throw new UsageError(`--url ${address.wrong}`);
  return address.url.href.replace(/\/+$/, '').replace(/\/v1$/, '');
}
