import type { Logger } from 'pino';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Usage } from '@turnwire/wire/internal/model/usage';
import { wholeUsage } from '@turnwire/wire/internal/responses/encode';
import { unixSeconds } from '@turnwire/client/internal/platform/wall-time';
import { InvalidFieldError } from '@turnwire/wire/internal/request-fields';
import { badRequest, type ApiError } from '../reply/api-error.ts';
import { responsesReplyEncoder, type ReplyEncoder } from '../reply/reply-encoder.ts';
import { echoOf, type Prepared } from '../request/prepare.ts';
import { MissingStateError } from '../request/state.ts';
import type { ResponseStore } from '../store/index.ts';
import type { BridgeContext } from './context.ts';

/** The encoding of one response, as its request wants it. */
export function responsesReplyEncoderFor(
  context: BridgeContext,
  prepared: Prepared,
  responseId: string,
  codex: boolean,
): ReplyEncoder {
  return responsesReplyEncoder({
    responseId,
    createdAt: unixSeconds(),
    now: unixSeconds,
    model: prepared.parsed.request.model ?? context.settings.model,
    response: echoOf(prepared, codex),
    toolProgress: true,
    finalOnly: context.settings.mode === 'final-only',
    dataHeartbeat: codex,
    // Clients sum it up, or ask again without it (opencode); Codex knows that unknown is not 0.
    zeroUsage: !codex,
  });
}

/** Keeps an answer for later requests. A store that fails costs the memory of it, not the answer. */
export async function keep(store: ResponseStore, log: Logger, prepared: Prepared, response: JsonObject): Promise<void> {
  if (!prepared.store) return;
  try {
    const kept = await store.put({
      id: String(response.id),
      response,
      input: prepared.added,
      ...(prepared.previousId === undefined ? {} : { previousId: prepared.previousId }),
    });
    if (!kept) log.warn({ response: response.id }, 'the response is too large to be kept');
  } catch (error) {
    log.error({ error: error instanceof Error ? error.message : 'unknown' }, 'the response could not be kept');
  }
}

/** The same answer once its usage is known, unless it was deleted meanwhile, or was never kept. */
export async function keepUsage(usage: Usage, ...kept: Parameters<typeof keep>): Promise<void> {
  const [store, log, prepared, response] = kept;
  const known = await store.get(String(response.id)).catch(() => undefined);
  if (known !== undefined) await keep(store, log, prepared, { ...response, usage: wholeUsage(usage) });
}

/** What was wrong with a request that could not be read. */
export function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof MissingStateError) return error.answer;
  if (error instanceof InvalidFieldError) {
    return badRequest(error.message, { param: error.param, code: error.code ?? null });
  }
  return undefined;
}
