import type { JsonObject } from '../../base/json.ts';
import type { moneyWordings } from '../money.ts';

/** The answer of a server that was not paid, or is asked for more at once than all that was paid for. */
interface SeenRefusal {
  /** The HTTP status of its answer. */
  readonly status: number;
  /** The body of its answer. */
  readonly body: JsonObject;
  /** Where it was seen. */
  readonly source: string;
}

/**
 * The answers of the servers that say so, by words (`moneyWordings`), by a code, or (`groq`) by figures: `isOverAnyRate`. The mock
 * gives them as `quota-wording:SERVER`.
 */
export const seenUnpaid = {
  openai: {
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
  anthropic: {
    status: 400,
    body: {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'Your credit balance is too low to access the Anthropic API.' },
    },
    source: 'anthropics/claude-code#4684',
  },
  openrouter: {
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
  deepseek: {
    status: 402,
    body: {
      error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' },
    },
    source: 'continuedev/continue#9942; gateways in front of it, with other statuses',
  },
  kimi: {
    status: 403,
    body: {
      error: {
        message: 'Your account is not active, exceeded current quota, please check your plan and billing details',
        type: 'exceeded_current_quota_error',
      },
    },
    source: 'MoonshotAI/Kimi-K2#5; with 429 and "insufficient balance": MoonshotAI/kimi-code#1857',
  },
  xai: {
    status: 429,
    body: {
      code: 'The caller does not have permission to execute the specified operation',
      error: 'Your team has either used all available credits or reached its monthly spending limit.',
    },
    source: 'continuedev/continue#10373',
  },
  dashscope: {
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
  glm: {
    status: 429,
    body: { error: { code: '1113', message: 'Your account has run out of resources. Please recharge.' } },
    source: 'its own list of error codes',
  },
  minimax: {
    status: 200,
    body: { choices: null, base_resp: { status_code: 1008, status_msg: 'your balance is used up' } },
    source: 'infiniflow/ragflow#17292',
  },
  groq: {
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
} as const satisfies Readonly<Record<string, SeenRefusal>> & Readonly<Record<keyof typeof moneyWordings, SeenRefusal>>;
