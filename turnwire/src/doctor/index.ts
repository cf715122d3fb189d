/** Examines a model server: what its wire does, who stumbles over it, and what turnwire does about it. */
export {
  DoctorUsageError,
  examine,
  type DoctorOptions,
  type DoctorReport,
  type ProbeReport,
  type ReportedFinding,
  type Verdict,
} from './doctor.ts';
export type { ProbeWire } from './examination.ts';
export type { Quirk, QuirkLevel, QuirkTable } from './quirks/quirk.ts';
export { quirks } from './quirks.ts';
export { formatReport } from './report.ts';
