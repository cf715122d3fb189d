import type { Logger } from 'pino';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { unixSeconds } from '@turnwire/client/internal/platform/wall-time';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { chatReplyEncoder, messagesReplyEncoder, type ReplyEncoder } from '../reply/reply-encoder.ts';
import { internalError } from '../reply/internal-error.ts';
import { JsonReplyWriter, SseReplyWriter } from '../reply/reply-writer.ts';
import { isCodex, translatedHeaders } from '../request/client-kind.ts';
import { newId, parseChat, parseMessages, type Prepared } from '../request/prepare.ts';
import type { ParsedRequest } from '@turnwire/wire/internal/request-fields';
import { bodyOf } from '../request/request-body.ts';
import { prepareResponses } from '../request/state.ts';
import { answer, type AnswerOptions } from './answer.ts';
import { answerInBackground } from './background.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { refuse } from './refuse.ts';
import { keep, keepUsage, refusalOf, responsesReplyEncoderFor } from './responses.ts';

/** Answers on the client's wire, whatever the upstream's is. */
export const translate: Handler = async (request) => {
  if (request.protocol === undefined) throw new Error('only a request for an answer can be translated');
  await generators[request.protocol](request);
};

const generators: Readonly<Record<ProtocolId, Handler>> = {
  responses: createResponse,
  chat: createChatCompletion,
  messages: createMessage,
};

/** `POST /v1/responses`. */
async function createResponse(request: ApiRequest): Promise<void> {
  const { context, headers } = request;
  const prepared = await reading(request, 'responses', (body) =>
    prepareResponses(body, { store: context.store, live: context.live, codex: isCodex(headers) }),
  );
  if (prepared === undefined) return;
  const encoding = responsesReplyEncoderFor(context, prepared, newId('resp'), isCodex(headers));
  if (prepared.background || (prepared.store && prepared.parsed.stream && context.settings.resumeMs > 0)) {
    await answerInBackground(request, prepared, encoding);
    return;
  }
  const { store } = context;
  const log = logOf(request);
  await run(request, prepared, encoding, {
    onEnded: () => keep(store, log, prepared, encoding.body),
    onLateUsage: (usage) => keepUsage(usage, store, log, prepared, encoding.body),
  });
}

/** `POST /v1/chat/completions`. */
async function createChatCompletion(request: ApiRequest): Promise<void> {
  const prepared = await reading(request, 'chat', (body) => Promise.resolve(unstored('chat', body, parseChat(body))));
  if (prepared === undefined) return;
  const { parsed } = prepared;
  const encoding = chatReplyEncoder({
    id: newId('chatcmpl'),
    createdAt: unixSeconds(),
    model: parsed.request.model,
    includeUsage: parsed.includeUsage,
  });
  await run(request, prepared, encoding);
}

/** `POST /v1/messages`. */
async function createMessage(request: ApiRequest): Promise<void> {
  const prepared = await reading(request, 'messages', (body) =>
    Promise.resolve(unstored('messages', body, parseMessages(body))),
  );
  if (prepared === undefined) return;
  const { request: asked, rest } = prepared.parsed;
  const encoding = messagesReplyEncoder({
    id: newId('msg'),
    createdAt: unixSeconds(),
    model: asked.model ?? request.context.settings.model,
    omitThinking: isObject(rest.thinking) && rest.thinking.display === 'omitted',
    serverBlocks: asked.tools?.some(({ type }) => type !== 'function'),
  });
  await run(request, prepared, encoding);
}

/** A request on a wire that keeps no answers. */
function unstored(wire: ProtocolId, body: JsonObject, parsed: ParsedRequest): Prepared {
  return {
    wire,
    body,
    parsed,
    input: parsed.request.input,
    added: [],
    previousId: undefined,
    store: false,
    compacts: false,
    background: false,
  };
}

function logOf({ context, id }: ApiRequest): Logger {
  return context.log.child({ request: id });
}

/**
 * Reads and prepares, or answers with what is wrong.
 *
 * @param route - what it is counted under; default: the wire and the form of the answer
 */
export async function reading(
  request: ApiRequest,
  wire: ProtocolId,
  prepare: (body: JsonObject) => Promise<Prepared>,
  route?: string,
): Promise<Prepared | undefined> {
  const { exchange } = request;
  const read = await bodyOf(request, request.context.settings.bodyLimit);
  if ('refusal' in read) {
    refuse(request, read.refusal);
    return undefined;
  }
  const { body, size } = read;
  exchange.onRequest({
    route: route ?? `${wire}_${body.stream === true ? 'sse' : 'json'}`,
    wire,
    model: nonEmpty(body.model),
    size,
    body: () => body,
  });
  try {
    return await prepare(body);
  } catch (error) {
    refuse(request, refusalOf(error) ?? internalError(logOf(request), error, 'a request could not be prepared'));
    return undefined;
  }
}

/** Answers until the client has its last byte, or is gone. */
export async function run(
  request: ApiRequest,
  prepared: Prepared,
  encoding: ReplyEncoder,
  kept: Pick<AnswerOptions, 'onEnded' | 'onLateUsage'> = {},
): Promise<void> {
  const { context, exchange, headers, res } = request;
  const abort = new AbortController();
  const onClose = (): void => {
    if (!res.writableFinished) abort.abort();
  };
  res.once('close', onClose);
  if (res.destroyed) abort.abort();
  await answer({
    context,
    exchange,
    prepared,
    encoding,
    sink: prepared.parsed.stream ? new SseReplyWriter(res, encoding) : new JsonReplyWriter(res, encoding),
    headers: translatedHeaders(headers),
    turn: context.seal.open(firstHeaderValue(headers[TURN_STATE_HEADER])),
    codex: isCodex(headers),
    abort,
    log: logOf(request),
    ...kept,
  });
}
