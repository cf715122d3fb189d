import { nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { InvalidFieldError } from '@turnwire/wire/internal/request-fields';
import { isCallOutput, pairCalls, withCallIds } from '@turnwire/wire/internal/request-history';
import { messageOfOutput } from './context-items.ts';

/** A conversation, of which only the end came with this request. */
interface Conversation {
  readonly earlier: readonly Item[];
  readonly given: readonly Item[];
}

/**
 * What was given, each output behind its call. One without a call is a mistake of its client, which would otherwise
 * never hear that a result was lost; Codex mends its own history, and what it still sends is for the model to read.
 *
 * @throws InvalidFieldError that names the output
 */
export function withoutOrphans({ earlier, given }: Conversation, codex: boolean): readonly Item[] {
  const { callOf } = pairCalls(withCallIds([...earlier, ...given]));
  return given.map((item, place) => {
    if (!isCallOutput(item) || callOf.has(earlier.length + place)) return item;
    const id = nonEmpty((item as JsonObject).call_id) ?? '';
    if (codex) return messageOfOutput(item as JsonObject, `Output of the tool call ${id}`);
    throw orphanError(`input[${place}].call_id`, id);
  });
}

/** An output whose call is not in the conversation, at this path. */
function orphanError(param: string, id: string): InvalidFieldError {
  return new InvalidFieldError(param, `no tool call with the id ${JSON.stringify(id)} stands before this output`);
}
