/**
 * Builds the image of `deploy/Containerfile` with buildah, looks at what it says of itself, and runs it as it would be run: without
 * root, from variables, with its own check of health, until SIGTERM. The images that it builds on come from their registry, or, where
 * that cannot be reached, are made of this machine's own Node and npm. Without buildah it says so, and that is all.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startMock } from '../packages/testing/src/index.ts';
import { fail, mustRun, root, runTool } from './run-tool.ts';

const IMAGE = 'localhost/turnwire-smoke';
const BASE = 'localhost/turnwire-smoke-base';
const ALL = ['--isolation', 'chroot'];

interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly StopSignal: string;
}

if (!isThere('buildah')) {
  process.stdout.write('container: not tried, as buildah is not installed (Debian: apt-get install buildah)\n');
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'turnwire-container-'));
let container = '';
try {
  build();
  const config = configOf(IMAGE);
  if (!/^[1-9]\d*:/.test(config.User)) fail(`container: it would run as ${config.User}`);
  if (config.StopSignal !== 'SIGTERM') fail(`container: it is stopped by ${config.StopSignal}`);
  container = mustRun('buildah', ['from', '--pull-never', IMAGE]).trim();
  await use(config);
  process.stdout.write('container: builds, runs without root, is healthy, answers, ends at SIGTERM\n');
} finally {
  if (container !== '') runTool('buildah', ['rm', container]);
  runTool('buildah', ['rmi', IMAGE, BASE]);
  rmSync(folder, { recursive: true, force: true });
}

function isThere(program: string): boolean {
  return runTool('sh', ['-c', `command -v ${program}`]).status === 0;
}

function build(): void {
  const file = join(root, 'deploy', 'Containerfile');
  const images = [...readFileSync(file, 'utf8').matchAll(/^ARG (\w+)=(\S+)$/gm)];
  const reached = images.every(([, , image = '']) => runTool('buildah', ['pull', '--quiet', image]).status === 0);
  if (!reached) buildBase();
  const instead = reached ? [] : images.flatMap(([, name = '']) => ['--build-arg', `${name}=${BASE}`]);
  const args = ['bud', ...ALL, '--format', 'docker', '--file', file, '--tag', IMAGE, ...instead, '.'];
  mustRun('buildah', args, { timeoutMs: 900_000 });
}

/** This machine's Node, npm and what they need, as an image. */
function buildBase(): void {
  const tree = join(folder, 'tree');
  const node = realpathSync(process.execPath);
  const npm = dirname(dirname(realpathSync(process.env.npm_execpath ?? fail('container: start it with npm run'))));
  const programs = ['/bin/sh', '/usr/bin/env', '/bin/mkdir'];
  const libraries = [node, ...programs].flatMap((each) => mustRun('ldd', [each]).match(/\/\S+/g) ?? []);
  // What no program names, and yet is part of every image with a glibc: who resolves names, and what add-ons of Node link.
  const beside = libraries
    .flatMap((each) => ['libnss_dns.so.2', 'librt.so.1'].map((name) => join(dirname(each), name)))
    .filter((each) => existsSync(each));
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  for (const each of new Set([...programs, ...libraries, ...beside])) copyInto(tree, each, each);
  copyInto(tree, node, '/usr/local/bin/node');
  copyInto(tree, npm, '/usr/local/lib/node_modules/npm');
  if (certificates !== undefined) copyInto(tree, certificates, '/etc/extra.pem');
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(tree, 'usr/local/bin/npm'));
  mkdirSync(join(tree, 'tmp'), { mode: 0o777 });
  writeFileSync(join(tree, 'etc', 'passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n');
  writeFileSync(
    join(folder, 'Containerfile'),
    `FROM scratch
COPY tree /
RUN ["node", "-e", "require('fs').chmodSync('/tmp', 0o1777)"]
ENV PATH=/usr/local/bin:/usr/bin:/bin${certificates === undefined ? '' : ' NODE_EXTRA_CA_CERTS=/etc/extra.pem'}
`,
  );
  mustRun('buildah', ['bud', ...ALL, '--format', 'docker', '--tag', BASE, folder]);
}

function copyInto(tree: string, from: string, to: string): void {
  mkdirSync(join(tree, dirname(to)), { recursive: true });
  cpSync(realpathSync(from), join(tree, to), { recursive: true });
}

function configOf(image: string): ImageConfig {
  const said = JSON.parse(mustRun('buildah', ['inspect', '--type', 'image', image])) as {
    Docker: { config: ImageConfig };
  };
  return said.Docker.config;
}

async function use(config: ImageConfig): Promise<void> {
  await using mock = await startMock({ wire: 'chat' });
  const port = await freePort();
  const env = {
    TURNWIRE_UPSTREAM: mock.url,
    TURNWIRE_TOKEN: 'sesame',
    TURNWIRE_PORT: String(port),
    TURNWIRE_SERVER_INFO: '/tmp/info.json',
  };
  const running = spawn('buildah', runArgs(env, [...config.Entrypoint, ...config.Cmd]), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(running, 'exit') as Promise<[number | null]>;
  let said = '';
  for await (const text of running.stdout) {
    said += String(text);
    if (said.includes('OPENAI_BASE_URL')) break;
  }
  const { pid } = JSON.parse(
    mustRun('buildah', runArgs({}, ['node', '-p', 'require("fs").readFileSync("/tmp/info.json", "utf8")'])),
  ) as { pid: number };
  mustRun('buildah', runArgs(env, config.Healthcheck.Test.slice(1)));
  mustRun('buildah', runArgs({}, ['node', '-e', 'require("/app/node_modules/redis")']));
  const statuses = [await statusOf(port, {}), await statusOf(port, { authorization: 'Bearer sesame' })];
  if (statuses.join() !== '401,200') fail(`container: it answered ${statuses.join()}, without and with the token`);
  process.kill(pid, 'SIGTERM');
  const [code] = await ended;
  if (code !== 0) fail(`container: it ended with ${code}`);
  if (runTool('buildah', runArgs(env, config.Healthcheck.Test.slice(1))).status === 0)
    fail('container: healthy after its end');
}

function runArgs(env: Readonly<Record<string, string>>, command: readonly string[]): string[] {
  const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  return ['run', ...ALL, ...variables, container, '--', ...command];
}

async function statusOf(port: number, headers: Readonly<Record<string, string>>): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'm', input: 'Say hello' }),
  });
  await response.text();
  return response.status;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}
