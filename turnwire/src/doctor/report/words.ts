import { counted } from '../finding.ts';
import { quirkOn } from '../quirks.ts';
import type { CheckOutcome, DoctorReport, ProbeReport, ReportedFinding } from '../doctor-report.ts';

/** The outcomes in words, in the order of reports. */
export const outcomeWords: Readonly<Record<CheckOutcome, string>> = {
  pass: 'pass',
  fault: 'fault',
  model: 'model did not do it',
  'not-offered': 'not offered',
  'not-run': 'not run',
};

/** The same as keys. */
export const outcomes = Object.keys(outcomeWords) as readonly CheckOutcome[];

/** How an outcome stands in a narrow column; what is odd passes, and is told. */
export function markOf({ outcome, verdict }: Pick<ProbeReport, 'outcome' | 'verdict'>): string {
  switch (outcome) {
    case 'pass':
      return verdict === 'odd' ? 'odd' : 'ok';
    case 'fault':
      return 'BROKEN';
    case 'model':
      return 'model';
    case 'not-offered':
      return 'none';
    case 'not-run':
      return '-';
  }
}

/** `66 checks: 60 pass, 3 fault, …; 3 broken, 2 odd`. */
export function summaryOf({ tally, findings, broken }: DoctorReport): string {
  const parts = outcomes.map((outcome) => `${tally[outcome]} ${outcomeWords[outcome]}`);
  return `${counted(tally.checks, 'check')}: ${parts.join(', ')}; ${broken} broken, ${findings.length - broken} odd`;
}

/** Faults first. */
export function worstFirst(findings: readonly ReportedFinding[]): readonly ReportedFinding[] {
  return [...findings.filter(({ level }) => level === 'broken'), ...findings.filter(({ level }) => level === 'odd')];
}

/** `3 of 10 (30 %)`. */
export function shareOf({ k, n }: { readonly k: number; readonly n: number }): string {
  return `${k} of ${n}${n === 0 ? '' : ` (${Math.round((100 * k) / n)} %)`}`;
}

/** Names of what is broken in a check, whether it was told there or before. */
export function brokenIn({ findings, again, wire }: ProbeReport): readonly string[] {
  return [...findings.map(({ quirk }) => quirk), ...again].filter((name) => quirkOn(name, wire).level === 'broken');
}
