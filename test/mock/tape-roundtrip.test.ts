import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readTape, recordTo, replayTape, startMock } from '../../packages/testing/src/index.ts';
import { deadUrl } from '../free-port.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import {
  chatBody,
  eventsOf,
  hear,
  messagesBody,
  responsesBody,
  tapeFolder,
  textOf,
  type Ask,
  type Heard,
} from './tape-support.ts';

/** Asks the mock through a recorder, and the replay of that recording the same. */
async function bothWays(faults: readonly string[], path: string, ask: Ask): Promise<{ live: Heard; again: Heard }> {
  using folder = tapeFolder();
  await using mock = await startMock({ faults });
  const recorder = await recordTo(folder.path, { upstream: mock.url });
  const live = await hear(`${recorder.baseUrl}${path}`, ask);
  await recorder.close();
  await using replay = await replayTape(folder.path, { speed: 'max' });
  expect(replay.problems).toEqual([]);
  return { live, again: await hear(`${replay.baseUrl}${path}`, ask) };
}

const sayings = 'Grüße aus Zürich 🌍';

describe('a recording replayed', () => {
  it.each([
    ['chat', '/chat/completions', chatBody(sayings), []],
    ['chat', '/chat/completions', chatBody(sayings), ['drip:2']],
    ['chat', '/chat/completions', chatBody(sayings), ['one-byte-chunks']],
    ['chat', '/chat/completions', chatBody(sayings), ['split-utf8']],
    ['chat', '/chat/completions', chatBody(sayings), ['invalid-utf8', 'bom', 'crlf']],
    ['chat', '/chat/completions', chatBody(sayings), ['gzip']],
    ['chat', '/chat/completions', chatBody(sayings), ['reset-after:3']],
    ['chat', '/chat/completions', chatBody(sayings), ['cut-after:3']],
    ['chat', '/chat/completions', chatBody(sayings), ['giant-event:20000']],
    ['responses', '/responses', responsesBody(sayings), []],
    ['responses', '/responses', responsesBody(sayings), ['drip:2', 'comments']],
    ['responses', '/responses', responsesBody(sayings), ['reset-after:4']],
    ['responses', '/responses', responsesBody(sayings), ['status:503']],
    ['messages', '/messages', messagesBody(sayings), []],
    ['messages', '/messages?beta=true', messagesBody(sayings), ['drip:2', 'comments']],
    ['messages', '/messages', messagesBody(sayings), ['split-utf8', 'crlf']],
    ['messages', '/messages', messagesBody(sayings, { stream: false }), []],
    ['messages', '/messages', messagesBody('/think Hm.\n/say Hi.'), ['one-byte-chunks']],
    ['messages', '/messages', messagesBody(sayings), ['gzip']],
    ['messages', '/messages', messagesBody(sayings), ['reset-after:6']],
    ['messages', '/messages', messagesBody(sayings), ['error-mid-stream']],
    ['messages', '/messages', messagesBody(sayings), ['status:529']],
    ['messages', '/messages/count_tokens', messagesBody(sayings), []],
  ] as const)('has the same bytes, chunks, end and events: %s %s %#', async (wire, path, body, faults) => {
    const { live, again } = await bothWays(faults, path, { body });
    expect(live.chunks.length).toBeGreaterThan(0);
    expect(again.chunks.map((chunk) => chunk.toString('latin1'))).toEqual(
      live.chunks.map((chunk) => chunk.toString('latin1')),
    );
    expect({ status: again.status, how: again.how }).toEqual({ status: live.status, how: live.how });
    expect(withoutConnection(again.headers)).toEqual(withoutConnection(live.headers));
    expect(eventsOf(wire, again)).toEqual(eventsOf(wire, live));
  });

  it('answers each turn of a conversation, and what a client asks beside it, in the form of the Messages wire', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ wire: 'messages', scenario: 'tool-call' });
    const recorder = await recordTo(folder.path, { upstream: mock.url });
    const call = { type: 'tool_use', id: 'call_mock_1_1', name: 'read_file', input: {} };
    const turns = [
      messagesBody('read it'),
      messagesBody('', {
        messages: [
          { role: 'user', content: 'read it' },
          { role: 'assistant', content: [call] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'notes' }] },
        ],
      }),
    ];
    const headers = { 'anthropic-version': '2023-06-01' };
    const askAll = async (baseUrl: string): Promise<string[]> => {
      const heard = [await hear(`${baseUrl}/models`, { method: 'GET', headers })];
      for (const body of turns) heard.push(await hear(`${baseUrl}/messages`, { body, headers }));
      return heard.map(({ chunks }) => textOf(chunks));
    };
    const live = await askAll(recorder.baseUrl);
    await recorder.close();
    await using replay = await replayTape(folder.path, { speed: 'max' });
    expect(await askAll(replay.baseUrl)).toEqual(live);
    expect(live.map((text) => /"has_more"|"tool_use"|"text_delta"/.exec(text)?.[0])).toEqual([
      '"has_more"',
      '"tool_use"',
      '"text_delta"',
    ]);
    expect(replay.unplayed).toEqual([]);
  });

  it('has the same bytes where an event is larger than one read of a socket', async () => {
    const { live, again } = await bothWays(['giant-event:300000'], '/chat/completions', { body: chatBody('hi') });
    expect(Buffer.concat(again.chunks).equals(Buffer.concat(live.chunks))).toBe(true);
  });

  it.each([
    ['reset-after:3', 'reset'],
    ['cut-after:3', 'cut'],
    ['no-finish-close', 'complete'],
    ['refuse-connection', 'failed'],
  ])('tells %s as %s on the tape', async (fault, how) => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: [fault] });
    await using recorder = await recordTo(folder.path, { upstream: mock.url });
    await hear(`${recorder.baseUrl}/chat/completions`, { body: chatBody('hi') });
    expect((await readTape(folder.path)).exchanges[0]?.end.how).toBe(how);
  });

  it('keeps an answer that was finished and held open when its client left', async () => {
    const finished = (text: string): boolean => text.includes('"finish_reason":"stop"');
    const ask = { body: chatBody('hi'), leaveWhen: finished };
    const { live, again } = await bothWays(['finish-then-hold'], '/chat/completions', ask);
    expect([live.how, again.how]).toEqual(['left', 'left']);
    expect(textOf(again.chunks)).toBe(textOf(live.chunks));
  });

  it('drops the connection where the upstream did, before any answer', async () => {
    const { live, again } = await bothWays(['refuse-connection'], '/chat/completions', { body: chatBody('hi') });
    expect([live.how, again.how]).toEqual(['refused', 'refused']);
  });

  it('takes its time as it was, and in proportion', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: ['drip:20'] });
    await using recorder = await recordTo(folder.path, { upstream: mock.url });
    const live = await hear(`${recorder.baseUrl}/chat/completions`, { body: chatBody('a b c d e') });
    for (const [speed, factor] of [
      [1, 1],
      [4, 0.25],
    ] as const) {
      const clock = manualClock();
      await using replay = await replayTape(folder.path, { speed, clock });
      const hearing = hear(`${replay.baseUrl}/chat/completions`, { body: chatBody('a b c d e') });
      const isOver = hearing.then(() => true);
      // A millisecond at a time, so that no chunk comes later than it is due.
      while (!(await Promise.race([isOver, turn(false)]))) if (clock.pending > 0) clock.advance(1);
      expect(textOf((await hearing).chunks)).toBe(textOf(live.chunks));
      const [exchange] = (await readTape(folder.path)).exchanges;
      expect(clock.now()).toBe(Math.ceil((exchange?.end.ms ?? 0) * factor));
    }
  });
});

