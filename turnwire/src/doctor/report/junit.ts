import { junitXml, type JunitCase, type JunitSuite } from '@turnwire/wire/internal/base/junit-xml';
import type { Comparison } from './baseline.ts';
import type { DoctorReport, ProbeReport, ReportedFinding } from '../doctor-report.ts';
import { wireTitles } from '../wires.ts';
import { brokenIn, outcomeWords } from './words.ts';

/**
 * Reports as JUnit XML: a suite for each wire of each server, a test for each check. A fault is a failure, what was not
 * offered, not done or not run is skipped. Against a report of before, faults that it has are skipped too, and what got
 * worse has a suite of its own.
 */
export function formatJUnit(reports: readonly DoctorReport[], comparison?: Comparison): string {
  const suites = reports.flatMap((report) => suitesOf(report, comparison));
  const worse = (comparison?.worse ?? []).map(({ text }) => ({ name: text, failure: { message: text, text } }));
  return junitXml('turnwire doctor', [
    ...suites,
    ...(comparison === undefined ? [] : [{ name: 'baseline', cases: worse }]),
  ]);
}

function suitesOf({ url, probes }: DoctorReport, comparison: Comparison | undefined): readonly JunitSuite[] {
  const wires = [...new Set(probes.map(({ wire }) => wire))];
  return wires.map((wire) => ({
    name: `${url} ${wireTitles[wire]}`,
    cases: probes
      .filter((probe) => probe.wire === wire)
      .map((probe) => ({ name: probe.name, ...resultOf(probe, comparison) })),
  }));
}

function resultOf(probe: ProbeReport, comparison: Comparison | undefined): Omit<JunitCase, 'name'> {
  const { outcome, seen, findings } = probe;
  switch (outcome) {
    case 'pass':
      return findings.length === 0 ? {} : { output: findings.map(describe).join('\n') };
    case 'fault': {
      const names = brokenIn(probe);
      const known = comparison !== undefined && names.every((name) => comparison.known.has(`${probe.wire} ${name}`));
      const message = names.join(', ');
      return known
        ? { skipped: `known: ${message}` }
        : { failure: { message, text: findings.map(describe).join('\n') } };
    }
    case 'model':
    case 'not-offered':
    case 'not-run':
      return { skipped: `${outcomeWords[outcome]}: ${seen}` };
  }
}

function describe({ quirk, seen, right, stumbles, answer, mend }: ReportedFinding): string {
  return [
    `${quirk}: ${seen}`,
    `right: ${right}`,
    `stumbles: ${stumbles.length === 0 ? 'nobody known' : stumbles.join('; ')}`,
    `turnwire: ${answer}`,
    `server: ${mend}`,
  ].join('\n');
}
