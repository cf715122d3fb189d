import { describe, expect, test } from 'vitest';
import { errorFromWire, kindOfStatus, readError, readRefusal } from '../../packages/wire/src/model/classify.ts';
import { errorInRefusal } from '../../packages/wire/src/dialects/error-shapes.ts';
import { fullContextWordings } from '../../packages/wire/src/dialects/full-context.ts';
import { moneyWordings } from '../../packages/wire/src/dialects/money.ts';
import { seenFullContexts } from '../../packages/wire/src/dialects/seen/full-context.ts';
import { seenUnpaid } from '../../packages/wire/src/dialects/seen/money.ts';
import type { ErrorKind } from '../../packages/wire/src/model/errors.ts';
import { ceilMs, retryAfterFromMessage } from '../../packages/wire/src/model/retry-after.ts';

const byStatus: readonly (readonly [number, ErrorKind])[] = [
  [400, 'invalid_request'],
  [401, 'unauthorized'],
  [402, 'quota_exceeded'],
  [403, 'unauthorized'],
  [404, 'invalid_request'],
  [405, 'invalid_request'],
  [408, 'timeout'],
  [409, 'server_error'],
  [410, 'invalid_request'],
  [413, 'invalid_request'],
  [415, 'invalid_request'],
  [422, 'invalid_request'],
  [425, 'server_error'],
  [426, 'invalid_request'],
  [429, 'rate_limited'],
  [451, 'invalid_request'],
  [499, 'invalid_request'],
  [500, 'server_error'],
  [501, 'server_error'],
  [502, 'server_error'],
  [503, 'server_overloaded'],
  [504, 'server_error'],
  [520, 'server_error'],
  [529, 'server_overloaded'],
  [599, 'server_error'],
];

const byCode: readonly (readonly [string, ErrorKind])[] = [
  ['context_length_exceeded', 'context_window_exceeded'],
  ['insufficient_quota', 'quota_exceeded'],
  ['usage_limit_reached', 'quota_exceeded'],
  ['usage_not_included', 'usage_not_included'],
  ['cyber_policy', 'policy'],
  ['content_filter', 'content_filter'],
  ['invalid_prompt', 'invalid_request'],
  ['bio_policy', 'invalid_request'],
  ['rate_limit_exceeded', 'rate_limited'],
  ['server_is_overloaded', 'server_overloaded'],
  ['slow_down', 'server_overloaded'],
  ['billing_hard_limit_reached', 'quota_exceeded'],
  ['invalid_api_key', 'unauthorized'],
  ['context_window_exceeded', 'context_window_exceeded'],
  ['model_context_window_exceeded', 'context_window_exceeded'],
  ['exceed_context_size_error', 'context_window_exceeded'],
  ['1261', 'context_window_exceeded'],
  ['1113', 'quota_exceeded'],
  ['1008', 'quota_exceeded'],
  ['insufficient_balance', 'quota_exceeded'],
  ['arrearage', 'quota_exceeded'],
  ['exceeded_current_quota_error', 'quota_exceeded'],
];

describe('6 kinds by status', () => {
  test.each(byStatus)('6 %i is %s', (status, kind) => {
    expect(kindOfStatus(status)).toBe(kind);
    expect(errorFromWire(undefined, { status }).toJSON()).toMatchObject({ kind, status });
    expect(errorFromWire({ message: 'm', code: 'not known' }, { status }).toJSON()).toMatchObject({
      kind,
      status,
      message: 'm',
      code: 'not known',
    });
  });

  test.each([200, 204, 301, 304])(
    '6 %i, where an error was looked for, is no answer of a model: protocol',
    (status) => {
      expect(kindOfStatus(status)).toBe('protocol');
    },
  );
});

