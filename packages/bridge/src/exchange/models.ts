import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { clientWireOf } from '../request/client-kind.ts';
import { sendError, sendJson } from '../reply/reply-writer.ts';
import { toModelError } from '../upstream/failover.ts';
import { askWhole } from './ask-whole.ts';
import type { Handler } from './handler.ts';
import { passThrough } from './passthrough.ts';

/** `GET /v1/models`: the upstream's list, in the form of the client's wire. */
export const listModels: Handler = async (request) => {
  const form = forms[clientWireOf(request.protocol, request.headers)];
  if (form === undefined) {
    await passThrough(request);
    return;
  }
  const { exchange, res, errors } = request;
  exchange.onRequest({ route: 'models', wire: undefined, body: () => undefined });
  try {
    const list = await askWhole(request, { method: 'GET', path: request.path, body: undefined });
    sendJson(res, 200, JSON.stringify(form(isObject(list) && Array.isArray(list.data) ? list.data : [])));
    exchange.onEnd({ how: 'completed' });
  } catch (error) {
    const failure = toModelError(error);
    if (!res.destroyed) sendError(res, errors.errorAnswer(failure), errors);
    exchange.onEnd({ how: 'failed', error: failure });
  }
};

/** How each wire writes the list; absent: as servers of every wire do. */
const forms: Readonly<Record<ProtocolId, ((models: readonly unknown[]) => JsonObject) | undefined>> = {
  chat: undefined,
  responses: undefined,
  messages: (models) => {
    const data = models
      .filter(isObject)
      .map(modelOf)
      .filter((model) => model !== undefined);
    return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  },
};

/** A model in Anthropic's form; one that has it already stays as it is. */
function modelOf(model: JsonObject): JsonObject | undefined {
  const id = nonEmpty(model.id);
  if (id === undefined) return undefined;
  if (model.type === 'model') return model;
  const created = typeof model.created === 'number' && Number.isSafeInteger(model.created) ? model.created : 0;
  const at = Math.min(Math.max(created, 0), LATEST);
  return { type: 'model', id, display_name: id, created_at: new Date(at * 1000).toISOString() };
}

/** The end of the year 9999, in Unix time. */
const LATEST = 253_402_300_799;
