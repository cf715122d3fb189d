import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExchangeRecord, ExchangeRow, ListMessage } from '../../packages/bridge/src/inspect/api.ts';
import { Inspector } from '../../packages/bridge/src/inspect/inspector.ts';
import { readTrace } from '../../packages/bridge/src/inspect/trace-reader.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import { recordTo } from '../../packages/testing/src/index.ts';
import { PastServer } from '../../turnwire/src/cli/past/past-server.ts';
import { findPast, PastSource } from '../../turnwire/src/cli/past/past-source.ts';
import { tapeOfRecords } from '../../turnwire/src/cli/tape-of-records.ts';
import { askSse, post } from '../bridge/harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from '../bridge/raw-upstream.ts';
import { inspect, page, recordsOf, rowOnce, rowsOf, TOKEN } from './reading.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-past-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const SSE = { 'content-type': 'text/event-stream' };

/** The page of what these files hold, once all of them are read. */
async function showing(...names: readonly string[]) {
  const problems: string[] = [];
  const source = new PastSource((await findPast(names, 100)).paths, (_file, problem) => problems.push(problem));
  await source.load(new AbortController().signal);
  const server = new PastServer(
    new Inspector({ source, page, token: TOKEN, clock: systemClock, toTape: tapeOfRecords }),
  );
  await server.listen(0);
  return { url: server.url, problems, [Symbol.asyncDispose]: () => server.close() };
}

/** What two records of the same thing have in common, whoever wrote it down. */
function essence(records: readonly ExchangeRecord[]): readonly unknown[] {
  return records.flatMap((record): readonly unknown[] => {
    if (record.kind === 'chunk') return record.text === '' ? [] : [{ kind: 'chunk', text: record.text }];
    return record.kind === 'usage' ? [] : [{ ...record, t: 0 }];
  });
}

const factsOf = ({
  client,
  route,
  wire,
  upstreamWire,
  model,
  upstream,
  attempts,
  state,
  status,
  deltas,
  repairs,
}: ExchangeRow) => ({
  ...{ client, route, wire, upstreamWire, model, upstream, attempts, state, status, deltas, repairs },
});

describe('a trace of the past', () => {
  it('shows what the inspector showed while it ran', async () => {
    const traceDir = join(folder, 'same');
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], {
      traceDir,
      inspect: { page, token: TOKEN },
      requestMaxRetries: 1,
    });
    const asked = askSse(bridge, { input: 'hi' }, { 'user-agent': 'curl/8.5.0' });
    (await upstream.next()).res.writeHead(503, { 'content-type': 'text/plain' }).end('not yet');
    const { res } = await upstream.next();
    res.writeHead(200, SSE).write(chatChunk('Hel'));
    await rowOnce(bridge, ({ deltas }) => deltas === 1);
    res.end(`${chatChunk('lo')}data: {"junk\n\n${chatEnd}`);
    await asked;
    const { row } = await rowOnce(bridge, ({ state }) => state === 'completed');
    const path = join(traceDir, `${row.id}.jsonl`);
    await expect.poll(() => readFileSync(path, 'utf8')).toContain('"outcome"');
    await using past = await showing(traceDir);
    const [shown] = await rowsOf(past);
    expect(past.problems).toEqual([]);
    expect(shown?.id).toBe(row.id);
    expect([row.setback, shown?.setback]).toMatchObject(Array(2).fill({ failures: 1, failure: '503' }));
    expect(shown === undefined ? undefined : factsOf(shown)).toEqual(factsOf(row));
    const before = essence((await recordsOf(bridge, row.id)).records);
    expect(essence((await recordsOf(past, row.id)).records)).toEqual(before);
  });

  it('that is cut or broken is shown as far as it goes, and told', async () => {
    const traceDir = join(folder, 'cut');
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { traceDir, mode: 'passthrough' });
    const asked = post(bridge, '/v1/chat/completions', { model: 'm', messages: [], stream: true });
    const { res } = await upstream.next();
    res.writeHead(200, SSE).end(chatChunk('Hello') + chatEnd);
    await (await asked).text();
    const [name = ''] = readdirSync(traceDir);
    const read = (): string => readFileSync(join(traceDir, name), 'utf8');
    await expect.poll(read).toContain('"outcome"');
    const lines = read().trimEnd().split('\n');
    writeFileSync(join(traceDir, 'noend.jsonl'), `${lines.slice(0, -1).join('\n')}\n`);
    const answered = lines.findIndex((line) => line.includes('Hello')) + 1;
    const torn = `${lines.slice(0, answered).join('\n')}\n{"ms":12,"recei`;
    writeFileSync(join(traceDir, 'torn.jsonl'), torn);
    writeFileSync(join(traceDir, 'other.jsonl'), '{"a":1}\n');
    writeFileSync(join(traceDir, 'empty.jsonl'), '');
    await using past = await showing(traceDir);
    expect(past.problems.toSorted()).toEqual([
      'it has no end: its bridge was stopped, or still writes it',
      'it is no trace: its first line is no request',
      'it is no trace: its first line is no request',
      `line ${answered + 1} is no whole line of a trace`,
    ]);
    const rows = await rowsOf(past);
    const states = rows.map(({ id, state, deltas }) => `${id} ${state} ${deltas}`).toSorted();
    expect(states).toEqual(['noend failed 1', `${name.slice(0, -6)} completed 1`, 'torn failed 1'].toSorted());
  });

  it('tells the wire of a server by its answer, where older ones do not name it', () => {
    const lines = [
      {
        at: '2026-11-20T23:53:01.250Z',
        method: 'POST',
        url: '/v1/responses',
        headers: {},
        body: {},
        route: 'responses_sse',
      },
      { ms: 1, attempt: 1, upstream: 'a' },
      { ms: 2, upstream: 'a', status: 200, headers: {} },
      { ms: 3, received: 'event: message_start\ndata: {"type":"message_start"}\n\n' },
      { ms: 4, outcome: 'completed', total_ms: 4, input_tokens: 3, output_tokens: 5 },
    ];
    const { exchange, problem } = readTrace('one', lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(problem).toBeUndefined();
    expect(exchange?.startedAt).toBe(Date.parse('2026-11-20T23:53:01.250Z'));
    expect(exchange?.entries[2]).toMatchObject({ kind: 'head', head: { wire: 'messages' } });
  });
});

