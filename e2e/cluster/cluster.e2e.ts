import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, whyNoRedis, type RedisServer } from '../../test/bridge/redis-server.ts';
import { startNginx, whyNoNginx, type NginxServer } from '../../test/deploy/nginx-server.ts';
import { freePort } from '../../test/free-port.ts';
import { Clients } from './clients.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'turnwire', 'src', 'cli', 'main.ts');
const CLIENTS = 8;
const missing = whyNoNginx() ?? whyNoRedis();

async function startUpstream(port = 0): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(join(import.meta.dirname, 'upstream.ts'), [String(port)]);
  const [address] = (await once(child, 'message')) as [{ readonly port: number }];
  return { child, port: address.port };
}

/** What the clients saw, and nothing else than what may be. */
function assertOnly(ends: Readonly<Record<string, number>>, allowed: readonly string[], what: string): void {
  console.log(`${what}: ${JSON.stringify(ends)}`);
  assert.deepEqual(
    Object.keys(ends).filter((end) => end !== 'completed' && !allowed.includes(end)),
    [],
    what,
  );
  assert.ok((ends.completed ?? 0) > 0, `${what}: nothing was completed`);
}

// The proxy is deploy/nginx/turnwire.conf, and the bridges are as in deploy/compose.yaml.
void describe('two bridges with a Redis behind nginx, under load', { skip: missing ?? false }, () => {
  let redis: RedisServer;
  let nginx: NginxServer;
  let clients: Clients;
  let upstreams: Awaited<ReturnType<typeof startUpstream>>[] = [];
  let bridges: { child: ChildProcess; readonly port: number; readonly url: string }[] = [];

  function spawnBridge(port: number): ChildProcess {
    const servers = upstreams.flatMap((one) => ['--upstream', `http://127.0.0.1:${one.port}`]);
    const shared = ['--wire', 'chat', '--store', redis.url, '--turn-state-key-env', 'KEY', '--drain-timeout', '0'];
    return spawn(
      process.execPath,
      [MAIN, 'bridge', '--port', String(port), '--log-level', 'silent', ...servers, ...shared],
      {
        env: { PATH: process.env.PATH, HOME: process.env.HOME, KEY: 'k'.repeat(32) },
        stdio: 'ignore',
      },
    );
  }

  /** A bridge cannot be awaited by others: it is asked again; the test's timeout is the bound. */
  async function until(url: string, isSo: (answer: Response) => boolean | Promise<boolean>): Promise<void> {
    while (!(await fetch(url).then(isSo, () => false))) await sleep(50);
  }

  const serves = (url: string): Promise<void> => until(`${url}/health`, ({ ok }) => ok);
  /** It is asked for a response that nobody has: while the store is away, it says that instead. */
  const hasStore = (url: string): Promise<void> => until(`${url}/v1/responses/none`, ({ status }) => status === 404);
  /** Two: one that ends before it is killed is not the only one. */
  const isBusy = (url: string): Promise<void> =>
    until(
      `${url}/metrics`,
      async (answer) => Number(/^turnwire_streams_open (\d+)$/m.exec(await answer.text())?.[1]) > 1,
    );

  before(async () => {
    redis = await startRedis();
    upstreams = [await startUpstream(), await startUpstream()];
    const ports = [await freePort(), await freePort()];
    bridges = ports.map((port) => ({ child: spawnBridge(port), port, url: `http://127.0.0.1:${port}` }));
    await Promise.all(bridges.map(({ url }) => serves(url)));
    nginx = await startNginx(bridges);
    clients = new Clients(nginx.url, CLIENTS);
  });

  after(async () => {
    await clients.stop();
    for (const { child } of [...bridges, ...upstreams]) child.kill('SIGKILL');
    await nginx[Symbol.asyncDispose]();
    await redis.stop();
  });

  void it('continues every conversation, whichever bridge answers', async () => {
    assertOnly(await clients.during(), [], 'undisturbed');
    assert.ok(clients.longest >= 5, `the longest conversation has ${clients.longest} messages`);
  });

  void it('loses with a bridge that is killed what was open on it, and goes on with the other', async () => {
    const [killed] = bridges;
    assert.ok(killed !== undefined);
    const seen = await clients.during(async () => {
      await isBusy(killed.url);
      killed.child.kill('SIGKILL');
    });
    assertOnly(seen, ['cut', '502 of the proxy'], 'a bridge is killed');
    const lost = (seen.cut ?? 0) + (seen['502 of the proxy'] ?? 0);
    assert.ok(lost > 0 && lost <= CLIENTS, `${lost} were lost`);
    assertOnly(await clients.during(), [], 'one bridge alone');
    killed.child = spawnBridge(killed.port);
    await serves(killed.url);
  });

  void it('says that the store is away, and what was forgotten when it is back', async () => {
    const port = Number(new URL(redis.url).port);
    assertOnly(await clients.during(() => redis.stop()), ['503 store_unavailable'], 'Redis is killed');
    const back = await clients.during(async () => {
      redis = await startRedis(port);
      await Promise.all(bridges.map(({ url }) => hasStore(url)));
    });
    assertOnly(back, ['503 store_unavailable', '404 previous_response_not_found'], 'Redis is back, and empty');
    assertOnly(await clients.during(), ['404 previous_response_not_found'], 'afterwards');
  });

  void it('tells by a typed error what was open on a model server that is killed, and asks the other', async () => {
    const [killed] = upstreams;
    assert.ok(killed !== undefined);
    const seen = await clients.during(() => killed.child.kill('SIGKILL'));
    assertOnly(seen, ['failed server_error'], 'a model server is killed');
    assert.ok((seen['failed server_error'] ?? 0) <= CLIENTS);
    assertOnly(await clients.during(), [], 'one model server alone');
  });
});
