import { visible } from '@turnwire/wire/internal/base/printable';
import type { Change, Comparison } from './baseline.ts';
import type { DoctorReport, ProbeReport, ReportedFinding } from '../doctor-report.ts';
import { wireTitles } from '../wires.ts';
import { markOf, shareOf, summaryOf } from './words.ts';

/** The report as a table for people, each finding below the probe that saw it. */
export function formatReport(report: DoctorReport): string {
  const lines = [visible(`${report.url}, model ${report.model}`)];
  let wire: ProbeReport['wire'] | undefined;
  for (const probe of report.probes) {
    if (probe.wire !== wire) lines.push('', wireTitles[(wire = probe.wire)]);
    const again = probe.again.length === 0 ? '' : ` (again ${probe.again.join(', ')})`;
    lines.push(`  ${markOf(probe).padEnd(7)} ${probe.name.padEnd(14)} ${visible(probe.seen)}${again}`);
    for (const finding of probe.findings) lines.push(...formatFinding(finding));
  }
  return `${[...lines, ...formatRates(report), '', summaryOf(report)].join('\n')}\n`;
}

function formatFinding({ quirk, level, seen, right, stumbles, answer, mend }: ReportedFinding): string[] {
  const indent = ' '.repeat(10);
  return [
    `${indent}${level === 'broken' ? 'BROKEN' : 'odd'} ${quirk}: ${visible(seen)}`,
    `${indent}  right     ${right}`,
    `${indent}  stumbles  ${stumbles.length === 0 ? 'nobody known' : stumbles.join('; ')}`,
    `${indent}  turnwire  ${answer}`,
    `${indent}  server    ${mend}`,
  ];
}

function formatRates({ rates }: DoctorReport): string[] {
  if (rates.length === 0) return [];
  const rows = rates.map((rate) => `  ${rate.wire.padEnd(10)} ${rate.what.padEnd(44)} ${shareOf(rate)}`);
  return ['', 'How often', ...rows];
}

/** What changed since the report of before, for the end of the table. */
export function formatComparison({ worse, better, noted }: Comparison): string {
  const list = (title: string, changes: readonly Change[]): readonly string[] =>
    changes.length === 0 ? [] : [title, ...changes.map(({ text }) => `  ${visible(text)}`)];
  const lines = [...list('Worse', worse), ...list('Better', better), ...list('New, and allowed', noted)];
  return `\n${lines.length === 0 ? 'Nothing changed since the report of before.' : lines.join('\n')}\n`;
}
