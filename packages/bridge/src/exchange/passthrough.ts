import type { ServerResponse } from 'node:http';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { apiErrorOf } from '../reply/api-error.ts';
import { sealedTurn } from './attempt.ts';
import { BodyWriter } from '../reply/body-writer.ts';
import { allAnswerHeaders } from '../request/client-kind.ts';
import { readRequest, textOfBody } from '../request/request-body.ts';
import type { Handler } from './handler.ts';
import { withoutSecrets, type PassedResponse } from './error-body.ts';
import { shown, startPassing, type Passed, type PassRequest } from './pass-attempt.ts';
import { flushed, sendError } from '../reply/sink.ts';
import type { Trace } from '../observe/trace.ts';
import { concealerFor } from '../upstream/conceal.ts';
import { toModelError, type Outcome } from '../upstream/failover.ts';
import type { PeekedResponse } from '../upstream/peek.ts';
import type { Upstream } from '../upstream/pool.ts';

interface PassOptions extends PassRequest {
  readonly res: ServerResponse;
  /** Written down here as well. */
  readonly trace: Trace | undefined;
}

/** Hands one request and its answer through as they are, chunk for chunk. */
export const passThrough: Handler = async (request) => {
  const { context, id, method, url, headers, res } = request;
  const abort = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) abort.abort();
  });
  const body = method === 'POST' ? request.body : undefined;
  const read = context.tracer === undefined || body === undefined ? undefined : readRequest(textOfBody(body));
  const query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  await pass({
    context,
    res,
    method,
    path: request.path + query,
    headers,
    body,
    turn: context.seal.open(firstHeaderValue(headers[TURN_STATE_HEADER])),
    abort,
    log: context.log.child({ request: id }),
    trace: context.tracer?.begin(id, {
      method,
      url,
      headers,
      body: read !== undefined && 'body' in read ? read.body : undefined,
    }),
  });
};

/** How much of an answer's end is looked at, for the log only. */
const TAIL_BYTES = 4096;

async function pass(options: PassOptions): Promise<void> {
  const { context, abort, res } = options;
  const clock = context.settings.clock;
  const startedAt = clock.now();
  const stream = {
    active: false,
    lastSentAt: Number.POSITIVE_INFINITY, // nothing is added to what the upstream says
    heartbeat: () => undefined,
    stop: () => abort.abort(new ModelError({ kind: 'server_error', message: 'the bridge is shutting down' })),
  };
  context.streams.add(stream);
  const facts: PassFacts = { status: undefined, firstMs: undefined, bytes: 0, tail: undefined, upstream: undefined };
  let outcome = 'completed';
  try {
    const passing = await startPassing(options);
    const failure = await hand(options, passing, facts, () => (facts.firstMs ??= clock.now() - startedAt));
    if (failure !== undefined) outcome = failure.kind;
    if (failure !== undefined) context.metrics.errors.inc({ kind: failure.kind });
  } catch (error) {
    const reason: unknown = abort.signal.reason;
    const failure = reason instanceof ModelError ? reason : toModelError(error);
    const left = abort.signal.aborted && failure !== reason;
    outcome = left ? 'aborted' : failure.kind;
    if (!left) context.metrics.errors.inc({ kind: failure.kind });
    if (res.headersSent) res.destroy();
    else if (!res.destroyed) sendError(res, apiErrorOf(failure));
  } finally {
    tell(options, facts, outcome, clock.now() - startedAt);
    options.trace?.end();
    await flushed(res);
    context.streams.delete(stream);
  }
}

interface PassFacts {
  status: number | undefined;
  firstMs: number | undefined;
  bytes: number;
  tail: Uint8Array | undefined;
  upstream: Upstream | undefined;
}

/**
 * Hands one upstream's answer on, be it a good one or a refusal. Tells how a good one failed in its middle, where the
 * bytes themselves say so; throws where they broke off, and what came without an answer.
 */
