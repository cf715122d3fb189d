import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import {
  compareReports,
  formatComparison,
  formatJUnit,
  formatMarkdown,
  formatMatrix,
  formatPage,
  formatReport,
  parseBaseline,
  type Baseline,
  type Comparison,
  type DoctorReport,
  type PageFacts,
} from '../doctor/index.ts';
import type { CliContext } from './context.ts';
import { describeSystemError, exitCode, UsageError } from './exit.ts';
import type { Output } from './output.ts';
import { version } from './version.ts';

export interface OutputFlags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly html?: string;
  readonly junit?: string;
  readonly baseline?: string;
  readonly matrix?: boolean;
}

/** @throws UsageError for flags that contradict each other, before anything is asked */
export function checkOutputFlags({ json, markdown, matrix, baseline }: OutputFlags): void {
  if (json === true && markdown === true) throw new UsageError('--json and --markdown contradict each other');
  if (matrix === true && baseline !== undefined)
    throw new UsageError('--matrix and --baseline contradict each other: a report of before is of one server');
}

/** @throws UsageError when it cannot be read, or is no report */
export async function readBaseline(path: string | undefined, cli: CliContext): Promise<Baseline | undefined> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(resolve(cli.cwd, path), 'utf8');
  } catch (error) {
    throw new UsageError(`--baseline: cannot read ${path}: ${describeSystemError(error)}`);
  }
  const baseline = parseBaseline(text);
  if (baseline === undefined) throw new UsageError(`--baseline: ${path} is no report of turnwire doctor --json`);
  return baseline;
}

/**
 * Writes the reports in every form that was asked for; the one of stdout first, so that a file that cannot be written takes
 * nothing away.
 *
 * @returns the exit code: 1 when something is broken, or, against a report of before, when something got worse
 */
export async function writeReports(
  reports: readonly DoctorReport[],
  baseline: Baseline | undefined,
  flags: OutputFlags,
  { cli, out }: { readonly cli: CliContext; readonly out: Output },
): Promise<number> {
  const [first] = reports;
  const comparison = baseline === undefined || first === undefined ? undefined : compareReports(baseline, first);
  const facts = { at: timestamp(), version, comparison };
  if (flags.json === true) await out.writeLines([toJson(reports, flags, facts)]);
  else await out.write(toText(reports, flags, facts));
  await writeTo('--html', flags.html, () => formatPage(reports, facts), cli);
  await writeTo('--junit', flags.junit, () => formatJUnit(reports, comparison), cli);
  const failed = comparison === undefined ? reports.some(({ broken }) => broken > 0) : comparison.worse.length > 0;
  return failed ? exitCode.failed : exitCode.done;
}

function toJson(reports: readonly DoctorReport[], { matrix }: OutputFlags, { at, comparison }: PageFacts): object {
  const stamped = reports.map((report) => ({ turnwire: version, at, ...report }));
  if (matrix === true) return { turnwire: version, at, servers: stamped };
  return { ...stamped[0], ...(comparison === undefined ? {} : { comparison: listsOf(comparison) }) };
}

function listsOf({ worse, better, noted }: Comparison): object {
  return { worse, better, noted };
}

function toText(reports: readonly DoctorReport[], { markdown, matrix }: OutputFlags, facts: PageFacts): string {
  if (markdown === true) return formatMarkdown(reports, facts);
  const tables = reports.map(formatReport);
  if (matrix === true) tables.push(formatMatrix(reports));
  return tables.join('\n') + (facts.comparison === undefined ? '' : formatComparison(facts.comparison));
}

async function writeTo(flag: string, path: string | undefined, text: () => string, cli: CliContext): Promise<void> {
  if (path === undefined) return;
  try {
    await writeFile(resolve(cli.cwd, path), text());
  } catch (error) {
    throw new UsageError(`${flag}: cannot write ${path}: ${describeSystemError(error)}`);
  }
}
