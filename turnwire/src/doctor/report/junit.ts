import { visibleLines } from '@turnwire/wire/internal/base/printable';
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
  const worse =
    comparison === undefined
      ? []
      : [
          suite(
            'baseline',
            comparison.worse.map(({ text }) => testCase('baseline', text, failure(text, text))),
          ),
        ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="turnwire doctor">\n${[...suites, ...worse].join('')}</testsuites>\n`;
}

function suitesOf({ url, probes }: DoctorReport, comparison: Comparison | undefined): readonly string[] {
  const wires = [...new Set(probes.map(({ wire }) => wire))];
  return wires.map((wire) => {
    const name = `${url} ${wireTitles[wire]}`;
    return suite(
      name,
      probes
        .filter((probe) => probe.wire === wire)
        .map((probe) => testCase(name, probe.name, resultOf(probe, comparison))),
    );
  });
}

function suite(name: string, cases: readonly string[]): string {
  const count = (tag: string): number => cases.filter((text) => text.includes(`<${tag} `)).length;
  return `  <testsuite name="${escaped(name)}" tests="${cases.length}" failures="${count('failure')}" errors="0" skipped="${count('skipped')}">\n${cases.join('')}  </testsuite>\n`;
}

function testCase(suiteName: string, name: string, result: string): string {
  const attributes = `classname="${escaped(suiteName)}" name="${escaped(name)}"`;
  return result === '' ? `    <testcase ${attributes}/>\n` : `    <testcase ${attributes}>${result}</testcase>\n`;
}

function resultOf(probe: ProbeReport, comparison: Comparison | undefined): string {
  const { outcome, seen, findings } = probe;
  switch (outcome) {
    case 'pass':
      return findings.length === 0 ? '' : `<system-out>${escaped(findings.map(describe).join('\n'))}</system-out>`;
    case 'fault': {
      const names = brokenIn(probe);
      const known = comparison !== undefined && names.every((name) => comparison.known.has(`${probe.wire} ${name}`));
      const text = findings.map(describe).join('\n');
      return known ? `<skipped message="${escaped(`known: ${names.join(', ')}`)}"/>` : failure(names.join(', '), text);
    }
    case 'model':
    case 'not-offered':
    case 'not-run':
      return `<skipped message="${escaped(`${outcomeWords[outcome]}: ${seen}`)}"/>`;
  }
}

function failure(message: string, text: string): string {
  return `<failure message="${escaped(message)}">${escaped(text)}</failure>`;
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

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Hidden characters are written out: most of them are none that XML 1.0 has (section 2.2). */
function escaped(text: string): string {
  return visibleLines(text)
    .toWellFormed()
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}
