import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DoctorUsageError, examine, formatReport } from '../../turnwire/src/doctor/index.ts';
import { startMock } from '../../packages/testing/src/index.ts';
import { deadUrl } from '../free-port.ts';
import { protocolIds } from '../../packages/wire/src/index.ts';

describe('a clean server', () => {
  it('has no finding, on any wire, in over fifty probes', async () => {
    await using mock = await startMock();
    const report = await examine({ url: mock.url, timeoutMs: 30_000, holdMs: 3000 });
    expect(report.findings).toEqual([]);
    expect(report.probes.map(({ wire, name, verdict }) => ({ wire, name, verdict }))).toEqual(
      report.probes.map(({ wire, name }) => ({ wire, name, verdict: 'ok' })),
    );
    expect(report.probes.length).toBeGreaterThan(50);
    expect(new Set(report.probes.map(({ wire }) => wire))).toEqual(
      new Set(['server', 'chat', 'responses', 'websocket', 'messages']),
    );
    expect(report).toMatchObject({ url: mock.baseUrl, model: 'scripted', broken: 0 });
  });

  it('with a steady pace has none either', async () => {
    await using mock = await startMock({ paceMs: 1 });
    const { findings } = await examine({ url: mock.baseUrl, timeoutMs: 30_000, holdMs: 3000 });
    expect(findings).toEqual([]);
  });

  it.each(protocolIds)('of the %s wire alone is not blamed for the others', async (own) => {
    await using mock = await startMock({ wire: own });
    const { findings, probes } = await examine({ url: mock.url, timeoutMs: 30_000, holdMs: 3000 });
    expect(findings).toEqual([]);
    const others = probes.filter(({ name, wire }) => name === 'answer' && wire !== own);
    expect(others.map(({ verdict, seen }) => [verdict, seen])).toEqual(
      others.map(() => ['skipped', 'this wire is not served']),
    );
    expect(others).toHaveLength(protocolIds.length - 1);
  });

  it('is blamed for a wire that was asked for and is not there', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const { findings } = await examine({ url: mock.url, wires: ['responses'], timeoutMs: 1000, holdMs: 100 });
    expect(findings.map(({ quirk, level }) => [quirk, level])).toEqual([['status', 'broken']]);
  });
});

