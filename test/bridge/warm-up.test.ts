import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { Server, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { createBridge, type BridgeOptions } from '../../packages/bridge/src/index.ts';
import { settingsOf } from '../../packages/bridge/src/options.ts';
import { warmUp } from '../../packages/bridge/src/warm-up.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import { startInProcess } from '../cli/harness.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import type { Json } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-warm-up-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const upstreams = ['http://127.0.0.1:1/v1'];

/** A logger, and what it is told, which `onLine` hears as it comes. */
function collecting(onLine: (line: Json) => void = () => undefined): {
  readonly logger: Logger;
  readonly lines: Json[];
} {
  const lines: Json[] = [];
  const write = (text: string): void => {
    const line = JSON.parse(text) as Json;
    lines.push(line);
    onLine(line);
  };
  return { logger: pino({ base: null }, { write }), lines };
}

describe('the warm-up', () => {
  it.each([
    ['translate', 'auto', ['chat_sse', 'messages_sse', 'responses_sse']],
    ['translate', 'chat', ['chat_sse', 'messages_sse', 'responses_sse']],
    ['translate', 'responses', ['chat_sse', 'messages_sse', 'responses_sse']],
    ['translate', 'messages', ['chat_sse', 'messages_sse', 'responses_sse']],
    ['final-only', 'chat', ['chat_sse', 'messages_sse', 'responses_sse']],
    ['passthrough', 'responses', ['passthrough']],
  ] as const)('answers clients of every wire, whole: %s, %s', async (mode, wire, routes) => {
    const clock = manualClock();
    const missing = new Set<unknown>(routes);
    const { logger, lines } = collecting((line) => {
      if (line.outcome === 'completed') missing.delete(line.route);
      if (missing.size === 0) clock.advance(50);
    });
    const serve = (options: BridgeOptions) => createBridge({ ...options, logger });
    await warmUp(settingsOf({ upstreams, wire, mode, warmUpMs: 50, clock }), serve);
    const whole = lines.filter(({ outcome }) => outcome === 'completed');
    expect([...new Set(whole.map(({ route }) => route))].sort()).toEqual(routes);
    // What the end of the warm-up cut is told by the bridge of its own alone.
    const others = lines.filter(({ outcome, msg }) => outcome !== 'completed' && msg === 'response');
    expect(others.filter(({ error }) => error !== 'the bridge is shutting down')).toEqual([]);
  });

  it('lasts as long as it was told, whatever its answers do', async () => {
    const clock = manualClock();
    const asked = Promise.withResolvers<undefined>();
    const { logger } = collecting();
    const serve = (options: BridgeOptions) => {
      const bridge = createBridge({ ...options, upstreams: ['http://127.0.0.1:1/v1'], requestMaxRetries: 0, logger });
      return {
        ...{ port: 0, listen: () => bridge.listen(), close: () => bridge.close() },
        get port() {
          asked.resolve(undefined);
          return bridge.port;
        },
      };
    };
    let isOver = false;
    const over = warmUp(settingsOf({ upstreams, warmUpMs: 200, clock }), serve).then(() => (isOver = true));
    await asked.promise;
    clock.advance(199);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    clock.advance(1);
    await over;
    expect(clock.pending).toBe(0);
  });

  it('is seen by nobody: no server, log, trace, metric or row', async () => {
    const requests: unknown[] = [];
    const upstream = createServer((request, response) => {
      requests.push(request.url);
      response.end('{}');
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const { logger, lines } = collecting();
    const own = { traceDir: join(folder, 'traces'), inspect: { page: [] } };
    const bridge = createBridge({ upstreams: [url], wire: 'chat', port: 0, warmUpMs: 100, logger, ...own });
    const began = systemClock.now();
    await bridge.listen();
    expect(systemClock.now() - began).toBeGreaterThanOrEqual(99);
    const told = async (path: string): Promise<string> => await (await fetch(`${bridge.url}${path}`)).text();
    expect(await told('/metrics')).not.toMatch(/^turnwire_requests_total\{/m);
    expect(JSON.parse(await told('/exchanges'))).toMatchObject({ rows: [] });
    expect(readdirSync(own.traceDir)).toEqual([]);
    expect(lines).toEqual([]);
    expect(requests).toEqual([]);
    await bridge.close();
    upstream.close();
  });

  it('is done without where it fails, and the log says so', async () => {
    const { logger, lines } = collecting();
    vi.spyOn(Server.prototype, 'listen').mockImplementationOnce(() => {
      throw new Error('no loopback');
    });
    await using bridge = createBridge({ upstreams, port: 0, warmUpMs: 10, logger });
    await bridge.listen();
    expect((await fetch(`${bridge.url}/health`)).status).toBe(200);
    expect(lines).toMatchObject([
      { level: 40, error: 'no loopback', msg: expect.stringContaining('warmed up') as string },
    ]);
  });

  it('is what the command does before it listens, for as long as --warm-up says', async () => {
    const timed = async (...flags: string[]): Promise<number> => {
      const began = systemClock.now();
      const place = ['--upstream', 'http://127.0.0.1:1', '--wire', 'chat', '--port', '0'];
      const command = startInProcess(['bridge', ...place, ...flags]);
      await command.until(/OPENAI_BASE_URL/);
      const ms = systemClock.now() - began;
      command.signal('SIGTERM');
      expect((await command.result).code).toBe(0);
      return ms;
    };
    expect(await timed('--warm-up', '400')).toBeGreaterThanOrEqual(399);
  });
});
