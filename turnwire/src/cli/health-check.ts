import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from '@turnwire/client/internal/platform/node-http';

/** What runs answers at once; a container's runtime asks again in half a minute. */
const PATIENCE_MS = 3000;

/**
 * Asks a bridge of this machine for `/health`: the check of a container whose image holds no other program that could ask.
 * Says why it does not run; undefined when it does.
 */
export async function whyNotHealthy(at: { readonly host: string; readonly port: number }): Promise<string | undefined> {
  const url = `http://${addressOf(at.host)}:${at.port}/health`;
  const asked = request(url, { timeout: PATIENCE_MS, agent: false });
  asked.on('timeout', () => asked.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
  asked.end();
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response.statusCode === 200 ? undefined : `${url} answers with ${response.statusCode ?? 'nothing'}`;
  } catch (error) {
    return `${url} does not answer: ${error instanceof Error ? error.message : 'unknown'}`;
  } finally {
    asked.destroy();
  }
}

/** Of all addresses that a bridge listens on, the one that its own machine can ask; IPv6 in brackets. */
function addressOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
