/**
 * Runs `e2e/runtimes/cases.ts` in every runtime that `@turnwire/wire` claims: Node 24 and 22, Bun, Deno, Cloudflare's `workerd`, and a
 * browser. One bundle for all. Those that can run a module before a program run `app.mjs` under `@turnwire/wire/register`, too. The last
 * line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { bundleOf } from './bundle.ts';
import { findRuntimes, isExecutable, ownNode, type Runtime } from './find-runtimes.ts';
import { fail, root, runTool } from './run-tool.ts';

const LIMIT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'turnwire-runtimes-'));
const env = { NODE_OPTIONS: '', DENO_NO_UPDATE_CHECK: '1', HOME: folder };

type Result = { readonly passed: number; readonly failed: readonly string[] } | { readonly broken: string };

/** What each runtime does with the cases: a program that prints the result, a test of `workerd`'s, a page. */
const SCRIPT = 'runCases().then((result) => console.log(JSON.stringify(result)));';
const WORKER = `export default { async test() { const result = await runCases(); console.log(JSON.stringify(result)); if (result.failed.length > 0) throw new Error(); } };`;
const PAGE = `runCases().then((result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) }));`;

/** The first day on which \`workerd\` of this version knows what is used. */
const COMPATIBILITY = '2026-01-01';
const CAPNP = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs")], compatibilityDate = "${COMPATIBILITY}"))]);
`;

let passed = 0;
let failed = 0;
try {
  const bundle = await bundleOf(`import { runCases } from './e2e/runtimes/cases.ts'; globalThis.runCases = runCases;`, {
    minify: false,
  });
  writeFileSync(join(folder, 'cases.mjs'), `${bundle}\n${SCRIPT}\n`);
  const { scripts, workerd } = findRuntimes();
  for (const runtime of [ownNode, ...scripts]) report(runtime.name, runScript(runtime));
  const register = await bundleOf(`import './packages/wire/src/register/index.ts';`, { minify: false });
  writeFileSync(join(folder, 'register.mjs'), register);
  copyFileSync(join(root, 'e2e', 'runtimes', 'app.mjs'), join(folder, 'app.mjs'));
  for (const runtime of [ownNode, ...scripts]) report(`${runtime.name}, register`, runRegister(runtime));
  if (workerd !== undefined) report('workerd', runWorker(workerd, bundle));
  const chromium = findChromium();
  if (chromium === undefined) process.stdout.write('no browser on this machine\n');
  else report('chromium', await runBrowser(chromium, bundle));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
if (failed > 0) fail('runtimes: a promise is broken');

function report(name: string, result: Result): void {
  const problems = 'broken' in result ? [result.broken] : result.failed;
  if ('passed' in result) passed += result.passed;
  failed += problems.length;
  process.stdout.write(`${name}: ${'passed' in result ? result.passed : 0} passed\n`);
  for (const problem of problems) process.stdout.write(`FAILED  ${name}: ${problem}\n`);
}

function runScript({ command, args }: Runtime): Result {
  return resultIn(runTool(command, [...args, 'cases.mjs'], { cwd: folder, env, timeoutMs: LIMIT_MS }));
}

/** The app has the whole answer of a stream that is held, and the report on stdout says that it was. */
function runRegister({ command, args, preload = [] }: Runtime): Result {
  const told = { ...env, TURNWIRE_REPORT: '-' };
  const { stdout, stderr } = runTool(command, [...args, ...preload, './register.mjs', 'app.mjs'], {
    cwd: folder,
    env: told,
    timeoutMs: LIMIT_MS,
  });
  const report = { requests: 1, endings: { held_open: 1 }, repairs: {} };
  const said = stdout.replace(/127\.0\.0\.1:\d+/, 'HOST');
  const due = `whole\n${JSON.stringify({ healed: true, hosts: { 'http://HOST': report } })}\n`;
  return said === due ? { passed: 1, failed: [] } : { broken: `not as it should be: ${stdout}${stderr}` };
}

function runWorker(command: string, bundle: string): Result {
  writeFileSync(join(folder, 'worker.mjs'), `${bundle}\n${WORKER}\n`);
  writeFileSync(join(folder, 'config.capnp'), CAPNP);
  const { stdout, stderr } = runTool(command, ['test', 'config.capnp'], { cwd: folder, timeoutMs: LIMIT_MS });
  return resultIn({ stdout: `${stdout}\n${stderr}` });
}

function resultIn({ stdout, stderr = '' }: { readonly stdout: string; readonly stderr?: string }): Result {
  const line = /\{"passed":.*\}/.exec(stdout)?.[0];
  return line === undefined ? { broken: `no result: ${stdout}${stderr}` } : (JSON.parse(line) as Result);
}

/** A page runs the cases, and tells this server what came of them. */
async function runBrowser(command: string, bundle: string): Promise<Result> {
  const told = Promise.withResolvers<Result>();
  const server = createServer((request, response) => {
    if (request.url !== '/result') {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(`<!doctype html><script type="module">${bundle}\n${PAGE}</script>`);
      return;
    }
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      response.end();
      told.resolve(JSON.parse(body) as Result);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    `--user-data-dir=${folder}/profile`,
  ];
  const browser = spawn(command, [...flags, url], { stdio: 'ignore' });
  const timer = setTimeout(() => told.resolve({ broken: `no result within ${LIMIT_MS} ms` }), LIMIT_MS);
  const result = await told.promise;
  clearTimeout(timer);
  browser.kill('SIGKILL');
  await once(browser, 'close');
  server.closeAllConnections();
  server.close();
  return result;
}

function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = folders.flatMap((path) =>
    ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(path, name)),
  );
  return paths.find(isExecutable);
}
