/**
 * The same conversation through the chats that people use, each in a real terminal (tmux, 100 columns and 34 rows) with a home of its own,
 * on the same scripted model server: when one can type, what a turn writes to the terminal and costs in processor time (of all its
 * processes), and an answer of 1 MB. The chats take turns, each time as a fresh process; a figure is the median of the rounds, `x` the
 * ratio to turnwire.
 *
 *   npm run bench:terminal -- [--rounds N] [--json]
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startMock, type Turn } from '../packages/testing/src/index.ts';
import { Tmux } from '../test/terminal/tmux.ts';
import { median } from './median.ts';
import { clients, isThere, type Client } from './terminal/clients.ts';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const TURNS = 10;
/** How long a screen stays as it is when a chat has nothing to draw any more. */
const STILL_MS = 1500;
const TICKS_PER_SECOND = 100;

const page = readFileSync(new URL('../docs/tape.md', import.meta.url), 'utf8').slice(0, 3000);
const megabyte = Array.from(
  { length: 16_000 },
  (_, at) => `Line ${at} of a long answer, as a model writes them all day.\n`,
).join('');

/** Said once each: the last word of an answer tells that it is all there. */
const turns: readonly Turn[] = [
  ...Array.from({ length: TURNS }, (_, at) => answering(`turn${at}x`, page, 5)),
  answering('megabytex', megabyte, 0),
  { replies: [{ parts: [{ type: 'text', text: 'A title' }] }] },
];

function answering(said: string, text: string, paceMs: number): Turn {
  const chunk = paceMs === 0 ? 200 : 20;
  return {
    when: { user: said },
    replies: [{ paceMs, parts: [{ type: 'text', text: `${text}\n\nEnd of ${said}.`, chunk }] }],
  };
}

/** Of all processes of a chat. */
interface Cost {
  readonly cpuSeconds: number;
  readonly rssMiB: number;
}

interface Sample {
  readonly readySeconds: number;
  readonly readyCpuSeconds: number;
  readonly turnBytes: number;
  readonly turnCpuSeconds: number;
  readonly longSeconds: number;
  readonly longCpuSeconds: number;
  readonly rssMiB: number;
}

/** What runs with a home: also what a chat has started and let go of. The terminal itself is another's. */
function processesIn(home: string, tmux: Tmux): readonly number[] {
  const terminal = tmux.tell('#{pid}');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== terminal)
    .filter((id) => textOf(`/proc/${id}/environ`).split('\0').includes(`HOME=${home}`))
    .map(Number);
}

function costOf(processes: readonly number[]): Cost {
  const fields = processes.map((id) => textOf(`/proc/${id}/stat`).replace(/.*\) /s, '').split(' ').map(Number));
  const sum = (at: number): number => fields.reduce((all, one) => all + (one[at] ?? 0), 0);
  return { cpuSeconds: (sum(11) + sum(12)) / TICKS_PER_SECOND, rssMiB: (sum(21) * 4096) / 2 ** 20 };
}

