import { nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { InvalidFieldError } from '@turnwire/wire/internal/request-fields';
import { withoutTrigger } from './compaction.ts';
import { withoutOrphans } from './orphans.ts';
import { badRequest, type ApiError } from '../reply/api-error.ts';
import { parseResponses, referenceOf, withIds, type Prepared } from './prepare.ts';
import { conversationOf, type LiveResponses, type ResponseStore } from '../store/index.ts';

/** Conversations that a connection remembers beside the store: what it was told not to keep. */
export interface LocalState {
  conversation(responseId: string): readonly Item[] | undefined;
}

/** A request that refers to something the bridge does not have. Nothing was generated. */
export class MissingStateError extends Error {
  override readonly name = 'MissingStateError';
  readonly answer: ApiError;

  constructor(answer: ApiError) {
    super(answer.message);
    this.answer = answer;
  }
}

/** Where earlier conversations are, and who asks. */
interface Conversations {
  readonly store: ResponseStore;
  readonly live?: LiveResponses;
  readonly codex: boolean;
  readonly local?: LocalState;
}

/**
 * Reads a Responses request and puts the conversation together that it continues.
 *
 * @throws InvalidFieldError, MissingStateError
 */
export async function prepareResponses(
  body: JsonObject,
  { store, live, codex, local }: Conversations,
): Promise<Prepared> {
  const parsed = parseResponses(body);
  const previousId = nonEmpty(body.previous_response_id);
  if (previousId !== undefined && live?.runs(previousId) === true) throw stillRunning(previousId);
  const earlier = previousId === undefined ? [] : await earlierItems(previousId, store, local);
  const { items, compacts } = withoutTrigger(parsed.request.input);
  const resolved = await resolveReferences(items, earlier, store);
  const given = withoutOrphans({ earlier, given: resolved }, codex);
  if (earlier.length + given.length === 0 && body.generate !== false) throw new InvalidFieldError('input', 'is empty');
  const added = withIds(given);
  return {
    wire: 'responses',
    body,
    parsed,
    input: earlier.length === 0 ? given : [...earlier, ...given],
    added,
    previousId,
    store: body.store !== false,
    compacts,
    background: body.background === true,
  };
}

function stillRunning(id: string): MissingStateError {
  const message = `Previous response with id '${id}' is still in progress.`;
  return new MissingStateError(badRequest(message, { code: 'response_in_progress', param: 'previous_response_id' }));
}

async function earlierItems(id: string, store: ResponseStore, local?: LocalState): Promise<readonly Item[]> {
  const items = local?.conversation(id) ?? (await conversationOf(store, id));
  if (items !== undefined) return items;
  throw new MissingStateError(
    badRequest(`Previous response with id '${id}' not found.`, {
      status: 404,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    }),
  );
}

async function resolveReferences(
  input: readonly Item[],
  earlier: readonly Item[],
  store: ResponseStore,
): Promise<Item[]> {
  if (!input.some((item) => referenceOf(item) !== undefined)) return [...input];
  const known = new Set(earlier.map((item) => nonEmpty((item as JsonObject).id)));
  const resolved: Item[] = [];
  for (const [place, item] of input.entries()) {
    const id = referenceOf(item);
    if (id === undefined) resolved.push(item);
    // An item that the conversation already has is only pointed at.
    else if (!known.has(id)) resolved.push((await store.item(id)) ?? missingItem(id, place));
  }
  return resolved;
}

function missingItem(id: string, place: number): never {
  throw new MissingStateError(
    badRequest(`Item with id '${id}' not found. Items are kept when store is not false.`, {
      status: 404,
      code: 'item_not_found',
      param: `input[${place}].id`,
    }),
  );
}
