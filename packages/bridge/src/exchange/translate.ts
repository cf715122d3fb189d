import type { Logger } from 'pino';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { unixSeconds } from '@turnwire/client/internal/platform/wall-time';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { chatEncoding, type Encoding } from '../reply/encoding.ts';
import { internalError } from '../reply/internal-error.ts';
import { JsonSink, sendError, SseSink } from '../reply/sink.ts';
import { traced } from '../reply/traced.ts';
import { isCodex, translatedHeaders } from '../request/client-kind.ts';
import { newId, parseChat, type Prepared } from '../request/prepare.ts';
import { decodedBody, readRequest, textOfBody } from '../request/request-body.ts';
import { prepareResponses } from '../request/state.ts';
import { answer } from './answer.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { keep, refusalOf, responsesEncodingFor } from './responses.ts';

/** Answers on the client's wire, whatever the upstream's is. */
export const translate: Handler = async (request) => {
  if (request.protocol !== undefined) await generators[request.protocol](request);
};

const generators: Readonly<Record<ProtocolId, Handler>> = { responses: createResponse, chat: createChatCompletion };

/** `POST /v1/responses`. */
async function createResponse(request: ApiRequest): Promise<void> {
  const { context, headers, res } = request;
  const read = await reading(request, (body) => prepareResponses(body, context.store));
  if (read === undefined) return;
  const { prepared, body } = read;
  const codex = isCodex(headers);
  const stream = prepared.parsed.stream;
  const encoding = responsesEncodingFor(context, prepared, newId('resp'), codex);
  await run(request, prepared, encoding, codex, {
    route: stream ? 'responses_sse' : 'responses_json',
    body,
    sink: stream ? new SseSink(res, encoding) : new JsonSink(res, encoding),
    onEnded: () => keep(context.store, logOf(request), prepared, encoding),
  });
}

/** `POST /v1/chat/completions`. */
async function createChatCompletion(request: ApiRequest): Promise<void> {
  const { headers, res } = request;
  const read = await reading(request, (body) => Promise.resolve(prepareChat(body)));
  if (read === undefined) return;
  const { prepared, body } = read;
  const { parsed } = prepared;
  const encoding = chatEncoding({
    id: newId('chatcmpl'),
    createdAt: unixSeconds(),
    model: parsed.request.model,
    includeUsage: parsed.includeUsage,
  });
  await run(request, prepared, encoding, isCodex(headers), {
    route: parsed.stream ? 'chat_sse' : 'chat_json',
    body,
    sink: parsed.stream ? new SseSink(res, encoding) : new JsonSink(res, encoding),
  });
}

function prepareChat(body: JsonObject): Prepared {
  const parsed = parseChat(body);
  return { wire: 'chat', body, parsed, input: parsed.request.input, added: [], previousId: undefined, store: false };
}

function logOf({ context, id }: ApiRequest): Logger {
  return context.log.child({ request: id });
}

/** Reads and prepares, or answers with what is wrong. */
async function reading(
  request: ApiRequest,
  prepare: (body: JsonObject) => Promise<Prepared>,
): Promise<{ prepared: Prepared; body: JsonObject } | undefined> {
  const { res } = request;
  const coding = request.headers['content-encoding'];
  const bytes =
    coding === undefined ? request.body : await decodedBody(request.body, coding, request.context.settings.bodyLimit);
  if ('refusal' in bytes) {
    sendError(res, bytes.refusal);
    return undefined;
  }
  const read = readRequest(textOfBody(bytes));
  if ('refusal' in read) {
    sendError(res, read.refusal);
    return undefined;
  }
  try {
    return { prepared: await prepare(read.body), body: read.body };
  } catch (error) {
    sendError(res, refusalOf(error) ?? internalError(logOf(request), error, 'a request could not be prepared'));
    return undefined;
  }
}

interface RunOptions {
  readonly route: string;
  readonly body: JsonObject;
  readonly sink: SseSink | JsonSink;
  readonly onEnded?: () => Promise<void>;
}

async function run(
  request: ApiRequest,
  prepared: Prepared,
  encoding: Encoding,
  codex: boolean,
  { route, body, sink, onEnded }: RunOptions,
): Promise<void> {
  const { context, headers, res } = request;
  const abort = new AbortController();
  const onClose = (): void => {
    if (!res.writableFinished) abort.abort();
  };
  res.once('close', onClose);
  if (res.destroyed) abort.abort();
  const trace = context.tracer?.begin(request.id, { method: 'POST', url: request.url, headers, body });
  await answer({
    context,
    prepared,
    encoding,
    sink: trace === undefined ? sink : traced(sink, encoding, trace),
    headers: translatedHeaders(headers),
    turn: context.seal.open(firstHeaderValue(headers[TURN_STATE_HEADER])),
    codex,
    abort,
    log: logOf(request),
    route,
    ...(onEnded === undefined ? {} : { onEnded }),
  });
  trace?.end();
}