describe('the recorder', () => {
  it('cancels the upstream when its client leaves, and says so on the tape', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: ['drip:5'] });
    await using recorder = await recordTo(folder.path, { upstream: mock.url });
    const body = chatBody('word '.repeat(2000));
    await hear(`${recorder.baseUrl}/chat/completions`, { body, leaveWhen: (text) => text.includes('scripted') });
    await expect.poll(() => mock.requests[0]?.answer.phase).toBe('left');
    const { exchanges } = await readTape(folder.path);
    expect(exchanges[0]?.end.how).toBe('client-left');
  });

  it('reads its upstream no faster than its client takes it', async () => {
    using folder = tapeFolder();
    let sent = 0;
    let blocked: ServerResponse | undefined;
    const upstream = createServer((_req, res) => {
      res.writeHead(200);
      blocked = res;
      const piece = Buffer.alloc(256 * 1024, 'x');
      const more = (): void => {
        while (sent < 400) {
          sent++;
          if (!res.write(piece)) return void res.once('drain', more);
        }
      };
      more();
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as AddressInfo;
    await using recorder = await recordTo(folder.path, { upstream: `http://127.0.0.1:${port}` });
    const response = await new Promise<IncomingMessage>((resolve) => {
      get(`${recorder.url}/x`, { agent: false }, resolve);
    });
    response.pause();
    let before = -1;
    // Until nothing more is taken in half a second.
    await expect
      .poll(() => [sent > 0 && sent === before, (before = sent)][0], { interval: 500, timeout: 10_000 })
      .toBe(true);
    expect(blocked?.writableNeedDrain).toBe(true);
    expect(sent).toBeLessThan(200); // of 100 MiB, no more than the buffers of two sockets were taken
    response.destroy();
    upstream.closeAllConnections();
    upstream.close();
  });

  it('numbers on from the tapes that are there', async () => {
    using folder = tapeFolder();
    await using mock = await startMock();
    for (let run = 0; run < 2; run++) {
      await using recorder = await recordTo(folder.path, { upstream: `${mock.url}/v1` });
      await hear(`${recorder.baseUrl}/models`, { method: 'GET' });
    }
    expect(folder.tapes().map(({ name }) => name)).toEqual([
      '0001-get-v1-models.tape.jsonl',
      '0002-get-v1-models.tape.jsonl',
    ]);
  });

  it('tells an upstream that is not there, and drops the client', async () => {
    using folder = tapeFolder();
    const problems: string[] = [];
    await using recorder = await recordTo(folder.path, {
      upstream: new URL(await deadUrl()).origin,
      onProblem: (message) => problems.push(message),
    });
    expect((await hear(`${recorder.baseUrl}/models`, { method: 'GET' })).how).toBe('refused');
    expect(problems).toEqual(['0001-get-v1-models.tape.jsonl: no answer from the upstream: ECONNREFUSED']);
    expect((await readTape(folder.path)).exchanges[0]?.end).toMatchObject({ how: 'failed', error: 'ECONNREFUSED' });
  });
});

function withoutConnection(headers: Heard['headers']): Heard['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(connection|keep-alive)$/.test(name)));
}
