import type { ErrorKind } from '../../packages/wire/src/model/errors.ts';

/** An error as a server sent it, the row of `errorShapes` that reads it, and what it is told as. */
export interface ErrorExample {
  readonly row: string;
  readonly event: object;
  readonly kind: ErrorKind;
  readonly told: object;
}

const rows: readonly (readonly [string, object, ErrorKind, object])[] = [
  [
    'anthropic',
    { type: 'error', error: { type: 'timeout_error', message: 'boom' } },
    'timeout',
    { message: 'boom', code: 'timeout_error', type: 'timeout_error' },
  ],
  ['error', { error: { message: 'boom', code: 502 } }, 'server_error', { message: 'boom', status: 502 }],
  ['error', { error: 'boom', choices: null }, 'server_error', { message: 'boom' }],
  ['error', { error: true, message: 'boom' }, 'server_error', { message: 'boom' }],
  ['error', { error: 500, message: 'boom' }, 'server_error', { message: 'boom', status: 500 }],
  ['error', { error: { msg: 'boom', error_code: 429 } }, 'rate_limited', { message: 'boom', status: 429 }],
  [
    'base_resp',
    { id: 'x', choices: null, base_resp: { status_code: 2013, status_msg: 'invalid params' } },
    'server_error',
    { message: 'invalid params', code: '2013' },
  ],
  [
    'errors',
    { errors: [{ message: 'boom', code: 7009 }], success: false, result: null },
    'server_error',
    { message: 'boom', code: '7009' },
  ],
  ['errors', { errors: ['boom'] }, 'server_error', { message: 'boom' }],
  ['success', { success: false, code: 500, msg: 'boom' }, 'server_error', { message: 'boom', status: 500 }],
  ['success', { success: false, message: 'boom' }, 'server_error', { message: 'boom' }],
  ['flat', { code: '1301', message: 'unsafe' }, 'server_error', { message: 'unsafe', code: '1301' }],
  [
    'flat',
    { code: 'InvalidParameter', message: 'no such model', request_id: 'r' },
    'server_error',
    { message: 'no such model', code: 'InvalidParameter' },
  ],
  ['flat', { status: 400, detail: 'no such model' }, 'invalid_request', { message: 'no such model', status: 400 }],
  ['flat', { status_code: 503, error_msg: 'busy' }, 'server_overloaded', { message: 'busy', status: 503 }],
  ['object', { object: 'error', message: 'boom' }, 'server_error', { message: 'boom' }],
  [
    'flat',
    { code: 'InvalidParameter', message: 'no such model', status_code: 400 },
    'invalid_request',
    { message: 'no such model', code: 'InvalidParameter', status: 400 },
  ],
  ['flat', { status: 'error', message: 'boom' }, 'server_error', { message: 'boom' }],
  [
    'flat',
    { type: 'invalid_request_error', code: '400', message: 'no such model' },
    'invalid_request',
    { message: 'no such model', status: 400, type: 'invalid_request_error' },
  ],
  ['type', { type: 'error', message: 'boom' }, 'server_error', { message: 'boom' }],
  ['detail', { detail: 'Not Found' }, 'server_error', { message: 'Not Found' }],
  [
    'detail',
    { detail: [{ loc: ['body', 'model'], msg: 'Field required' }] },
    'server_error',
    { message: 'body.model: Field required' },
  ],
];

/** At least one for each row of the table. */
export const errorExamples: readonly ErrorExample[] = rows.map(([row, event, kind, told]) => ({
  row,
  event,
  kind,
  told,
}));
