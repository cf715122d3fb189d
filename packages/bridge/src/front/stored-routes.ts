import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { badRequest } from '../reply/api-error.ts';
import type { ApiRequest } from '../exchange/handler.ts';
import { refuse } from '../exchange/refuse.ts';
import { listedItem } from '../request/listed-item.ts';
import { sendJson } from '../reply/reply-writer.ts';

/** Items of one page, when the caller does not say; and at most. */
const PAGE = 20;
const LONGEST_PAGE = 100;

/** A route on one kept response, by its id. */
export type StoredHandler = (request: ApiRequest, id: string) => Promise<void>;

/** `GET /v1/responses/{id}` */
export const getResponse: StoredHandler = async (request, id) => {
  const record = await request.context.store.get(id);
  tell(request, id, record?.response);
};

/** `DELETE /v1/responses/{id}` */
export const deleteResponse: StoredHandler = async (request, id) => {
  const deleted = await request.context.store.delete(id);
  tell(request, id, deleted ? { id, object: 'response', deleted: true } : undefined);
};

/** `GET /v1/responses/{id}/input_items`, with `limit`, `order` and `after`. */
export const getInputItems: StoredHandler = async (request, id) => {
  const record = await request.context.store.get(id);
  tell(request, id, record === undefined ? undefined : pageOf(record.input, queryOf(request.url)));
};

/** What is there, or that it is not. */
function tell(request: ApiRequest, id: string, body: JsonObject | undefined): void {
  if (body === undefined) {
    notFound(request, id);
    return;
  }
  sendJson(request.res, 200, JSON.stringify(body));
  request.exchange.onEnd({ how: 'completed' });
}

/** True for `.` and `..`. */
export function isStep(id: string): boolean {
  return id === '.' || id === '..';
}

export function notFound(request: ApiRequest, id: string): void {
  const more = { status: 404, code: 'not_found', param: 'response_id' };
  refuse(request, badRequest(`Response with id '${id}' not found.`, more));
}

function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(/\?([^#]*)/.exec(url)?.[1]);
}

/** The newest first, unless asked otherwise: the API's own order. */
function pageOf(items: readonly Item[], query: URLSearchParams): JsonObject {
  const ordered = query.get('order') === 'asc' ? [...items] : [...items].reverse();
  const after = ordered.findIndex((item) => idOf(item) === query.get('after'));
  const wanted = Number(query.get('limit') ?? PAGE);
  const limit = Number.isInteger(wanted) ? Math.min(Math.max(wanted, 1), LONGEST_PAGE) : PAGE;
  const rest = ordered.slice(after + 1);
  const data = rest.slice(0, limit).map(listedItem);
  return {
    object: 'list',
    data,
    first_id: idOf(data[0]) ?? null,
    last_id: idOf(data.at(-1)) ?? null,
    has_more: rest.length > data.length,
  };
}

function idOf(item: Item | undefined): unknown {
  return (item as JsonObject | undefined)?.id;
}