async function hand(
  options: PassOptions,
  passing: Outcome<Passed, PeekedResponse>,
  facts: PassFacts,
  sent: () => void,
): Promise<ModelError | undefined> {
  const { context, abort } = options;
  const { upstream, lease } = passing;
  facts.upstream = upstream;
  for (const fault of passing.retries) context.metrics.heals.inc({ fault });
  const answer = answerOf(passing);
  // With one server alone, how a stream ends changes nothing: it is not read along.
  const judge = passing.ok && context.pool.size > 1 ? passing.answer.judge : undefined;
  answer.tap((chunk) => judge?.push(chunk));
  try {
    const response = passing.ok
      ? answer
      : await withoutSecrets(answer, concealerFor(upstream, context.pool.getEnv), context.settings.clock);
    facts.status = response.status;
    writeHead(options, upstream, response);
    await copy(options, response, sent, facts);
    judge?.end({ type: 'close' });
    const failure = judge?.failure === undefined ? undefined : shown(options, upstream, judge.failure);
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

function answerOf(passing: Outcome<Passed, PeekedResponse>): PeekedResponse {
  if (passing.ok) return passing.answer.response;
  if (passing.refusal === undefined) throw passing.failure;
  return passing.refusal;
}

function writeHead({ context, turn, res }: PassOptions, upstream: Upstream, response: PassedResponse): void {
  const token = sealedTurn(context, turn, upstream, response);
  res.writeHead(response.status, {
    ...allAnswerHeaders(response.headers, concealerFor(upstream, context.pool.getEnv)),
    ...(token === undefined ? {} : { [TURN_STATE_HEADER]: token }),
  });
  res.flushHeaders();
}

async function copy(
  { res, trace }: PassOptions,
  response: PassedResponse,
  sent: () => void,
  facts: PassFacts,
): Promise<void> {
  const body = new BodyWriter(res, response.header('content-length') !== undefined);
  const text = trace === undefined ? undefined : new TextDecoder();
  for (;;) {
    const chunks = await response.read();
    if (chunks === undefined) break;
    for (const chunk of chunks) {
      body.write(chunk);
      if (text !== undefined) trace?.sent(text.decode(chunk, { stream: true }));
      facts.bytes += chunk.byteLength;
      facts.tail = chunk;
    }
    if (facts.firstMs === undefined && chunks.length > 0) sent();
    if (body.full) await body.drained();
  }
  body.end();
}

function tell({ context, log }: PassOptions, facts: PassFacts, outcome: string, ms: number): void {
  context.metrics.requests.inc({ route: 'passthrough', outcome });
  if (facts.firstMs !== undefined) context.metrics.firstEvent.observe({ route: 'passthrough' }, facts.firstMs / 1000);
  const usage = usageIn(facts.tail);
  context.metrics.tokens.inc({ direction: 'input' }, usage.input_tokens ?? 0);
  context.metrics.tokens.inc({ direction: 'output' }, usage.output_tokens ?? 0);
  log.info(
    {
      route: 'passthrough',
      upstream: facts.upstream?.label,
      status: facts.status,
      outcome,
      ttft_ms: facts.firstMs === undefined ? undefined : Math.round(facts.firstMs * 10) / 10,
      ms: Math.round(ms * 10) / 10,
      bytes: facts.bytes,
      ...usage,
    },
    'response',
  );
}

/** Token counts, where the last chunk tells them. */
function usageIn(tail: Uint8Array | undefined): { input_tokens?: number; output_tokens?: number } {
  if (tail === undefined) return {};
  const text = Buffer.from(tail.subarray(Math.max(0, tail.byteLength - TAIL_BYTES))).toString('latin1');
  const found = /"usage":(\{(?:[^{}]|\{[^{}]*\})*\})/.exec(text)?.[1];
  const usage = found === undefined ? undefined : parseJson(found);
  if (!isObject(usage)) return {};
  const input = usage.input_tokens ?? usage.prompt_tokens;
  const output = usage.output_tokens ?? usage.completion_tokens;
  return { ...(isCount(input) ? { input_tokens: input } : {}), ...(isCount(output) ? { output_tokens: output } : {}) };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
