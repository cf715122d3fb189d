import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { isObject, parseJson } from '../base/json.ts';
import { ModelError } from '../model/errors.ts';
import type { HttpResponse } from '../transport/http.ts';
import { requestHeaders, requestUrl } from '../client/provider-request.ts';
import { TURN_STATE_HEADER } from '../wire/responses/headers.ts';
import { apiErrorOf } from './api-error.ts';
import { sealedTurn, toModelError } from './attempt.ts';
import { BodyWriter } from './body-writer.ts';
import { allAnswerHeaders, passedHeaders } from './client-kind.ts';
import type { BridgeContext } from './context.ts';
import { withoutSecrets, type PassedResponse } from './error-body.ts';
import { flushed, sendError } from './sink.ts';
import type { Trace } from './trace.ts';
import type { TurnState } from './turn-state.ts';
import { concealerFor } from './upstream/conceal.ts';
import type { Upstream } from './upstream/pool.ts';

export interface PassOptions {
  readonly context: BridgeContext;
  readonly res: ServerResponse;
  readonly method: string;
  /** Path below the base URL, without leading slash. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array | undefined;
  readonly turn: TurnState | undefined;
  readonly abort: AbortController;
  readonly log: Logger;
  /** Written down here as well. */
  readonly trace: Trace | undefined;
}

/** How much of an answer's end is looked at, for the log only. */
const TAIL_BYTES = 4096;

/** Hands one request and its answer through as they are, chunk for chunk. Never throws. */
export async function passThrough(options: PassOptions): Promise<void> {
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
    const { response, release } = await open(options, facts);
    try {
      await copy(options, response, () => (facts.firstMs ??= clock.now() - startedAt), facts);
    } finally {
      release();
    }
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

/** Failures before the headers. */
const UNANSWERED: ReadonlySet<ModelError['kind']> = new Set<ModelError['kind']>([
  'connection_failed',
  'timeout',
  'stream_idle',
]);

/** Asks an upstream; one that does not answer is left for another one, once. */
async function open(
  options: PassOptions,
  facts: PassFacts,
): Promise<{ response: PassedResponse; release: () => void }> {
  const { context, turn, abort } = options;
  const left = new Set<Upstream>();
  for (;;) {
    const upstream = context.pool.choose(turn?.upstream, left);
    if (upstream === undefined) throw new ModelError({ kind: 'connection_failed', message: 'there is no upstream' });
    facts.upstream = upstream;
    const release = context.pool.begin(upstream);
    try {
      const sent = await send(options, upstream);
      if (sent.status < 500) context.pool.succeeded(upstream);
      const response = await withoutSecrets(sent, concealerFor(upstream, context.pool.getEnv));
      facts.status = response.status;
      writeHead(options, upstream, response);
      return { response, release };
    } catch (error) {
      release();
      const failure = toModelError(error);
      if (!abort.signal.aborted) context.pool.failed(upstream, failure);
      const other = UNANSWERED.has(failure.kind) && left.size === 0 && context.pool.members.length > 1;
      if (!other || abort.signal.aborted) throw failure;
      left.add(upstream);
      context.metrics.heals.inc({ fault: 'failover' });
    }
  }
}

async function send(options: PassOptions, upstream: Upstream): Promise<HttpResponse> {
  const { context, turn, body } = options;
  const provider = upstream.provider('responses');
  const own = turn?.upstream === upstream.key ? turn.own : undefined;
  return context.transport.send({
    method: options.method,
    url: requestUrl(provider, options.path),
    headers: {
      ...passedHeaders(options.headers),
      'accept-encoding': 'identity',
      ...requestHeaders(provider, context.pool.getEnv),
      ...(own === undefined ? {} : { [TURN_STATE_HEADER]: own }),
    },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
    signal: options.abort.signal,
    timers: { connectMs: context.settings.connectTimeoutMs, idleMs: context.settings.idleTimeoutMs, progressMs: 0 },
  });
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
      upstream: facts.upstream?.baseUrl,
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