/** Empty where the process has ended, or is another person's. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function measure(client: Client): Promise<Sample> {
  await using mock = await startMock({ wire: client.wire, scenario: { turns } });
  const top = mkdtempSync(join(tmpdir(), 'turnwire-bench-terminal-'));
  const [cwd, home, written] = [join(top, 'work'), join(top, 'work', 'home'), join(top, 'written')];
  mkdirSync(home, { recursive: true });
  const { command, env } = client.start(home, cwd, mock.baseUrl);
  const began = performance.now();
  const tmux = new Tmux({ cwd, command, columns: 100, rows: 34, ...(env === undefined ? {} : { env }) });
  try {
    await tmux.until(client.ready);
    const readySeconds = (performance.now() - began) / 1000;
    const readyCpuSeconds = costOf(processesIn(home, tmux)).cpuSeconds;
    await still(tmux);
    tmux.pipe(written);
    const before = costOf(processesIn(home, tmux));
    for (let at = 0; at < TURNS; at++) await turn(tmux, `turn${at}x`);
    const after = costOf(processesIn(home, tmux));
    const bytes = statSync(written).size;
    const longSeconds = await longAnswer(tmux, client);
    const long = costOf(processesIn(home, tmux));
    return {
      ...{ readySeconds, readyCpuSeconds, turnBytes: bytes / TURNS },
      turnCpuSeconds: (after.cpuSeconds - before.cpuSeconds) / TURNS,
      longSeconds,
      longCpuSeconds: long.cpuSeconds - after.cpuSeconds,
      rssMiB: long.rssMiB,
    };
  } finally {
    for (const id of processesIn(home, tmux)) process.kill(id, 'SIGKILL');
    tmux.end();
    rmSync(top, { recursive: true, force: true });
  }
}

/** Seconds until it is shown to its end; NaN where that takes longer than {@link Tmux.until} waits. */
async function longAnswer(tmux: Tmux, { name }: Client): Promise<number> {
  const began = performance.now();
  try {
    await turn(tmux, 'megabytex');
    return (performance.now() - began - STILL_MS) / 1000;
  } catch (error) {
    console.error(`${name} does not show an answer of 1 MB to its end: ${String(error).trim().slice(-500)}`);
    return NaN;
  }
}

async function turn(tmux: Tmux, said: string): Promise<void> {
  tmux.type(said);
  await tmux.until(said);
  tmux.send('Enter');
  await tmux.until(`End of ${said}.`);
  await still(tmux);
}

/** Waits until the screen has stayed the same for a while. */
async function still(tmux: Tmux): Promise<void> {
  let [screen, since] = [tmux.screen(), performance.now()];
  while (performance.now() - since < STILL_MS) {
    await sleep(100);
    const now = tmux.screen();
    if (now !== screen) [screen, since] = [now, performance.now()];
  }
}

const rows: readonly (readonly [string, keyof Sample, number])[] = [
  ['start until one can type, s', 'readySeconds', 2],
  ['the same, CPU s', 'readyCpuSeconds', 2],
  ['bytes written for a turn of 3,000 characters', 'turnBytes', 0],
  ['CPU s of such a turn', 'turnCpuSeconds', 2],
  ['an answer of 1 MB, s', 'longSeconds', 1],
  ['the same, CPU s', 'longCpuSeconds', 1],
  ['memory after it, MiB', 'rssMiB', 0],
];

const present = clients.filter(isThere);
for (const { name, install } of clients.filter((client) => !isThere(client)))
  console.error(`${name} is left out: it is not there (${install})`);
const samples = new Map<Client, Sample[]>(present.map((client) => [client, []]));
for (let round = 1; round <= Number(flags.rounds); round++) {
  for (const [client, list] of samples) {
    console.error(`round ${round}: ${client.name}`);
    try {
      list.push(await measure(client));
    } catch (error) {
      console.error(`${client.name} did not get to the end: ${String(error).slice(0, 3000)}`);
    }
  }
}
const figure = (client: Client, key: keyof Sample): number =>
  median((samples.get(client) ?? []).map((one) => one[key]));
if (flags.json) {
  const told = present.map((client) => [
    client.name,
    Object.fromEntries(rows.map(([, key]) => [key, figure(client, key)])),
  ]);
  console.log(JSON.stringify({ load: loadavg()[0], rounds: Number(flags.rounds), ...Object.fromEntries(told) }));
} else {
  console.log(`node ${process.version}, load ${loadavg()[0]?.toFixed(1)}, medians of ${flags.rounds} rounds\n`);
  console.log(`| | ${present.map(({ name }) => name).join(' | ')} |\n| --- |${' --- |'.repeat(present.length)}`);
  for (const [name, key, digits] of rows) {
    const values = present.map((client) => figure(client, key));
    const [first = NaN] = values;
    const cells = values.map((value, at) => {
      if (Number.isNaN(value)) return 'not in 40 s';
      return value.toFixed(digits) + (at === 0 ? '' : ` (${(value / first).toFixed(1)}x)`);
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}
