import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { root } from '../docs/examples.ts';
import { freePort } from '../free-port.ts';

export interface NginxServer extends AsyncDisposable {
  readonly url: string;
}

/** Why there is no nginx to test with; undefined when there is one. */
export function whyNoNginx(): string | undefined {
  const found = spawnSync('nginx', ['-v']);
  return found.status === 0 ? undefined : 'nginx is not installed (Debian: apt-get install nginx-light)';
}

/** Debian's nginx with the repository's own configuration, but for the addresses, in front of these bridges. */
export async function startNginx(bridges: readonly { readonly url: string }[]): Promise<NginxServer> {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-nginx-'));
  const port = await freePort();
  const page = readFileSync(join(root, 'deploy', 'nginx', 'turnwire.conf'), 'utf8');
  const addresses = bridges.map(({ url }) => new URL(url).host);
  const site = page
    .replaceAll(/bridge-(\d):18080/g, (_, number: string) => addresses[Number(number) - 1] ?? '')
    .replace('listen 80;', `listen 127.0.0.1:${port};`);
  writeFileSync(join(folder, 'turnwire.conf'), site);
  writeFileSync(join(folder, 'nginx.conf'), mainOf(folder));
  mkdirSync(join(folder, 'temp'));
  const server = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(server, 'exit');
  await started(server.stderr);
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a distribution's own nginx.conf has around the sites. */
function mainOf(folder: string): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp/${name};`);
  return `${user} daemon off; worker_processes 2; pid nginx.pid; error_log stderr notice;
events { worker_connections 256; }
http { access_log off; ${temps.join(' ')} include ${folder}/turnwire.conf; }
`;
}

/** Settles when it has told of its workers, by when it listens; what it says afterwards is passed over. */
async function started(stderr: Readable): Promise<void> {
  let said = '';
  for await (const text of stderr.iterator({ destroyOnReturn: false })) {
    said += String(text);
    if (!said.includes('start worker process ')) continue;
    stderr.resume();
    return;
  }
  throw new Error(`nginx did not start: ${said}`);
}
