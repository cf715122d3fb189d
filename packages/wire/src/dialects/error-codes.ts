/**
 * Kinds by the server's own code, in lower case: a known code beats any status and any type (docs/contract.md section 6).
 * A code that came as a number is looked up by its digits.
 */
export const kindByCode = {
  // OpenAI
  context_length_exceeded: 'context_window_exceeded',
  insufficient_quota: 'quota_exceeded',
  billing_hard_limit_reached: 'quota_exceeded',
  content_filter: 'content_filter',
  invalid_api_key: 'unauthorized', // others send it with 400, or in a stream
  invalid_prompt: 'invalid_request',
  rate_limit_exceeded: 'rate_limited',
  server_is_overloaded: 'server_overloaded',
  slow_down: 'server_overloaded',
  // Codex' backend
  usage_limit_reached: 'quota_exceeded',
  usage_not_included: 'usage_not_included',
  cyber_policy: 'policy',
  bio_policy: 'invalid_request',
  // Others
  context_window_exceeded: 'context_window_exceeded',
  model_context_window_exceeded: 'context_window_exceeded',
  exceed_context_size_error: 'context_window_exceeded', // llama.cpp, as `type`
  1261: 'context_window_exceeded', // GLM: earendil-works/pi#5677
  1113: 'quota_exceeded', // GLM, "Insufficient balance", with status 429
  1008: 'quota_exceeded', // MiniMax, `base_resp.status_code`: infiniflow/ragflow#17292
  insufficient_balance: 'quota_exceeded',
  arrearage: 'quota_exceeded', // DashScope
  exceeded_current_quota_error: 'quota_exceeded', // Kimi, as `type`, with status 403 or 429: MoonshotAI/Kimi-K2#5
  request_timeout: 'timeout', // typed invalid_request_error: BerriAI/litellm#41777
} as const;

/** Kinds by the API's general error types: only where neither a code nor a status said more. */
export const kindByType = {
  invalid_request_error: 'invalid_request',
  authentication_error: 'unauthorized',
  permission_error: 'unauthorized',
  rate_limit_error: 'rate_limited',
  overloaded_error: 'server_overloaded',
  // Anthropic
  not_found_error: 'invalid_request',
  request_too_large: 'invalid_request',
  billing_error: 'quota_exceeded',
  timeout_error: 'timeout',
} as const;

/** Words that stand where a code or a type would, and are none: LiteLLM writes Python's. */
export const NO_WORD: ReadonlySet<string> = new Set(['none', 'null', 'undefined']);
