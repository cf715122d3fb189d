import type { TurnState } from '../turn-state.ts';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import type { HttpRequest, HttpResponse } from '../transport/http.ts';
import type { DecoderOptions, MintId, StreamDecoder } from '@turnwire/wire/internal/decoder';
import { protocols } from '@turnwire/wire/internal/protocols';
import { createDecoder } from '@turnwire/wire/internal/stream-decoder';
import { makerOf } from '@turnwire/wire/internal/quirks';
import type { RequestBody } from '@turnwire/wire/internal/request-body';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { HttpCall, type HttpCallContext, type HttpCallPlan, type PreparedCall } from './call.ts';
import { isStream } from '@turnwire/wire/internal/read/refusal';
import { HealedRequest } from './healed-request.ts';
import type { ServerMemory } from './server-memory.ts';
import { UnpausedCall, type ModelCall } from './unpaused-call.ts';
import { readLateUsage } from './late-usage.ts';
import type { ProviderConfig } from '../provider/provider.ts';
import type { AttemptContext } from '../stream/retrying-stream.ts';
import { requestHeaders, requestUrl, type GetEnv } from '../provider/provider-request.ts';
import { concealSecrets, secretsOf } from '../provider/secrets.ts';

/** What all calls of a client or a session have in common. */
export interface CallContext extends HttpCallContext {
  readonly provider: ProviderConfig;
  readonly getEnv: GetEnv;
  readonly mintId: MintId;
  readonly memory: ServerMemory;
  /** Milliseconds that usage which did not come in time is still read for, behind the answer. Default 0: it is not. */
  readonly lateUsageMs?: number;
}

interface PlanOptions extends CallContext {
  /** Headers of the moment, names in lower case; they win over the provider's. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly onHead: (response: HttpResponse) => void;
}

/** The turn's state; or headers alone, for a call whose answer's turn state is read off `head`. */
export type CallHeaders = Pick<TurnState, 'headers'> & Partial<TurnState>;

/** One attempt over HTTP; nothing is sent before its first `next`. An answer that its server pauses goes on by itself. */
export function openHttpCall(
  request: ModelRequest,
  context: CallContext,
  { signal, watch, number }: AttemptContext,
  sticky?: CallHeaders,
): ModelCall {
  watch?.onAttempt?.(number, 'http');
  const options: PlanOptions = {
    ...context,
    headers: () => ({ ...watch?.headers?.(), ...sticky?.headers() }),
    onHead: ({ headers }) => sticky?.offer?.(firstHeaderValue(headers[TURN_STATE_HEADER])),
  };
  const open = (asked: ModelRequest): HttpCall => new HttpCall(context, planCall(asked, options), signal);
  return protocols[context.provider.wireApi].pausesAnswers ? new UnpausedCall(request, open) : open(request);
}

/** How to make one request on the provider's wire, and to read its answer. */
function planCall(request: ModelRequest, options: PlanOptions): HttpCallPlan {
  const { provider } = options;
  const asked = new HealedRequest(request, options);
  const plan: HttpCallPlan = {
    usageGraceMs: provider.usageGraceMs,
    prepare: () => prepareCall(asked.body(), options),
    decoder: () => createDecoder(provider.wireApi, decoderOptions(request, options, asked.asksUsage)),
    ...lateUsageOf(options),
    onHead(response) {
      options.onHead(response);
      if (isStream(response)) asked.accepted();
    },
    conceal: (failure) => concealSecrets(failure, secretsOf(provider, options.getEnv)),
    amend: (failure) => (asked.amend(failure) ? plan : undefined),
  };
  return plan;
}

function lateUsageOf({ provider, clock, lateUsageMs: ms = 0 }: PlanOptions): Pick<HttpCallPlan, 'lateUsage'> {
  if (ms === 0) return {};
  const decoder = (): StreamDecoder => createDecoder(provider.wireApi, { onClose: 'complete' });
  return { lateUsage: (response) => readLateUsage(response, { clock, ms, decoder: decoder() }) };
}

function prepareCall({ body, notes }: RequestBody, options: PlanOptions): PreparedCall {
  return { request: toHttpRequest(body, options), notes };
}

function toHttpRequest(body: RequestBody['body'], options: PlanOptions): HttpRequest {
  const { provider, getEnv } = options;
  return {
    method: 'POST',
    url: requestUrl(provider, protocols[provider.wireApi].path),
    headers: {
      accept: 'text/event-stream',
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      'user-agent': 'turnwire',
      ...requestHeaders(provider, getEnv),
      ...options.headers(),
    },
    body: JSON.stringify(body),
    timers: {
      connectMs: provider.connectTimeoutMs,
      firstByteMs: provider.firstByteTimeoutMs,
      idleMs: provider.streamIdleTimeoutMs,
      progressMs: provider.progressTimeoutMs,
      totalMs: provider.totalTimeoutMs,
    },
  };
}

function decoderOptions(request: ModelRequest, options: PlanOptions, asksUsage: boolean): DecoderOptions {
  const { provider, mintId, repairs, memory } = options;
  return {
    usageAsked: asksUsage,
    usageOfCut: true,
    tokenLimit: setsTokenLimit(request, provider),
    onClose: provider.onClose,
    toolCallsOnStop: provider.toolCallsOnStop,
    thinkTags: provider.thinkTags,
    contextWindow: provider.contextWindow,
    maxEventBytes: provider.maxEventBytes,
    mintId,
    mintCallId: () => mintId('call'),
    maker: makerOf(provider.baseUrl),
    repairs,
    shapes: memory.shapes(provider.wireApi, request.model ?? provider.model ?? ''),
  };
}

const LIMIT_FIELDS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'];

function setsTokenLimit(request: ModelRequest, provider: ProviderConfig): boolean {
  if (request.maxOutputTokens !== undefined || provider.maxOutputTokens !== undefined) return true;
  return LIMIT_FIELDS.some((field) => typeof request.extra?.[field] === 'number');
}
