import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { newRecord, Recorder } from '../../packages/testing/src/server/recorder.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';

const mock = await startMock({ scenario: 'text' });
afterAll(() => mock.close());
beforeEach(() => mock.reset());

interface Told {
  readonly status: number;
  readonly body: unknown;
}

async function tell(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Told> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(mock.url + path, { method, headers, ...(body === undefined ? {} : { body: text }) });
  return { status: response.status, body: await response.json() };
}

const refused = (message: string, status = 400): Told => ({ status, body: { error: { message } } });

/** Asks the model; the status, and the text of the answer. */
async function ask(content = 'hi', { base = mock.url, wire = 'chat/completions', headers = {} } = {}) {
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], input: content, max_tokens: 9 });
  const response = await fetch(`${base}/v1/${wire}`, { method: 'POST', body, headers });
  const answer = (await response.json()) as { choices?: { message: { content: string } }[] };
  return [response.status, answer.choices?.[0]?.message.content];
}

const says = (text: string, more: object = {}): object => ({ turns: [{ replies: [{ text }] }], ...more });

describe('POST /__scenario', () => {
  it('takes what a scenario file has, in JSON or TOML, and forgets what arrived before', async () => {
    await ask();
    expect(await tell('POST', '/__scenario', says('From JSON.'))).toEqual({
      status: 200,
      body: { ok: true, turns: 1 },
    });
    expect(mock.requests).toEqual([]);
    expect(await ask()).toEqual([200, 'From JSON.']);
    const toml = '[[turns]]\n[[turns.replies]]\ntext = "From TOML."\n';
    await tell('POST', '/__scenario', toml, { 'content-type': 'application/toml' });
    expect(await ask()).toEqual([200, 'From TOML.']);
  });

  it.each([
    [
      '{"turns": [\n  {"replies": oops}]}',
      'scenario: not valid JSON: line 2, column 15: invalid symbol, found "oops}]}"',
    ],
    ['{"turns": [', 'scenario: not valid JSON: line 1, column 12: close bracket expected, found the end'],
    ['', 'scenario: not valid JSON: line 1, column 1: value expected, found the end'],
    [says('x', { expects: [] }), 'scenario: unknown key "expects": did you mean expect?'],
    [
      { turns: [{ replies: [{ text: 'x', faults: ['finish-then-hol'] }] }] },
      'scenario: unknown fault "finish-then-hol": did you mean finish-then-hold?',
    ],
  ])('refuses %j, and keeps the one before', async (body, message) => {
    await tell('POST', '/__scenario', says('Before.'));
    expect(await tell('POST', '/__scenario', body)).toEqual(refused(message));
    expect(await ask()).toEqual([200, 'Before.']);
  });

  it('refuses more than 4 MiB', async () => {
    const body = says('x'.repeat(4 * 1024 * 1024));
    expect(await tell('POST', '/__scenario', body)).toEqual(refused('the body has more than 4194304 bytes', 413));
  });
});

