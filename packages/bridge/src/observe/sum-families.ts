import type { Family, Sample } from './exposition.ts';

/**
 * The metrics of several processes as those of one: sums, but for gauges that say how else (`Family.across`).
 *
 * @param all - of each process; the first is the one whose own values stand for all where a sum means nothing
 */
export function sumFamilies(all: readonly (readonly Family[])[]): readonly Family[] {
  const byName = Map.groupBy(all.flat(), ({ name }) => name);
  return Array.from(byName.values(), (same) => ({ ...same[0], samples: sumSamples(same) }) as Family);
}

function sumSamples(same: readonly Family[]): readonly Sample[] {
  const sums = new Map<string, Sample>();
  for (const { samples, across = 'sum' } of same) {
    for (const sample of samples) {
      const key = JSON.stringify([sample.suffix, sample.labels]);
      const before = sums.get(key);
      sums.set(key, before === undefined ? sample : { ...sample, value: joined[across](before.value, sample.value) });
    }
  }
  return [...sums.values()];
}

const joined: Readonly<Record<NonNullable<Family['across']>, (before: number, value: number) => number>> = {
  sum: (before, value) => before + value,
  least: Math.min,
  first: (before) => before,
};

/** Of a process that has ended: what it counted. What it was is no more. */
export function countsOf(families: readonly Family[]): readonly Family[] {
  return families.filter(({ type }) => type !== 'gauge');
}
