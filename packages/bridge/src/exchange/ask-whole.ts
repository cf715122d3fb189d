import { parseJson } from '@turnwire/wire/internal/base/json';
import { startPassing, type PassRequest } from './pass-attempt.ts';
import type { ApiRequest } from './handler.ts';

/** Longer answers are no lists and no numbers. */
const LIMIT = 8 * 1024 * 1024;

/**
 * What an upstream answers to a request that is small on both sides, as JSON; undefined for what is no JSON.
 *
 * @throws ModelError where no upstream answers well
 */
export async function askWhole(
  { context, exchange, headers, res, protocol }: ApiRequest,
  asked: Pick<PassRequest, 'method' | 'path' | 'body'>,
): Promise<unknown> {
  const abort = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) abort.abort();
  });
  const outcome = await startPassing({
    ...asked,
    context,
    exchange,
    headers,
    protocol,
    turn: undefined,
    signal: abort.signal,
  });
  exchange.chose(outcome.upstream.label, outcome.ok ? outcome.answer.response.status : outcome.refusal?.status);
  if (!outcome.ok) {
    outcome.refusal?.release();
    throw outcome.failure;
  }
  const { response } = outcome.answer;
  try {
    const read: Uint8Array[] = [];
    let bytes = 0;
    for (let chunks = await response.read(); chunks !== undefined && bytes <= LIMIT; chunks = await response.read()) {
      read.push(...chunks);
      bytes += chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    }
    outcome.lease.succeeded();
    return bytes > LIMIT ? undefined : parseJson(Buffer.concat(read).toString('utf8'));
  } finally {
    response.release();
    outcome.lease.release();
  }
}
