import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino, type Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { startMock } from '../../packages/testing/src/index.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { askChat, askSse, post, startRig } from './harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream, type RawExchange } from './raw-upstream.ts';

const healthy = { wire: 'chat', scenario: 'text' } as const;

/** What is wrong with the first of two servers before the first event, by the mock's names. */
const early = [
  'status:401',
  'status:402',
  'status:403',
  'status:404',
  'status:408',
  'status:429',
  'status:500',
  'status:502',
  'status:503',
  'status:529',
  'html-200',
  'empty-stream',
  'refuse-connection',
  'reset-after:0',
  'cut-after:0',
  'stall-after:0',
  'retry-after:30:99',
];

describe.each(['translate', 'passthrough'] as const)('bridge: one bad upstream of two, %s', (mode) => {
  const options = { wire: 'chat', mode } as const;
  /** A short bound only where it is waited for: on a busy machine it would take a healthy server for silent. */
  const limitsOf = (fault: string) => ({ ...options, firstEventTimeoutMs: fault.startsWith('stall') ? 1500 : 60_000 });

  it.each(early)('loses no turn to %s, one after another, and leaves the server alone', async (fault) => {
    await using rig = await startRig([{ ...healthy, faults: [fault] }, healthy], limitsOf(fault));
    for (let round = 0; round < 6; round++) {
      const end = await askChat(rig.bridge, {});
      expect([round, end.how]).toEqual([round, 'stop']);
    }
    const [bad, good] = rig.mocks;
    expect(good?.requests).toHaveLength(6);
    expect(bad?.requests.length).toBeLessThan(5);
  });

  it.each(early)('loses no turn to %s, sixty at short distances', async (fault) => {
    await using rig = await startRig([{ ...healthy, faults: [fault] }, healthy], limitsOf(fault));
    expect(await sixty(rig.bridge)).toEqual({ stop: 60 });
  });

  it.each(['cut-after:3', 'error-mid-stream', 'no-finish-close'])(
    'counts what fails in the middle against its server: %s',
    async (fault) => {
      const clock = manualClock();
      await using rig = await startRig([{ ...healthy, faults: [fault] }, healthy], { ...options, clock });
      const ends: string[] = [];
      for (let round = 0; round < 8; round++) {
        const end = await askChat(rig.bridge, {}).catch(() => ({ how: 'cut' }));
        ends.push(end.how);
      }
      // None, where the failure came in one piece with what was still held back.
      expect(ends.filter((how) => how !== 'stop').length).toBeLessThan(2);
      expect(rig.mocks[0]?.requests).toHaveLength(1);
    },
  );

  it('asks another server when one says in its stream that it cannot, right behind its first event', async () => {
    await using one = await startRawUpstream();
    await using two = await startRawUpstream();
    await using bridge = await startBridge([one, two], { ...options, wire: 'responses' });
    const answer = askSse(bridge, { input: 'hi' });
    const [first, other] = await firstOf(one, two);
    first.res.writeHead(200, sse).write(created);
    first.res.end(failed('rate_limit_exceeded'));
    answerWell((await other).res);
    const end = await answer;
    expect([end.how, end.text]).toEqual(['completed', 'Hello']);
    expect(end.events.filter(({ type }) => type === 'response.created')).toHaveLength(1);
  });

  it('tells the best of the errors when all are down, at once, and asks each once', async () => {
    const bad = (fault: string) => ({ ...healthy, faults: [fault] });
    await using rig = await startRig([bad('status:401'), bad('retry-after:7:99'), bad('status:500')], {
      ...options,
      requestMaxRetries: 4,
    });
    const response = await post(rig.bridge, '/v1/chat/completions', chatRequest);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
    expect(rig.mocks.map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
    // All rest now: they are asked all the same, since nobody else is there.
    expect((await post(rig.bridge, '/v1/chat/completions', chatRequest)).status).toBe(429);
    expect(rig.mocks.map(({ requests }) => requests.length)).toEqual([2, 2, 2]);
  });

  it('tells a bad request at once: no other server would like it better', async () => {
    await using rig = await startRig([{ ...healthy, faults: ['status:400'] }, healthy], options);
    const statuses = new Set<string>();
    for (let round = 0; round < 4; round++) statuses.add((await askChat(rig.bridge, {})).how);
    expect(statuses).toEqual(new Set(['http:400', 'stop']));
    expect(rig.mocks.map(({ requests }) => requests.length)).toEqual([2, 2]);
  });

  it('lets one turn probe a server that has rested', async () => {
    const clock = manualClock();
    await using one = await startRawUpstream();
    await using two = await startRawUpstream();
    await using bridge = await startBridge([one, two], { ...options, clock });
    const first = askChat(bridge, {});
    const [bad, other] = await firstOf(one, two);
    const [resting, working] = bad.req.headers.host === new URL(one.url).host ? [one, two] : [two, one];
    bad.res.writeHead(500).end('{}');
    answerChat(await other);
    expect((await first).how).toBe('stop');
    clock.advance(999);
    const early = [askChat(bridge, {}), askChat(bridge, {})];
    answerChat(await working.next());
    answerChat(await working.next());
    await Promise.all(early);
    clock.advance(1);
    const later = [1, 2, 3, 4].map(() => askChat(bridge, {}));
    const probe = await resting.next();
    for (const exchange of [await working.next(), await working.next(), await working.next()]) answerChat(exchange);
    expect(resting.open).toBe(1);
    answerChat(probe);
    expect((await Promise.all(later)).map(({ how }) => how)).toEqual(Array(4).fill('stop'));
    const again = [askChat(bridge, {}), askChat(bridge, {})];
    answerChat(await resting.next());
    answerChat(await working.next());
    await Promise.all(again);
  });

  it('repeats what fails in the stream of the only server before anything was put out', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { ...options, wire: 'responses', requestMaxRetries: 2 });
    const answer = askSse(bridge, { input: 'hi' });
    for (const code of ['server_error', 'rate_limit_exceeded']) {
      const { res } = await upstream.next();
      res.writeHead(200, sse).write(created);
      res.end(failed(code));
    }
    answerWell((await upstream.next()).res);
    const end = await answer;
    expect([end.how, end.text, end.violations]).toEqual(['completed', 'Hello', []]);
  });

  it('waits for the only server, however long its first event takes', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { ...options, firstEventTimeoutMs: 20 });
    const answer = askChat(bridge, {});
    const { res } = await upstream.next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    res.writeHead(200, sse).end(chatChunk('late') + chatEnd);
    expect(await answer).toEqual({ how: 'stop', text: 'late' });
  });
});

