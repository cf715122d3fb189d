import { requestHeaders, requestUrl } from '@turnwire/client/internal/provider/provider-request';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { isObject, nonEmpty, omit, type JsonObject } from '@turnwire/wire/internal/base/json';
import { estimateTokens } from '@turnwire/wire/internal/token-estimate';
import { sendJson } from '../reply/reply-writer.ts';
import { bodyOf, type Refused } from '../request/request-body.ts';
import { prepareResponses } from '../request/state.ts';
import { passedHeaders } from '../request/client-kind.ts';
import { bridgesIn } from '../upstream/hop.ts';
import { readJson } from '../upstream/read-json.ts';
import { clientGone } from './client-gone.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { refuse } from './refuse.ts';
import { refusalOf } from './responses.ts';

/**
 * `POST /v1/messages/count_tokens` and `POST /v1/responses/input_tokens`: what an upstream of that wire says, else an estimate. Clients ask this beside their work: it never
 * fails for an upstream that cannot count.
 */
export const countTokens: Handler = async (request) => {
  const { exchange, res, context } = request;
  const read = await bodyOf(request, context.settings.bodyLimit);
  if ('refusal' in read) {
    refuse(request, read.refusal);
    return;
  }
  const { body, size } = read;
  exchange.onRequest({ route: 'count', wire: undefined, model: nonEmpty(body.model), size, body: () => body });
  const { head, whole } = wires[request.protocol ?? 'messages'];
  const asked = await whole(body, request).catch(refusalIn);
  if ('refusal' in asked) {
    refuse(request, asked.refusal);
    return;
  }
  const counted = await askedTokens(request, asked.body).catch(() => undefined);
  sendJson(res, 200, JSON.stringify({ ...head, input_tokens: counted ?? estimateTokens(asked.body) }));
  exchange.onEnd({ how: 'completed' });
};

interface CountingWire {
  /** What an answer has beside the number. */
  readonly head: JsonObject;
  /** The request with the conversation that it continues. */
  readonly whole: (body: JsonObject, request: ApiRequest) => Promise<{ readonly body: JsonObject }>;
}

const asItCame: CountingWire = { head: {}, whole: (body) => Promise.resolve({ body }) };

const wires: Readonly<Record<ProtocolId, CountingWire>> = {
  chat: asItCame,
  messages: asItCame,
  responses: {
    head: { object: 'response.input_tokens' },
    whole: async (body, { context: { store, live } }) => {
      // Nothing is generated, so there may be no input yet.
      const given = { ...body, input: body.input ?? [], generate: false };
      const { input } = await prepareResponses(given, { store, live, codex: true });
      return { body: { ...omit(body, 'previous_response_id'), input } };
    },
  },
};

function refusalIn(error: unknown): Refused {
  const refusal = refusalOf(error);
  if (refusal === undefined) throw error;
  return { refusal };
}

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
  const not = await pool.lacking(model, gone);
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
        ...requestHeaders(provider, lease.upstream.getEnv),
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
