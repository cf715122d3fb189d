/** Examines a model server: what its wire does, who stumbles over it, and what turnwire does about it. */
export { compareReports, parseBaseline, type Baseline, type Change, type Comparison } from './report/baseline.ts';
export { DoctorUsageError, examine, type DoctorOptions } from './doctor.ts';
export type { CheckOutcome, DoctorReport, ProbeReport, ReportedFinding, Tally, Verdict } from './doctor-report.ts';
export { examineTapes } from './examine-tapes.ts';
export type { Quirk, QuirkLevel, QuirkTable } from './quirks/quirk.ts';
export { quirks } from './quirks.ts';
export type { Rate } from './rates.ts';
export { formatJUnit } from './report/junit.ts';
export { formatMarkdown } from './report/markdown.ts';
export { formatMatrix } from './report/matrix.ts';
export { formatPage, type PageFacts } from './report/page.ts';
export { formatComparison, formatReport } from './report/table.ts';
export type { ProbeWire } from './wires.ts';