describe('bridge: a model that a server lacks', () => {
  it('is asked for elsewhere, and the server goes on with its own', async () => {
    await using lacking = await startServer((model) => (model === 'big' ? 404 : 200));
    await using whole = await startServer(() => 200);
    await using bridge = await startBridge([lacking, whole], {});
    for (let round = 0; round < 6; round++) expect((await askChat(bridge, { model: 'big' })).how).toBe('stop');
    expect(lacking.asked.filter((model) => model === 'big')).toHaveLength(1);
    for (let round = 0; round < 6; round++) expect((await askChat(bridge, { model: 'small' })).how).toBe('stop');
    expect(lacking.asked.filter((model) => model === 'small')).toHaveLength(3);
  });
});

describe('bridge: the state of its upstreams', () => {
  it('is told under /metrics and in the log, without what the address hides', async () => {
    const clock = manualClock();
    const { logger, lines } = keptLog();
    await using bad = await startMock({ ...healthy, faults: ['status:500:1'] });
    await using good = await startMock(healthy);
    const upstreams = [{ url: `${bad.baseUrl}?api-version=secret-1` }, { url: good.baseUrl }];
    await using bridge = await startBridge(upstreams, { clock, logger });
    await askChat(bridge, {});
    await askChat(bridge, {});
    const text = await metrics(bridge);
    expect(text).toContain(`turnwire_upstream_state{upstream="${bad.baseUrl}",state="resting"} 1`);
    expect(text).toContain(`turnwire_upstream_state{upstream="${good.baseUrl}",state="ready"} 1`);
    expect(text).toContain(`turnwire_upstream_rest_seconds{upstream="${bad.baseUrl}"} 1`);
    expect(text).toContain(`turnwire_upstream_failures_total{upstream="${bad.baseUrl}",kind="server_error"} 1`);
    expect(text).toContain(`turnwire_upstream_streams_open{upstream="${good.baseUrl}"} 0`);
    clock.advance(1000);
    await askChat(bridge, {});
    await askChat(bridge, {});
    expect(await metrics(bridge)).toContain(`turnwire_upstream_state{upstream="${bad.baseUrl}",state="ready"} 1`);
    const told = lines.map(({ msg }) => msg).filter((msg) => msg.startsWith('upstream '));
    expect(told).toEqual([
      `upstream ${bad.baseUrl} rests 1 s after a failure: 500 server_error`,
      `upstream ${bad.baseUrl} is back after 1 s`,
    ]);
    expect(JSON.stringify(lines) + text).not.toContain('secret-1');
  });
});

