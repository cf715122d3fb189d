import { requestHeaders, requestUrl } from '@turnwire/client/internal/provider/provider-request';
import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { estimateMessagesTokens } from '@turnwire/wire/internal/messages/estimate';
import { sendJson } from '../reply/reply-writer.ts';
import { bodyOf } from '../request/request-body.ts';
import { passedHeaders } from '../request/client-kind.ts';
import { bridgesIn } from '../upstream/hop.ts';
import { readJson } from '../upstream/read-json.ts';
import { clientGone } from './client-gone.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { refuse } from './refuse.ts';

/**
 * `POST /v1/messages/count_tokens`: what an upstream of that wire says, else an estimate. Clients ask this beside their work: it never
 * fails for an upstream that cannot count.
 */
export const countTokens: Handler = async (request) => {
  const { exchange, res, context } = request;
  const read = await bodyOf(request, context.settings.bodyLimit);
  if ('refusal' in read) {
    refuse(request, read.refusal);
    return;
  }
  const { body } = read;
  exchange.onRequest({ route: 'count', wire: undefined, body: () => body });
  const counted = await askedTokens(request, body).catch(() => undefined);
  sendJson(res, 200, JSON.stringify({ input_tokens: counted ?? estimateMessagesTokens(body) }));
  exchange.onEnd({ how: 'completed' });
};

/** How long a server may take to count, in milliseconds, and how much of its answer is read, in bytes. */
const COUNT_MS = 10_000;
const ANSWER_BYTES = 64 * 1024;

/** What a server that speaks the wire says; undefined where it does not, or says something else. It says nothing of its health. */
async function askedTokens(request: ApiRequest, asked: JsonObject): Promise<number | undefined> {
  const { context, protocol, path } = request;
  const { pool, transport, hop } = context;
  if (protocol === undefined) return undefined;
  const gone = clientGone(request.res);
  const model = pool.catalogue.nameFor(nonEmpty(asked.model));
  const not = await pool.catalogue.lacking(model, gone);
  const lease = pool.take({ sticky: undefined, model, not });
  if (lease === undefined) return undefined;
  try {
    const wire = await pool.wireOf(lease.upstream);
    if (wire !== protocol) return undefined;
    const provider = lease.upstream.provider(wire);
    const response = await transport.send({
      method: 'POST',
      url: requestUrl(provider, path),
      headers: {
        ...withoutCoding(passedHeaders(request.headers)),
        'accept-encoding': 'identity',
        ...requestHeaders(provider, pool.getEnv),
        via: hop.stamp(bridgesIn(request.headers.via)),
      },
      body: JSON.stringify(model === undefined ? asked : { ...asked, model }),
      signal: gone,
      timers: { connectMs: COUNT_MS, totalMs: COUNT_MS },
    });
    const answer = await readJson(response, ANSWER_BYTES);
    return isObject(answer) && typeof answer.input_tokens === 'number' ? answer.input_tokens : undefined;
  } finally {
    lease.release();
  }
}

/** Headers of a body that is sent as text, whatever coding it came in. */
function withoutCoding(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-encoding'));
}
