import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateOrder } from '../../packages/wire/src/responses/validate.ts';
import { runInProcess } from '../cli/harness.ts';
import { startCommand, type Command } from './bridge-process.ts';
import { askJson, post, sseEvents, type Json } from './harness.ts';
import { chatChunk, chatEnd, startRawUpstream, type RawUpstream } from './raw-upstream.ts';

/** A bridge with two workers, and each of these by itself. */
interface Bridge extends AsyncDisposable {
  readonly command: Command;
  readonly upstream: RawUpstream;
  /** Sockets of the workers that have run, the oldest first. */
  workers(): readonly string[];
}

async function startWorkers(args: readonly string[] = [], config = ''): Promise<Bridge> {
  const folder = mkdtempSync(join(tmpdir(), 'tw-'));
  const upstream = await startRawUpstream();
  mkdirSync(join(folder, 'turnwire'));
  writeFileSync(join(folder, 'turnwire', 'config.toml'), config);
  const env = { TMPDIR: folder, XDG_CONFIG_HOME: folder, TOKEN_OF_ALICE: 'alice-token-1' };
  const all = ['--workers', '2', '--upstream', upstream.url, '--wire', 'chat', '--drain-timeout', '5000', ...args];
  const command = await startCommand(all, env);
  return {
    command,
    upstream,
    workers: () => {
      const own = readdirSync(folder).find((name) => name.startsWith('turnwire-workers-')) ?? '';
      return readdirSync(join(folder, own))
        .toSorted()
        .map((name) => join(folder, own, name));
    },
    [Symbol.asyncDispose]: async () => {
      await command.end('SIGKILL');
      await upstream.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Asks one worker. */
async function at(worker: string | undefined, path: string, body?: Json, headers: Record<string, string> = {}) {
  const method = body === undefined ? 'GET' : 'POST';
  const all = { 'content-type': 'application/json', host: 'localhost', ...headers };
  const asked = request({ socketPath: worker, path, method, headers: all, agent: false });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, text: () => text(answer), leave: () => answer.destroy() };
}

async function jsonAt(...asked: Parameters<typeof at>): Promise<{ status: number | undefined; body: Json }> {
  const { status, text: read } = await at(...asked);
  return { status, body: JSON.parse(await read()) as Json };
}

async function answerNext({ upstream }: Bridge, words: string): Promise<string> {
  const { res, body } = await upstream.next();
  res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatChunk(words) + chatEnd);
  return JSON.stringify(body.messages);
}

/** The processes that a process has started. */
function childrenOf(pid: number | undefined): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

async function metricOf(bridge: Bridge, name: string): Promise<number> {
  const page = await (await fetch(`${bridge.command.url}/metrics`, { headers: { connection: 'close' } })).text();
  const line = page.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/**
 * Settles when each worker knows what the other one had told until now: what is asked of all goes the same way, behind it. How many
 * streams are open is told up to 10 ms late, so it is asked once more behind that.
 */
async function exchanged(bridge: Bridge, headers: Record<string, string> = {}): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const worker of bridge.workers()) await (await at(worker, '/metrics', undefined, headers)).text();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const STREAMS = 12;
const ask = { model: 'm', input: 'hi' };

// `/proc` tells which processes are the workers.
describe.skipIf(process.platform !== 'linux')('a bridge with two workers', () => {
  let bridge: Bridge;
  beforeAll(async () => {
    bridge = await startWorkers(['--max-streams', '20']);
  });
  afterAll(() => bridge[Symbol.asyncDispose]());

  it('keeps responses in one place: each finds and continues what the other has answered', async () => {
    const [one, two] = bridge.workers();
    const [first] = await Promise.all([jsonAt(one, '/v1/responses', ask), answerNext(bridge, 'eins')]);
    const { id } = first.body;
    expect(await jsonAt(two, `/v1/responses/${String(id)}`)).toEqual({ status: 200, body: first.body });
    const again = jsonAt(two, '/v1/responses', { ...ask, previous_response_id: id });
    expect(await answerNext(bridge, 'zwei')).toMatch(/hi.*eins.*hi/);
    expect((await again).status).toBe(200);
  });

  it('has one worker hand on what is asked about a response that runs on the other', async () => {
    const [one, two] = bridge.workers();
    const { body: begun } = await jsonAt(one, '/v1/responses', { ...ask, background: true });
    const id = String(begun.id);
    const { res } = await bridge.upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel'));
    const followed = await at(two, `/v1/responses/${id}?stream=true`);
    const early = await jsonAt(two, '/v1/responses', { ...ask, previous_response_id: id });
    expect([early.status, (early.body.error as Json).code]).toEqual([400, 'response_in_progress']);
    expect((await jsonAt(two, `/v1/responses/${id}`)).body.status).toBe('in_progress');
    res.end(chatChunk('lo') + chatEnd);
    const events = sseEvents(await followed.text());
    expect([validateOrder(events), events.at(-1)?.type]).toEqual([[], 'response.completed']);
    const { body: second } = await jsonAt(one, '/v1/responses', { ...ask, background: true });
    const cancelled = await jsonAt(two, `/v1/responses/${String(second.id)}/cancel`, {});
    expect([cancelled.status, cancelled.body.status]).toEqual([200, 'cancelled']);
    (await bridge.upstream.next()).res.destroy();
  });

  it('bounds the streams of both together', async () => {
    const [one, two] = bridge.workers();
    const open = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const [asked, { res }] = [
          at(n % 2 === 0 ? one : two, '/v1/responses', { ...ask, stream: true }),
          await bridge.upstream.next(),
        ];
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('x'));
        return await asked;
      }),
    );
    await until(async () => (await metricOf(bridge, 'turnwire_streams_open')) === 20);
    await exchanged(bridge);
    for (const worker of [one, two]) expect((await jsonAt(worker, '/v1/responses', ask)).status).toBe(429);
    for (const { leave } of open) leave();
    await until(async () => (await metricOf(bridge, 'turnwire_streams_open')) === 0);
  });

  it('lists what both do, and counts it once', async () => {
    const before = await metricOf(bridge, 'turnwire_requests_total{route="responses_json",outcome="completed"}');
    for (const worker of bridge.workers()) {
      await Promise.all([jsonAt(worker, '/v1/responses', ask), answerNext(bridge, 'x')]);
    }
    expect(await metricOf(bridge, 'turnwire_requests_total{route="responses_json",outcome="completed"}')).toBe(
      before + 2,
    );
    const { rows } = (await (await fetch(`${bridge.command.url}/exchanges`)).json()) as { rows: readonly Json[] };
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    expect(rows.filter(({ route, state }) => route === 'responses_json' && state === 'completed').length).toBe(
      before + 2,
    );
  });

  it('loses with a worker that is killed its streams alone, and starts another one', async () => {
    const { command, upstream } = bridge;
    const [kept] = await Promise.all([askJson(command, { input: 'one' }), answerNext(bridge, 'eins')]);
    const streams = await Promise.all(
      Array.from({ length: STREAMS }, async () => {
        const asked = post(command, '/v1/responses', { ...ask, stream: true }, { headers: { connection: 'close' } });
        const { res } = await upstream.next();
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel'));
        return { response: await asked, finish: () => res.end(chatChunk('lo') + chatEnd) };
      }),
    );
    await until(async () => (await metricOf(bridge, 'turnwire_streams_open')) === STREAMS);
    const counted = await metricOf(bridge, 'turnwire_requests_total{route="responses_json",outcome="completed"}');
    const [victim] = childrenOf(command.child.pid);
    process.kill(victim!, 'SIGKILL');
    for (const { finish } of streams) finish();
    const ends = await Promise.all(
      streams.map(({ response }) => response.text().then(sseEvents, () => 'cut' as const)),
    );
    const whole = ends.filter((end) => end !== 'cut');
    // Half of them, give or take the requests for metrics in between.
    expect(Math.abs(whole.length - STREAMS / 2)).toBeLessThanOrEqual(2);
    for (const events of whole)
      expect([validateOrder(events), events.at(-1)?.type]).toEqual([[], 'response.completed']);

    await until(async () => (await metricOf(bridge, 'turnwire_workers')) === 2);
    expect(await metricOf(bridge, 'turnwire_worker_restarts_total')).toBe(1);
    expect(await metricOf(bridge, 'turnwire_streams_open')).toBe(0);
    expect(await metricOf(bridge, 'turnwire_requests_total{route="responses_json",outcome="completed"}')).toBe(counted);
    expect(childrenOf(command.child.pid)).not.toContain(victim);
    for (const worker of bridge.workers().slice(-2)) {
      const next = jsonAt(worker, '/v1/responses', { ...ask, previous_response_id: kept.body?.id });
      expect(await answerNext(bridge, 'zwei')).toMatch(/one.*eins.*hi/);
      expect((await next).status).toBe(200);
    }
  });

  it('keeps the port while no worker is left: a client waits for the next one', async () => {
    const { command } = bridge;
    for (const pid of childrenOf(command.child.pid)) process.kill(pid, 'SIGKILL');
    const [answer] = await Promise.all([askJson(command, { input: 'x' }), answerNext(bridge, 'da')]);
    expect([answer.how, answer.text]).toEqual(['completed', 'da']);
  });

  it('lets the streams of all finish when it is told to end', async () => {
    const { command, upstream } = bridge;
    await until(async () => (await metricOf(bridge, 'turnwire_workers')) === 2);
    const asked = [1, 2, 3, 4].map(() =>
      post(command, '/v1/responses', { ...ask, stream: true }, { headers: { connection: 'close' } }),
    );
    const begun = await Promise.all(asked.map(() => upstream.next()));
    for (const { res } of begun) res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel'));
    const bodies = (await Promise.all(asked)).map((response) => response.text());
    const ended = command.end('SIGTERM');
    for (const { res } of begun) res.end(chatChunk('lo') + chatEnd);
    for (const body of await Promise.all(bodies)) expect(sseEvents(body).at(-1)?.type).toBe('response.completed');
    expect(await ended).toBe(0);
  });
});

