import { isObject, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { objectsIn } from '../check-framing.ts';
import type { CheckOutcome, DoctorReport } from '../doctor-report.ts';
import { moreOften } from './fisher.ts';
import type { Rate } from '../rates.ts';
import { outcomeWords, shareOf } from './words.ts';

/** What is different from a report of before. */
export interface Change {
  readonly text: string;
}

/** A report against one of before. */
export interface Comparison {
  /** New faults, what is no longer offered, and rates that are higher than chance explains. */
  readonly worse: readonly Change[];
  readonly better: readonly Change[];
  /** New, but allowed: no reason to fail. */
  readonly noted: readonly Change[];
  /** `wire name` of what was broken before. */
  readonly known: ReadonlySet<string>;
}

/** What is needed of a report of before. */
export interface Baseline {
  /** Level by `wire name`. */
  readonly levels: ReadonlyMap<string, string>;
  /** Outcome by `wire check`. */
  readonly outcomes: ReadonlyMap<string, string>;
  readonly rates: ReadonlyMap<string, Pick<Rate, 'k' | 'n'>>;
}

/** Reads what `--json` wrote; undefined for what is no report of one server. */
export function parseBaseline(text: string): Baseline | undefined {
  const report = parseJson(text);
  if (!isObject(report) || !Array.isArray(report.findings) || !Array.isArray(report.probes)) return undefined;
  return {
    levels: new Map(objectsIn(report.findings).map((one) => [key(one.wire, one.quirk), stringOf(one.level) ?? ''])),
    outcomes: new Map(objectsIn(report.probes).map((one) => [key(one.wire, one.name), stringOf(one.outcome) ?? ''])),
    rates: new Map(objectsIn(report.rates).map((one) => [key(one.wire, one.name), countsOf(one)])),
  };
}

function key(wire: unknown, name: unknown): string {
  return `${String(wire)} ${String(name)}`;
}

function countsOf({ k, n }: JsonObject): Pick<Rate, 'k' | 'n'> {
  return { k: Number(k) || 0, n: Number(n) || 0 };
}

/** Says what got worse and what got better. */
export function compareReports(before: Baseline, report: DoctorReport): Comparison {
  const fresh = report.findings.filter(({ wire, quirk, level }) => before.levels.get(key(wire, quirk)) !== level);
  const faults = fresh
    .filter(({ level }) => level === 'broken')
    .map(({ wire, quirk, seen }) => ({ text: `new fault on ${wire}: ${quirk} (${seen})` }));
  const odd = fresh
    .filter(({ wire, quirk, level }) => level === 'odd' && !before.levels.has(key(wire, quirk)))
    .map(({ wire, quirk, seen }) => ({ text: `odd on ${wire}: ${quirk} (${seen})` }));
  const rates = compareRates(before, report);
  const offers = compareOffers(before, report);
  return {
    worse: [...faults, ...offers.worse, ...rates.worse],
    better: [...goneFrom(before, report), ...offers.better, ...rates.better],
    noted: odd,
    known: new Set([...before.levels].filter(([, level]) => level === 'broken').map(([name]) => name)),
  };
}

/** Findings that are no longer there, on wires that were looked at. */
function goneFrom(before: Baseline, { findings, probes }: DoctorReport): readonly Change[] {
  const now = new Map(findings.map(({ wire, quirk, level }) => [key(wire, quirk), level]));
  const seen = new Set(
    probes
      .filter(({ outcome }) => outcome !== 'not-run' && outcome !== 'not-offered')
      .map(({ wire }) => wire as string),
  );
  return [...before.levels].flatMap(([name, level]) => {
    const [wire = '', quirk = ''] = name.split(' ');
    if (!seen.has(wire) || now.get(name) === level || now.get(name) === 'broken') return [];
    return [{ text: now.has(name) ? `${quirk} on ${wire} is no fault any more` : `${quirk} on ${wire} is gone` }];
  });
}

/** The server has it, whatever became of it. */
const offered: ReadonlySet<string> = new Set<CheckOutcome>(['pass', 'fault', 'model']);

function compareOffers(before: Baseline, { probes }: DoctorReport): Pick<Comparison, 'worse' | 'better'> {
  const changes = probes.flatMap(({ wire, name, outcome, seen }) => {
    const was = before.outcomes.get(key(wire, name)) ?? '';
    if (was === '' || offered.has(was) === offered.has(outcome)) return [];
    return [{ lost: offered.has(was), text: `${wire}, ${name}: ${outcomeWords[outcome]} (${seen})` }];
  });
  return { worse: changes.filter(({ lost }) => lost), better: changes.filter(({ lost }) => !lost) };
}

function compareRates(before: Baseline, { rates }: DoctorReport): Pick<Comparison, 'worse' | 'better'> {
  const changes = rates.flatMap((rate) => {
    const was = before.rates.get(key(rate.wire, rate.name));
    if (was === undefined) return [];
    const text = `${rate.wire}, ${rate.what}: ${shareOf(rate)}, ${shareOf(was)} before`;
    if (moreOften(rate, was)) return [{ lost: true, text }];
    return moreOften(was, rate) ? [{ lost: false, text }] : [];
  });
  return { worse: changes.filter(({ lost }) => lost), better: changes.filter(({ lost }) => !lost) };
}
