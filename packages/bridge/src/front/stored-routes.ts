import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { Item } from '@turnwire/wire/internal/model/items';
import { badRequest, tooMany, type ApiError } from '../reply/api-error.ts';
import { follow, replayOf } from '../exchange/follow.ts';
import type { ApiRequest } from '../exchange/handler.ts';
import { refuse } from '../exchange/refuse.ts';
import { listedItem } from '../request/listed-item.ts';
import { responsesForm } from '../reply/reply-encoder.ts';
import { sendJson, SseReplyWriter } from '../reply/reply-writer.ts';
import type { LiveResponse, StoredResponse } from '../store/index.ts';

/** Items of one page, when the caller does not say; and at most. */
const PAGE = 20;
const LONGEST_PAGE = 100;

/** A route on one kept response, by its id. */
export type StoredHandler = (request: ApiRequest, id: string) => Promise<void>;

/** `GET /v1/responses/{id}` */
export const getResponse: StoredHandler = async (request, id) => {
  const query = queryOf(request.url);
  if (query.get('stream') === 'true') await streamResponse(request, id, query.get('starting_after'));
  else tell(request, id, (await recordOf(request, id))?.response);
};

/** `GET /v1/responses/{id}?stream=true&starting_after=N`: its events behind the one of that number, as they come. */
async function streamResponse(request: ApiRequest, id: string, startingAfter: string | null): Promise<void> {
  if (startingAfter !== null && !/^\d{1,15}$/.test(startingAfter)) {
    refuse(request, badRequest('starting_after: a whole number is expected', { param: 'starting_after' }));
    return;
  }
  const after = startingAfter === null ? undefined : Number(startingAfter);
  const live = request.context.live.get(id);
  if (live !== undefined) await followFrom(request, live, after);
  else replay(request, id, (await recordOf(request, id))?.response, after);
}

async function followFrom(request: ApiRequest, live: LiveResponse, after = -1): Promise<void> {
  const place = live.placeBehind(after);
  if (place === undefined) refuse(request, eventsGone());
  else if (request.context.streams.full) refuse(request, tooMany());
  else {
    const whole = await follow(request, live, responsesForm, place);
    const gone = new ModelError({ kind: 'aborted', message: 'the client is gone' });
    request.exchange.onEnd(whole ? { how: 'completed' } : { how: 'failed', error: gone });
  }
}

function replay(request: ApiRequest, id: string, response: JsonObject | undefined, after: number | undefined): void {
  if (response === undefined) {
    notFound(request, id);
    return;
  }
  new SseReplyWriter(request.res, responsesForm).finish(replayOf(response, after));
  request.exchange.onEnd({ how: 'completed' });
}

function eventsGone(): ApiError {
  const message = 'these events are not there any more: ask for the response without stream';
  return badRequest(message, { status: 410, code: 'events_gone', param: 'starting_after' });
}

/** `POST /v1/responses/{id}/cancel` */
export const cancelResponse: StoredHandler = async (request, id) => {
  const live = request.context.live.get(id);
  live?.cancel();
  await live?.over;
  const record = live?.record ?? (await recordOf(request, id));
  if (record === undefined || record.response.background === true) tell(request, id, record?.response);
  else refuse(request, badRequest('only a response with background: true can be cancelled', { param: 'response_id' }));
};

/** A response that runs, or is kept; one that has just ended may not be kept yet. */
async function recordOf({ context: { live, store } }: ApiRequest, id: string): Promise<StoredResponse | undefined> {
  const kept = live.runs(id) ? undefined : await store.get(id);
  return kept ?? live.get(id)?.record;
}

/** `DELETE /v1/responses/{id}` */
export const deleteResponse: StoredHandler = async (request, id) => {
  const { live, store } = request.context;
  const runs = live.delete(id);
  const deleted = (await store.delete(id)) || runs;
  tell(request, id, deleted ? { id, object: 'response', deleted: true } : undefined);
};

/** `GET /v1/responses/{id}/input_items`, with `limit`, `order` and `after`. */
export const getInputItems: StoredHandler = async (request, id) => {
  const record = await recordOf(request, id);
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
