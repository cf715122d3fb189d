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
} from './session/model-client.ts';
export {
  createModelSession,
  type ModelSession,
  type ModelSessionOptions,
  type Turn,
  type TurnStreamOptions,
} from './session/session.ts';
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
} from '@turnwire/wire/internal/model/retry-policy';
export * from '@turnwire/wire/internal/model/transcript';
export type { ModelStream } from '@turnwire/wire/internal/read/model-stream';
export type { ModelObserver, PollResult, RequestWatch, TurnWatch } from './observer.ts';
export { ConfigError } from './provider/config-fields.ts';
export { createProvider, providerDefaults, type ProviderConfig, type ProviderOptions } from './provider/provider.ts';
export { missingKeyVariable, type GetEnv } from './provider/provider-request.ts';
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
export type { Clock, Timer, TimerOptions } from '@turnwire/wire/internal/base/clock';
export type { JsonObject } from '@turnwire/wire/internal/base/json';
export {
  ModelError,
  retryClassOf,
  type ErrorKind,
  type ModelErrorJson,
  type RetryAdvice,
  type RetryClass,
} from '@turnwire/wire/internal/model/errors';
export * from '@turnwire/wire/internal/model/events';
export * from '@turnwire/wire/internal/model/items';
export * from '@turnwire/wire/internal/model/request';
