import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { listFaults, scenario, startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { createResponsesFrameDecoder } from '../../packages/wire/src/index.ts';
import { collect, nothing, type Outcome } from './outcome.ts';

type Message = Record<string, unknown> & { type: string };

/** A socket of the mock, with what it sent. */
class Client {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  readonly binaries: boolean[] = [];
  pings = 0;
  closed: number | undefined;

  constructor(server: MockServer) {
    this.socket = new WebSocket(`${server.baseUrl.replace('http', 'ws')}/responses`);
    this.socket.on('message', (data: Buffer, isBinary) => {
      this.messages.push(JSON.parse(data.toString('utf8')) as Message);
      this.binaries.push(isBinary);
    });
    this.socket.on('ping', () => this.pings++);
    this.socket.on('close', (code) => (this.closed = code));
    this.socket.on('error', () => undefined);
  }

  async request(body: object): Promise<Message[]> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    const from = this.messages.length;
    this.socket.send(JSON.stringify({ type: 'response.create', model: 'm', ...body }));
    while (!this.messages.slice(from).some(isEnd) && this.closed === undefined) await this.#change();
    return this.messages.slice(from);
  }

  close(): void {
    this.socket.terminate();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.socket.off('message', done).off('close', done);
        resolve();
      };
      this.socket.on('message', done).on('close', done);
    });
  }
}

function isEnd(message: Message): boolean {
  return /^(response\.(completed|failed|incomplete)|error)$/.test(message.type);
}

/** What our frame decoder makes of the messages. */
function decoded(messages: readonly Message[], closed = false): Outcome {
  const decoder = createResponsesFrameDecoder();
  const outcome = nothing();
  const events = messages.flatMap((message) => decoder.pushText(JSON.stringify(message)));
  if (closed) events.push(...decoder.end({ type: 'close' }));
  for (const event of events) collect(outcome, event);
  if (decoder.failure !== undefined) outcome.end = `error:${decoder.failure.kind}`;
  return outcome;
}

const script = scenario().text('Hello there').toolCall('read_file', { a: 1 }).next().text('Done.');
const clean: Outcome = { ...nothing(), text: 'Hello there', calls: ['read_file({"a":1})'], usage: 7 };

describe('the WebSocket of the mock', () => {
  it('answers one request after the other on one socket', async () => {
    await using server = await startMock({ scenario: script });
    const client = new Client(server);
    expect(decoded(await client.request({ input: 'hi' }))).toEqual(clean);
    const output = { type: 'function_call_output', call_id: 'call_mock_1_2', output: 'x' };
    const second = await client.request({ input: [output], previous_response_id: 'resp_mock_1' });
    expect(decoded(second).text).toBe('Done.');
    expect(server.requests.map(({ method, transport }) => [method, transport])).toEqual([
      ['WS', 'websocket'],
      ['WS', 'websocket'],
    ]);
    expect(server.requests[1]!.view).toMatchObject({ rounds: 1, previousResponseId: 'resp_mock_1' });
    client.close();
  });

  it('warms up without generating, and builds on the warm-up', async () => {
    await using server = await startMock({ scenario: scenario().text('ok') });
    const client = new Client(server);
    const warm = await client.request({ input: [], generate: false });
    expect(warm.map(({ type }) => type)).toEqual(['response.created', 'response.completed']);
    const { id } = warm[1]!['response'] as { id: string };
    expect(decoded(await client.request({ input: 'hi', previous_response_id: id })).text).toBe('ok');
    expect(server.requests).toHaveLength(1);
    client.close();
  });

  it('says that it does not have a response, and what it does not understand', async () => {
    await using server = await startMock();
    const client = new Client(server);
    expect(await client.request({ input: 'hi', previous_response_id: 'resp_nope' })).toMatchObject([
      { type: 'error', status: 400, error: { code: 'previous_response_not_found' } },
    ]);
    client.socket.send('{"type":"response.dance"}');
    await once(client.socket, 'message');
    expect(client.messages.at(-1)).toMatchObject({
      type: 'error',
      error: { message: 'expected a response.create message' },
    });
    client.close();
  });

  it('refuses upgrades on the chat wire', async () => {
    await using server = await startMock({ wire: 'chat' });
    expect(await refusal(server)).toBe(404);
  });

  it('tells the state of a held socket', async () => {
    const server = await startMock({ scenario: script, faults: ['stall-after:3'], expect: 2 });
    const client = new Client(server);
    void client.request({ input: 'hi' });
    await server.waitForRequests(1);
    while (client.messages.length < 3) await once(client.socket, 'message');
    expect(() => server.verify()).toThrow(
      /request 1: WS \/v1\/responses, answered with nothing that ends the answer, socket held open/,
    );
    client.close();
    await server.close();
  });
});