describe('POST /__faults', () => {
  const statuses = async (wires: readonly string[]): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for (const wire of wires) seen.push((await ask('hi', { wire }))[0]);
    return seen;
  };

  it('shows them until there are others', async () => {
    expect(await tell('POST', '/__faults', { faults: ['status:503'] })).toEqual({
      status: 200,
      body: { ok: true, faults: ['status:503'] },
    });
    expect(await statuses(['chat/completions', 'responses', 'messages'])).toEqual([503, 503, 503]);
    await tell('POST', '/__faults', { faults: [] });
    expect(await statuses(['chat/completions'])).toEqual([200]);
  });

  it('shows one on a wire alone, for so many requests', async () => {
    await tell('POST', '/__faults', { faults: [{ fault: 'status:503', wire: 'messages', requests: 2 }] });
    const wires = ['messages', 'chat/completions', 'messages', 'messages'];
    expect(await statuses(wires)).toEqual([503, 200, 503, 200]);
  });

  it('counts the handshakes that a fault of WebSockets refuses', async () => {
    await tell('POST', '/__faults', { faults: [{ fault: 'ws-status:403', requests: 1 }] });
    const open = (): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${mock.url.replace('http', 'ws')}/v1/responses`);
        socket.onopen = () => {
          resolve('open');
          socket.close();
        };
        socket.onerror = () => resolve('refused');
      });
    expect([await open(), await open()]).toEqual(['refused', 'open']);
  });

  it.each([
    [{ faults: ['stal-after:3'] }, 'unknown fault "stal-after": did you mean stall-after?'],
    [{ faults: ['status:x'] }, 'fault status needs a whole number, e.g. status:3'],
    [{ faults: [{ fault: 'ws-426', wire: 'chat' }] }, 'fault ws-426 exists on: websocket; not on chat'],
    [{ fault: ['crlf'] }, /unknown key "fault": did you mean faults\?/],
    [{ faults: [{ fault: 'crlf', times: 2 }] }, /faults\[0\]: unknown key "times"/],
    [['crlf'], 'faults: must be an object such as {"faults": ["finish-then-hold"]}'],
  ])('refuses %j, and keeps those before', async (body, message) => {
    await tell('POST', '/__faults', { faults: ['status:503'] });
    const wanted: unknown = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(await tell('POST', '/__faults', body)).toEqual({ status: 400, body: { error: { message: wanted } } });
    expect(await statuses(['chat/completions'])).toEqual([503]);
  });
});

describe('POST /__reset', () => {
  it('is the start again: scenario, faults, expectations, and no request', async () => {
    await using own = await startMock({ scenario: 'text', faults: ['status:503:1'], expect: 1 });
    const base = own.url;
    const first = [await ask('hi', { base }), await ask('hi', { base })];
    await own.setScenario({ turns: [{ replies: [{ parts: [{ type: 'text', text: 'Other.' }] }] }], expect: [] });
    own.setFaults([]);
    own.expect({ match: { user: 'nobody' } });
    expect(await (await fetch(`${own.url}/__reset`, { method: 'POST' })).json()).toEqual({ ok: true });
    expect(own.requests).toEqual([]);
    expect(own.verdict().checks.map(({ name }) => name)).toEqual(['1 request']);
    expect([await ask('hi', { base }), await ask('hi', { base })]).toEqual(first);
    expect(first.map(([status]) => status)).toEqual([503, 200]);
    own.reset();
    own.expect(0);
  });
});

describe('GET /__verdict', () => {
  const expected = says('Yes.', {
    expect: [
      {
        name: 'the question',
        path: '/v1/chat/completions',
        headers: { authorization: { present: true }, 'X-Team': 'blue', 'x-odd': { present: false } },
        body: {
          model: { regex: '^M$', flags: 'i' },
          'messages.-1.content': { contains: 'weather' },
          'messages.0': { equals: { role: 'user', content: 'the weather' } },
          max_tokens: 9,
          temperature: null,
        },
      },
      { body: { 'messages.0.content': 'thanks' } },
    ],
  });

  it('names request, field, wanted and got, in JSON with status 417', async () => {
    await tell('POST', '/__scenario', expected);
    await ask('the rain', { headers: { 'x-team': 'red', 'x-odd': 'sk-proj-abcdefghijklmnopqrstuvwx' } });
    const { status, body } = await tell('GET', '/__verdict');
    const problem = (field: string, wanted: string, got: string): object => ({
      message: `request 1 (the question): ${field}: expected ${wanted}, got ${got}`,
      request: 1,
      field,
      wanted,
      got,
    });
    expect([status, body]).toEqual([
      417,
      {
        passed: false,
        checks: [
          {
            name: 'the question',
            problems: [
              problem('headers.authorization', 'any value', 'nothing'),
              problem('headers.x-team', '"blue"', '"red"'),
              problem('headers.x-odd', 'nothing', '"[redacted]"'),
              problem('body.messages.-1.content', 'something with "weather" in it', '"the rain"'),
              problem(
                'body.messages.0',
                '{"role":"user","content":"the weather"}',
                '{"role":"user","content":"the rain"}',
              ),
              problem('body.temperature', 'null', 'nothing'),
            ],
          },
          { name: 'request 2', problems: [{ message: 'request 2 did not come', request: 2 }] },
          { name: 'no other request', problems: [] },
        ],
        requests: [
          '  request 1: POST /v1/chat/completions, answered with a whole body, body ended',
          '  the client never sent request 2',
        ],
      },
    ]);
  });

  it('is JUnit for who asks for it', async () => {
    await tell('POST', '/__scenario', says('Yes.', { expect: [{ name: 'a < b', body: { input: 'x\u0007"' } }] }));
    await ask();
    const message = 'request 1 (a &lt; b): body.input: expected &quot;x\\u0007\\&quot;&quot;, got &quot;hi&quot;';
    const junit = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="turnwire mock">
  <testsuite name="turnwire mock" tests="2" failures="1" errors="0" skipped="0">
    <testcase classname="turnwire mock" name="a &lt; b"><failure message="${message}">${message}</failure></testcase>
    <testcase classname="turnwire mock" name="no other request"/>
    <system-out>  request 1: POST /v1/chat/completions, answered with a whole body, body ended</system-out>
  </testsuite>
</testsuites>
`;
    for (const [query, accept] of [
      ['?format=junit', '*/*'],
      ['', 'application/xml'],
    ]) {
      const response = await fetch(`${mock.url}/__verdict${query}`, { headers: { accept: accept ?? '' } });
      expect([response.status, response.headers.get('content-type')]).toEqual([417, 'application/xml']);
      expect(await response.text()).toBe(junit);
    }
  });

  it('is status 200 when everything came, and counts one request too many', async () => {
    await tell('POST', '/__scenario', says('Yes.', { expect: [{ body: { input: 'hi' } }] }));
    await ask();
    expect(await tell('GET', '/__verdict')).toMatchObject({ status: 200, body: { passed: true } });
    await ask();
    expect((await tell('GET', '/__verdict')).body).toMatchObject({
      passed: false,
      checks: [{}, { name: 'no other request', problems: [{ message: 'expected 1 request, got 2' }] }],
    });
  });

  it.each([
    [
      { headers: { 'x-api-key': 'sesame' } },
      'headers["x-api-key"]: it holds a secret, whose value is not compared: say {"present": true}',
    ],
    [
      { body: { 'metadata.api_key': 'sesame' } },
      'body["metadata.api_key"]: it holds a secret, whose value is not compared: say {"present": true}',
    ],
    [{ body: { model: { regex: '(' } } }, /^expect\[0\]\.body\["model"\]: Invalid regular expression/],
    [{ body: { model: { contain: 'x' } } }, 'body["model"]: unknown "contain": did you mean contains?'],
    [{ body: { model: { contains: 1 } } }, 'body["model"].contains: must be a string'],
    [
      { body: { tool: { a: 1, b: 2 } } },
      'body["tool"]: an object has one of contains, regex, present, equals (an object to be equal to is {"equals": {…}})',
    ],
  ])('does not take %j', async (expectation, message) => {
    const wanted: unknown = typeof message === 'string' ? `expect[0].${message}` : expect.stringMatching(message);
    const told = await tell('POST', '/__scenario', says('x', { expect: [expectation] }));
    expect(told).toEqual({ status: 400, body: { error: { message: wanted } } });
  });
});

