import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ErrorAnswer } from '@turnwire/wire/internal/encode-error';
import { badRequest } from '../reply/api-error.ts';
import { clientWireOf } from '@turnwire/wire/internal/protocols';
import { sendError, sendJson } from '../reply/reply-writer.ts';
import { toModelError } from '../upstream/to-model-error.ts';
import type { ServerModel } from '../upstream/server-models.ts';
import { codexCatalogue, etagOf } from './codex-catalogue.ts';
import { clientGone } from './client-gone.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { refuse } from './refuse.ts';

/** `GET /v1/models`: what all upstreams have, each model once, in the form of the client's wire, or as Codex' catalogue. */
export const listModels: Handler = (request) =>
  telling(request, async (signal) => {
    const { catalogue } = request.context.pool;
    const models = await catalogue.list(signal);
    if (!asksForCatalogue(request)) return formOf(request).list(models);
    return codexCatalogue(await catalogue.facts(models.map(({ id }) => id)));
  });

/** Codex alone says which version it is. */
function asksForCatalogue({ url }: ApiRequest): boolean {
  return /[?&]client_version=/.test(url);
}

/** `GET /v1/models/ID`. */
export const getModel = (request: ApiRequest, id: string): Promise<void> =>
  telling(request, async (signal) => {
    const model = await request.context.pool.catalogue.find(id, signal);
    return model === undefined ? notFound(id) : formOf(request).one(model);
  });

function notFound(id: string): { readonly refusal: ErrorAnswer } {
  const more = { status: 404, code: 'model_not_found', param: 'model' };
  return { refusal: badRequest(`The model ${JSON.stringify(id)} is not there: GET /v1/models tells what is.`, more) };
}

/** Answers with what is found, unless the client left meanwhile. */
async function telling(
  request: ApiRequest,
  find: (signal: AbortSignal) => Promise<JsonObject | { readonly refusal: ErrorAnswer }>,
): Promise<void> {
  const { exchange, res, errors } = request;
  exchange.onRequest({ route: 'models', wire: undefined, size: 0, body: () => undefined });
  try {
    const found = await find(clientGone(res));
    if (isRefusal(found)) {
      refuse(request, found.refusal);
      return;
    }
    const body = JSON.stringify(found);
    if (asksForCatalogue(request)) res.setHeader('etag', etagOf(body));
    if (!res.destroyed) sendJson(res, 200, body);
    exchange.onEnd({ how: 'completed' });
  } catch (error) {
    const failure = toModelError(error);
    if (!res.destroyed) sendError(res, errors.errorAnswer(failure), errors);
    exchange.onEnd({ how: 'failed', error: failure });
  }
}

function isRefusal(found: JsonObject | { readonly refusal: ErrorAnswer }): found is { readonly refusal: ErrorAnswer } {
  return isObject(found.refusal);
}

/** How a wire writes models. */
interface ModelForm {
  list(models: readonly ServerModel[]): JsonObject;
  one(model: ServerModel): JsonObject;
}

function formOf({ protocol, headers }: ApiRequest): ModelForm {
  return forms[clientWireOf(protocol, headers)];
}

/** Entries as their servers wrote them. */
const usual: ModelForm = {
  list: (models) => ({ object: 'list', data: models.map(({ entry }) => entry) }),
  one: ({ entry }) => entry,
};

const forms: Readonly<Record<ProtocolId, ModelForm>> = {
  chat: usual,
  responses: usual,
  messages: {
    list: (models) => {
      const data = models.map(ofAnthropic);
      return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
    },
    one: ofAnthropic,
  },
};

/** A model in Anthropic's form; one that has it already stays as it is. */
function ofAnthropic({ id, entry }: ServerModel): JsonObject {
  if (entry.type === 'model') return entry;
  const created = typeof entry.created === 'number' && Number.isSafeInteger(entry.created) ? entry.created : 0;
  const at = Math.min(Math.max(created, 0), LATEST);
  const display_name = nonEmpty(entry.display_name) ?? nonEmpty(entry.name) ?? id;
  return { type: 'model', id, display_name, created_at: new Date(at * 1000).toISOString() };
}

/** The end of the year 9999, in Unix time. */
const LATEST = 253_402_300_799;
