import { expect, it } from 'vitest';
import { parseTape } from '../../packages/testing/src/tape/tape.ts';
import { tapeOfRecords } from '../../turnwire/src/cli/tape-of-records.ts';
import { startMock } from '../../packages/testing/src/index.ts';
import { askSse } from '../bridge/harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from '../bridge/raw-upstream.ts';
import { inspect, page, rowOnce, TOKEN } from './reading.ts';

it('an exchange becomes a tape of its server, whole and without secrets', async () => {
  await using upstream = await startRawUpstream();
  const options = { inspect: { page, token: TOKEN, toTape: tapeOfRecords }, apiKey: () => 'KEY-OF-THE-UPSTREAM' };
  await using bridge = await startBridge([upstream], { ...options, requestMaxRetries: 1 });
  const asked = askSse(bridge, { input: 'hi' }, { authorization: 'Bearer CALLERS-SECRET' });
  (await upstream.next()).res.writeHead(503, { 'content-type': 'text/plain' }).end('not yet');
  const { res } = await upstream.next();
  res.writeHead(200, { 'content-type': 'text/event-stream', 'x-echo': 'KEY-OF-THE-UPSTREAM' });
  res.end(chatChunk('Hello') + chatEnd);
  await asked;
  const { row } = await rowOnce(bridge, ({ state }) => state === 'completed');
  const text = await (await inspect(bridge, `api/exchanges/${row.id}/tape`)).text();
  expect(text).not.toMatch(/KEY-OF|CALLERS-SECRET/);
  const { exchange, problems } = parseTape('one', text);
  expect(problems).toEqual([]);
  expect(exchange?.request).toMatchObject({ method: 'POST', target: '/v1/chat/completions' });
  expect(exchange?.request.at).toBe(new Date(row.startedAt).toISOString());
  expect(JSON.parse(Buffer.from(exchange?.request.body ?? []).toString())).toMatchObject({
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
  });
  expect(exchange?.response).toMatchObject({ status: 200, reason: 'OK' });
  expect(Buffer.concat((exchange?.chunks ?? []).map(({ data }) => data)).toString()).toBe(chatChunk('Hello') + chatEnd);
  expect(exchange?.end.how).toBe('complete');
});

it.each([
  [[], 'complete', 0],
  [['finish-then-hold'], 'client-left', 0],
  [['done-then-hold'], 'client-left', 90],
  [['cut-after:2'], 'cut', 0],
])('its tape holds where the server did, and ends as its body did: %j', async (faults, how, leastMs) => {
  await using mock = await startMock({ wire: 'chat', faults });
  await using bridge = await startBridge([mock], { inspect: { page, token: TOKEN, toTape: tapeOfRecords } });
  await askSse(bridge, { input: 'hi' });
  const { row } = await rowOnce(bridge, ({ endedAt }) => endedAt !== undefined);
  // The end of a body may come behind that of the exchange; usage that comes late is waited for longer than that.
  const endOfTape = async () => {
    const { exchange } = parseTape('one', await (await inspect(bridge, `api/exchanges/${row.id}/tape`)).text());
    if (exchange === undefined) throw new Error('there is no tape');
    return [exchange.end.how, exchange.end.ms - (exchange.chunks.at(-1)?.ms ?? 0) >= leastMs];
  };
  await expect.poll(endOfTape, { timeout: 5000 }).toEqual([how, true]);
});
