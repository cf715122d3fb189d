import { visible, visibleLines } from '@turnwire/wire/internal/base/printable';
import type { Change, Comparison } from './baseline.ts';
import type { DoctorReport, ReportedFinding } from '../doctor-report.ts';
import type { Evidence } from '../proof/evidence.ts';
import { wireTitles } from '../wires.ts';
import { curlOf, endWords, headOf } from './evidence-text.ts';
import { matrixOf } from './matrix.ts';
import type { PageFacts } from './page.ts';
import { markOf, outcomes, outcomeWords, shareOf, worstFirst } from './words.ts';

/** Reports as markdown, for a comment, an issue or a summary of CI. What a server said is text in it, and no markup. */
export function formatMarkdown(reports: readonly DoctorReport[], { version, at, comparison }: PageFacts): string {
  const parts = [
    ...(reports.length > 1 ? [matrixTable(reports)] : []),
    ...comparisonList(comparison),
    ...reports.map(section),
    `turnwire ${version}, ${at}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(report: DoctorReport): string {
  const { url, model, findings, rates, tally } = report;
  return [
    `## ${inline(url)}`,
    `Model ${code(model)}`,
    table(
      outcomes.map((outcome) => outcomeWords[outcome]),
      [outcomes.map((outcome) => String(tally[outcome]))],
    ),
    ...worstFirst(findings).map((finding) => findingSection(finding, url)),
    ...(rates.length === 0
      ? []
      : [
          '### How often',
          table(
            ['wire', 'what', 'how often'],
            rates.map((rate) => [wireTitles[rate.wire], rate.what, shareOf(rate)]),
          ),
        ]),
  ].join('\n\n');
}

function findingSection(finding: ReportedFinding, url: string): string {
  const { quirk, level, wire, seen, evidence } = finding;
  return [
    `### ${level === 'broken' ? 'Fault' : 'Odd'}: ${code(quirk)} (${wireTitles[wire]})`,
    inline(seen),
    findingFacts(finding),
    ...(evidence === undefined
      ? []
      : [
          fenced(evidenceText(evidence)),
          '<details><summary>How to ask the same</summary>',
          fenced(curlOf(evidence, url), 'sh'),
          '</details>',
        ]),
  ].join('\n\n');
}

/** What is right, who stumbles and who can mend it, as a list. */
export function findingFacts({ right, stumbles, answer, repairs, mend }: ReportedFinding): string {
  return [
    `- Right: ${inline(right)}`,
    `- Who stumbles: ${stumbles.length === 0 ? 'nobody known' : inline(stumbles.join('; '))}`,
    `- What turnwire does: ${inline(answer)}${repairs.length === 0 ? '' : ` (repair ${repairs.map(code).join(', ')})`}`,
    `- What the server could do: ${inline(mend)}`,
  ].join('\n');
}

/** The exchange as lines with their times; `>` marks what shows the finding. */
export function evidenceText(evidence: Evidence): string {
  const { request, lines, end, end_ms: endMs } = evidence;
  return [
    `${request.method} ${request.target} -> ${headOf(evidence)}`,
    ...lines.map((line) =>
      'left_out' in line
        ? `  … ${line.left_out} more`
        : `${line.marked ? '>' : ' '} ${at(line.ms)}  ${line.text.replaceAll('\n', `\n${' '.repeat(14)}`)}`,
    ),
    `  ${at(endMs)}  ${endWords[end]}`,
  ].join('\n');
}

function at(ms: number): string {
  return `${ms} ms`.padStart(10);
}

function comparisonList(comparison: Comparison | undefined): readonly string[] {
  if (comparison === undefined) return [];
  const list = (title: string, changes: readonly Change[]): readonly string[] =>
    changes.length === 0 ? [] : [`### ${title}`, changes.map(({ text }) => `- ${inline(text)}`).join('\n')];
  const { worse, better, noted } = comparison;
  const changes = [...list('Worse', worse), ...list('Better', better), ...list('New, and allowed', noted)];
  return ['## Against the report of before', ...(changes.length === 0 ? ['Nothing changed.'] : changes)];
}

function matrixTable(reports: readonly DoctorReport[]): string {
  const { servers, rows } = matrixOf(reports);
  const told = rows.filter(({ cells }) => cells.some((cell) => cell === undefined || markOf(cell) !== 'ok'));
  return table(
    ['check', ...servers.map(({ url, model }) => `${url} (${model})`)],
    told.map(({ title, cells }) => [title, ...cells.map((cell) => (cell === undefined ? '' : markOf(cell)))]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(inline).join(' | ')} |`;
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** Text that is no markup (CommonMark 2.4): what could begin some is escaped. */
export function inline(text: string): string {
  return visible(text)
    .replaceAll(/[\\`*_{}[\]<>#|~&]/g, String.raw`\$&`)
    .replaceAll(/@(?=\w)/g, '@\u2060');
}

/** Text in a code span, which no backtick of it ends. */
export function code(text: string): string {
  const shown = visible(text).replaceAll('|', String.raw`\|`);
  const fence = '`'.repeat(longestRun(shown) + 1);
  return shown.includes('`') ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`;
}

/** Text as a block of code, which nothing in it ends (CommonMark 4.5). */
export function fenced(text: string, language = ''): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${visibleLines(text)}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
