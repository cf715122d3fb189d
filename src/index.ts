/**
 * `turnwire`: a client for model servers on the Chat Completions and Responses wires, and the model it speaks in
 * (items, events, errors). Other entries: `turnwire/wire`, `turnwire/telemetry`, `turnwire/testing`, `turnwire/bridge`,
 * `turnwire/agent`.
 */
export {
  createModelClient,
  type ModelClient,
  type ModelClientOptions,
  type StreamOptions,
} from './client/session/model-client.ts';
export {
  createModelSession,
  type ModelSession,
  type ModelSessionOptions,
  type Turn,
  type TurnStreamOptions,
} from './client/session/session.ts';
export {
  backoffMs,
  decideRetry,
  retryPolicies,
  withBudgets,
  type RetryLevel,
  type RetryLevelName,
  type RetryPlan,
  type RetryPolicy,
  type RetryPolicyName,
} from './model/retry-policy.ts';
export * from './model/transcript.ts';
export type { ModelStream } from './client/stream/model-stream.ts';
export type { ModelObserver, PollResult, RequestWatch, TurnWatch } from './client/observer.ts';
export { ConfigError } from './client/provider/config-fields.ts';
export {
  createProvider,
  providerDefaults,
  type ProviderConfig,
  type ProviderOptions,
} from './client/provider/provider.ts';
export { missingKeyVariable, type GetEnv } from './client/provider/provider-request.ts';
export {
  createHttpTransport,
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  type HttpTransportOptions,
} from './transport/http.ts';
export type { ProxyOptions } from './transport/proxy-choice.ts';
export { defaultTimers, type HttpTimers } from './transport/watch.ts';
export { systemClock } from './platform/system-clock.ts';
export type { Clock, Timer, TimerOptions } from './base/clock.ts';
export type { JsonObject } from './base/json.ts';
export {
  ModelError,
  retryClassOf,
  type ErrorKind,
  type ModelErrorJson,
  type RetryAdvice,
  type RetryClass,
} from './model/errors.ts';
export * from './model/events.ts';
export * from './model/items.ts';
export * from './model/request.ts';
