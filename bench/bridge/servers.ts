/** The servers that are compared. Each is one process in front of the upstream, which speaks the chat wire. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forkServer, spawnServer, type Served } from './process.ts';

export interface Contender {
  readonly name: string;
  readonly path: string;
  /** What its requests need besides. */
  headers?(upstreamPort: number): Readonly<Record<string, string>>;
  /** Absent: the upstream itself. */
  start?(upstreamPort: number): Promise<Served>;
}

const CHAT = '/v1/chat/completions';
const PORTKEY = fileURLToPath(new URL('../node_modules/@portkey-ai/gateway/build/start-server.js', import.meta.url));

const own = (kind: string) => (port: number) => forkServer('serve.ts', [kind, String(port)]);

export const direct: Contender = { name: 'direct', path: CHAT };
export const pipe: Contender = { name: 'pipe', path: CHAT, start: own('pipe') };
/** It parses the request and each event, and writes them again. */
export const pipeBody: Contender = { name: 'pipe with JSON', path: CHAT, start: own('pipe-body') };
export const passthrough: Contender = { name: 'turnwire, passthrough', path: CHAT, start: own('passthrough') };
export const chatToChat: Contender = { name: 'turnwire, chat to chat', path: CHAT, start: own('translate') };
export const toResponses: Contender = {
  name: 'turnwire, Responses to chat',
  path: '/v1/responses',
  start: own('translate'),
};

const nginx: Contender = { name: 'nginx, buffering off', path: CHAT, start: startNginx };

const portkey: Contender = {
  name: 'Portkey gateway',
  path: CHAT,
  headers: (port) => ({
    authorization: 'Bearer none',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${port}/v1`,
  }),
  start: async () => {
    const port = await freePort();
    return spawnServer(process.execPath, [PORTKEY, `--port=${port}`, '--headless'], port);
  },
};

/** All that this machine has. */
export function contenders(): readonly Contender[] {
  const hasNginx = spawnSync('nginx', ['-v']).status === 0;
  if (!hasNginx) console.log('nginx is not installed: its rows are left out');
  return [
    direct,
    ...(hasNginx ? [nginx] : []),
    pipe,
    { name: 'pipe with JSON', path: CHAT, start: own('pipe-json') },
    portkey,
    passthrough,
    chatToChat,
    toResponses,
  ];
}

async function startNginx(upstreamPort: number): Promise<Served> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-bench-'));
  const file = join(folder, 'nginx.conf');
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    file,
    `daemon off;
master_process off;
pid ${folder}/pid;
error_log /dev/null crit;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off;
  ${temps.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  upstream model { server 127.0.0.1:${upstreamPort}; keepalive 512; }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 300s;
    }
  }
}
`,
  );
  return spawnServer('nginx', ['-c', file, '-e', '/dev/null'], port);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