describe('6 kinds by code', () => {
  test.each(byCode)('6 %s is %s, and beats any status', (code, kind) => {
    for (const status of [undefined, 200, 400, 401, 429, 500, 503]) {
      const told = errorFromWire({ code, message: 'm' }, { status }).toJSON();
      expect(told).toMatchObject({ kind, code, message: 'm' });
      expect(told.status).toBe(status);
      expect(errorFromWire({ type: code, message: 'm' }, { status }).kind).toBe(kind);
    }
  });

  test('6 a known code beats a known type, and a known type an unknown code', () => {
    expect(errorFromWire({ code: 'slow_down', type: 'insufficient_quota' }).toJSON()).toMatchObject({
      kind: 'server_overloaded',
      code: 'slow_down',
    });
    expect(errorFromWire({ code: 'E17', type: 'insufficient_quota' }).toJSON()).toMatchObject({
      kind: 'quota_exceeded',
      code: 'insufficient_quota',
    });
  });

  test.each([
    ['invalid_request_error', 'invalid_request'],
    ['authentication_error', 'unauthorized'],
    ['permission_error', 'unauthorized'],
    ['rate_limit_error', 'rate_limited'],
    ['overloaded_error', 'server_overloaded'],
    ['not_found_error', 'invalid_request'],
    ['request_too_large', 'invalid_request'],
    ['billing_error', 'quota_exceeded'],
    ['timeout_error', 'timeout'],
    ['server_error', 'server_error'],
    ['', 'server_error'],
  ])('6 without code and status, the type %j is %s', (type, kind) => {
    expect(errorFromWire({ type, message: 'm' }).kind).toBe(kind);
  });

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('6 the code %s is not known', (code) => {
    expect(errorFromWire({ code, type: code }).toJSON()).toMatchObject({ kind: 'server_error', code });
  });
});

test.each(['None', 'null', 'undefined', 'NULL'])('6 the word %s stands for no code and no type', (word) => {
  const told = errorFromWire({ message: 'm', code: word, type: word }).toJSON();
  expect([told.code, told.type]).toEqual([undefined, undefined]);
});

describe('6 what an error carries', () => {
  test.each([undefined, null, 17, '', {}, [], { message: '' }, { message: 5, code: {}, type: [] }])(
    '6 %j is a server_error with some message',
    (error) => {
      expect(errorFromWire(error).toJSON()).toEqual({
        kind: 'server_error',
        message: expect.stringMatching(/./) as string,
        retry: { class: 'backoff', replay_safe: true },
      });
      expect(errorFromWire(error, { fallbackMessage: 'fallback' }).message).toBe('fallback');
    },
  );

  test('6 a string is the message', () => {
    expect(errorFromWire('boom', { fallbackMessage: 'no' }).message).toBe('boom');
  });

  test.each([
    [{ code: 429 }, 429],
    [{ status: 500 }, 500],
    [{ code: 'x', status: 401 }, 401],
    [{ code: 200 }, undefined],
    [{ code: 600 }, undefined],
    [{ code: 429.5 }, undefined],
    [{ code: '429' }, 429],
    [{ status: '503' }, 503],
    [{ code: '200' }, undefined],
    [{ code: '0429' }, undefined],
  ])('3.8 a numeric code or status inside %j is the HTTP status %s', (error, status) => {
    expect(errorFromWire(error).status).toBe(status);
  });

  test('6 the status of the answer is its status, whatever the body says', () => {
    expect(errorFromWire({ code: 500, message: 'm' }, { status: 429 }).toJSON()).toMatchObject({
      kind: 'rate_limited',
      status: 429,
    });
  });

  test('6 request id, replay safety and the delay of the headers are kept', () => {
    expect(
      errorFromWire(
        { message: 'try again in 3s' },
        { status: 429, requestId: 'r', afterMs: 9, replaySafe: false },
      ).toJSON(),
    ).toEqual({
      kind: 'rate_limited',
      message: 'try again in 3s',
      status: 429,
      request_id: 'r',
      retry: { class: 'after', after_ms: 9, replay_safe: false },
    });
  });

  test('6 the message is asked for a delay only where the rate was limited', () => {
    const message = 'Please try again in 2 minutes.';
    expect(errorFromWire({ code: 'rate_limit_exceeded', message }).retry).toEqual({
      class: 'after',
      afterMs: 120_000,
      replaySafe: true,
    });
    expect(errorFromWire({ code: 'server_error', message }).retry).toEqual({ class: 'backoff', replaySafe: true });
    expect(errorFromWire({ code: 'insufficient_quota', message }).retry).toEqual({ class: 'never', replaySafe: true });
    expect(errorFromWire({ code: 'rate_limit_exceeded', message: 'later' }).retry).toEqual({
      class: 'backoff',
      replaySafe: true,
    });
  });
});

