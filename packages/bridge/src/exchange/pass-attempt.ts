import type { IncomingHttpHeaders } from 'node:http';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import { nonEmpty } from '@turnwire/wire/internal/base/json';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { HttpRequest, HttpResponse } from '@turnwire/client/internal/transport/http';
import { failureOfAnswer, isStream } from '@turnwire/wire/internal/read/refusal';
import { requestHeaders, requestUrl } from '@turnwire/client/internal/provider/provider-request';
import { concealSecrets } from '@turnwire/client/internal/provider/secrets';
import type { StreamDecoder, ProtocolId } from '@turnwire/wire/internal/decoder';
import { clientWireOf, protocols } from '@turnwire/wire/internal/protocols';
import { createDecoder } from '@turnwire/wire/internal/stream-decoder';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { passedHeaders, staysCoded } from '../request/client-kind.ts';
import { bodyOf } from '../request/request-body.ts';
import { askUpstreams, watchedTransport, type Asking } from './ask-upstreams.ts';
import { PassBeginning } from './pass-beginning.ts';
import { silence } from '../upstream/beginning.ts';
import type { Asked, Outcome } from '../upstream/failover.ts';
import { peekable, type PeekedResponse } from '../upstream/peek.ts';
import type { Lease, Upstream } from '../upstream/pool.ts';

/** A request on its way to an upstream as it is. */
export interface PassRequest extends Asking {
  readonly method: string;
  /** Path and query below the base URL, without leading slash. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Absent for a method that has none. */
  readonly body: Uint8Array | undefined;
  /** The wire of a request for an answer. */
  readonly protocol: ProtocolId | undefined;
}

/** An answer that may be passed on. */
export interface Passed {
  readonly response: PeekedResponse;
  /** Reads along where how the stream ends matters to the choice of a server. */
  readonly judge: StreamDecoder | undefined;
}

/** Finds an upstream that begins to answer; the refusal of a failure is its answer all the same, to be passed on as it is. */
export async function startPassing(request: PassRequest): Promise<Outcome<Passed, PeekedResponse>> {
  return askUpstreams(request, {
    model: request.context.pool.catalogue.chooses ? await modelOf(request) : modelIn(request),
    ask: (lease, hasOther) => ask(request, lease, hasOther),
    drop: (response) => response.release(),
  });
}

async function ask(
  request: PassRequest,
  lease: Lease,
  hasOther: () => boolean,
): Promise<Asked<Passed, PeekedResponse>> {
  const { context } = request;
  const { clock } = context.settings;
  const ms = awaitsEvents(request) ? context.settings.firstEventTimeoutMs : 0;
  const { upstream } = lease;
  const stop = new AbortController();
  const beginning = new PassBeginning(lease, { clock, ms, hasOther }, () => stop.abort());
  let response: PeekedResponse | undefined;
  try {
    const sent = toHttpRequest(request, upstream, AbortSignal.any([request.signal, stop.signal]));
    response = peekable(await watchedTransport(request, upstream, request.protocol).send(sent));
    const judge = judgeOf(request, response, upstream);
    const failure = isGood(response)
      ? await beginning.failureOf(response, isJsonAnswer(request, response) ? 'json' : judge)
      : await failureOfAnswer(sent, response.looking, clock);
    if (failure === undefined) return { ok: true, answer: { response, judge } };
    return { ok: false, failure: shown(upstream, failure), refusal: response };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    response?.cancel();
    const failure = beginning.silent ? silence(upstream, ms) : error;
    return { ok: false, failure, refusal: undefined };
  } finally {
    beginning.close();
  }
}

/** The failure without what the server may have quoted of the bridge's own key. */
export function shown(upstream: Upstream, failure: ModelError): ModelError {
  return concealSecrets(failure, upstream.secrets());
}

