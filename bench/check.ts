/**
 * Whether decoding became slower, or faster, since the commit that was measured last: that commit is checked out beside this one, and both
 * are measured in turn, each time in a fresh process, as ratios to "split lines and `JSON.parse`" of the same bytes. What moved by more than
 * the noise of the pairs is told; the ratios of this commit are written to ratios.json, to be committed with it.
 *
 *   npm run bench:check [-- --pairs N] [--against COMMIT] [--dry]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { estimate } from './median.ts';

/** How many times as fast as the baseline each stream is decoded, by its name. */
type Ratios = Readonly<Record<string, number>>;

interface Kept {
  readonly commit: string;
  readonly ratios: Ratios;
}

/** Differences below this are not worth a word, however certain they are. */
const LEAST = 0.03;
/** With fewer, even pairs that all say the same may do so by chance. */
const LEAST_PAIRS = 6;
const KEPT = 30;
const root = fileURLToPath(new URL('..', import.meta.url));
const file = new URL('ratios.json', import.meta.url);

const { values: flags } = parseArgs({
  options: {
    pairs: { type: 'string', default: '9' },
    against: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
});

const kept: readonly Kept[] = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept[]) : [];
// One that was rebased since is not there any more.
const before = flags.against ?? kept.findLast(({ commit }) => isThere(commit))?.commit;
const pairs = Number(flags.pairs);
if (!(pairs >= 1)) throw new Error('--pairs wants a number');
const rounds = before === undefined ? times(pairs, () => ({ now: ratiosOf(root), then: undefined })) : inPairs(before);
const [first] = rounds;
const names = Object.keys(first?.now ?? {});
let worse = 0;
for (const name of names) tellMove(name);
if (!flags.dry) keep();
process.exitCode = worse === 0 ? 0 : 1;

interface Round {
  readonly now: Ratios;
  readonly then: Ratios | undefined;
}

/** Now and then in turn, so that a slow moment of the machine hits both. */
function inPairs(commit: string): readonly Round[] {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-bench-'));
  const other = join(folder, 'then');
  execFileSync('git', ['worktree', 'add', '--quiet', '--detach', other, commit], { cwd: root });
  try {
    symlinkSync(join(root, 'node_modules'), join(other, 'node_modules'));
    return times(pairs, (n) => {
      process.stderr.write(`pair ${n + 1} of ${pairs}\n`);
      const then = ratiosOf(other);
      return { now: ratiosOf(root), then };
    });
  } finally {
    execFileSync('git', ['worktree', 'remove', '--force', other], { cwd: root });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of the decoder in a checkout, in a process of its own. */
function ratiosOf(checkout: string): Ratios {
  const program = fileURLToPath(new URL('check-one.ts', import.meta.url));
  const output = execFileSync(process.execPath, [program, join(checkout, 'packages/wire/src/index.ts')], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as Ratios;
}

/** What a stream's ratio is, and how it moved: by the median of the pairs, where 19 times of 20 say the same direction. */
function tellMove(name: string): void {
  const now = estimate(rounds.map((round) => round.now[name] ?? NaN)).value.toFixed(2);
  const moves = rounds.flatMap((round) => {
    const [mine, theirs] = [round.now[name], round.then?.[name]];
    return mine === undefined || theirs === undefined ? [] : [mine / theirs - 1];
  });
  if (moves.length === 0) {
    console.log(`${name}: ${now}`);
    return;
  }
  const { value, low, high } = estimate(moves);
  const isSure = moves.length >= LEAST_PAIRS && (low > 0 || high < 0) && Math.abs(value) > LEAST;
  if (isSure && value < 0) worse++;
  const unsure = moves.length >= LEAST_PAIRS ? 'the same' : 'too few pairs to tell';
  const verdict = isSure ? (value > 0 ? 'FASTER' : 'SLOWER') : unsure;
  console.log(`${name}: ${now}, ${verdict} (${percent(value)}, between ${percent(low)} and ${percent(high)})`);
}

function isThere(commit: string): boolean {
  return spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root, stdio: 'ignore' }).status === 0;
}

function keep(): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const ratios = Object.fromEntries(
    names.map((name) => [name, Number(estimate(rounds.map(({ now }) => now[name] ?? NaN)).value.toFixed(2))]),
  );
  const all = [...kept.filter((one) => one.commit !== commit), { commit, ratios }].slice(-KEPT);
  writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`);
}

function times<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

function percent(part: number): string {
  return `${part > 0 ? '+' : ''}${(part * 100).toFixed(1)} %`;
}
