import type { JsonObject } from '../base/json.ts';

/** One way in which a server says that nobody paid, or that one request is more than all that was paid for. */
export interface MoneyWording {
  /** Names the row; the mock has its answer as `quota-wording:SERVER`. */
  readonly server: string;
  /** The words of its message. Absent: its code tells, which is in `error-codes.ts`. */
  readonly pattern?: RegExp;
  /** The HTTP status of its answer. */
  readonly status: number;
  /** The body of its answer. */
  readonly body: JsonObject;
  /** Where it was seen. */
  readonly source: string;
}

/** Money that is gone, in the words of the servers (docs/contract.md section 6): no waiting and no retry helps. */
export const moneyWordings: readonly MoneyWording[] = [
  {
    // No pattern: Gemini says the same of what a minute allows.
    server: 'openai',
    status: 429,
    body: {
      error: {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      },
    },
    source: 'ChatGPTNextWeb/NextChat#3123',
  },
  {
    server: 'anthropic',
    pattern: /credit balance/i,
    status: 400,
    body: {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'Your credit balance is too low to access the Anthropic API.' },
    },
    source: 'anthropics/claude-code#4684',
  },
  {
    server: 'openrouter',
    pattern: /\b(?:more|enough|no|out of|remaining) credits\b/i,
    status: 402,
    body: {
      error: {
        message:
          'This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 27342.',
        code: 402,
      },
    },
    source: 'Gitlawb/openclaude#1125, QwenLM/qwen-code#73',
  },
  {
    server: 'deepseek',
    pattern: /insufficient (?:account )?(?:balance|quota|funds|credits?)/i,
    status: 402,
    body: {
      error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' },
    },
    source: 'continuedev/continue#9942; gateways in front of it, with other statuses',
  },
  {
    server: 'kimi',
    status: 403,
    body: {
      error: {
        message: 'Your account is not active, exceeded current quota, please check your plan and billing details',
        type: 'exceeded_current_quota_error',
      },
    },
    source: 'MoonshotAI/Kimi-K2#5; with 429 and "insufficient balance": MoonshotAI/kimi-code#1857',
  },
  {
    server: 'xai',
    pattern: /used all available credits|monthly spending limit/i,
    status: 429,
    body: {
      code: 'The caller does not have permission to execute the specified operation',
      error: 'Your team has either used all available credits or reached its monthly spending limit.',
    },
    source: 'continuedev/continue#10373',
  },
  {
    server: 'dashscope',
    pattern: /\barrears\b|\barrearage\b/i,
    status: 400,
    body: {
      error: {
        code: 'Arrearage',
        param: null,
        message: 'Access denied, please make sure your account is in good standing.',
        type: 'Arrearage',
      },
    },
    source: 'infiniflow/ragflow#1552, hsliuping/TradingAgents-CN#170',
  },
  {
    server: 'glm',
    status: 429,
    body: { error: { code: '1113', message: 'Your account has run out of resources. Please recharge.' } },
    source: 'its own list of error codes',
  },
  {
    server: 'minimax',
    status: 200,
    body: { choices: null, base_resp: { status_code: 1008, status_msg: 'your balance is used up' } },
    source: 'infiniflow/ragflow#17292',
  },
  {
    // One request is larger than all that a minute allows: `isOverAnyRate`.
    server: 'groq',
    status: 413,
    body: {
      error: {
        message: 'Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 14368',
        type: 'tokens',
        code: 'rate_limit_exceeded',
      },
    },
    source: 'continuedev/continue#10218; with 429: vanna-ai/vanna-flask#11',
  },
];

/** True for a message that says that nobody paid, whatever the code and the status beside it. */
export function tellsNoMoney(message: string): boolean {
  return moneyWordings.some(({ pattern }) => pattern?.test(message) === true);
}

const DEMAND = /\blimit:? (\d+)\b.*\brequested:? (\d+)/i;

/**
 * True for a rate limit that no waiting helps: one request is larger than all that a minute allows. Without figures it is
 * 413 that says so.
 */
export function isOverAnyRate(message: string, status: number | undefined): boolean {
  const [, limit, requested] = DEMAND.exec(message) ?? [];
  return limit === undefined ? status === 413 : Number(requested) > Number(limit);
}