/** Written out, not read from the table: a row that gets lost there is missed here. */
const fullContexts: readonly (readonly [string, string])[] = [
  ['openai', 'Your input exceeds the context window of this model.'],
  ['vllm', "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."],
  ['sglang', "The input (100 tokens) is longer than the model's context length (64 tokens)."],
  ['llama.cpp', 'request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it'],
  ['llama-cpp-python', 'Requested tokens (2100) exceed context window of 2048'],
  ['ollama', 'prompt too long; exceeded max context length by 10 tokens'],
  ['lm-studio', 'However, the model is loaded with context length of only 4096 tokens'],
  ['anthropic', 'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000'],
  ['bedrock', 'The input is too long.'],
  ['gemini', 'The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).'],
  ['xai', "This model's maximum prompt length is 256000 but the request contains 260000 tokens."],
  ['groq', 'Request too large for model `m`'],
  ['kimi', 'Your request exceeded model token limit: 131072'],
  ['glm', 'Prompt exceeds max length'],
  ['cohere', 'too many tokens: the prompt cannot exceed 4081'],
  ['litellm', 'ContextWindowExceededError: the request does not fit'],
];

describe('6 a full context, in the words of the servers', () => {
  test.each(fullContexts)('6 %s says: %s', (_server, message) => {
    expect(errorFromWire({ message }, { status: 400 }).kind).toBe('context_window_exceeded');
  });

  test('6 each server of the table is tried above', () => {
    expect(Object.keys(fullContextWordings)).toEqual(fullContexts.map(([server]) => server));
  });

  test.each(Object.entries(seenFullContexts).map(([server, { example }]) => [server, example] as const))(
    '6 %s: %s',
    (_server, message) => {
      for (const error of [
        { message },
        { message, type: 'BadRequestError', code: 400 },
        { message, code: 'invalid_prompt' },
        { message, type: 'invalid_request_error', code: null },
        message,
      ]) {
        expect(errorFromWire(error).kind).toBe('context_window_exceeded');
      }
      for (const status of [400, 413, 422, 429, 500]) {
        expect(errorFromWire({ message }, { status }).toJSON()).toMatchObject({
          kind: 'context_window_exceeded',
          status,
          retry: { class: 'never' },
        });
      }
    },
  );

  test('6 each row is needed for its example, or is the first that knows it', () => {
    for (const [server, { example, source }] of Object.entries(seenFullContexts)) {
      expect(Object.entries(fullContextWordings).find(([, pattern]) => pattern.test(example))?.[0]).toBe(server);
      expect(source).toMatch(/./);
    }
  });

  test.each([
    'Too many tokens, please wait before trying again.',
    "Too many tokens for team x and model grok-4-0709. Your team's rate limit is: Tokens per Minute (actual/limit): 65605/16000.",
    'Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.',
    'ThrottlingException: the maximum context length per minute was reached',
  ])('6 a rate is none: %s', (message) => {
    expect(errorFromWire({ message }, { status: 429 }).kind).toBe('rate_limited');
  });

  test('6 Groq: a request that is too large for the model, and one that is too large for any minute', () => {
    const large = 'Request too large for model `m`';
    expect(errorFromWire({ message: large }, { status: 413 }).kind).toBe('context_window_exceeded');
    const rate = { type: 'tokens', code: 'rate_limit_exceeded' };
    const over = {
      ...rate,
      message: `${large} on tokens per minute (TPM): Limit 6000, Requested 14368, please reduce`,
    };
    for (const status of [413, 429]) {
      expect(errorFromWire(over, { status }).toJSON()).toMatchObject({
        kind: 'quota_exceeded',
        code: 'rate_limit_exceeded',
        retry: { class: 'never' },
      });
    }
    expect(errorFromWire({ ...rate, message: 'too large' }, { status: 413 }).kind).toBe('quota_exceeded');
    expect(
      errorFromWire({ ...rate, message: 'on TPM: Limit 6000, Used 5034, Requested 1443' }, { status: 429 }).kind,
    ).toBe('rate_limited');
  });
});

