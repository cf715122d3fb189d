import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';

export interface RedisServer {
  readonly url: string;
  /** Stops it where it stands: it neither answers nor ends its connections. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Why there is no redis-server to test with; undefined when there is one. */
export function whyNoRedis(): string | undefined {
  const found = spawnSync('redis-server', ['--version']);
  return found.status === 0 ? undefined : 'redis-server is not installed (Debian: apt-get install redis-server)';
}

/** Debian's redis-server on a loopback port, a free one unless told otherwise, without persistence. */
export async function startRedis(given?: number): Promise<RedisServer> {
  const port = given ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-redis-'));
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
    '--databases',
    '64',
  ];
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await ready(server);
  return {
    url: `redis://127.0.0.1:${port}`,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    stop: async () => {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(server: ChildProcess): Promise<void> {
  let said = '';
  for await (const chunk of server.stdout ?? []) {
    said += String(chunk);
    if (said.includes('Ready to accept connections')) break;
  }
  if (!said.includes('Ready to accept connections')) throw new Error(`redis-server did not start: ${said}`);
}
