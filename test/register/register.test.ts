import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sourceFlags, sourceUrl } from '../../scripts/packages.ts';
import { startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { chat, messages, responses } from '../../packages/wire/src/fetch/index.ts';
import type { ProtocolId } from '../../packages/wire/src/index.ts';
import { Ledger, type Ending, type HostReport } from '../../packages/wire/src/register/ledger.ts';
import { Watch } from '../../packages/wire/src/register/watch.ts';
import { chatBody, chunk } from '../wire/helpers.ts';
import { manualClock, type ManualClock } from '../transport/support/manual-clock.ts';

vi.setConfig({ testTimeout: 30_000 });

const register = sourceUrl('turnwire/register')!;
const app = join(import.meta.dirname, 'app.mjs');
const asks: Readonly<Record<ProtocolId, { readonly path: string; readonly body: object }>> = {
  chat: { path: '/chat/completions', body: { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] } },
  responses: { path: '/responses', body: { model: 'm', stream: true, input: 'hi' } },
  messages: {
    path: '/messages',
    body: { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'hi' }] },
  },
};
const folder = mkdtempSync(join(tmpdir(), 'turnwire-register-'));
let good: MockServer;
let held: MockServer;
let nameless: MockServer;
beforeAll(async () => {
  good = await startMock();
  held = await startMock({ faults: ['finish-then-hold'] });
  nameless = await startMock({ faults: ['no-finish-done', 'crlf'] });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  for (const mock of [good, held, nameless]) await mock.close();
});

interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, until?: string): Promise<Ran> {
  const child = spawn(process.execPath, [...sourceFlags, '--import', register, app, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 25_000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
    if (until !== undefined && stdout.includes(until)) child.kill('SIGINT');
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

const hello = '"This is a scripted answer: no model was asked. You said: hi"\n';
const originOf = ({ baseUrl }: MockServer): string => new URL(baseUrl).origin;
const ended = (ending: Ending): HostReport => ({ requests: 1, endings: { [ending]: 1 }, repairs: {} });

it('heals what the app asks, and says at its end what that was', async () => {
  expect(await run(['return', good.baseUrl, held.baseUrl, nameless.baseUrl])).toEqual({
    code: 0,
    signal: null,
    stdout: hello.repeat(3),
    stderr: [
      'turnwire healed the answers of models:',
      `  ${originOf(good)}: 1 request`,
      '    1 x finished: ended as they should',
      `  ${originOf(held)}: 1 request`,
      '    1 x held_open: were held open after the answer had finished: whoever reads to the end waits',
      `  ${originOf(nameless)}: 1 request`,
      '    1 x finished: ended as they should',
      '    1 x no_finish_reason: the sentinel came without a finish_reason',
      '',
    ].join('\n'),
  });
});

it('says with TURNWIRE_HEAL=0 that the app would have hung, and lets it hang', async () => {
  expect(await run(['wait', held.baseUrl], { TURNWIRE_HEAL: '0', TURNWIRE_REPORT: '-' }, 'WAITING')).toEqual({
    code: null,
    signal: 'SIGINT',
    stdout: `WAITING\n${JSON.stringify({ healed: false, hosts: { [originOf(held)]: ended('held_open') } })}\n`,
    stderr: '',
  });
});

it('heals the fetch of the package undici, too', async () => {
  const { stdout, stderr } = await run(['undici', held.baseUrl], { TURNWIRE_REPORT: '-' });
  expect(stdout).toBe(`${hello}${JSON.stringify({ healed: true, hosts: { [originOf(held)]: ended('held_open') } })}\n`);
  expect(stderr).toBe('');
});

it('changes nothing of an app that asks no model, and says nothing', async () => {
  expect(await run(['exit'])).toEqual({ code: 3, signal: null, stdout: '', stderr: '' });
});

it.each([
  ['process.exit', 'exit', { code: 3, signal: null }],
  ['an error that nobody caught', 'throw', { code: 1, signal: null }],
  ['a signal', 'signal', { code: null, signal: 'SIGTERM' }],
  ['a signal that the app listens to', 'own-signal', { code: 0, signal: null }],
])('reports to a file after %s, and the process ends as ever', async (_name, how, end) => {
  const file = join(folder, `${how}-%p.json`);
  const { code, signal, stdout } = await run([how, good.baseUrl], { TURNWIRE_REPORT: file });
  expect({ code, signal }).toEqual(end);
  expect(stdout).toBe(how === 'own-signal' ? `${hello}the app ends by itself\n` : hello);
  const [name = ''] = readdirSync(folder).filter((each) => each.startsWith(`${how}-`));
  expect(name).toMatch(/-\d+\.json$/);
  expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toEqual({
    healed: true,
    hosts: { [originOf(good)]: ended('finished') },
  });
});

it('says on stderr what it could not write', async () => {
  const { code, stderr } = await run(['return', good.baseUrl], { TURNWIRE_REPORT: join(folder, 'no', 'such') });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^turnwire: the report could not be written: Error: ENOENT.*\nturnwire healed/);
  expect(stderr).toContain(`  ${originOf(good)}: 1 request\n    1 x finished`);
});

describe('how an answer ended', () => {
  async function endingOf(
    wire: ProtocolId,
    fault: string | undefined,
    read: (response: Response, stop: AbortController, now: ManualClock) => Promise<unknown>,
  ): Promise<readonly Ending[]> {
    await using mock = await startMock({ faults: fault === undefined ? [] : [fault] });
    const clock = manualClock();
    const ledger = new Ledger();
    const watch = new Watch([chat, responses, messages], ledger, clock);
    const stop = new AbortController();
    const init = { method: 'POST', body: JSON.stringify(asks[wire].body), signal: stop.signal };
    try {
      await read(await watch.over(globalThis.fetch)(mock.baseUrl + asks[wire].path, init), stop, clock);
    } catch {
      // The app's own affair.
    }
    watch.end();
    return Object.keys(ledger.report(false).hosts[originOf(mock)]?.endings ?? {}) as Ending[];
  }

  const toEnd = (response: Response): Promise<string> => response.text();

  it.each<[Ending, ProtocolId, string | undefined]>([
    ['finished', 'chat', undefined],
    ['finished', 'responses', undefined],
    ['finished', 'messages', undefined],
    ['finished', 'chat', 'length'],
    ['cut', 'chat', 'cut-after:2'],
    ['cut', 'responses', 'reset-after:2'],
    ['cut', 'messages', 'cut-after:2'],
    ['failed', 'chat', 'error-mid-stream'],
    ['refused', 'responses', 'status:503'],
    ['refused', 'chat', 'html-200'],
    ['unreachable', 'chat', 'refuse-connection'],
  ])('%s: %s with %s', async (ending, wire, fault) => {
    expect(await endingOf(wire, fault, toEnd)).toEqual([ending]);
  });

  it('held open, where healing lets go of it; finished, if its end only came late to a busy process', async () => {
    const endings = async (isClosed: boolean) => {
      let body: ReadableStreamDefaultController<Uint8Array> | undefined;
      const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) });
      const clock = manualClock();
      const ledger = new Ledger();
      const below = () => Promise.resolve(new Response(stream, { headers: { 'content-type': 'text/event-stream' } }));
      const ask = new Watch([chat], ledger, clock).over(below);
      const { path, body: question } = asks.chat;
      const response = await ask(`http://model.test${path}`, { method: 'POST', body: JSON.stringify(question) });
      const reader = response.body!.getReader();
      body?.enqueue(new TextEncoder().encode(chatBody(chunk({ content: 'Hi' }), chunk({}, 'stop'))));
      await reader.read();
      void reader.read();
      await new Promise(setImmediate);
      clock.advance(100);
      await reader.cancel();
      if (isClosed) body?.close();
      await new Promise(setImmediate);
      clock.advance(10);
      return ledger.report(true).hosts['http://model.test']?.endings;
    };
    expect(await endings(false)).toEqual({ held_open: 1 });
    expect(await endings(true)).toEqual({ finished: 1 });
  });

  it('silent, or left by the app, by how long nothing came', async () => {
    const after = (ms: number) => async (response: Response, _stop: AbortController, clock: ManualClock) => {
      const reader = response.body!.getReader();
      await reader.read();
      void reader.read().catch(() => undefined);
      await new Promise(setImmediate);
      clock.advance(ms);
      await reader.cancel();
    };
    expect(await endingOf('chat', 'stall-after:1', after(10_000))).toEqual(['silent']);
    expect(await endingOf('chat', 'stall-after:1', after(9_000))).toEqual(['left']);
  });

  it('left, where the app aborts', async () => {
    const abort = (response: Response, stop: AbortController) => {
      const whole = response.text();
      stop.abort();
      return whole;
    };
    expect(await endingOf('chat', 'stall-after:1', abort)).toEqual(['left']);
  });

  it('finished, where the app leaves at the sentinel of a connection that stays open', async () => {
    const untilDone = async (response: Response) => {
      const text = new TextDecoder();
      for await (const bytes of response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
        if (text.decode(bytes).includes('[DONE]')) break;
    };
    expect(await endingOf('chat', 'done-then-hold', untilDone)).toEqual(['finished']);
  });
});