/** Written out, as above. */
const unpaid: readonly (readonly [string, string, number])[] = [
  ['openai', '{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":null}}', 429],
  ['anthropic', '{"error":{"message":"Your credit balance is too low","type":"invalid_request_error"}}', 400],
  ['openrouter', '{"error":{"message":"This request requires more credits, or fewer max_tokens","code":400}}', 400],
  ['deepseek', '{"error":{"message":"Insufficient Balance","code":"invalid_request_error"}}', 400],
  ['kimi', '{"error":{"message":"Your account is not active","type":"exceeded_current_quota_error"}}', 403],
  ['xai', '{"code":"no permission","error":"Your team has used all available credits"}', 429],
  ['dashscope', '{"error":{"message":"your account is in arrears","code":"E1"}}', 400],
  ['glm', '{"error":{"message":"recharge","code":"1113"}}', 429],
  ['minimax', '{"choices":null,"base_resp":{"status_code":1008,"status_msg":"no"}}', 200],
  ['groq', '{"error":{"message":"TPM: Limit 6000, Requested 14368","code":"rate_limit_exceeded"}}', 429],
];

describe('6 no money, in the words of the servers', () => {
  test.each(unpaid)('6 %s says: %s', (_server, body, status) => {
    expect(readRefusal(JSON.parse(body), { status }).toJSON()).toMatchObject({
      kind: 'quota_exceeded',
      retry: { class: 'never' },
    });
  });

  test.each(Object.entries(seenUnpaid).map(([server, { body, status }]) => [server, body, status] as const))(
    '6 %s, as the mock plays it: %j',
    (_server, body, status) => {
      expect(readRefusal(body, { status }).kind).toBe('quota_exceeded');
      expect(readError(body)?.kind).toBe('quota_exceeded');
    },
  );

  test('6 each server of the table is tried above, and has its source', () => {
    expect(Object.keys(seenUnpaid)).toEqual(unpaid.map(([server]) => server));
    expect(Object.keys(seenUnpaid)).toEqual(expect.arrayContaining(Object.keys(moneyWordings)));
    expect(Object.values(seenUnpaid).filter(({ source }) => source.length === 0)).toEqual([]);
  });

  test('6 a credit of another kind is none', () => {
    expect(errorFromWire({ message: 'the credits of the film are missing' }, { status: 400 }).kind).toBe(
      'invalid_request',
    );
  });

  test('6 Gemini says of a minute what OpenAI says of money: the code tells them apart', () => {
    const message = 'You exceeded your current quota, please check your plan and billing details. Please retry in 34s.';
    expect(errorFromWire({ message, code: 429, status: 'RESOURCE_EXHAUSTED' }, { status: 429 }).kind).toBe(
      'rate_limited',
    );
  });
});

describe('6 what the server said is kept', () => {
  test('6 code, type and param', () => {
    const error = {
      message: 'The model m does not exist',
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
    };
    const told = errorFromWire(error, { status: 404 });
    const { message, ...words } = error;
    expect(told.toJSON()).toEqual({
      kind: 'invalid_request',
      message,
      status: 404,
      ...words,
      retry: { class: 'never', replay_safe: true },
    });
    expect(told.with({ requestId: 'r' }).toJSON()).toEqual({ ...told.toJSON(), request_id: 'r' });
  });

  test('6 a known code beats the type beside it', () => {
    expect(errorFromWire({ type: 'invalid_request_error', code: 'request_timeout', message: 'm' }).toJSON()).toEqual({
      kind: 'timeout',
      message: 'm',
      code: 'request_timeout',
      type: 'invalid_request_error',
      retry: { class: 'backoff', replay_safe: true },
    });
  });

  test.each([
    ['400', 'invalid_request'],
    ['401', 'unauthorized'],
    ['429', 'rate_limited'],
    ['529', 'server_overloaded'],
  ])("6 LiteLLM's code %j and type None are a status and nothing", (code, kind) => {
    const { status, ...told } = errorFromWire({ message: 'litellm.Error', type: 'None', param: 'None', code }).toJSON();
    expect(status).toBe(Number(code));
    expect(told).toMatchObject({ kind, message: 'litellm.Error' });
    expect(told).not.toHaveProperty('code');
    expect(told).not.toHaveProperty('type');
    expect(told).not.toHaveProperty('param');
  });
});