describe('the examination', () => {
  it('ends in bounded time when nothing ever answers', async () => {
    await using server = await listen(() => undefined);
    const start = performance.now();
    const report = await examine({ url: server.url, timeoutMs: 150, holdMs: 100 });
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(report.broken).toBeGreaterThan(0);
    expect(report.findings.map(({ quirk }) => quirk)).toContain('no-answer');
  });

  it('says in which way a server that is not there fails', async () => {
    const { findings, broken } = await examine({ url: await deadUrl(), timeoutMs: 300, holdMs: 100 });
    expect(broken).toBeGreaterThan(0);
    expect(findings.find(({ quirk }) => quirk === 'refuse-connection')?.seen).toBe('ECONNREFUSED');
  });

  it.each([
    ['wants a key', 401],
    ['knows nobody', 403],
  ])('blames a server that %s for that alone', async (_name, status) => {
    await using server = await listen((_req, res) => {
      res.writeHead(status, { 'content-type': 'application/json' }).end('{"error":{"message":"no key"}}');
    });
    const { findings, probes } = await examine({ url: server.url, timeoutMs: 1000, holdMs: 100 });
    expect(findings.map(({ quirk, wire }) => `${wire} ${quirk}`)).toEqual([
      'chat unauthorized',
      'responses unauthorized',
      'messages unauthorized',
    ]);
    expect(probes.filter(({ verdict }) => verdict === 'ok').map(({ name }) => name)).toEqual(['keep-alive']);
  });

  it('finds nothing in order that it could not see', async () => {
    const { findings, probes } = await examine({ url: await deadUrl(), timeoutMs: 300, holdMs: 100 });
    expect(new Set(findings.map(({ quirk }) => quirk))).toEqual(new Set(['refuse-connection']));
    expect(probes.filter(({ verdict }) => verdict === 'ok')).toEqual([]);
  });

  it('does not take a list that hangs for a connection that is not kept', async () => {
    await using server = await listen((_req, res) => res.writeHead(200).flushHeaders());
    const { findings } = await examine({ url: server.url, timeoutMs: 150, holdMs: 100 });
    expect(findings.map(({ quirk }) => quirk)).not.toContain('no-keep-alive');
  });

  it('ends early when it is interrupted', async () => {
    await using mock = await startMock({ faults: ['drip:50'] });
    const stop = new AbortController();
    const { probes } = await examine({
      url: mock.url,
      signal: stop.signal,
      onProbe: ({ name }) => {
        if (name === 'keep-alive') setImmediate(() => stop.abort());
      },
    });
    expect(probes.filter(({ seen }) => seen === 'interrupted').length).toBeGreaterThan(20);
  });

  it('sees a server that goes on for a client that has left', async () => {
    let busy = Promise.resolve();
    await using server = await listen((req, res) => {
      // One place, which a client that leaves does not free.
      busy = busy.then(async () => await answer(req, res, 2500));
    });
    const { findings } = await examine({ url: server.url, wires: ['chat'], timeoutMs: 6000, holdMs: 100 });
    expect(findings.map(({ quirk }) => quirk)).toContain('cancel-ignored');
  }, 60_000);

  it('sees buffers, connections that are not kept, and lists that are missing', async () => {
    await using server = await listen((_req, res) => {
      res.writeHead(404, { connection: 'close', 'content-type': 'text/html' }).end('<html>no</html>');
    });
    const { findings } = await examine({ url: server.url, timeoutMs: 1000, holdMs: 100 });
    expect(findings.map(({ quirk }) => quirk)).toEqual(
      expect.arrayContaining(['models-missing', 'no-keep-alive', 'unknown-path-shape', 'status']),
    );
  });

  it('takes an address only when it is one', async () => {
    await expect(examine({ url: 'ftp://localhost:1' })).rejects.toThrow(DoctorUsageError);
    await expect(examine({ url: 'http://user:secret@127.0.0.1:1' })).rejects.toThrow(/password/);
  });

  it('tells who stumbles on the wire of the finding', async () => {
    await using mock = await startMock({ faults: ['finish-then-hold', 'no-event-lines'] });
    const { findings } = await examine({ url: mock.url, timeoutMs: 1000, holdMs: 300 });
    const of = (quirk: string, wire: string) =>
      findings.find((finding) => finding.quirk === quirk && finding.wire === wire);
    expect(of('finish-then-hold', 'chat')).toMatchObject({
      right: 'after the finish the body has to end',
      stumbles: expect.arrayContaining(['openai 7.55: hangs']) as string[],
    });
    expect(of('finish-then-hold', 'messages')).toMatchObject({
      right: 'after message_stop the body has to end',
      stumbles: [
        'Claude Code 2.1: waits 300 s',
        '@anthropic-ai/sdk 1.11: waits for ever',
        'AI SDK 7: waits for ever',
        'pi-ai 0.74: waits for ever',
        'opencode: waits',
      ],
    });
    // Codex and the openai package read events without names; these clients do not.
    expect([of('no-event-lines', 'responses')?.level, of('no-event-lines', 'messages')?.level]).toEqual([
      'odd',
      'broken',
    ]);
  });

  it('sends each wire the headers that its servers want, and the key as they know it', async () => {
    await using mock = await startMock();
    await examine({ url: mock.url, apiKey: 'k-1', timeoutMs: 30_000, holdMs: 100 });
    const seen = mock.requests.map(({ path, headers }) =>
      [path, headers.authorization, headers['x-api-key'], headers['anthropic-version']].join(' '),
    );
    expect(new Set(seen)).toEqual(
      new Set(['/v1/chat/completions Bearer k-1  ', '/v1/responses Bearer k-1  ', '/v1/messages  k-1 2023-06-01']),
    );
  });

  it('is told as a table: what was seen, what is right, who stumbles, what helps', async () => {
    await using mock = await startMock({ faults: ['finish-then-hold'] });
    const report = await examine({ url: mock.url, wires: ['chat'], timeoutMs: 1000, holdMs: 300 });
    const text = formatReport(report);
    expect(text).toMatch(/BROKEN {2}end/);
    expect(text).toMatch(/BROKEN finish-then-hold: over after \d+ ms, then held open 300 ms/);
    expect(text).toMatch(/stumbles {2}openai 7\.55: hangs; AI SDK 7: hangs/);
    expect(text).toContain('usage_grace_ms');
    expect(text).toMatch(/server {4}end the body right after the last event/);
    expect(text).toMatch(
      /23 checks: 22 pass, 1 fault, 0 model did not do it, 0 not offered, 0 not run; 1 broken, 1 odd\n$/,
    );
  });
});

/** A chat server that takes `storyMs` for a long answer, whoever listens. */
async function answer(req: IncomingMessage, res: ServerResponse, storyMs: number): Promise<void> {
  let body = '';
  req.on('data', (chunk: Buffer) => (body += chunk.toString()));
  await new Promise((resolve) => req.once('end', resolve));
  if (req.method === 'GET') {
    res.end('{"data":[{"id":"m"}]}');
    return;
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunk = (fields: string): string => `data: {"id":"c","choices":[{"index":0,${fields}}]}\n\n`;
  res.write(chunk('"delta":{"content":"Hello"},"finish_reason":null'));
  if (body.includes('story')) await new Promise((resolve) => setTimeout(resolve, storyMs));
  res.end(`${chunk('"delta":{},"finish_reason":"stop"')}data: [DONE]\n\n`);
}

async function listen(
  handler: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
