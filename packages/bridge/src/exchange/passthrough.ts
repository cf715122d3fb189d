import type { ServerResponse } from 'node:http';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { usageFromChat } from '@turnwire/wire/internal/chat/usage';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { Usage } from '@turnwire/wire/internal/model/events';
import { usageFromResponses } from '@turnwire/wire/internal/responses/usage';
import { protocols } from '@turnwire/wire/internal/protocols';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { sealedTurn } from './attempt.ts';
import { BodyWriter } from '../reply/body-writer.ts';
import { allAnswerHeaders, withoutLimits, isCodex } from '../request/client-kind.ts';
import { readRequest, textOfBody } from '../request/request-body.ts';
import type { Handler } from './handler.ts';
import { withoutSecrets, type PassedResponse } from './error-body.ts';
import { PassTail } from './pass-tail.ts';
import { judgeOf, modelIn, shown, startPassing, type Passed, type PassRequest } from './pass-attempt.ts';
import type { ErrorForm } from '../reply/api-error.ts';
import { flushed, sendError } from '../reply/reply-writer.ts';
import { concealerFor } from '../upstream/conceal.ts';
import { asBridgesOwn, finalForCodex, isBridgesOwn, refusesKey } from '../upstream/bridges-own.ts';
import type { Outcome } from '../upstream/failover.ts';
import { toModelError } from '../upstream/to-model-error.ts';
import type { PeekedResponse } from '../upstream/peek.ts';
import type { Upstream } from '../upstream/pool.ts';

interface PassOptions extends PassRequest {
  readonly res: ServerResponse;
  readonly errors: ErrorForm;
  readonly abort: AbortController;
}

/** How much of an answer's end is looked at for its usage. */
const USAGE_BYTES = 4096;

/** Hands one request and its answer through as they are, chunk for chunk. */
export const passThrough: Handler = async (request) => {
  const { context, exchange, method, url, headers, res, errors, protocol } = request;
  const abort = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) abort.abort();
  });
  const body = method === 'POST' ? request.body : undefined;
  exchange.onRequest({
    route: 'passthrough',
    wire: protocol,
    model: modelIn({ body, headers, method }),
    size: body?.byteLength ?? 0,
    body: () => readBody(body),
  });
  const query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  await pass({
    context,
    exchange,
    res,
    errors,
    method,
    path: request.path + query,
    headers,
    body,
    protocol,
    turn: context.seal.open(firstHeaderValue(headers[TURN_STATE_HEADER])),
    abort,
    signal: abort.signal,
  });
};

function readBody(body: Uint8Array | undefined): JsonObject | undefined {
  const read = body === undefined ? undefined : readRequest(textOfBody(body));
  return read !== undefined && 'body' in read ? read.body : undefined;
}

async function pass(options: PassOptions): Promise<void> {
  const { context, exchange, abort, res, errors } = options;
  const stream = {
    active: false,
    lastSentAt: Number.POSITIVE_INFINITY, // nothing is added to what the upstream says
    heartbeat: () => undefined,
    stop: () => abort.abort(new ModelError({ kind: 'server_error', message: 'the bridge is shutting down' })),
  };
  context.streams.add(stream);
  const tail = new PassTail();
  let failure: ModelError | undefined;
  try {
    failure = await hand(options, await startPassing(options), tail);
  } catch (error) {
    failure = failureOf(error, abort.signal);
    if (res.headersSent) res.destroy();
    else if (!res.destroyed) {
      const told = isCodex(options.headers) ? finalForCodex(failure) : failure;
      sendError(res, errors.errorAnswer(told), errors);
    }
  }
  const usage = usageIn(tail.bytes);
  exchange.onEnd(failure === undefined ? { how: 'completed', usage } : { how: 'failed', error: failure, usage });
  await flushed(res);
  context.streams.delete(stream);
}

/** What the bridge gives up for goes before what came of it; a client that left is no failure of anybody. */
function failureOf(error: unknown, signal: AbortSignal): ModelError {
  const reason: unknown = signal.reason;
  if (reason instanceof ModelError) return reason;
  if (signal.aborted) return new ModelError({ kind: 'aborted', message: 'the client is gone' });
  return toModelError(error);
}

