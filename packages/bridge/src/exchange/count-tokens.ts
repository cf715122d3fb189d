import { requestHeaders, requestUrl } from '@turnwire/client/internal/provider/provider-request';
import type { HttpResponse } from '@turnwire/client/internal/transport/http';
import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { sendJson } from '../reply/reply-writer.ts';
import { bodyOf } from '../request/request-body.ts';
import { passedHeaders } from '../request/client-kind.ts';
import { bridgesIn } from '../upstream/hop.ts';
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
  const counted = await askedTokens(request).catch(() => undefined);
  sendJson(res, 200, JSON.stringify({ input_tokens: counted ?? estimate(body) }));
  exchange.onEnd({ how: 'completed' });
};

/** How long a server may take to count, in milliseconds, and how much of its answer is read, in bytes. */
const COUNT_MS = 10_000;
const ANSWER_BYTES = 64 * 1024;

/** What a server that speaks the wire says; undefined where it does not, or says something else. It says nothing of its health. */
async function askedTokens(request: ApiRequest): Promise<number | undefined> {
  const { context, body, protocol, path } = request;
  const { pool, transport, hop } = context;
  const lease = pool.take({ sticky: undefined, model: undefined, not: new Set() });
  if (lease === undefined || protocol === undefined) return undefined;
  try {
    const wire = await pool.wireOf(lease.upstream);
    if (wire !== protocol) return undefined;
    const provider = lease.upstream.provider(wire);
    const response = await transport.send({
      method: 'POST',
      url: requestUrl(provider, path),
      headers: {
        ...passedHeaders(request.headers),
        'accept-encoding': 'identity',
        ...requestHeaders(provider, pool.getEnv),
        via: hop.stamp(bridgesIn(request.headers.via)),
      },
      body,
      timers: { connectMs: COUNT_MS, totalMs: COUNT_MS },
    });
    const answer = parseJson(await beginningOf(response, ANSWER_BYTES));
    return isObject(answer) && typeof answer.input_tokens === 'number' ? answer.input_tokens : undefined;
  } finally {
    lease.release();
  }
}

async function beginningOf(response: HttpResponse, limit: number): Promise<string> {
  const read: Uint8Array[] = [];
  for (let chunks = await response.read(); chunks !== undefined; chunks = await response.read()) {
    read.push(...chunks);
    if (read.reduce((sum, { byteLength }) => sum + byteLength, 0) > limit) break;
  }
  response.release();
  return Buffer.concat(read).toString('utf8');
}

/** Characters of text for one token, and tokens of one picture or document: an estimate, as Ollama makes it. */
const CHARACTERS = 4;
const PICTURE = 1500;

/** Roughly how many tokens a request has. */
export function estimate({ system, messages, tools }: JsonObject): number {
  const size = { characters: 0, pictures: 0 };
  for (const part of [system, messages, tools]) measure(part, size);
  return Math.max(1, Math.ceil(size.characters / CHARACTERS) + size.pictures * PICTURE);
}

function measure(value: unknown, size: { characters: number; pictures: number }): void {
  if (typeof value === 'string') size.characters += value.length;
  else if (Array.isArray(value)) for (const one of value) measure(one, size);
  else if (isObject(value)) {
    const isData = isObject(value.source) && value.source.type !== 'text' && value.source.type !== 'content';
    if (isData) size.pictures += 1;
    else for (const one of Object.values(value)) measure(one, size);
  }
}
