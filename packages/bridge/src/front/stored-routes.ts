import type { FastifyReply } from 'fastify';
import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { badRequest } from '../reply/api-error.ts';
import type { BridgeContext } from '../exchange/context.ts';
import { sendError, sendJson } from '../reply/sink.ts';

/** Items of one page, when the caller does not say; and at most. */
const PAGE = 20;
const LONGEST_PAGE = 100;

/** `GET /v1/responses/{id}` */
export async function getResponse({ store }: BridgeContext, id: string, reply: FastifyReply): Promise<void> {
  const record = await store.get(id);
  if (record === undefined) notFound(reply, id);
  else sendJson(reply.raw, 200, JSON.stringify(record.response));
}

/** `DELETE /v1/responses/{id}` */
export async function deleteResponse({ store }: BridgeContext, id: string, reply: FastifyReply): Promise<void> {
  if (await store.delete(id)) {
    sendJson(reply.raw, 200, JSON.stringify({ id, object: 'response', deleted: true }));
  } else notFound(reply, id);
}

/** `GET /v1/responses/{id}/input_items`, with `limit`, `order` and `after`. */
export async function getInputItems(
  { store }: BridgeContext,
  id: string,
  query: unknown,
  reply: FastifyReply,
): Promise<void> {
  const record = await store.get(id);
  if (record === undefined) notFound(reply, id);
  else sendJson(reply.raw, 200, JSON.stringify(pageOf(record.input, isObject(query) ? query : {})));
}

/** The newest first, unless asked otherwise: the API's own order. */
function pageOf(items: readonly Item[], query: JsonObject): JsonObject {
  const ordered = query.order === 'asc' ? [...items] : [...items].reverse();
  const after = ordered.findIndex((item) => idOf(item) === query.after);
  const wanted = Number(query.limit ?? PAGE);
  const limit = Number.isInteger(wanted) ? Math.min(Math.max(wanted, 1), LONGEST_PAGE) : PAGE;
  const rest = ordered.slice(after + 1);
  const data = rest.slice(0, limit).map(listed);
  return {
    object: 'list',
    data,
    first_id: idOf(data[0]) ?? null,
    last_id: idOf(data.at(-1)) ?? null,
    has_more: rest.length > data.length,
  };
}

/** As the API lists it: the content of a message is a list there, also where it was sent as a string. */
function listed(item: Item): Item {
  const { type, role, content } = item as JsonObject;
  if ((type ?? 'message') !== 'message' || typeof content !== 'string') return item;
  const part =
    role === 'assistant'
      ? { type: 'output_text', text: content, annotations: [] }
      : { type: 'input_text', text: content };
  return { ...item, type: 'message', content: [part] };
}

function idOf(item: Item | undefined): unknown {
  return (item as JsonObject | undefined)?.id;
}

function notFound(reply: FastifyReply, id: string): void {
  sendError(
    reply.raw,
    badRequest(`Response with id '${id}' not found.`, { status: 404, code: 'not_found', param: 'response_id' }),
  );
}
