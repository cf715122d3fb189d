import { unixSeconds } from '@turnwire/client/internal/platform/wall-time';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { InvalidFieldError, requireString } from '@turnwire/wire/internal/request-fields';
import type { ReplyEncoder } from '../reply/reply-encoder.ts';
import { COMPACTION_TRIGGER } from '../request/compaction.ts';
import { listedItem } from '../request/listed-item.ts';
import { newId, withIds, type Prepared } from '../request/prepare.ts';
import { prepareResponses } from '../request/state.ts';
import type { Handler } from './handler.ts';
import { responsesReplyEncoderFor } from './responses.ts';
import { reading, run } from './translate.ts';

/**
 * `POST /v1/responses/compact`: the messages of the user, and what takes the place of all the rest. It is the answer to the
 * same request with a `compaction_trigger` at its end, which is how newer clients ask.
 */
export const compact: Handler = async (request) => {
  const { context } = request;
  const prepare = (body: JsonObject): Promise<Prepared> =>
    prepareResponses(withTrigger(body), { store: context.store, codex: false });
  const prepared = await reading(request, 'responses', prepare, 'compact');
  if (prepared === undefined) return;
  const encoding = responsesReplyEncoderFor(context, prepared, newId('resp'), false);
  await run(request, prepared, compactionEncoder(encoding, prepared));
};

/** @throws InvalidFieldError where no model is named, which this route requires, or the input is no list and no text */
function withTrigger(body: JsonObject): JsonObject {
  requireString(body.model, 'model');
  const { input } = body;
  const items: unknown =
    typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : (input ?? []);
  if (!Array.isArray(items)) throw new InvalidFieldError('input', 'has to be a string or an array');
  return {
    ...body,
    input: [...(items as unknown[]), COMPACTION_TRIGGER],
    store: false,
    stream: false,
    background: false,
  };
}

function compactionEncoder(encoding: ReplyEncoder, { input }: Prepared): ReplyEncoder {
  return {
    ...encoding,
    get body() {
      const { id, output, usage } = encoding.body;
      const kept = withIds(input.filter(isUsers)).map(asCompleted);
      const all = [...kept, ...(output as readonly Item[])];
      return { id, object: 'response.compaction', created_at: unixSeconds(), output: all, usage };
    },
  };
}

function isUsers(item: Item): boolean {
  return item.type === 'message' && item.role === 'user';
}

function asCompleted(item: Item): Item {
  return { ...listedItem(item), status: 'completed' };
}
