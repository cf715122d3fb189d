/**
 * What it costs a stream that somebody could look at it, with nobody looking: processor time per event with `--inspect`,
 * without, and without once more, which tells the noise. Two ways: the observers alone, which is precise, and whole bridges
 * between a client and a server, which says of how much that is a part. Three processes take turns of about a second, in
 * another order each round; what differs is taken within each round, so that a slow moment of the machine hits all alike.
 *
 *   node --conditions=@turnwire/source bench/inspect.ts [ROUNDS]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { estimate, median, type Estimate } from './median.ts';
import { openBridges, type Bridges } from './inspect/whole.ts';

const rounds = Number(process.argv[2] ?? 40);
/** Compilers and memory settle. */
const WARM_UP_ROUNDS = 3;

interface Pairs {
  /** Microseconds per event without. */
  readonly base: number;
  readonly more: Estimate;
  readonly noise: Estimate;
}

async function openObservers(kinds: readonly string[]): Promise<Bridges> {
  const all = kinds.map((kind) => fork(new URL('inspect/observers.ts', import.meta.url), [kind]));
  await Promise.all(all.map((one) => once(one, 'message')));
  const turns = all.map((child) => async () => {
    child.send({});
    const [{ us }] = (await once(child, 'message')) as [{ us: number }];
    return us;
  });
  const close = (): Promise<void> => {
    for (const one of all) one.kill();
    return Promise.resolve();
  };
  return { turns, close };
}

/** @param turns - with, without, and without again */
async function compare(bridges: Bridges): Promise<Pairs> {
  const [base, more, noise]: [number[], number[], number[]] = [[], [], []];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const us = [0, 0, 0];
    for (let n = 0; n < 3; n++) {
      const place = (((round + n) % 3) + 3) % 3;
      us[place] = (await bridges.turns[place]?.()) ?? NaN;
    }
    if (round < 0) continue;
    const [withIt = NaN, without = NaN, again = NaN] = us;
    base.push(without, again);
    more.push(withIt - (without + again) / 2);
    noise.push(again - without);
  }
  await bridges.close();
  return { base: median(base), more: estimate(more), noise: estimate(noise) };
}

const us = ({ value, low, high }: Estimate): string =>
  `${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}) us`;
const share = ({ value, low, high }: Estimate, of: number): string =>
  `${((100 * value) / of).toFixed(1)} (${((100 * low) / of).toFixed(1)} to ${((100 * high) / of).toFixed(1)}) %`;

const before = loadavg()[0] ?? NaN;
const alone = await compare(await openObservers(['records', 'rows', 'rows']));
const whole = await compare(await openBridges(['translate-inspect', 'translate', 'translate']));
console.log(`node ${process.version}, load ${before.toFixed(1)} to ${(loadavg()[0] ?? NaN).toFixed(1)}`);
console.log(`medians of ${rounds} rounds; in brackets, between which figures the median lies 19 times of 20\n`);
console.log(`| | --inspect costs an event | of ${whole.base.toFixed(1)} us | noise |\n| --- | --- | --- | --- |`);
for (const [name, { more, noise }] of Object.entries({ 'observers alone': alone, 'whole bridges': whole })) {
  console.log(`| ${name} | ${us(more)} | ${share(more, whole.base)} | ${us(noise)} |`);
}
