/**
 * What it costs to load the published files: files, processor time (user and system), and the memory of a bridge at rest.
 * `npm run bench:start`, or `npm run bench:start -- OTHER` to compare with another checkout that is built as well.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { root } from '../scripts/run-tool.ts';
import { rssKib } from './bridge/process.ts';
import { median } from './median.ts';

const ROUNDS = 7;
const REST_MS = 3000;
const BRIDGE = ['bridge', '--upstream', 'http://127.0.0.1:9', '--wire', 'chat', '--port', '0'];
const CHAT = ['chat', '--base-url', 'http://127.0.0.1:9/v1', '--wire', 'chat', '--model', 'm'];
const CAPTURE = join(root, 'test', 'captures', 'chat-json-schema.sse');

interface Row {
  readonly name: string;
  readonly args: (checkout: string) => readonly string[];
  /** A text on stdout, until which is measured; then the process gets its rest. */
  readonly until?: string;
  /** It is told that its stdin and stdout are a terminal. Default false. */
  readonly isChat?: boolean;
}

interface Sample {
  readonly cpuMs: number;
  readonly files: number;
  readonly mib: number | undefined;
}

const command =
  (...args: readonly string[]) =>
  (checkout: string) => [join(checkout, 'turnwire', 'dist', 'cli', 'main.js'), ...args];

const rows: readonly Row[] = [
  { name: 'an empty program', args: () => ['--eval', '0'] },
  ...['wire', 'client', 'testing', 'agent', 'bridge'].map((name) => ({
    name: `import '@turnwire/${name}'`,
    args: (checkout: string) => ['--eval', `import(${JSON.stringify(entryOf(checkout, name))})`],
  })),
  { name: 'turnwire --version', args: command('--version') },
  { name: 'turnwire decode', args: command('decode', CAPTURE, '--wire', 'chat') },
  { name: 'turnwire exec --help', args: command('exec', '--help') },
  { name: 'turnwire chat', args: command(...CHAT), until: '›', isChat: true },
  { name: 'turnwire bridge', args: command(...BRIDGE), until: 'listening' },
];

function entryOf(checkout: string, name: string): string {
  return pathToFileURL(join(checkout, 'packages', name, 'dist', 'index.js')).href;
}

async function measure(row: Row, checkout: string, counted: boolean): Promise<Sample> {
  const file = join(folder, 'modules.json');
  const count = counted ? 'on' : 'off';
  const child = spawn(process.execPath, ['--import', pathToFileURL(trace).href, ...row.args(checkout)], {
    env: {
      ...{ PATH: process.env.PATH, HOME: folder, MODULES_FILE: file, MODULES_UNTIL: row.until, MODULES_COUNT: count },
      MODULES_TERMINAL: row.isChat === true ? 'on' : 'off',
    },
    // A chat ends with its stdin.
    stdio: [row.isChat === true ? 'pipe' : 'ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const mib = row.until === undefined ? undefined : await atRest(child, row.until);
  child.stdout?.resume();
  await ended;
  const { modules, cpuMs } = JSON.parse(readFileSync(file, 'utf8')) as { modules: readonly string[]; cpuMs: number };
  return { cpuMs, files: modules.length, mib };
}

/** The resident memory of a server that has nothing to do; then it is told to end. */
async function atRest(child: ReturnType<typeof spawn>, until: string): Promise<number> {
  let text = '';
  while (!text.includes(until)) text += String(((await once(child.stdout ?? child, 'data')) as [Buffer])[0]);
  await sleep(REST_MS);
  const mib = rssKib(child.pid ?? 0) / 1024;
  child.kill('SIGTERM');
  return mib;
}

const checkouts = [root, ...process.argv.slice(2).map((path) => resolve(path))];
const folder = mkdtempSync(join(tmpdir(), 'turnwire-start-'));
// As JavaScript: what Node needs to strip types takes 15 MiB and 0.2 s of what is measured.
const trace = join(folder, 'trace-modules.mjs');
writeFileSync(trace, stripTypeScriptTypes(readFileSync(join(root, 'scripts', 'trace-modules.ts'), 'utf8')));
console.log(`load ${loadavg()[0]?.toFixed(1)}; medians of ${ROUNDS} interleaved runs: files, ms, MiB at rest`);
for (const row of rows) {
  const samples = new Map<string, Sample[]>(checkouts.map((checkout) => [checkout, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [checkout, list] of samples) list.push(await measure(row, checkout, false));
  }
  for (const [checkout, list] of samples) {
    const { files } = await measure(row, checkout, true);
    const mib = list.flatMap((sample) => sample.mib ?? []);
    const rest = mib.length === 0 ? '' : `  ${median(mib).toFixed(1)} MiB`;
    console.log(
      `${row.name.padEnd(28)} ${files} files  ${median(list.map((one) => one.cpuMs)).toFixed(0)} ms${rest}  ${checkout}`,
    );
  }
}
rmSync(folder, { recursive: true, force: true });