describe('6 the error inside the body of a refusal', () => {
  test.each([
    [{ error: { message: 'm' } }, { message: 'm' }],
    [{ error: 'm' }, { message: 'm' }],
    [
      { error: 'm', code: 'slow_down' },
      { message: 'm', code: 'slow_down' },
    ],
    [
      { error: { message: 'm', code: null }, code: 'slow_down', status: 503 },
      { message: 'm', code: 'slow_down', status: 503 },
    ],
    [{ detail: 'm' }, { message: 'm' }],
    [{ error: null, detail: 'm' }, { message: 'm' }],
    [{ error: '', message: 'm' }, { message: 'm' }],
    [{ message: 'm' }, { message: 'm' }],
    [
      { message: 'm', code: 400 },
      { message: 'm', code: 400 },
    ],
    [
      { error: 'm', status: 'error' },
      { message: 'm', status: 'error' },
    ],
    [
      { code: 'InvalidParameter', message: 'm', status_code: 400 },
      { code: 'InvalidParameter', message: 'm', status: 400 },
    ],
    [[{ error: { code: 400, message: 'm' } }], { code: 400, message: 'm' }],
    [
      { detail: [{ loc: ['body', 'model'], msg: 'needed', input: 'a prompt' }, { msg: 'and more' }, 5] },
      { message: 'body.model: needed; and more' },
    ],
    [{ detail: [] }, {}],
    [{ base_resp: { status_code: 1008, status_msg: 'm' } }, { code: '1008', status: 1008, message: 'm' }],
    ['text', undefined],
    [undefined, undefined],
    [[1], undefined],
    [[], undefined],
  ])('6 of %j is %j', (body, error) => {
    expect(errorInRefusal(body)).toEqual(error);
  });

  test('6 DashScope: a code of its own beside a status_code is no server_error', () => {
    const body = { code: 'InvalidParameter', message: 'm', status_code: 400 };
    expect(readError(body)?.toJSON()).toMatchObject({
      kind: 'invalid_request',
      code: 'InvalidParameter',
      status: 400,
    });
  });
});

describe('6 try again in', () => {
  test.each([
    ['Please try again in 11.054s.', 11_054],
    ['try again in 28ms', 28],
    ['Try Again In 2 minutes', 120_000],
    ['try again in 6m0s', 360_000],
    ['try again in 1h2m3.5s', 3_723_500],
    ['try again in 1 second, or do not', 1000],
    ['try again in 35 seconds.', 35_000],
    ['try again in 1 minute', 60_000],
    ['try again in 500 milliseconds', 500],
    ['try again in 2 hours', 7_200_000],
    ['try again in 0.5ms', 1],
    ['try again in 1.2ms', 2],
    ['try again in 1.0001s', 1001],
    ['try again in 0s', 0],
    ['TRY AGAIN IN 3S', 3000],
  ])('6 %j is %i ms', (message, ms) => {
    expect(retryAfterFromMessage(message)).toBe(ms);
  });

  test.each([
    '',
    'try again later',
    'try again in a minute',
    'try again in 5',
    'try again in 5 sheep',
    'wait 5s',
    'try again in -5s',
  ])('6 %j tells no delay', (message) => {
    expect(retryAfterFromMessage(message)).toBeUndefined();
  });

  test('6 a message of any length is read in time that grows with it', () => {
    expect(retryAfterFromMessage(`try again in ${'9'.repeat(200_000)}`)).toBeUndefined();
    expect(retryAfterFromMessage('try again in 1 s '.repeat(20_000))).toBe(1000);
  });

  test('6 milliseconds are rounded up, but not for a hair of binary', () => {
    expect([ceilMs(11.054 * 1000), ceilMs(0), ceilMs(1), ceilMs(1.001), ceilMs(1.9)]).toEqual([11_054, 0, 1, 2, 2]);
  });
});
