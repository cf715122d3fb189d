import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { firstHeaderValue } from '../../base/http-headers.ts';
import type { JsonObject } from '../../base/json.ts';
import { unixSeconds } from '../../platform/wall-time.ts';
import { InvalidFieldError } from '../../wire/request-fields.ts';
import { TURN_STATE_HEADER } from '../../wire/responses/headers.ts';
import { answer } from './answer.ts';
import { badRequest, type ApiError } from '../reply/api-error.ts';
import { isCodex, translatedHeaders } from '../request/client-kind.ts';
import type { BridgeContext } from './context.ts';
import { chatEncoding, responsesEncoding, type Encoding } from '../reply/encoding.ts';
import { traced } from '../reply/traced.ts';
import { internalError } from '../reply/internal-error.ts';
import { echoOf, newId, parseChat, type Prepared } from '../request/prepare.ts';
import { decodedBody, readRequest, textOfBody } from '../request/request-body.ts';
import { JsonSink, sendError, SseSink } from '../reply/sink.ts';
import { MissingStateError, prepareResponses } from '../request/state.ts';
import type { ResponseStore } from '../store/index.ts';

/** One HTTP request for an answer. */
export interface CreateRequest {
  readonly context: BridgeContext;
  readonly res: ServerResponse;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  readonly body: Uint8Array;
  readonly log: Logger;
  readonly id: string;
}

/** `POST /v1/responses`. Never throws. */
export async function createResponse(request: CreateRequest): Promise<void> {
  const { context, headers, res } = request;
  const read = await reading(request, (body) => prepareResponses(body, context.store));
  if (read === undefined) return;
  const { prepared, body } = read;
  const codex = isCodex(headers);
  const responseId = newId('resp');
  const stream = prepared.parsed.stream;
  const encoding = responsesEncodingFor(context, prepared, responseId, codex);
  await run(request, prepared, stream ? encoding : encoding, codex, {
    route: stream ? 'responses_sse' : 'responses_json',
    body,
    sink: stream ? new SseSink(res, encoding) : new JsonSink(res, encoding),
    onEnded: () => keep(context.store, request.log, prepared, encoding),
  });
}

/** `POST /v1/chat/completions`. Never throws. */
export async function createChatCompletion(request: CreateRequest): Promise<void> {
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

/** The encoding of one response, as its request wants it. */
export function responsesEncodingFor(
  context: BridgeContext,
  prepared: Prepared,
  responseId: string,
  codex: boolean,
): Encoding {
  return responsesEncoding({
    responseId,
    createdAt: unixSeconds(),
    model: prepared.parsed.request.model ?? context.settings.model,
    response: echoOf(prepared, codex),
    toolProgress: true,
    finalOnly: context.settings.mode === 'final-only',
    dataHeartbeat: codex,
  });
}

/** Keeps an answer for later requests. A store that fails costs the memory of it, not the answer. */
export async function keep(
  store: ResponseStore,
  log: Logger,
  prepared: Prepared,
  encoding: Encoding,
  response: JsonObject | undefined = encoding.response,
): Promise<void> {
  if (!prepared.store || response === undefined) return;
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

/** What was wrong with a request that could not be read. */
export function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof MissingStateError) return error.answer;
  if (error instanceof InvalidFieldError) {
    return badRequest(error.message, { param: error.param, code: error.code ?? null });
  }
  return undefined;
}

function prepareChat(body: JsonObject): Prepared {
  const parsed = parseChat(body);
  return { wire: 'chat', body, parsed, input: parsed.request.input, added: [], previousId: undefined, store: false };
}

/** Reads and prepares, or answers with what is wrong. */
async function reading(
  request: CreateRequest,
  prepare: (body: JsonObject) => Promise<Prepared>,
): Promise<{ prepared: Prepared; body: JsonObject } | undefined> {
  const { res, log } = request;
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
    sendError(res, refusalOf(error) ?? internalError(log, error, 'a request could not be prepared'));
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
  request: CreateRequest,
  prepared: Prepared,
  encoding: Encoding,
  codex: boolean,
  { route, body, sink, onEnded }: RunOptions,
): Promise<void> {
  const { context, headers, res, log } = request;
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
    log,
    route,
    ...(onEnded === undefined ? {} : { onEnded }),
  });
  trace?.end();
}