async function refusal(server: MockServer): Promise<number | undefined> {
  const client = new Client(server);
  const [, response] = (await once(client.socket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  client.close();
  return response.statusCode;
}

interface Row {
  fault: string;
  messages?: (client: Client) => void;
  ours: Partial<Outcome>;
}

/** A naive client collects the text and ends at `response.completed`; everything else it does not know. */
function naiveOutcome(client: Client): Outcome {
  const outcome = nothing();
  const completed = client.messages.find(({ type }) => type === 'response.completed');
  if (completed === undefined) return { ...outcome, end: 'hang' };
  if (client.binaries.some(Boolean)) return { ...outcome, end: 'error:untyped binary' };
  for (const message of client.messages) {
    if (message.type === 'response.output_text.delta') outcome.text += String(message['delta']);
    const item = message['item'] as Record<string, unknown> | undefined;
    if (message.type === 'response.output_item.done' && item?.['type'] === 'function_call') {
      outcome.calls.push(`${String(item['name'])}(${String(item['arguments'])})`);
    }
  }
  outcome.usage = (completed['response'] as { usage?: { total_tokens: number } }).usage?.total_tokens;
  return outcome;
}

const rows: Row[] = [
  { fault: 'ws-close-after:5', ours: { ...nothing(), end: 'error:stream_truncated', text: 'Hello' } },
  { fault: 'ws-close-clean', ours: { ...nothing(), end: 'error:stream_truncated' } },
  { fault: 'ws-error-frame:nested', ours: { end: 'error:server_error', usage: undefined } },
  { fault: 'ws-error-frame:flat', ours: { end: 'error:server_error', usage: undefined } },
  { fault: 'ws-error-frame:no-status', ours: { end: 'error:server_error', usage: undefined } },
  { fault: 'response-failed:rate_limit_exceeded', ours: { end: 'error:rate_limited', usage: undefined } },
  { fault: 'incomplete', ours: { end: 'error:incomplete', usage: undefined } },
  { fault: 'only-completed', ours: {} },
  { fault: 'final-only', ours: {} },
];

describe('each WebSocket fault', () => {
  it.each(rows)('$fault: a naive client fails, ours does not', async ({ fault, ours }) => {
    await using good = await startMock({ scenario: script });
    await using server = await startMock({ scenario: script, faults: [fault] });
    const [calm, client] = [new Client(good), new Client(server)];
    await Promise.all([calm.request({ input: 'hi' }), client.request({ input: 'hi' })]);
    const expected = { ...clean, ...ours };
    expect(naiveOutcome(calm)).toEqual(clean);
    expect(naiveOutcome(client)).not.toEqual(expected);
    expect(decoded(client.messages, client.closed !== undefined)).toEqual(expected);
    calm.close();
    client.close();
  });

  it.each([
    ['ws-426', 426],
    ['ws-status', 404],
    ['ws-status:501', 501],
  ])('%s refuses the upgrade with %i', async (fault, status) => {
    await using server = await startMock({ faults: [fault] });
    expect(await refusal(server)).toBe(status);
  });

  it('ws-status:503:1 lets the second upgrade through', async () => {
    await using server = await startMock({ faults: ['ws-status:503:1'] });
    expect(await refusal(server)).toBe(503);
    const client = new Client(server);
    expect(decoded(await client.request({ input: 'hi' })).end).toBe('ok');
    client.close();
  });

  it('ws-silent swallows the upgrade', async () => {
    await using server = await startMock({ faults: ['ws-silent'] });
    const socket = new WebSocket(`${server.baseUrl.replace('http', 'ws')}/responses`, { handshakeTimeout: 100 });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('handshake has timed out');
  });

  it('ws-limit ends the first request, the next socket works', async () => {
    await using server = await startMock({ faults: ['ws-limit'] });
    const client = new Client(server);
    expect(await client.request({ input: 'hi' })).toMatchObject([
      { error: { code: 'websocket_connection_limit_reached' } },
    ]);
    expect(decoded(await client.request({ input: 'hi' })).end).toBe('ok');
    client.close();
  });

  it('ws-forgets finds no earlier response', async () => {
    await using server = await startMock({ faults: ['ws-forgets'] });
    const client = new Client(server);
    await client.request({ input: 'hi' });
    const second = await client.request({ input: [], previous_response_id: 'resp_mock_1' });
    expect(second).toMatchObject([{ error: { code: 'previous_response_not_found' } }]);
    client.close();
  });

  it('ws-ping, ws-binary and ws-rate-limits show', async () => {
    await using server = await startMock({
      scenario: script,
      faults: ['ws-ping', 'ws-binary', 'ws-rate-limits', 'turn-state:ts-1'],
    });
    const client = new Client(server);
    const messages = await client.request({ input: 'hi' });
    expect(client.pings).toBeGreaterThan(3);
    expect(client.binaries.every(Boolean)).toBe(true);
    expect(messages.slice(0, 2)).toMatchObject([
      { type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts-1' } },
      { type: 'codex.rate_limits' },
    ]);
    client.close();
  });

  it('has a test', () => {
    const here = rows.map(({ fault }) => fault.split(':')[0]);
    const others = [
      'ws-426',
      'ws-status',
      'ws-silent',
      'ws-limit',
      'ws-forgets',
      'ws-ping',
      'ws-binary',
      'ws-rate-limits',
    ];
    const own = listFaults().filter(({ wires }) => wires.length === 1 && wires[0] === 'websocket');
    expect(own.map(({ name }) => name).filter((name) => !here.includes(name) && !others.includes(name))).toEqual([]);
  });
});
