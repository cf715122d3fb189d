import { describe, expect, test } from 'vitest';
import { httpStatusOf, wireErrorOf } from '../../packages/wire/src/index.ts';
import { errorFromWire } from '../../packages/wire/src/model/classify.ts';
import { errorBodyOf, errorFrameOf } from '../../packages/wire/src/encode-error.ts';

describe('6 an error is told as its server told it', () => {
  test.each([
    { message: 'no such model', type: 'invalid_request_error', code: 'model_not_found', param: 'model' },
    { message: 'not known', type: 'invalid_request_error', code: 'unsupported_parameter', param: 'seed' },
    { message: 'gone', type: 'invalid_request_error', code: 'previous_response_not_found', param: null },
    { message: 'who', type: 'invalid_request_error', code: 'invalid_api_key', param: null },
  ])('6 %j', (error) => {
    const told = errorFromWire(error, { status: 404 });
    expect(wireErrorOf(told)).toEqual(error);
    expect(httpStatusOf(told)).toBe(404);
  });

  test('6 what is missing is filled in', () => {
    expect(wireErrorOf(errorFromWire({ message: 'm' }, { status: 400 }))).toEqual({
      message: 'm',
      type: 'invalid_request_error',
      code: 'invalid_prompt',
      param: null,
    });
  });

  test.each([
    [{ message: 'prompt is too long: 2 tokens > 1 maximum', code: 'invalid_request_error' }, 'context_length_exceeded'],
    [{ message: 'slow', code: 'E429' }, 'rate_limit_exceeded'],
    [{ message: 'gone', code: 'insufficient_balance' }, 'insufficient_balance'],
    [{ message: 'm', code: 'usage_limit_reached' }, 'usage_limit_reached'],
  ])('6 a kind that clients act on has a code that tells it: %j', (error, code) => {
    expect(wireErrorOf(errorFromWire(error, { status: 429 })).code).toBe(code);
  });
});

test('an error has every field in a body and in a frame, whoever writes it', () => {
  const error = { type: 'invalid_request_error', param: null, code: null, message: 'no' };
  expect(errorBodyOf({ message: 'no' })).toEqual({ error });
  const more = { message: 'no', type: 'server_error', code: 'c', param: 'p' };
  expect(errorFrameOf(500, more)).toEqual({ type: 'error', status: 500, error: more });
});
