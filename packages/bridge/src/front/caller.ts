import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Usage } from '@turnwire/wire/internal/model/events';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { CallerOptions } from '../options.ts';
import type { ApiError } from '../reply/api-error.ts';
import type { Use } from '../workers/peers.ts';
import { Allowance } from './allowance.ts';

/** Somebody who calls with a token of their own, and what they may do. */
export class Caller {
  readonly name: string;
  /** Undefined: no bound but that of all together. */
  readonly maxStreams: number | undefined;
  readonly #requests: Allowance | undefined;
  readonly #tokens: Allowance | undefined;
  /** Tells other workers of the same bridge what was used here. */
  onUse: ((use: Use) => void) | undefined;

  constructor({ name, maxStreams, requestsPerMinute, tokensPerMinute }: CallerOptions, clock: Clock) {
    const now = (): number => clock.now();
    this.name = name;
    this.maxStreams = maxStreams;
    this.#requests = requestsPerMinute === undefined ? undefined : new Allowance(requestsPerMinute, now);
    this.#tokens = tokensPerMinute === undefined ? undefined : new Allowance(tokensPerMinute, now);
  }

  /** Takes one request off what is left; or says why there is none. */
  admit(wire: ProtocolId): ApiError | undefined {
    const wait = Math.max(this.#requests?.msUntil(1) ?? 0, this.#tokens?.msUntil(1) ?? 0);
    if (wait > 0) return this.#refusal(wait, wire);
    this.used({ requests: 1, tokens: 0 });
    this.onUse?.({ requests: 1, tokens: 0 });
    return undefined;
  }

  /** What an answer took counts when it is known: the next request waits for it. */
  spend({ input_tokens, output_tokens }: Usage): void {
    const use = { requests: 0, tokens: input_tokens + output_tokens };
    this.used(use);
    this.onUse?.(use);
  }

  /** So much is used, here or at another worker. */
  used({ requests, tokens }: Use): void {
    this.#requests?.use(requests);
    this.#tokens?.use(tokens);
  }

  /** What is left, as clients of a wire read it. */
  headers(wire: ProtocolId): Record<string, string> {
    const named = headersOf[wire];
    return { ...written(named, 'requests', this.#requests), ...written(named, 'tokens', this.#tokens) };
  }

  #refusal(waitMs: number, wire: ProtocolId): ApiError {
    const seconds = Math.ceil(waitMs / 1000);
    const what = (this.#requests?.msUntil(1) ?? 0) >= (this.#tokens?.msUntil(1) ?? 0) ? 'requests' : 'tokens';
    const limit = (what === 'requests' ? this.#requests : this.#tokens)?.perMinute;
    return {
      status: 429,
      type: 'rate_limit_error',
      code: 'rate_limit_exceeded',
      message: `${this.name} may use ${limit} ${what} in a minute: try again in ${seconds}s`,
      headers: { 'retry-after': String(seconds), ...this.headers(wire) },
    };
  }
}

/** A header's name, and the value of what is left or comes back. */
type LimitHeaders = (what: string, allowance: Allowance) => Record<string, string>;

/** platform.openai.com/docs/guides/rate-limits: the time is written `6m0s`. */
const ofOpenAi: LimitHeaders = (what, allowance) => ({
  [`x-ratelimit-limit-${what}`]: String(allowance.perMinute),
  [`x-ratelimit-remaining-${what}`]: left(allowance),
  [`x-ratelimit-reset-${what}`]: `${Math.ceil(allowance.msUntil(allowance.perMinute) / 1000)}s`,
});

/** platform.claude.com/docs/en/api/rate-limits: the reset is a time of day, as RFC 3339 has it. */
const ofAnthropic: LimitHeaders = (what, allowance) => ({
  [`anthropic-ratelimit-${what}-limit`]: String(allowance.perMinute),
  [`anthropic-ratelimit-${what}-remaining`]: left(allowance),
  [`anthropic-ratelimit-${what}-reset`]: timestamp(allowance.msUntil(allowance.perMinute)).replace(/\.\d+Z$/, 'Z'),
});

const headersOf: Readonly<Record<ProtocolId, LimitHeaders>> = {
  chat: ofOpenAi,
  responses: ofOpenAi,
  messages: ofAnthropic,
};

function written(headers: LimitHeaders, what: string, allowance: Allowance | undefined): Record<string, string> {
  return allowance === undefined ? {} : headers(what, allowance);
}

function left(allowance: Allowance): string {
  return String(Math.max(0, Math.floor(allowance.left)));
}
