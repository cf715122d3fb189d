/** What an editor may send that is no message, or one that makes no sense, as data. */
export interface GarbageCase {
  readonly name: string;
  /** Each is a line, or a message. */
  readonly sends: readonly (string | object)[];
  /** `ID CODE` of each answer that JSON-RPC 2.0 and the protocol want, in any order. */
  readonly answers: readonly string[];
}

const rpc = (rest: object) => ({ jsonrpc: '2.0', ...rest });
const noId = (code: number) => `null ${code}`;

const unparsable = [
  '{',
  '{"jsonrpc":"2.0"',
  '\0\u001b[2J',
  `{"jsonrpc":"2.0","id":1,"method":"${'x'.repeat(4_000_000)}`,
];
const noRequests = [
  'null',
  '7',
  '"text"',
  '[]',
  JSON.stringify([rpc({ id: 1, method: 'session/list', params: {} })]),
  '{}',
  { id: 1, method: 'session/list', params: {} },
  { jsonrpc: '1.0', id: 1, method: 'session/list', params: {} },
  rpc({ id: 1, method: 7 }),
  rpc({ id: {}, method: 'session/list' }),
  rpc({ method: 7 }),
];

/** Each method, and parameters that it does not take. */
const wrongParams: readonly [string, unknown][] = [
  ['initialize', { protocolVersion: 'one' }],
  ['authenticate', { methodId: 7 }],
  ['session/new', { cwd: 7, mcpServers: [] }],
  ['session/new', { cwd: 'relative', mcpServers: [] }],
  ['session/load', { sessionId: 7, cwd: '/', mcpServers: [] }],
  ['session/resume', { sessionId: 7, cwd: '/' }],
  ['session/list', { cwd: 7 }],
  ['session/set_mode', { sessionId: 'x' }],
  ['session/set_config_option', { sessionId: 'x' }],
  ['session/prompt', { sessionId: 'x', prompt: 'go' }],
  ['session/close', {}],
  ['session/delete', {}],
];
const notAtAll = ['initialize', 'authenticate', 'session/new', 'session/load', 'session/resume', 'session/prompt'];

const unknownSession: readonly [string, object][] = [
  ['session/load', { cwd: '/', mcpServers: [] }],
  ['session/resume', { cwd: '/' }],
  ['session/set_mode', { modeId: 'ask' }],
  ['session/set_config_option', { configId: 'mode', value: 'ask' }],
  ['session/prompt', { prompt: [{ type: 'text', text: 'go' }] }],
];

export const garbage: readonly GarbageCase[] = [
  { name: 'what is no JSON', sends: unparsable, answers: unparsable.map(() => noId(-32700)) },
  { name: 'JSON that is no request', sends: noRequests, answers: noRequests.map(() => noId(-32600)) },
  { name: 'empty lines', sends: ['', '   ', '\t'], answers: [] },
  {
    name: 'methods that there are not',
    sends: [
      rpc({ id: 'a', method: 'no/such', params: {} }),
      rpc({ id: 'b', method: '_x.test/custom' }),
      rpc({ id: 'c', method: '' }),
      rpc({ method: 'no/such', params: {} }),
    ],
    answers: ['a -32601', 'b -32601', 'c -32601'],
  },
  {
    name: 'parameters that a method does not take',
    sends: wrongParams.map(([method, params], at) => rpc({ id: `${method} ${at}`, method, params })),
    answers: wrongParams.map(([method], at) => `${method} ${at} -32602`),
  },
  ...[undefined, null, 7, [], 'text'].map((params): GarbageCase => ({
    name: `${JSON.stringify(params)} as parameters`,
    sends: notAtAll.map((method) => rpc({ id: method, method, params })),
    answers: notAtAll.map((method) => `${method} -32602`),
  })),
  {
    name: 'a session that there is not',
    sends: unknownSession.map(([method, params]) =>
      rpc({ id: method, method, params: { sessionId: 'no', ...params } }),
    ),
    answers: unknownSession.map(([method]) => `${method} -32002`),
  },
  {
    name: 'notifications that make no sense',
    sends: [
      rpc({ method: 'session/cancel', params: { sessionId: 'no' } }),
      rpc({ method: 'session/cancel', params: { sessionId: 7 } }),
      rpc({ method: 'session/cancel' }),
      rpc({ method: '$/cancel_request', params: { requestId: 'no' } }),
      rpc({ method: '$/cancel_request' }),
    ],
    answers: [],
  },
  {
    name: 'an id that is used twice, and odd ones',
    sends: ['twice', 'twice', null, 1.5, ''].map((id) => rpc({ id, method: 'no/such' })),
    answers: ['twice -32601', 'twice -32601', 'null -32601', '1.5 -32601', ' -32601'],
  },
  {
    name: 'responses to what was not asked, and such that are none',
    sends: [
      rpc({ id: 'nobody', result: {} }),
      rpc({ id: 'nobody', error: { code: 1, message: 'no' } }),
      rpc({ id: 'nobody', result: {}, error: {} }),
      rpc({ result: {} }),
      { error: {} },
    ],
    answers: [],
  },
  { name: 'a line of 64 MB', sends: [`"${'x'.repeat(64_000_000)}"`], answers: [noId(-32700)] },
];