describe('GET /__requests', () => {
  it('shows what arrived without its keys', async () => {
    await ask('hi', { headers: { authorization: 'Bearer sesame' } });
    const { body } = await tell('GET', '/__requests');
    expect(body).toMatchObject({ count: 1, requests: [{ n: 1, headers: { authorization: 'Bearer [redacted]' } }] });
  });

  it('keeps 64 Mi characters of bodies, and the newest whatever its length', () => {
    const recorder = new Recorder(10_000);
    const kept = (mebi: number): readonly number[] => {
      const fields = { method: 'POST', path: '/', query: '', headers: {}, transport: 'http', body: undefined } as const;
      const text = 'x'.repeat(mebi * 1024 * 1024);
      recorder.add(newRecord({ ...fields, n: recorder.next(), text, view: undefined }, systemClock, 0));
      return recorder.requests.map(({ n }) => n);
    };
    expect([kept(30), kept(30), kept(30), kept(70), kept(1), kept(1)]).toEqual([[1], [1, 2], [2, 3], [4], [5], [5, 6]]);
    recorder.clear();
    expect([kept(60), kept(4)]).toEqual([[1], [1, 2]]);
  });
});

it.each([
  ['GET', '/__verdicts', 'no route GET /__verdicts: did you mean GET /__verdict?'],
  ['GET', '/__reset', 'no route GET /__reset: did you mean POST /__reset?'],
])('%s %s is no route', async (method, path, message) => {
  expect(await tell(method, path)).toEqual(refused(message, 404));
});

