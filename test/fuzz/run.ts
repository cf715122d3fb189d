/** `npm run fuzz`: streams at random through the decoders and encoders of all wires. CONTRIBUTING.md says what it checks. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { problemOf } from './check.ts';
import { kinds } from './kinds.ts';
import { toKept, type Stream } from './stream.ts';

// Errors are made by the million, and nobody reads where.
Error.stackTraceLimit = 0;

const BATCH = 250;
const SHRINK_MS = 60_000;
const TELL_MS = 5000;
const cache = new URL('../../node_modules/.cache/turnwire/', import.meta.url);
const stateFile = new URL('fuzz.json', cache);
const corpus = new URL('corpus/', import.meta.url);

/** How far a run came: the streams that its seed gives are always the same. */
interface State {
  readonly seed: number;
  readonly done: number;
}

const { values: flags } = parseArgs({
  options: {
    streams: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    resume: { type: 'boolean', default: false },
  },
});

process.exitCode = run(wanted('streams'), firstState(), Number(flags.minutes ?? Infinity) * 60_000);

function run(streams: number, { seed, done: before }: State, ms: number): number {
  console.log(`seed ${seed}: ${streams} streams${before === 0 ? '' : `, ${before} of them were tried already`}`);
  const began = performance.now();
  const cpu = process.cpuUsage();
  let told = began;
  let done = before;
  while (done < streams && performance.now() - began < ms) {
    const count = Math.min(BATCH, streams - done);
    const found = tryBatch(seed, done / BATCH, count);
    if (found !== undefined) return tellFound(found, seed, done);
    done += count;
    if (performance.now() - told < TELL_MS) continue;
    told = performance.now();
    writeState({ seed, done });
    console.log(`${done} of ${streams}, ${rate(done - before, told - began)}, ${memory()}`);
  }
  writeState({ seed, done });
  const { user, system } = process.cpuUsage(cpu);
  const seconds = Math.round((user + system) / 1e6);
  console.log(`${done} streams are well: ${rate(done - before, performance.now() - began)}, ${seconds} s of one core`);
  return 0;
}

interface Found {
  readonly kind: string;
  readonly stream: Stream;
  readonly problem: string;
}

/** The smallest stream of these that is not well, if there is one. */
function tryBatch(seed: number, batch: number, numRuns: number): Found | undefined {
  const all = Object.entries(kinds);
  const [kind, streams] = all[batch % all.length]!;
  const checked = fc.check(
    fc.property(streams, (stream) => problemOf(stream) === undefined),
    { seed: (Math.imul(seed, 0x9e3779b1) + batch) | 0, numRuns, interruptAfterTimeLimit: SHRINK_MS },
  );
  const stream = checked.counterexample?.[0];
  if (stream === undefined) {
    if (checked.failed) throw new Error(`${kind}: ${fc.defaultReportMessage(checked)}`);
    return undefined;
  }
  return { kind, stream, problem: problemOfThrowing(stream) };
}

function problemOfThrowing(stream: Stream): string {
  Error.stackTraceLimit = 10;
  try {
    return problemOf(stream) ?? 'not the same twice';
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** Keeps what was found among the cases that the tests try, where it fails until it is mended. */
function tellFound({ kind, stream, problem }: Found, seed: number, done: number): number {
  const file = new URL(`found-${seed}-${done}.json`, corpus);
  writeFileSync(file, toKept(stream));
  writeState({ seed, done });
  console.error(
    `${kind}, seed ${seed}, behind ${done} streams: ${problem}\nKept in ${file.pathname}; --resume tries it again.`,
  );
  return 1;
}

function firstState(): State {
  if (!flags.resume) return { seed: flags.seed === undefined ? Date.now() % 1_000_000 : wanted('seed'), done: 0 };
  return JSON.parse(readFileSync(stateFile, 'utf8')) as State;
}

function writeState(state: State): void {
  mkdirSync(cache, { recursive: true });
  writeFileSync(stateFile, JSON.stringify(state));
}

function wanted(name: 'streams' | 'seed'): number {
  const value = Number(flags[name]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} wants a whole number`);
  return value;
}

function rate(streams: number, ms: number): string {
  return `${Math.round(streams / (ms / 1000))} a second`;
}

function memory(): string {
  return `${Math.round(process.memoryUsage.rss() / 1048576)} MiB`;
}