function toHttpRequest(request: PassRequest, upstream: Upstream, signal: AbortSignal): HttpRequest {
  const { context, turn, body, headers } = request;
  const { settings, hop } = context;
  const provider = upstream.provider(clientWireOf(request.protocol, headers));
  const own = turn?.upstream === upstream.key ? turn.own : undefined;
  return {
    method: request.method,
    url: requestUrl(provider, request.path),
    headers: {
      ...passedHeaders(headers),
      'accept-encoding': 'identity',
      ...requestHeaders(provider, upstream.getEnv),
      ...wireHeaders(provider.wireApi, headers),
      via: hop.stamp(headers.via),
      ...(own === undefined ? {} : { [TURN_STATE_HEADER]: own }),
    },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
    signal,
    timers: { connectMs: settings.connectTimeoutMs, idleMs: settings.idleTimeoutMs, progressMs: 0 },
  };
}

/** What a caller says of its wire, such as its version, goes before what the bridge would say. */
function wireHeaders(wire: ProtocolId, headers: IncomingHttpHeaders): Record<string, string> {
  const told = Object.keys(protocols[wire].headers).map((name) => [name, firstHeaderValue(headers[name])] as const);
  return Object.fromEntries(told.filter((one): one is [string, string] => one[1] !== undefined));
}

/** An answer to a conditional request is one, too. */
function isGood(response: HttpResponse): boolean {
  return isStream(response) || response.status === 304;
}

/**
 * A decoder for an event stream of a known wire; any other body is judged by its head alone.
 *
 * @param upstream whose answer begins here. Absent: it is the end of one
 */
export function judgeOf(
  { context, protocol }: PassRequest,
  response: HttpResponse,
  upstream?: Pick<Upstream, 'memory'>,
): StreamDecoder | undefined {
  if (protocol === undefined || !isReadable(response, 'text/event-stream')) return undefined;
  const { onClose, toolCallsOnStop } = context.settings;
  // Not of each model: the body is not parsed for its name.
  const shapes = upstream?.memory.shapes(protocol, '');
  return createDecoder(protocol, { onClose, toolCallsOnStop, tokenLimit: true, shapes });
}

function isJsonAnswer({ protocol }: PassRequest, response: HttpResponse): boolean {
  return protocol !== undefined && isReadable(response, 'application/json');
}

function isReadable(response: HttpResponse, type: string): boolean {
  const given = response.header('content-type')?.trim().toLowerCase() ?? '';
  return isStream(response) && given.startsWith(type) && !staysCoded(response.header('content-encoding'));
}

/** A model that is not asked for a stream is silent for as long as its answer takes: that is no sign of a bad server. */
function awaitsEvents({ body, headers, protocol }: PassRequest): boolean {
  if (body === undefined || protocol === undefined) return true;
  return headers['content-encoding'] !== undefined || asksForStream(body);
}

const STREAM_FIELD = '"stream"';
const IS_TRUE = /^\s*:\s*true/;

/** Without parsing it: quotes within a string are escaped, so that `"stream"` in JSON text is a field. */
function asksForStream(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  for (let at = bytes.indexOf(STREAM_FIELD); at >= 0; at = bytes.indexOf(STREAM_FIELD, at + 1)) {
    const value = at + STREAM_FIELD.length;
    if (IS_TRUE.test(bytes.toString('latin1', value, value + 32))) return true;
  }
  return false;
}

/** The model that a body names, read from all of it: the choice of a server hangs on it. */
async function modelOf({ context, body, headers, method }: PassRequest): Promise<string | undefined> {
  if (body === undefined || method !== 'POST') return undefined;
  const read = await bodyOf({ body, headers }, context.settings.bodyLimit);
  return 'body' in read ? nonEmpty(read.body.model) : undefined;
}

const MODEL = /"model"\s*:\s*"([^"\\]{1,200})"/;
const MODEL_WITHIN = 1024;

/**
 * The model that a body names near its beginning or its end, where clients put it. It is only what a server's lack of a
 * model is noted under: the body is not parsed for it, and one that hides it is served all the same.
 */
export function modelIn({
  body,
  headers,
  method,
}: Pick<PassRequest, 'body' | 'headers' | 'method'>): string | undefined {
  if (body === undefined || method !== 'POST' || headers['content-encoding'] !== undefined) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const named = (part: Buffer): string | undefined => MODEL.exec(part.toString('latin1'))?.[1];
  return named(bytes.subarray(0, MODEL_WITHIN)) ?? named(bytes.subarray(-MODEL_WITHIN));
}