const sse = { 'content-type': 'text/event-stream' };
const chatRequest = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] };

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const created = event('response.created', {
  sequence_number: 0,
  response: { id: 'resp_1', object: 'response', status: 'in_progress', output: [] },
});

function failed(code: string): string {
  const error = { code, message: 'not now: try again in 20ms' };
  return event('response.failed', { sequence_number: 1, response: { id: 'resp_1', status: 'failed', error } });
}

/** A Responses answer that says Hello. */
function answerWell(res: RawExchange['res']): void {
  const at = { output_index: 0, item_id: 'msg_1', content_index: 0 };
  const part = { type: 'output_text', text: 'Hello', annotations: [] };
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
  const added = { ...item, status: 'in_progress', content: [] };
  const response = { id: 'resp_1', object: 'response', status: 'completed', output: [item] };
  const events: [string, object][] = [
    ['response.in_progress', { response: { ...response, status: 'in_progress', output: [] } }],
    ['response.output_item.added', { output_index: 0, item: added }],
    ['response.content_part.added', { ...at, part: { ...part, text: '' } }],
    ['response.output_text.delta', { ...at, delta: 'Hello' }],
    ['response.output_text.done', { ...at, text: 'Hello' }],
    ['response.content_part.done', { ...at, part }],
    ['response.output_item.done', { output_index: 0, item }],
    ['response.completed', { response }],
  ];
  const texts = events.map(([type, fields], place) => event(type, { sequence_number: place + 1, ...fields }));
  res.writeHead(200, sse).end(created + texts.join(''));
}

function answerChat({ res }: RawExchange): void {
  res.writeHead(200, sse).end(chatChunk('x') + chatEnd);
}

interface Raw {
  next(): Promise<RawExchange>;
}

/** The exchange that came first, and the one that the other server will have. */
async function firstOf(one: Raw, two: Raw): Promise<[RawExchange, Promise<RawExchange>]> {
  const both = [one.next(), two.next()] as const;
  const place = await Promise.race(both.map((exchange, at) => exchange.then(() => at)));
  return place === 0 ? [await both[0], both[1]] : [await both[1], both[0]];
}

/** How sixty turns end that begin at short distances. */
async function sixty(bridge: Bridge): Promise<Record<string, number>> {
  const turns: Promise<string>[] = [];
  for (let turn = 0; turn < 60; turn++) {
    turns.push(askChat(bridge, {}).then(({ how }) => how));
    if (turn % 5 === 4) await Promise.race([turns[turn], new Promise((resolve) => setTimeout(resolve, 10))]);
  }
  const counts: Record<string, number> = {};
  for (const how of await Promise.all(turns)) counts[how] = (counts[how] ?? 0) + 1;
  return counts;
}

/** A chat server that answers by the model it is asked for, and has no list of them. */
async function startServer(statusOf: (model: string) => number) {
  const asked: string[] = [];
  const server: Server = createServer((req, res) => {
    void (async () => {
      let text = '';
      for await (const chunk of req) text += String(chunk);
      if (req.method === 'GET') {
        res.writeHead(404).end();
        return;
      }
      const { model } = JSON.parse(text) as { model: string };
      asked.push(model);
      const status = statusOf(model);
      if (status === 200) res.writeHead(200, sse).end(chatChunk('x') + chatEnd);
      else res.writeHead(status).end(JSON.stringify({ error: { message: 'no such model', code: 'model_not_found' } }));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function metrics(bridge: Bridge): Promise<string> {
  return (await fetch(`${bridge.url}/metrics`)).text();
}

function keptLog(): { logger: Logger; lines: { msg: string }[] } {
  const lines: { msg: string }[] = [];
  return { lines, logger: pino({}, { write: (line: string) => lines.push(JSON.parse(line) as { msg: string }) }) };
}