/**
 * Hands one upstream's answer on, be it a good one or a refusal. Tells how it failed, where it says so itself, in its head
 * or in its bytes; throws where they broke off, and what came without an answer.
 */
async function hand(
  options: PassOptions,
  passing: Outcome<Passed, PeekedResponse>,
  tail: PassTail,
): Promise<ModelError | undefined> {
  const { context, exchange, abort } = options;
  const { upstream, lease } = passing;
  if (!passing.ok && (refusesKey(passing.failure) || (asksForAnswer(options) && isBridgesOwn(passing.failure)))) {
    exchange.chose(upstream.label, passing.refusal?.status);
    passing.refusal?.release();
    throw asBridgesOwn(passing.failure, upstream);
  }
  const answer = answerOf(passing);
  exchange.chose(upstream.label, answer.status);
  // With one server alone, how a stream ends changes nothing: only its end is looked at.
  const judge = passing.ok && context.pool.size > 1 ? passing.answer.judge : undefined;
  answer.tap((chunk) => judge?.push(chunk));
  try {
    const response = passing.ok ? answer : await withoutSecrets(answer, concealerFor(upstream), context.settings.clock);
    writeHead(options, upstream, response);
    await copy(options, response, tail);
    judge?.end({ type: 'close' });
    const failure = passing.ok
      ? shownFailure(upstream, judge?.failure ?? failureInEnd(options, answer, tail))
      : passing.failure;
    if (failure === undefined) lease.succeeded();
    else lease.failed(failure);
    return failure;
  } catch (error) {
    answer.cancel();
    if (error instanceof ModelError && !abort.signal.aborted) lease.failed(error);
    throw error;
  } finally {
    lease.release();
  }
}

/** Of all that a server may lack and answer with a web page, the endpoint of its wire makes it a model server. */
function asksForAnswer({ protocol, path }: PassOptions): boolean {
  return protocol !== undefined && path.split('?', 1)[0] === protocols[protocol].path;
}

function shownFailure(upstream: Upstream, failure: ModelError | undefined): ModelError | undefined {
  return failure === undefined ? undefined : shown(upstream, failure);
}

/** How a stream failed whose last bytes say so. */
function failureInEnd(options: PassOptions, answer: PeekedResponse, tail: PassTail): ModelError | undefined {
  const judge = judgeOf(options, answer);
  judge?.push(tail.bytes);
  // Of a longer answer the end may lie before what is kept.
  if (tail.isWhole) judge?.end({ type: 'close' });
  return judge?.failure;
}

function answerOf(passing: Outcome<Passed, PeekedResponse>): PeekedResponse {
  if (passing.ok) return passing.answer.response;
  if (passing.refusal === undefined) throw passing.failure;
  return passing.refusal;
}

function writeHead({ context, turn, res }: PassOptions, upstream: Upstream, response: PassedResponse): void {
  const token = sealedTurn(context, turn, upstream, response);
  const all = allAnswerHeaders(response.headers, concealerFor(upstream));
  res.writeHead(response.status, {
    ...(context.caller === undefined ? all : withoutLimits(all)),
    ...(token === undefined ? {} : { [TURN_STATE_HEADER]: token }),
  });
  res.flushHeaders();
}

async function copy({ res, exchange }: PassOptions, response: PassedResponse, tail: PassTail): Promise<void> {
  const body = new BodyWriter(res, response.header('content-length') !== undefined);
  for (;;) {
    const chunks = await response.read();
    if (chunks === undefined) break;
    for (const chunk of chunks) {
      body.write(chunk);
      exchange.onSent(chunk);
      tail.push(chunk);
    }
    if (body.full) await body.drained();
  }
  body.end();
}

/** Token counts, where the last bytes tell them. */
function usageIn(tail: Uint8Array): Usage | undefined {
  const text = Buffer.from(tail.subarray(Math.max(0, tail.byteLength - USAGE_BYTES))).toString('latin1');
  const found = /"usage":(\{(?:[^{}]|\{[^{}]*\})*\})/.exec(text)?.[1];
  const usage = found === undefined ? undefined : parseJson(found);
  if (!isObject(usage)) return undefined;
  return 'prompt_tokens' in usage || 'completion_tokens' in usage ? usageFromChat(usage) : usageFromResponses(usage);
}