describe('/__test/NAME', () => {
  it('is a mock of its own for each of several tests', async () => {
    const names = ['gw0', 'gw1'];
    const bases = names.map((name) => `${mock.url}/__test/${name}`);
    for (const [i, name] of names.entries()) {
      await tell('POST', `/__test/${name}/__scenario`, says(`I am ${name}.`, { expect: [{ body: { input: name } }] }));
      if (i === 0) await tell('POST', `/__test/${name}/__faults`, { faults: ['status:503@2'] });
    }
    const answers = await Promise.all(bases.map((base, i) => ask(names[i] ?? '', { base })));
    expect(answers).toEqual([
      [200, 'I am gw0.'],
      [200, 'I am gw1.'],
    ]);
    for (const name of names) expect((await tell('GET', `/__test/${name}/__verdict`)).status).toBe(200);
    expect([
      (await ask('again', { base: bases[0] ?? '' }))[0],
      (await ask('again', { base: bases[1] ?? '' }))[0],
    ]).toEqual([503, 200]);
    expect(mock.requests).toEqual([]);
    expect(mock.test('gw0')).toMatchObject({ url: bases[0], requests: [{ path: '/v1/chat/completions' }, {}] });
    await tell('POST', '/__test/gw0/__reset');
    expect([mock.test('gw0').requests.length, mock.test('gw1').requests.length]).toEqual([0, 2]);
    expect(await ask('hi', { base: bases[0] ?? '' })).toEqual([200, (await ask())[1]]);
  });

  it('has WebSockets of its own', async () => {
    await tell('POST', '/__test/ws/__scenario', says('On a socket.'));
    const socket = new WebSocket(`${mock.test('ws').baseUrl.replace('http', 'ws')}/responses`);
    const said = await new Promise<string>((resolve) => {
      socket.onopen = () => socket.send('{"type":"response.create","model":"m","input":"hi"}');
      socket.onmessage = ({ data }) => {
        const event = JSON.parse(String(data)) as { type: string; text?: string };
        if (event.type === 'response.output_text.done') resolve(event.text ?? '');
      };
    });
    socket.close();
    expect([said, mock.test('ws').requests.map(({ transport }) => transport), mock.requests]).toEqual([
      'On a socket.',
      ['websocket'],
      [],
    ]);
  });

  it('is verified with the server that has it', async () => {
    const own = await startMock();
    own.test('one').expect(1);
    await expect(own[Symbol.asyncDispose]()).rejects.toThrow('expected 1 request, got 0');
  });

  it('has a name without anything odd, and there are not more of them than 1000', async () => {
    expect(() => mock.test('a/b')).toThrow('"a/b" is no name for a test: letters, digits, ".", "_" and "-"');
    await using own = await startMock();
    for (let n = 0; n < 1000; n++) own.test(`t${n}`);
    expect(() => own.test('one-more')).toThrow('this mock has 1000 tests already');
    expect((await fetch(`${own.url}/__test/one-more/__requests`)).status).toBe(404);
    expect((await fetch(`${own.url}/__test/t1/__requests`)).status).toBe(200);
  });
});

describe('who may ask', () => {
  it('sends the token, as any client sends its key; /health is open', async () => {
    await using own = await startMock({ scenario: 'text', authToken: 'sesame' });
    const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(own.url + path, { headers })).status;
    expect(await status('/__requests')).toBe(401);
    expect(await status('/v1/models', { authorization: 'Bearer other' })).toBe(401);
    expect(await status('/__requests', { authorization: 'Bearer sesame' })).toBe(200);
    expect(await status('/v1/models', { 'x-api-key': 'sesame' })).toBe(200);
    expect(await status('/health')).toBe(200);
    const socket = new WebSocket(`${own.url.replace('http', 'ws')}/v1/responses`);
    expect(await new Promise((resolve) => (socket.onerror = () => resolve('refused')))).toBe('refused');
  });

  it('is nobody beyond loopback without a token, unless that is wanted', async () => {
    await expect(startMock({ host: '0.0.0.0' })).rejects.toThrow(
      'listening on 0.0.0.0 lets others in: only with --insecure, or for a mock with a token (--auth-token-env)',
    );
    await using open = await startMock({ host: '0.0.0.0', insecure: true });
    await using closed = await startMock({ host: '0.0.0.0', authToken: 'sesame' });
    expect((await fetch(`http://127.0.0.1:${open.port}/__requests`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${closed.port}/__requests`)).status).toBe(401);
  });
});

it('the functions in a program refuse what the routes refuse', async () => {
  expect(() => mock.setFaults(['crlff'])).toThrow('unknown fault "crlff": did you mean crlf?');
  await expect(mock.setScenario('weathr')).rejects.toThrow('unknown scenario "weathr"');
  expect(() => mock.expectRequests([{ headers: { cookie: 'a' } }])).toThrow('it holds a secret');
  mock.expectRequests([{ body: { model: /^M$/gi } }, { body: { model: /^M$/gi } }]);
  await ask();
  await ask();
  mock.verify();
});