it.skipIf(process.platform !== 'linux')('shares limits of callers, and what it knows of model servers', async () => {
  await using failing = await startRawUpstream();
  const config = '[callers.alice]\ntoken_env = "TOKEN_OF_ALICE"\nrequests_per_minute = 4\n';
  await using bridge = await startWorkers(['--upstream', failing.url], config);
  const [one, two] = bridge.workers();
  const alice = { authorization: 'Bearer alice-token-1' };
  const ok = async (worker: string | undefined): Promise<void> => {
    const [answer] = await Promise.all([jsonAt(worker, '/v1/responses', ask, alice), answerNext(bridge, 'x')]);
    expect(answer.status).toBe(200);
  };
  await ok(one);
  const fail = async (): Promise<void> => void (await failing.next()).res.writeHead(503).end('{}');
  const heard = (): Promise<void> => exchanged(bridge, alice);
  await Promise.all([ok(one), fail()]); // its second request goes to the other server, and then to this one
  await heard();
  // The second of these would go there, too, and nobody would answer it.
  await ok(two);
  await ok(two);
  await heard();
  for (const worker of [one, two]) {
    const refused = await jsonAt(worker, '/v1/responses', ask, alice);
    expect([refused.status, (refused.body.error as Json).code]).toEqual([429, 'rate_limit_exceeded']);
  }
  const page = await (await at(two, '/metrics', undefined, alice)).text();
  expect(page).toMatch(/^turnwire_upstream_failures_total\{.*\} 1$/m);
});

it('refuses what several workers cannot do, and numbers that are none', async () => {
  const of = async (...args: readonly string[]) => {
    const { code, stderr } = await runInProcess(['bridge', '--upstream', 'http://127.0.0.1:9', '--port', '0', ...args]);
    return [code, stderr.split('\n')[0]];
  };
  expect(await of('--workers', '2', '--inspect')).toEqual([
    2,
    'turnwire bridge: --inspect shows what happens in one process: leave --workers out, or use `turnwire top`',
  ]);
  expect((await of('--workers', '0'))[0]).toBe(2);
});
