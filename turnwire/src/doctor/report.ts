import { visible } from '@turnwire/wire/internal/base/printable';
import { protocols } from '@turnwire/wire';
import type { DoctorReport, ProbeReport, ReportedFinding, Verdict } from './doctor.ts';

const marks: Readonly<Record<Verdict, string>> = { ok: 'ok', odd: 'odd', broken: 'BROKEN', skipped: '-' };

const titles = {
  server: 'The server',
  chat: protocols.chat.title,
  responses: protocols.responses.title,
  messages: protocols.messages.title,
  websocket: `${protocols.responses.title} over WebSocket`,
} as const;

/** The report as a table for people, each finding below the probe that saw it. */
export function formatReport(report: DoctorReport): string {
  const lines = [visible(`${report.url}, model ${report.model}`)];
  let wire: ProbeReport['wire'] | undefined;
  for (const probe of report.probes) {
    if (probe.wire !== wire) lines.push('', titles[(wire = probe.wire)]);
    const again = probe.again.length === 0 ? '' : ` (again ${probe.again.join(', ')})`;
    lines.push(`  ${marks[probe.verdict].padEnd(7)} ${probe.name.padEnd(14)} ${visible(probe.seen)}${again}`);
    for (const finding of probe.findings) lines.push(...formatFinding(finding));
  }
  return `${[...lines, '', summary(report)].join('\n')}\n`;
}

function formatFinding({ quirk, level, seen, right, stumbles, answer }: ReportedFinding): string[] {
  const indent = ' '.repeat(10);
  return [
    `${indent}${level === 'broken' ? 'BROKEN' : 'odd'} ${quirk}: ${visible(seen)}`,
    `${indent}  right     ${right}`,
    `${indent}  stumbles  ${stumbles.length === 0 ? 'nobody known' : stumbles.join('; ')}`,
    `${indent}  turnwire  ${answer}`,
  ];
}

function summary({ findings, broken, probes }: DoctorReport): string {
  const run = probes.filter(({ verdict }) => verdict !== 'skipped').length;
  const odd = findings.length - broken;
  return `${run} probes, ${broken} broken, ${odd} odd, ${probes.length - run} not run`;
}
