import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { BackgroundWriter } from '../reply/background-writer.ts';
import type { ReplyEncoder } from '../reply/reply-encoder.ts';
import { sendJson } from '../reply/reply-writer.ts';
import { isCodex, translatedHeaders } from '../request/client-kind.ts';
import type { Prepared } from '../request/prepare.ts';
import type { LiveResponse } from '../store/index.ts';
import { answer } from './answer.ts';
import { follow } from './follow.ts';
import type { ApiRequest } from './handler.ts';
import { keep, keepUsage } from './responses.ts';

/**
 * A response that goes on when its client leaves: the client follows its events, or asks for it by its id. It ends by itself, when it is
 * cancelled or deleted, or with the bridge; one without `background: true`, when nobody has followed it for `resumeMs`.
 */
export async function answerInBackground(
  request: ApiRequest,
  prepared: Prepared,
  encoding: ReplyEncoder,
): Promise<void> {
  const { context, exchange, res } = request;
  const { clock, resumeMs } = context.settings;
  const abort = new AbortController();
  const cancel = (): void => abort.abort(new ModelError({ kind: 'aborted', message: 'the response was cancelled' }));
  // Its client has to know its id before anything else happens.
  const begun = encoding.push({ type: 'created' });
  const live = context.live.start({
    input: prepared.added,
    previousId: prepared.previousId,
    body: () => encoding.body,
    cancel,
    onAlone: prepared.background ? undefined : () => clock.after(resumeMs, cancel),
  });
  live.add(begun);
  exchange.onSent(begun);
  const body = JSON.stringify(encoding.body);
  void generate(request, prepared, encoding, live, abort);
  if (prepared.parsed.stream) await follow(request, live, encoding, 0);
  else sendJson(res, 200, body);
}

/** Never rejects. */
async function generate(
  { context, exchange, headers, id }: ApiRequest,
  prepared: Prepared,
  encoding: ReplyEncoder,
  live: LiveResponse,
  abort: AbortController,
): Promise<void> {
  const log = context.log.child({ request: id });
  const keepIt = (): Promise<void> =>
    live.deleted ? Promise.resolve() : keep(context.store, log, prepared, encoding.body);
  await answer({
    context,
    exchange,
    prepared,
    encoding,
    sink: new BackgroundWriter(live, context.settings.clock),
    headers: translatedHeaders(headers),
    turn: context.seal.open(firstHeaderValue(headers[TURN_STATE_HEADER])),
    codex: isCodex(headers),
    abort,
    log,
    onEnded: keepIt,
    onLateUsage: (usage) => keepUsage(usage, context.store, log, prepared, encoding.body),
  });
  // One that failed has no other place where its client could read that it did.
  if (encoding.body.status !== 'completed') await keepIt();
}
