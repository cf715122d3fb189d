import type { ListMessage } from '@turnwire/bridge/internal/inspect/api';
import { readJson } from '@turnwire/bridge/internal/upstream/read-json';
import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import { isObject } from '@turnwire/wire/internal/base/json';
import { UsageError } from './exit.ts';

/** A bridge that is asked for its exchanges. */
export interface AskedBridge {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** What its callers send. */
  readonly token: string | undefined;
}

/** An answer is at hand, or something is wrong. */
const timers = { connectMs: 3000, firstByteMs: 5000, idleMs: 5000 };
/** Thousands of rows. */
const LONGEST = 32 * 1024 * 1024;

/**
 * Asks once. Rejects with `ModelError` for a bridge that does not answer: it may be back later.
 *
 * @throws UsageError for what asking again does not change
 */
export async function askForExchanges(
  { url, token }: AskedBridge,
  transport: HttpTransport,
  signal: AbortSignal,
): Promise<ListMessage> {
  const headers = { 'user-agent': 'turnwire', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const response = await transport.send({ method: 'GET', url: `${url}/exchanges`, headers, signal, timers });
  if (response.status === 401) {
    throw new UsageError(`the bridge at ${url} wants its token: name the variable that has it with --auth-token-env`);
  }
  const body = await readJson(response, LONGEST);
  if (isListMessage(body)) return body;
  throw new UsageError(
    `what answers at ${url} (${response.status}) is no bridge of turnwire, or an older one: name its address with --url`,
  );
}

function isListMessage(body: unknown): body is ListMessage {
  return isObject(body) && typeof body.now === 'number' && Array.isArray(body.rows);
}