describe('a tape of the past', () => {
  it('is shown with its times', async () => {
    const tapes = join(folder, 'tapes');
    await using upstream = await startRawUpstream();
    {
      await using recorder = await recordTo(tapes, { upstream: upstream.url });
      const asked = post({ url: recorder.url }, '/v1/chat/completions', { model: 'tiny', messages: [], stream: true });
      const { res } = await upstream.next();
      res.writeHead(200, SSE).end(chatChunk('Hello') + chatEnd);
      await (await asked).text();
    }
    await using past = await showing(tapes);
    const [row] = await rowsOf(past);
    expect(row).toMatchObject({
      state: 'completed',
      wire: 'chat',
      upstreamWire: 'chat',
      model: 'tiny',
      deltas: 1,
      status: 200,
    });
    const { records } = await recordsOf(past, String(row?.id));
    expect(records.map(({ kind }) => kind)).toEqual(['request', 'attempt', 'head', 'chunk', 'events', 'body', 'end']);
    expect(past.problems).toEqual([]);
  });
});

describe('the server of the past', () => {
  it('is for who has the link, and shows nothing else', async () => {
    writeFileSync(join(folder, 'nothing.jsonl'), '');
    await using past = await showing(join(folder, 'nothing.jsonl'));
    expect((await fetch(`${past.url}/inspect/api/exchanges?once=1`)).status).toBe(401);
    const listed = (await (await inspect(past, 'api/exchanges?once=1')).json()) as ListMessage;
    expect(listed.rows).toEqual([]);
    expect((await fetch(`${past.url}/v1/models`)).status).toBe(404);
    expect((await fetch(`${past.url}/inspect/`, { method: 'POST' })).status).toBe(405);
    const foreign = await inspect(past, '', { origin: 'https://evil.example', authorization: `Bearer ${TOKEN}` });
    expect(foreign.status).toBe(403);
  });

  it('says what is not there', async () => {
    await expect(findPast([join(folder, 'none')], 10)).rejects.toThrow(/cannot read .*none: no such file/);
    await expect(findPast([mkdtempSync(join(folder, 'empty-'))], 10)).rejects.toThrow(/no trace and no tape in/);
  });
});
